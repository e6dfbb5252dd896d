"""The floor's tables say what the plain words say, however the floor came to be as it is."""

from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as some

from router.domain.floor import (
    EPSILON,
    Entered,
    Floor,
    Foreseen,
    Gone,
    Held,
    Holding,
    Staffed,
    Unstaffed,
)
from router.domain.ids import AgentId, ContactId, ConversationId, Skill
from router.domain.index import Index, index_of
from router.domain.matching import Matching
from router.domain.policy import PricePolicy
from router.domain.prices import Category, Forecast, PriceList, categories, poisson_tails
from router.domain.routing import OfferTo, decide, excluded, made, overdue
from router.domain.score import score
from router.domain.workforce import Need
from tests.domain.test_routing import (
    NOW,
    POLICY,
    SKILLS,
    a_floor,
    a_waiting,
    an_agent,
    floors,
    some_agent,
    some_waiting,
)

KINDS = categories(SKILLS)
_NAMES = tuple(ConversationId(f"c{number}") for number in range(6))
_AGENTS = tuple(AgentId(f"a{number}") for number in range(5))

rates = some.floats(0, 0.5)
forecasts = some.builds(
    lambda rate, weight: Forecast(
        begins=NOW - timedelta(hours=1),
        step=timedelta(hours=2),
        rates=dict.fromkeys(categories(tuple(sorted(_skills()))), (rate,)),
        weights=dict.fromkeys(categories(tuple(sorted(_skills()))), weight),
    ),
    rates,
    some.floats(0.1, 10),
)
changes = some.one_of(
    some.builds(
        lambda waiting, name: Entered(
            waiting=replace(waiting, conversation=name, cases=int(waiting.severity > 0))
        ),
        some_waiting,
        some.sampled_from(_NAMES),
    ),
    some.builds(
        lambda name, agent, weight: Held(
            holding=Holding(conversation=name, contact=ContactId(name), agent=agent, weight=weight),
            at=NOW - timedelta(minutes=1),
        ),
        some.sampled_from(_NAMES),
        some.sampled_from(_AGENTS),
        some.sampled_from((0.25, 1.0)),
    ),
    some.builds(lambda name: Gone(conversation=name), some.sampled_from(_NAMES)),
    some.builds(
        lambda agent, name: Staffed(agent=replace(agent, id=name)),
        some_agent,
        some.sampled_from(_AGENTS),
    ),
    some.builds(lambda name: Unstaffed(agent=name), some.sampled_from(_AGENTS)),
)


def _skills() -> set[Skill]:
    return {Skill(name) for name in POLICY.skills}


@settings(deadline=None)
@given(some.lists(changes, max_size=30), forecasts)
def test_what_was_kept_up_to_date_decides_like_what_is_built_anew(
    happened: list[Entered | Held | Gone | Staffed | Unstaffed], forecast: Forecast
) -> None:
    floor = Floor()
    floor.apply(Foreseen(forecast=forecast))
    kept = index_of(floor, POLICY)
    for place, change in enumerate(happened):
        floor.pass_time(NOW - timedelta(minutes=40 - place))
        floor.apply(change)
        if place % 5 == 0:
            decide(floor, POLICY, NOW)
    assert index_of(floor, POLICY) is kept
    before = decide(floor, POLICY, NOW)
    floor.watch(Index(POLICY))
    assert decide(floor, POLICY, NOW) == before


@settings(deadline=None)
@given(floors(), forecasts)
def test_the_tables_give_each_pair_the_score_that_the_words_give(
    floor: Floor, forecast: Forecast
) -> None:
    index = index_of(floor, POLICY)
    for match in Matching(index, index.prices(forecast, NOW), NOW):
        waiting = floor.in_line(match.conversation)
        assert waiting is not None
        for at, position in enumerate(match.agents.tolist()):
            agent = floor.agents()[index.staff.ids[position]]
            line = next(each for each in index.lines if each.key.needs == waiting.needs)
            terms = score(
                waiting,
                agent,
                POLICY,
                NOW,
                work=float(match.work[at]),
                price=float(match.price[at]),
            )
            bar = (terms.misfit - match.misfit[at]) / POLICY.routing.misfit
            assert bar >= -EPSILON
            assert line.key.needs == waiting.needs
            told = match.urgency - match.misfit[at] - match.price[at] + match.tie[at]
            told -= match.work[at]
            assert abs(match.score[at] - told) < 1e-6
            assert abs(match.score[at] - terms.total - bar * POLICY.routing.misfit) < 1e-6
            assert abs(terms.urgency - match.urgency) < 1e-6
            assert terms.tie == match.tie[at]


@settings(deadline=None)
@given(floors(), forecasts)
def test_prices_hold_nobody_back_who_complains_or_has_waited_too_long(
    floor: Floor, forecast: Forecast
) -> None:
    floor.apply(Foreseen(forecast=forecast))
    for offer in decide(floor, POLICY, NOW):
        if isinstance(offer, OfferTo):
            floor.apply(made(offer, floor, at=NOW))
    for waiting in floor.waiting():
        if waiting.unread or (waiting.bot_ok and not waiting.cases):
            continue
        if waiting.severity or overdue(waiting, POLICY, NOW):
            for agent in floor.agents().values():
                assert excluded(waiting, agent, floor.room_for(agent.id), POLICY) is not None


