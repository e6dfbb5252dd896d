"""Every state of a conversation with every step; the table is kept as a golden file."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from router.domain.conversation import (
    Accept,
    Close,
    Closed,
    Elsewhere,
    Finish,
    HandToBot,
    HandToHuman,
    Offer,
    Offered,
    Park,
    Parked,
    Queued,
    Release,
    Requeue,
    Resume,
    State,
    Step,
    Take,
    WithAgent,
    WithBot,
    WrapUp,
    holder,
    responsible,
    step,
)
from router.domain.errors import IllegalStep
from router.domain.ids import AgentId, ReservationId

THEN = datetime(2026, 11, 11, tzinfo=UTC)
NOW = THEN + timedelta(minutes=1)
LIN, WANG = AgentId("lin"), AgentId("wang")
HELD, OTHER = ReservationId("r1"), ReservationId("r2")
STATES: tuple[State, ...] = (
    Queued(since=THEN),
    Offered(reservation=HELD, agent=LIN, since=THEN, until=NOW),
    WithBot(since=THEN),
    WithAgent(agent=LIN, since=THEN),
    WrapUp(agent=LIN, since=THEN),
    Parked(agent=LIN, until=NOW),
    Elsewhere(since=THEN),
    Closed(at=THEN),
)
STEPS: tuple[tuple[str, Step], ...] = (
    ("Offer", Offer(reservation=HELD, agent=LIN, at=NOW, until=NOW)),
    ("Accept", Accept(reservation=HELD, at=NOW)),
    ("Accept another's", Accept(reservation=OTHER, at=NOW)),
    ("Release", Release(reservation=HELD, at=NOW)),
    ("Release another's", Release(reservation=OTHER, at=NOW)),
    ("HandToBot", HandToBot(at=NOW)),
    ("HandToHuman", HandToHuman(at=NOW)),
    ("Take", Take(agent=WANG, at=NOW)),
    ("Requeue", Requeue(at=NOW)),
    ("Finish", Finish(at=NOW)),
    ("Resume", Resume(at=NOW)),
    ("Park", Park(at=NOW, until=NOW)),
    ("Close", Close(at=NOW)),
)
GOLDEN = Path(__file__).with_name("conversation_steps.md")


def table() -> str:
    names = [type(state).__name__ for state in STATES]
    lines = [f"| | {' | '.join(names)} |", f"|---|{'---|' * len(names)}"]
    for label, event in STEPS:
        cells = [_after(state, event) for state in STATES]
        lines.append(f"| {label} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _after(state: State, event: Step) -> str:
    try:
        return type(step(state, event)).__name__
    except IllegalStep:
        return "–"


def test_every_state_takes_each_step_as_the_table_says() -> None:
    if os.environ.get("CASES_UPDATE"):
        GOLDEN.write_text(table(), "utf-8")
    assert table() == GOLDEN.read_text("utf-8")


def test_a_released_offer_keeps_the_place_in_line() -> None:
    offered = step(Queued(since=THEN), Offer(reservation=HELD, agent=LIN, at=NOW, until=NOW))
    assert step(offered, Release(reservation=HELD, at=NOW)) == Queued(since=THEN)


def test_a_parked_conversation_takes_no_room_and_stays_on_the_desk() -> None:
    parked = Parked(agent=LIN, until=NOW)
    assert (holder(parked), responsible(parked)) == (None, LIN)
