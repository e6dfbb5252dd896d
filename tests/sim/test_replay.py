"""A recorded day played again: the same work, other people."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from router.domain.ids import AgentId, ConversationId, QueueName, Skill
from router.domain.recorded import Changes, Goal, Hold, RecordedDay, Shift, Wait, work_alone
from router.domain.workforce import Need
from router.settings.load import load
from router.sim.replay import Replay
from router.sim.staffing import staffing
from router.sim.whatif import NothingRecorded, staffed, what_if
from tests.builders import an_agent

POLICY = load(environ={}).policy
BEGINS = datetime(2026, 11, 10, 16, 0, tzinfo=UTC)  # midnight in Shanghai
OPENS, CLOSES = BEGINS + timedelta(hours=9), BEGINS + timedelta(hours=12)
LOGISTICS = Skill("logistics")
MINUTE = timedelta(minutes=1)


def a_wait(number: int, at: datetime, **changes: object) -> Wait:
    plain = Wait(
        conversation=ConversationId(f"c{number:05d}"),
        queue=QueueName("general"),
        channel="webchat",
        family="webchat",
        language="zh",
        needs=frozenset({Need(skill=LOGISTICS, least=2)}),
        at=at,
        priority=0,
        vip=False,
        upset=False,
        severity=0,
        previous=None,
        excluded=None,
        answered=timedelta(seconds=40),
        by=AgentId("agent-0"),
        left=None,
        work=4 * MINUTE,
        transferred=False,
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def a_shift(number: int) -> Shift:
    agent = an_agent(f"agent-{number}", skills={LOGISTICS: 3}, families=frozenset())
    return Shift(agent=agent, spans=((OPENS, CLOSES),))


def a_day(*, agents: int, each_minute: float, seed: int = 1) -> RecordedDay:
    chance = np.random.default_rng(seed)
    count = int(180 * each_minute)
    moments = sorted(chance.uniform(0, 180 * 60, count).tolist())
    return RecordedDay(
        day=date(2026, 11, 11),
        begins=BEGINS,
        ends=BEGINS + timedelta(days=1),
        waits=tuple(
            a_wait(number, OPENS + timedelta(seconds=moment))
            for number, moment in enumerate(moments)
        ),
        shifts=tuple(a_shift(number) for number in range(agents)),
    )


def test_what_was_done_side_by_side_becomes_work() -> None:
    """Two at once for ten minutes, at a slowdown of a fifth: each was worth less than ten."""
    holds = [
        Hold(conversation=ConversationId("a"), begins=OPENS, ends=OPENS + 10 * MINUTE),
        Hold(conversation=ConversationId("b"), begins=OPENS, ends=OPENS + 10 * MINUTE),
        Hold(
            conversation=ConversationId("c"),
            begins=OPENS + 20 * MINUTE,
            ends=OPENS + 25 * MINUTE,
        ),
    ]
    found = work_alone(holds, slowdown=0.2)
    assert found[ConversationId("a")] == found[ConversationId("b")]
    assert found[ConversationId("a")].total_seconds() == pytest.approx(500)
    assert found[ConversationId("c")] == 5 * MINUTE


@given(
    spans=st.lists(st.tuples(st.integers(0, 5000), st.integers(1, 3000)), min_size=1, max_size=12),
    slowdown=st.floats(0, 1),
)
def test_work_is_never_more_than_the_time_it_was_held(
    spans: list[tuple[int, int]], slowdown: float
) -> None:
    holds = [
        Hold(
            conversation=ConversationId(str(number)),
            begins=OPENS + timedelta(seconds=begin),
            ends=OPENS + timedelta(seconds=begin + length),
        )
        for number, (begin, length) in enumerate(spans)
    ]
    for each in holds:
        found = work_alone(holds, slowdown=slowdown)[each.conversation]
        assert timedelta(0) < found <= each.ends - each.begins + timedelta(milliseconds=1)


def test_everybody_is_answered_or_leaves_and_the_same_seed_is_the_same_day() -> None:
    day = a_day(agents=3, each_minute=3)
    first, second = (Replay(day, day.shifts, POLICY, seed=5).run() for _ in range(2))
    assert len(first.turns) == len(day.waits)
    for turn, again in zip(first.turns, second.turns, strict=True):
        assert (turn.answered is None) != (turn.left is None)
        assert (turn.answered, turn.left, turn.agent) == (again.answered, again.left, again.agent)


def test_more_agents_are_sooner_and_fewer_later() -> None:
    day = a_day(agents=3, each_minute=3)
    more = what_if(day, Changes(agents=2), POLICY, seeds=(1, 2))
    fewer = what_if(day, Changes(agents=-1), POLICY, seeds=(1, 2))
    assert more.same.measures == fewer.same.measures
    assert more.changed.measures["asa"][0] < more.same.measures["asa"][0] * 0.8
    assert fewer.changed.measures["aband"][0] > fewer.same.measures["aband"][0]
    assert (more.changed.agents, fewer.changed.agents) == (5, 2)
    assert len(more.changed.course) == 96
    assert more.recorded.measures["asa"][0] == pytest.approx(40.0)


def test_agents_without_the_skill_help_less() -> None:
    day = a_day(agents=3, each_minute=3)
    skilled = what_if(day, Changes(agents=2, skills={LOGISTICS: 4}), POLICY, seeds=(1,))
    others = what_if(day, Changes(agents=2, skills={Skill("payment"): 4}), POLICY, seeds=(1,))
    assert skilled.changed.measures["asa"][0] < others.changed.measures["asa"][0]


def test_volume_and_the_bot_change_how_many_come() -> None:
    day = a_day(agents=3, each_minute=3)
    double = what_if(day, Changes(volume=2.0), POLICY, seeds=(1, 2)).changed
    half = what_if(day, Changes(bot=0.5), POLICY, seeds=(1, 2)).changed
    assert double.waits == 2 * len(day.waits)
    assert half.waits == pytest.approx(len(day.waits) / 2, rel=0.1)


def test_the_bot_never_keeps_a_complaint() -> None:
    day = a_day(agents=3, each_minute=1)
    day = replace(day, waits=tuple(replace(each, severity=2) for each in day.waits))
    assert what_if(day, Changes(bot=1.0), POLICY, seeds=(1,)).changed.waits == len(day.waits)


@settings(max_examples=15, deadline=None)
@given(agents=st.integers(1, 5), change=st.integers(-5, 4))
def test_so_many_agents_are_there_as_were_asked_for(agents: int, change: int) -> None:
    day = a_day(agents=agents, each_minute=0.1)
    shifts = staffed(day, Changes(agents=change))
    assert len(shifts) == max(0, agents + change)
    assert len({each.agent.id for each in shifts}) == len(shifts)


def test_the_search_finds_a_staffing_that_keeps_the_promise_and_spares_nobody() -> None:
    day = a_day(agents=2, each_minute=2)
    goal = Goal(share=0.9, within=timedelta(seconds=30))
    found = staffing(day, goal, POLICY, seeds=(1,))
    assert found.kept
    assert found.reached >= 0.9
    count = sum(found.kinds.values())
    assert count > 2
    fewer = staffed(
        replace(day, shifts=tuple(a_shift(number) for number in range(count))),
        Changes(agents=-1),
    )
    played = Replay(day, fewer, POLICY, seed=1).run()
    late = sum(turn.waited() > 30 for turn in played.turns)
    assert 1 - late / len(played.turns) < 0.9


def test_too_many_agents_are_spared() -> None:
    day = a_day(agents=12, each_minute=1)
    found = staffing(day, Goal(share=0.8, within=MINUTE), POLICY, seeds=(1,))
    assert found.kept
    assert sum(found.kinds.values()) < 12


def test_a_day_without_anything_says_so() -> None:
    empty = replace(a_day(agents=1, each_minute=1), waits=())
    with pytest.raises(NothingRecorded, match="nobody waited"):
        what_if(empty, Changes(), POLICY, seeds=(1,))
    alone = replace(a_day(agents=1, each_minute=1), shifts=())
    with pytest.raises(NothingRecorded, match="no agent"):
        what_if(alone, Changes(), POLICY, seeds=(1,))