@settings(deadline=None)
@given(floors(), forecasts)
def test_reasons_read_the_same_now_and_after_the_floor_has_moved_on(
    floor: Floor, forecast: Forecast
) -> None:
    floor.apply(Foreseen(forecast=forecast))
    offers = [each for each in decide(floor, POLICY, NOW) if isinstance(each, OfferTo)]
    again = [each for each in decide(floor, POLICY, NOW) if isinstance(each, OfferTo)]
    told = [dict(each.because) for each in again]
    for offer in offers:
        floor.apply(made(offer, floor, at=NOW))
    floor.apply(Staffed(agent=an_agent("a0", skills={SKILLS[0]: 5})))
    assert [dict(each.because) for each in offers] == told
    for each in offers:
        first = each.because["candidates"][0]
        assert first["agent"] == each.agent
        terms = first["urgency"] - first["misfit"] - first["price"] + first["tie"]
        assert abs(first["score"] - terms + first["work"]) < 0.003


def test_in_one_line_the_older_goes_first() -> None:
    waiting = [
        a_waiting(f"c{number}", since=NOW - timedelta(seconds=10 * number)) for number in range(4)
    ]
    floor = a_floor([an_agent(capacity=0.5)], waiting)
    offered = [each.conversation for each in decide(floor, POLICY, NOW)]
    assert offered == ["c3", "c2"]


def test_who_knows_the_contact_may_take_them_before_their_turn() -> None:
    older = a_waiting("c1", since=NOW - timedelta(seconds=6))
    known = a_waiting("c2", previous=AgentId("a1"))
    floor = a_floor([an_agent("a1", capacity=0.25)], [older, known])
    (offer,) = decide(floor, POLICY, NOW)
    assert offer.conversation == "c2"


def _forecast(rate: float, weight: float = 4.0) -> Forecast:
    kinds = categories(tuple(sorted(_skills())))
    return Forecast(
        begins=NOW - timedelta(hours=1),
        step=timedelta(hours=2),
        rates={kind: (rate if kind.skill == "complaint" else 0.0,) for kind in kinds},
        weights=dict.fromkeys(kinds, weight),
    )


def test_the_last_one_who_can_take_complaints_is_kept_for_them() -> None:
    rare = an_agent("a1", skills={Skill("complaint"): 4}, capacity=0.25)
    floor = a_floor([rare], [a_waiting()])
    floor.apply(Foreseen(forecast=_forecast(0.05)))
    assert decide(floor, POLICY, NOW) == ()
    plain = an_agent("a2")
    floor.apply(Staffed(agent=plain))
    (offer,) = decide(floor, POLICY, NOW)
    assert isinstance(offer, OfferTo)
    assert offer.agent == plain.id
    assert offer.because["left_out"] == {"a1": "holds_out_for_better"}
    floor.apply(Foreseen(forecast=None))
    assert len(decide(a_floor([rare], [a_waiting()]), POLICY, NOW)) == 1


def _price(free: float, *, rate: float, holders: float = 10.0) -> float:
    kind = Category(exclusive=False, skill=None)
    forecast = Forecast(
        begins=NOW,
        step=timedelta(minutes=15),
        rates={kind: (rate,)},
        weights={kind: 1.0},
    )
    listed = PriceList(PricePolicy(least=0.0), (kind,), forecast, 0, np.array([holders]))
    return float(listed.at(np.array([free]))[0])


@given(some.integers(0, 300), some.integers(0, 300), rates)
def test_the_more_slots_are_free_the_less_one_is_worth(one: int, other: int, rate: float) -> None:
    few, many = sorted((one, other))
    assert _price(few, rate=rate) >= _price(many, rate=rate) - 1e-12


@given(rates, rates, some.integers(1, 50))
def test_the_more_is_expected_the_more_a_slot_is_worth(one: float, other: float, free: int) -> None:
    less, more = sorted((one, other))
    assert _price(free, rate=less) <= _price(free, rate=more) + 1e-12


def test_a_slot_among_very_many_costs_nothing() -> None:
    assert _price(1000, rate=1.0) == 0.0


def test_tails_are_those_of_the_poisson_distribution() -> None:
    (row,) = poisson_tails(np.array([2.0]))
    assert row[0] == 1.0
    assert abs(row[1] - (1 - np.exp(-2))) < 1e-12
    assert abs(row[3] - (1 - np.exp(-2) * (1 + 2 + 2))) < 1e-12


@given(some.integers(1, 5), some.integers(1, 5), some.floats(0, 19))
def test_more_proficiency_never_lowers_a_score(one: int, other: int, waited: float) -> None:
    lower, higher = sorted((one, other))
    need = frozenset({Need(skill=SKILLS[0], least=3)})
    waiting = a_waiting(needs=need, since=NOW - timedelta(seconds=waited))
    totals = [
        score(waiting, an_agent(skills={SKILLS[0]: level}), POLICY, NOW).total
        for level in (lower, higher)
    ]
    assert totals[0] <= totals[1] + EPSILON


@settings(deadline=None)
@given(floors(), some.integers(1, 600))
def test_nothing_becomes_worth_doing_before_the_floor_says_so(floor: Floor, later: int) -> None:
    for offer in decide(floor, POLICY, NOW):
        if isinstance(offer, OfferTo):
            floor.apply(made(offer, floor, at=NOW))
    decide(floor, POLICY, NOW)
    again = index_of(floor, POLICY).again
    assert again is not None
    moment: datetime = min(NOW + timedelta(seconds=later), again - timedelta(milliseconds=2))
    if moment > NOW:
        now = {type(each).__name__ for each in decide(floor, POLICY, moment)}
        assert "OfferTo" not in now
