"""Nobody starves: whoever waits is served, however many of more weight keep coming."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as some

from router.domain.floor import Entered, Floor, Gone, Staffed
from router.domain.ids import AgentId, ConversationId
from router.domain.routing import OfferTo, decide, made
from router.domain.score import overdue_after, target
from tests.domain.test_routing import NOW, POLICY, a_waiting, an_agent

_MINUTE = timedelta(minutes=1)


@settings(deadline=None, max_examples=30)
@given(
    agents=some.integers(1, 3),
    before=some.integers(0, 8),
    coming=some.integers(1, 5),
    upset=some.booleans(),
)
def test_an_ordinary_call_is_taken_although_more_important_ones_never_end(
    *, agents: int, before: int, coming: int, upset: bool
) -> None:
    """Calls of one minute; each minute more VIPs come than can be served."""
    floor = Floor()
    for number in range(agents):
        floor.apply(Staffed(agent=an_agent(f"a{number}")))
    ours = replace(a_waiting("ours"), family="voice", channel="voice", since=NOW)
    for number in range(before):
        older = replace(ours, conversation=ConversationId(f"b{number}"), vip=True)
        floor.apply(Entered(waiting=replace(older, since=NOW - _MINUTE)))
    floor.apply(Entered(waiting=ours))
    late = overdue_after(target(ours, POLICY), POLICY.routing) / 60
    latest = int(late) + 2 + -(-before // agents)
    for minute in range(latest + 1):
        now = NOW + minute * _MINUTE
        floor.pass_time(now)
        for number in range(agents):
            for held in tuple(floor.held_by(AgentId(f"a{number}"))):
                floor.apply(Gone(conversation=held))
        for number in range(coming + agents):
            newer = replace(ours, conversation=ConversationId(f"n{minute}-{number}"), vip=True)
            floor.apply(Entered(waiting=replace(newer, since=now, upset=upset)))
        for offer in decide(floor, POLICY, now):
            if isinstance(offer, OfferTo):
                if offer.conversation == ours.conversation:
                    return
                floor.apply(made(offer, floor, at=now))
    raise AssertionError(f"it still waits after {latest} minutes")
