"""Trials of wordings: begun by supervisors, followed to what came of them, ended with a winner."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from router.domain import trial as domain
from router.domain.errors import Invalid
from router.domain.events import Happened
from router.domain.ids import ContactId, ScriptId, TrialId
from router.domain.script import Script, ScriptState
from router.domain.timeline import Direction, Interaction, Kind
from router.domain.trial import (
    ORDER_WITHIN,
    REPLY_WITHIN,
    Measure,
    Outcome,
    ScriptUse,
    Tally,
    Trial,
    Variant,
    tally,
)
from router.service.significance import LEVEL, Compared
from router.service.unit import Unit

MEASURES = tuple(Measure)
#: The most contacts of a trial that are looked at, and of whose later time so much.
_MOST: Final = 5000
_LATER: Final = 100
#: Outcomes of a conversation that settle what it was about.
_SETTLED: Final = frozenset(
    {"answered", "order_changed", "refund_started", "return_started", "confirmed"}
)
#: Words with which platforms and shops name an order that was placed or paid.
_ORDERED: Final = ("paid", "pay", "created", "placed", "ordered", "trade_success", "purchase")


def measure_of(name: str) -> Measure:
    """Return the measure that a caller names; raises Invalid."""
    try:
        return Measure(name)
    except ValueError as error:
        raise Invalid(f"measure: {name!r} is not one of {', '.join(MEASURES)}") from error


def begin(
    unit: Unit,
    *,
    trial: TrialId,
    script: ScriptId,
    place: str,
    others: Iterable[Variant],
    measure: Measure,
    planned: int,
    by: str,
    at: datetime,
) -> Trial:
    """Try other wordings beside the approved one of a place.

    Raises Invalid if nothing is approved there, Conflict if a trial of it runs.
    """
    held = unit.scripts.get(script)
    approved = held.approved.get(place)
    if not approved:
        raise Invalid(f"place: the script has no approved wording for {place!r}")
    made = domain.checked(
        Trial(
            id=trial,
            script=script,
            place=place,
            variants=(Variant(name="A", wording=dict(approved)), *others),
            measure=measure,
            planned=planned,
            started_at=at,
            started_by=by,
        )
    )
    unit.scripts.add_trial(made)
    _changed(unit, made, by=by, at=at)
    return made


def end(unit: Unit, *, trial: str, winner: str, by: str, at: datetime) -> Trial:
    """End a trial; the winner's wording, if there is one, is the approved one from now on."""
    over = domain.ended(unit.scripts.trial(TrialId(trial)), winner=winner, by=by, at=at)
    saved = unit.scripts.save_trial(over)
    if winner:
        unit.scripts.save(_promoted(unit.scripts.get(over.script), over, by=by, at=at))
    _changed(unit, saved, by=by, at=at)
    return saved


def _promoted(script: Script, trial: Trial, *, by: str, at: datetime) -> Script:
    wording = trial.variant(trial.winner).wording
    approved = {**script.approved, trial.place: dict(wording)}
    settled = script.state is ScriptState.APPROVED
    return replace(
        script,
        approved=approved,
        wordings=approved if settled else script.wordings,
        approved_by=by,
        approved_at=at,
    )


def _changed(unit: Unit, trial: Trial, *, by: str, at: datetime) -> None:
    facts = {"script": trial.script, "trial": trial.id, "by": by, "winner": trial.winner}
    unit.record(Happened(kind="script_changed", facts=facts), at=at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """What came of a trial so far, by its own measure."""

    trial: Trial
    compared: tuple[Compared, ...]

    @property
    def is_complete(self) -> bool:
        """Say whether every variant has had the contacts that were planned."""
        return all(each.tally.count >= self.trial.planned for each in self.compared)

    @property
    def leader(self) -> str:
        """Return the variant that is better than the first beyond chance, or empty."""
        first = self.compared[0].tally
        better = [
            each
            for each in self.compared[1:]
            if each.chance is not None and each.chance < LEVEL and _score(each) > _of(first)
        ]
        return max(better, key=_score).tally.variant if better else ""


def _score(compared: Compared) -> float:
    return _of(compared.tally)


def _of(tallied: Tally) -> float:
    if tallied.values:
        return sum(tallied.values) / len(tallied.values)
    return tallied.share or 0.0


def tallies(
    unit: Unit, *, trial: str, measure: Measure | None, at: datetime
) -> tuple[Trial, tuple[Tally, ...]]:
    """Return a trial and what was counted of each variant; raises NotFound."""
    held = unit.scripts.trial(TrialId(trial))
    return held, tally(held, outcomes(unit, held, at=at), measure or held.measure)


def outcomes(unit: Unit, trial: Trial, *, at: datetime) -> tuple[Outcome, ...]:
    """Return what came of each contact's first words of a trial.

    A contact counts once: a person who is talked to often weighs no more than anybody else.
    """
    first: dict[ContactId, ScriptUse] = {}
    for use in unit.scripts.uses(trial.id):
        first.setdefault(use.contact, use)
    return tuple(_outcome(unit, use, at=at) for use in list(first.values())[:_MOST])


def _outcome(unit: Unit, use: ScriptUse, *, at: datetime) -> Outcome:
    members = unit.contacts.members(use.contact)
    later = [
        each
        for each in unit.conversations.timeline(members, limit=_LATER)
        if each.received_at > use.at
    ]
    held = unit.conversations.get(use.conversation)
    closed = held.closed_at is not None
    return Outcome(
        contact=use.contact,
        variant=use.variant,
        replied=_within(use, later, _is_reply, REPLY_WITHIN, at),
        ordered=_within(use, later, _is_order, ORDER_WITHIN, at),
        resolved=held.disposition in _SETTLED if closed else None,
        rating=_asked_rating(unit, use) or _rating(use, later),
    )


def _is_reply(use: ScriptUse, said: Interaction) -> bool:
    spoken = said.kind in {Kind.MESSAGE, Kind.COMMENT, Kind.TURN}
    return spoken and said.direction is Direction.IN and said.conversation == use.conversation


def _is_order(_use: ScriptUse, said: Interaction) -> bool:
    if said.kind is not Kind.SHOP:
        return False
    text: str = getattr(said.content, "text", "")
    return any(word in text.partition(" ")[0].casefold() for word in _ORDERED)


def _within(
    use: ScriptUse,
    later: list[Interaction],
    fits: Callable[[ScriptUse, Interaction], bool],
    span: timedelta,
    at: datetime,
) -> bool | None:
    if any(fits(use, each) and each.received_at <= use.at + span for each in later):
        return True
    return False if at >= use.at + span else None


def _asked_rating(unit: Unit, use: ScriptUse) -> int | None:
    """Return what the contact said when asked after this conversation."""
    found = unit.ratings.about([use.conversation])
    return next((each.score for each in found if each.score), None)


def _rating(use: ScriptUse, later: list[Interaction]) -> int | None:
    """Return the first rating within the time that an order has, from 1 to 5."""
    for each in reversed(later):
        if each.kind is Kind.RATING and each.received_at <= use.at + ORDER_WITHIN:
            text: str = getattr(each.content, "text", "")
            score = text.partition("/")[0]
            if score.isdigit() and 1 <= int(score) <= 5:  # noqa: PLR2004  the scale
                return int(score)
    return None
