"""Work is spread: who was busy of late comes after an equal who was not."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from router.domain.floor import Busy, Entered, Floor, Gone, Held, Holding, Staffed
from router.domain.ids import AgentId, ContactId, ConversationId
from router.domain.index import index_of
from router.domain.policy import ShopPolicy
from router.domain.routing import OfferTo, decide
from tests.domain.test_routing import NOW, POLICY, a_waiting, an_agent

FAIR = replace(POLICY, routing=replace(POLICY.routing, rest=0.0, fairness=1.0))
UNFAIR = replace(POLICY, routing=replace(POLICY.routing, rest=0.0, fairness=0.0))


def _after_a_long_call_of(agent: str) -> Floor:
    """Two equals, one of whom has just ended an hour's work."""
    floor = Floor()
    begun = NOW - timedelta(hours=1)
    floor.pass_time(begun)
    for name in ("a0", "a1"):
        floor.apply(Staffed(agent=an_agent(name, presence_since=begun)))
    call = Holding(
        conversation=ConversationId("call"),
        contact=ContactId("call"),
        agent=AgentId(agent),
        weight=1.0,
    )
    floor.apply(Held(holding=call, at=begun))
    floor.pass_time(NOW - timedelta(seconds=1))
    floor.apply(Gone(conversation=ConversationId("call")))
    floor.pass_time(NOW)
    floor.apply(Entered(waiting=a_waiting()))
    return floor


def _taken(floor: Floor, policy: ShopPolicy, now: datetime = NOW) -> str:
    (offer,) = decide(floor, policy, now)
    assert isinstance(offer, OfferTo)
    return offer.agent


@pytest.mark.parametrize(("busy", "rested"), [("a0", "a1"), ("a1", "a0")])
def test_of_two_equals_the_one_who_rested_is_asked(busy: str, rested: str) -> None:
    assert _taken(_after_a_long_call_of(busy), FAIR) == rested


def test_without_fairness_the_smaller_name_is_asked() -> None:
    assert _taken(_after_a_long_call_of("a0"), UNFAIR) == "a0"


def test_a_better_match_outweighs_an_hour_of_work() -> None:
    floor = _after_a_long_call_of("a0")
    known = replace(a_waiting(), previous=AgentId("a0"))
    floor.apply(Entered(waiting=known))
    keen = replace(FAIR, routing=replace(FAIR.routing, tie=2.0))
    assert _taken(floor, keen) == "a0"


def test_what_is_long_ago_fades() -> None:
    busy = Busy(mean=1.0, load=0.0, at=0.0)
    assert busy.by(0.0) == 1.0
    assert 0.36 < busy.by(3600.0) < 0.37
    assert busy.by(86_400.0) < 1e-9


@settings(deadline=None)
@given(some.floats(0, 1), some.floats(0, 1), some.floats(0, 1e6), some.floats(0, 1e6))
def test_it_stays_between_what_was_and_what_is(
    mean: float, load: float, one: float, other: float
) -> None:
    sooner, later = sorted((one, other))
    busy = Busy(mean=mean, load=load, at=0.0)
    low, high = sorted((mean, load))
    assert low - 1e-12 <= busy.by(later) <= high + 1e-12
    again = Busy(mean=busy.by(sooner), load=load, at=sooner)
    assert again.by(later) == pytest.approx(busy.by(later))


def test_the_table_says_what_the_words_say() -> None:
    floor = _after_a_long_call_of("a1")
    staff = index_of(floor, FAIR).staff
    moment = (NOW + timedelta(minutes=5)).timestamp()
    told = dict(zip(staff.ids, staff.busy_by(moment).tolist(), strict=True))
    assert told == pytest.approx({name: floor.busy(name).by(moment) for name in staff.ids})
    assert told[AgentId("a1")] > told[AgentId("a0")]
