"""A plan bounds who may be offered a conversation, step by step, and ends with a person."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from router.domain.floor import Entered, Floor, Staffed, Waiting
from router.domain.ids import AgentId, QueueName, Skill
from router.domain.plan import CountsFrom, Following, Step, begun, needs_in, problem_of
from router.domain.routing import Follow, OfferTo, decide, next_deadline
from router.domain.score import excluded
from router.domain.workforce import Agent, Need, Presence
from tests.domain.test_routing import NOW, POLICY
from tests.domain.test_routing import a_waiting as waiting
from tests.domain.test_routing import an_agent as agent

SECOND = timedelta(seconds=1)
RETURNS = Skill("returns")
STEPS = (
    Step(previous=True, lasts=20 * SECOND),
    Step(
        required=frozenset({Need(skill=RETURNS, least=3)}),
        groups=frozenset({"senior"}),
        lasts=60 * SECOND,
        counts_from=CountsFrom.QUEUED,
    ),
    Step(),
)


def at_step(number: int, **changes: object) -> Waiting:
    """Return somebody who has just come, at a step of the plan that began with them."""
    plain = waiting(**changes)
    plan = Following(queue=plain.queue, steps=STEPS, number=number, since=plain.since)
    needs = needs_in(plain.needs, plan.step)
    return replace(plain, plan=plan, needs=needs)


def a_floor(who: Waiting, *agents: Agent) -> Floor:
    floor = Floor()
    for each in agents:
        floor.apply(Staffed(agent=each))
    floor.apply(Entered(waiting=who))
    return floor


def offered(floor: Floor, after: timedelta = timedelta(0)) -> list[AgentId]:
    found = decide(floor, POLICY, NOW + after)
    return [each.agent for each in found if isinstance(each, OfferTo)]


def followed(floor: Floor, after: timedelta = timedelta(0)) -> list[int]:
    found = decide(floor, POLICY, NOW + after)
    return [each.number for each in found if isinstance(each, Follow)]


def test_a_step_for_who_knows_the_contact_is_for_them_alone_until_it_is_over() -> None:
    who = at_step(0, previous=AgentId("mei"), since=NOW)
    busy = agent("mei", presence=Presence.BUSY)
    floor = a_floor(who, agent("lin"), busy)
    assert offered(floor) == []
    assert followed(floor) == []
    assert next_deadline(floor, POLICY, NOW) == NOW + 20 * SECOND
    assert followed(floor, 20 * SECOND) == [1]
    floor.apply(Staffed(agent=replace(busy, presence=Presence.AVAILABLE)))
    assert offered(floor, SECOND) == [AgentId("mei")]


def test_nobody_waits_for_who_is_not_there_or_for_nobody() -> None:
    gone = agent("mei", presence=Presence.OFFLINE)
    assert followed(a_floor(at_step(0, previous=AgentId("mei"), since=NOW), gone)) == [1]
    assert followed(a_floor(at_step(0, previous=None, since=NOW), agent("lin"))) == [1]


def test_a_step_asks_for_levels_and_a_group() -> None:
    who = at_step(1, since=NOW)
    able = {RETURNS: 4}
    plain = agent("lin", skills=able)
    junior = agent("mei", skills={RETURNS: 2}, groups=frozenset({"senior"}))
    assert offered(a_floor(who, plain, junior)) == []
    assert excluded(who, plain, 1.0, POLICY) == "step:groups"
    assert excluded(who, junior, 1.0, POLICY) == "skill:returns"
    senior = agent("zhu", skills=able, groups=frozenset({"senior", "night"}))
    assert offered(a_floor(who, plain, junior, senior)) == [AgentId("zhu")]


def test_a_step_counts_from_the_line_or_from_its_own_beginning() -> None:
    since = NOW - 50 * SECOND
    plan = Following(queue=QueueName("general"), steps=STEPS, number=1, since=NOW)
    assert plan.ends(since) == since + 60 * SECOND
    own = replace(plan, steps=(replace(STEPS[1], counts_from=CountsFrom.STEP), Step()), number=0)
    assert own.ends(since) == NOW + 60 * SECOND
    assert replace(plan, number=2).ends(since) is None


def test_in_the_last_step_anybody_may_answer() -> None:
    assert offered(a_floor(at_step(2, since=NOW), agent("lin"))) == [AgentId("lin")]


def test_a_preferred_skill_counts_in_the_score_and_bars_nobody() -> None:
    steps = (Step(preferred=frozenset({Need(skill=RETURNS, least=4, weight=3.0)})),)
    plain = waiting(since=NOW, needs=frozenset())
    who = replace(
        plain,
        plan=begun(plain.queue, steps, NOW),
        needs=needs_in(plain.needs, steps[0]),
    )
    good, poor = agent("zhu", skills={RETURNS: 4}), agent("ann", skills={RETURNS: 1})
    assert offered(a_floor(who, poor, good)) == [AgentId("zhu")]
    assert excluded(who, poor, 1.0, POLICY) is None


@pytest.mark.parametrize(
    ("steps", "wrong"),
    [
        ((), None),
        ((Step(),), None),
        (STEPS, None),
        ((Step(), Step()), "every step but the last"),
        ((Step(lasts=SECOND),), "the last step has no lasts"),
        ((Step(groups=frozenset({"a"})),), "open to everybody"),
        ((Step(previous=True),), "open to everybody"),
    ],
)
def test_a_plan_must_end_with_a_person(steps: tuple[Step, ...], wrong: str | None) -> None:
    found = problem_of(steps)
    assert (found is None) if wrong is None else (found is not None and wrong in found)


@settings(max_examples=60, deadline=None)
@given(
    number=st.integers(0, 2),
    waited=st.integers(0, 120),
    crew=st.lists(
        st.tuples(st.integers(1, 5), st.booleans(), st.sampled_from(list(Presence))),
        min_size=1,
        max_size=5,
    ),
    knows=st.integers(0, 5),
)
def test_no_offer_is_outside_the_step_in_force(
    number: int, waited: int, crew: list[tuple[int, bool, Presence]], knows: int
) -> None:
    agents = {
        AgentId(f"a{at}"): agent(
            f"a{at}",
            skills={RETURNS: level},
            groups=frozenset({"senior"} if senior else ()),
            presence=presence,
        )
        for at, (level, senior, presence) in enumerate(crew)
    }
    who = at_step(number, previous=AgentId(f"a{knows}"), since=NOW - waited * SECOND)
    for chosen in offered(a_floor(who, *agents.values())):
        assert excluded(who, agents[chosen], 1.0, POLICY) is None
        step = STEPS[number]
        assert not step.previous or chosen == who.previous
        assert not step.groups or agents[chosen].groups & step.groups
        assert all(agents[chosen].skills[need.skill] >= need.least for need in step.required)
