"""Why this agent, and why not that one: what a decision's reasons say in a word."""

from datetime import timedelta

from hypothesis import given

from router.domain.floor import Floor
from router.domain.ids import AgentId, Skill
from router.domain.routing import OfferTo, decide
from router.domain.why import difference, reason
from router.domain.workforce import Need
from tests.domain.test_routing import NOW, POLICY, a_floor, a_waiting, an_agent, floors

RETURNS = frozenset({Need(skill=Skill("returns"), least=3)})


def told(floor: Floor) -> tuple[str, dict[str, str]]:
    """Return why the one who was chosen was, and why each other candidate was not."""
    (offer,) = [each for each in decide(floor, POLICY, NOW) if isinstance(each, OfferTo)]
    first, *others = offer.because["candidates"]
    assert first["agent"] == offer.agent
    why_not = {each["agent"]: difference(first, each) for each in others}
    return reason(offer.because["candidates"]), why_not


def test_the_only_one_who_could_is_said_to_be_the_only_one() -> None:
    assert told(a_floor([an_agent("a0")], [a_waiting()])) == ("only", {})


def test_the_better_match_is_told_from_the_poorer() -> None:
    agents = [
        an_agent("a0", skills={Skill("returns"): 1}),
        an_agent("a1", skills={Skill("returns"): 4}),
    ]
    waiting = a_waiting(needs=RETURNS, since=NOW - timedelta(minutes=2))
    assert told(a_floor(agents, [waiting])) == ("misfit", {"a0": "misfit"})


def test_who_knows_the_customer_is_told_from_who_does_not() -> None:
    agents = [an_agent("a0"), an_agent("a1")]
    floor = a_floor(agents, [a_waiting(previous=AgentId("a1"))])
    assert told(floor) == ("tie", {"a0": "tie"})


def test_who_is_kept_for_others_by_their_breadth_is_said_to_be() -> None:
    broad = an_agent("a0", skills={Skill(name): 3 for name in ("returns", "logistics", "presale")})
    agents = [broad, an_agent("a1", skills={Skill("returns"): 3})]
    assert told(a_floor(agents, [a_waiting(needs=RETURNS)])) == ("rest", {"a0": "rest"})


def test_among_equals_the_order_of_names_decides() -> None:
    floor = a_floor([an_agent("a0"), an_agent("a1")], [a_waiting()])
    assert told(floor) == ("even", {"a1": "even"})


@given(floors())
def test_every_other_candidate_has_something_against_them_or_is_even(floor: Floor) -> None:
    for offer in decide(floor, POLICY, NOW):
        if isinstance(offer, OfferTo):
            first, *others = offer.because["candidates"]
            for each in others:
                assert first["preference"] >= each["preference"]
                even = difference(first, each) == "even"
                assert not even or first["preference"] - each["preference"] < 0.01
