"""What must hold for every floor that routing looks at."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as some

from router.domain.floor import EPSILON, Entered, Floor, Held, Holding, Staffed, Waiting
from router.domain.ids import AgentId, ContactId, ConversationId, QueueName, ReservationId, Skill
from router.domain.policy import ShopPolicy
from router.domain.routing import (
    GiveToBot,
    Lapse,
    OfferTo,
    Overflow,
    decide,
    excluded,
    made,
    overdue,
    score,
    urgency,
)
from router.domain.workforce import Agent, Need, Presence, Role
from router.settings.load import load

NOW = datetime(2026, 11, 11, 12, tzinfo=UTC)
POLICY: ShopPolicy = load(environ={}).policy
SKILLS = tuple(Skill(name) for name in ("presale", "logistics", "returns", "complaint"))
FAMILIES = ("im", "webchat", "voice")
_AGENTS = tuple(AgentId(f"a{number}") for number in range(5))


def a_waiting(name: str = "c1", **changes: object) -> Waiting:
    waiting = Waiting(
        conversation=ConversationId(name),
        contact=ContactId(name),
        queue=QueueName("general"),
        channel="webchat",
        family="webchat",
        language="zh",
        needs=frozenset(),
        since=NOW - timedelta(seconds=5),
        priority=0,
        vip=False,
        upset=False,
        severity=0,
        cases=0,
        case_version=0,
        unread=0,
        bot_ok=False,
        previous=None,
        excluded=frozenset(),
    )
    return replace(waiting, **changes)  # type: ignore[arg-type]


def an_agent(name: str = "a0", **changes: object) -> Agent:
    agent = Agent(
        id=AgentId(name),
        login=name,
        name=name,
        role=Role.AGENT,
        skills={},
        families=frozenset(),
        languages=frozenset(),
        capacity=1.0,
        presence=Presence.AVAILABLE,
        presence_since=NOW - timedelta(hours=1),
        active=True,
    )
    return replace(agent, **changes)  # type: ignore[arg-type]


def a_floor(agents: list[Agent], waiting: list[Waiting]) -> Floor:
    floor = Floor()
    for agent in agents:
        floor.apply(Staffed(agent=agent))
    for each in waiting:
        floor.apply(Entered(waiting=each))
    return floor


needs = some.frozensets(
    some.builds(
        Need, skill=some.sampled_from(SKILLS), least=some.integers(1, 5), hard=some.booleans()
    ),
    max_size=2,
)
some_waiting = some.builds(
    a_waiting,
    severity=some.sampled_from((0, 0, 0, 1, 2, 3)),
    family=some.sampled_from(FAMILIES),
    language=some.sampled_from(("zh", "en", "")),
    needs=needs,
    since=some.integers(0, 4000).map(lambda seconds: NOW - timedelta(seconds=seconds)),
    priority=some.integers(-3, 3),
    vip=some.booleans(),
    unread=some.sampled_from((0, 0, 0, 1)),
    bot_ok=some.booleans(),
    previous=some.sampled_from((None, *_AGENTS)),
    excluded=some.frozensets(some.sampled_from(_AGENTS), max_size=1),
)
some_agent = some.builds(
    an_agent,
    skills=some.dictionaries(some.sampled_from(SKILLS), some.integers(1, 5)),
    families=some.frozensets(some.sampled_from(FAMILIES), max_size=2),
    languages=some.frozensets(some.sampled_from(("zh", "en")), max_size=2),
    capacity=some.sampled_from((0.0, 0.25, 0.5, 1.0)),
    presence=some.sampled_from((Presence.AVAILABLE, Presence.AVAILABLE, Presence.BUSY)),
    active=some.sampled_from((True, True, True, False)),
)


@some.composite
def floors(draw: some.DrawFn) -> Floor:
    agents = [
        replace(each, id=AgentId(f"a{number}"))
        for number, each in enumerate(draw(some.lists(some_agent, max_size=5)))
    ]
    waiting = [
        replace(each, conversation=ConversationId(f"c{number}"), cases=1 if each.severity else 0)
        for number, each in enumerate(draw(some.lists(some_waiting, max_size=10)))
    ]
    return a_floor(agents, waiting)


def offers(floor: Floor) -> list[OfferTo]:
    return [each for each in decide(floor, POLICY, NOW) if isinstance(each, OfferTo)]


@given(floors())
def test_nobody_is_offered_more_than_they_can_hold(floor: Floor) -> None:
    for offer in offers(floor):
        assert floor.room_for(offer.agent) + EPSILON >= offer.weight
        floor.apply(made(offer, floor, at=NOW))


@given(floors())
def test_an_offer_never_breaks_a_hard_requirement(floor: Floor) -> None:
    for offer in offers(floor):
        waiting = floor.in_line(offer.conversation)
        assert waiting is not None
        agent = floor.agents()[offer.agent]
        assert excluded(waiting, agent, agent.capacity, POLICY) in {None, "excluded"}


@given(floors())
def test_who_gave_it_away_gets_it_back_only_if_nobody_else_ever_could_take_it(
    floor: Floor,
) -> None:
    for offer in offers(floor):
        waiting = floor.in_line(offer.conversation)
        assert waiting is not None
        if offer.agent in waiting.excluded:
            for agent in floor.agents().values():
                if agent.id not in waiting.excluded and agent.presence is Presence.AVAILABLE:
                    assert excluded(waiting, agent, 1.0, POLICY) is not None


def test_the_only_agent_of_a_shop_is_offered_again_what_they_let_lapse() -> None:
    waiting = a_waiting(excluded=frozenset({AgentId("a0")}))
    (offer,) = offers(a_floor([an_agent()], [waiting]))
    assert offer.agent == "a0"


@given(floors())
def test_nobody_waits_beside_a_free_agent_unless_the_score_says_why(floor: Floor) -> None:
    decisions = decide(floor, POLICY, NOW)
    handed = {each.conversation for each in decisions if isinstance(each, OfferTo | GiveToBot)}
    for offer in decisions:
        if isinstance(offer, OfferTo):
            floor.apply(made(offer, floor, at=NOW))
    for waiting in floor.waiting():
        if waiting.unread or waiting.conversation in handed:
            continue
        for agent in floor.agents().values():
            if excluded(waiting, agent, floor.room_for(agent.id), POLICY) is None:
                assert agent.id not in waiting.excluded
                assert waiting.severity == 0
                assert not overdue(waiting, POLICY, NOW)
                assert score(waiting, agent, POLICY, NOW).total <= 0


@given(floors())
def test_what_nobody_has_read_is_handed_to_nobody(floor: Floor) -> None:
    unread = {each.conversation for each in floor.waiting() if each.unread}
    handed = {
        each.conversation
        for each in decide(floor, POLICY, NOW)
        if isinstance(each, OfferTo | GiveToBot)
    }
    assert not unread & handed


@given(floors())
def test_the_bot_gets_nobody_with_an_open_complaint(floor: Floor) -> None:
    for each in decide(floor, POLICY, NOW):
        if isinstance(each, GiveToBot):
            waiting = floor.in_line(each.conversation)
            assert waiting is not None
            assert (waiting.cases, waiting.bot_ok) == (0, True)


@given(floors(), some.randoms())
def test_the_same_floor_decides_the_same_in_whatever_order_it_was_built(
    floor: Floor, shuffled: object
) -> None:
    agents, waiting = list(floor.agents().values()), list(floor.waiting())
    shuffled.shuffle(agents)  # type: ignore[attr-defined]
    shuffled.shuffle(waiting)  # type: ignore[attr-defined]
    assert decide(a_floor(agents, waiting), POLICY, NOW) == decide(floor, POLICY, NOW)


@given(some_waiting, some.integers(1, 3))
def test_of_two_of_equal_age_the_open_complaint_goes_first(waiting: Waiting, severity: int) -> None:
    plain = replace(waiting, severity=0, cases=0, unread=0, bot_ok=False, excluded=frozenset())
    plain = replace(plain, needs=frozenset(), priority=3)
    complaint = replace(
        plain, conversation=ConversationId("c2"), severity=severity, cases=1, priority=0
    )
    one = an_agent(capacity=POLICY.routing.family_weight[waiting.family])
    (offer,) = offers(a_floor([one], [plain, complaint]))
    assert offer.conversation == complaint.conversation


@given(some_waiting, some.floats(0, 3000))
def test_a_complaint_is_never_held_for_a_better_match(waiting: Waiting, waited: float) -> None:
    poor = frozenset({Need(skill=SKILLS[0], least=5), Need(skill=SKILLS[1], least=5)})
    complaint = replace(
        waiting,
        severity=1,
        cases=1,
        needs=poor,
        unread=0,
        excluded=frozenset(),
        since=NOW - timedelta(seconds=waited),
    )
    assert len(offers(a_floor([an_agent()], [complaint]))) == 1


@given(some.floats(0, 29), some.floats(0, 29))
def test_waiting_longer_never_lowers_urgency_before_the_target(one: float, other: float) -> None:
    early, late = sorted((one, other))
    waited = [a_waiting(since=NOW - timedelta(seconds=seconds)) for seconds in (early, late)]
    assert urgency(waited[0], POLICY, NOW) <= urgency(waited[1], POLICY, NOW) + EPSILON


def test_the_agent_who_fits_better_is_preferred() -> None:
    need = frozenset({Need(skill=SKILLS[0], least=3)})
    novice = an_agent("a1", skills={SKILLS[0]: 1})
    expert = an_agent("a2", skills={SKILLS[0]: 4})
    (offer,) = offers(a_floor([novice, expert], [a_waiting(needs=need)]))
    assert offer.agent == expert.id
    assert offer.because["left_out"] == {"a1": "holds_out_for_better"}


def test_the_agent_who_knows_the_contact_is_preferred_among_equals() -> None:
    agents = [an_agent("a1"), an_agent("a2")]
    (offer,) = offers(a_floor(agents, [a_waiting(previous=AgentId("a2"))]))
    assert offer.agent == "a2"


def test_an_unanswered_offer_lapses_at_its_time_and_not_before() -> None:
    floor = a_floor([an_agent()], [a_waiting()])
    until = NOW + timedelta(seconds=30)
    floor.apply(
        Held(
            holding=Holding(
                conversation=ConversationId("c1"),
                contact=ContactId("c1"),
                agent=AgentId("a0"),
                weight=0.25,
                reservation=ReservationId("r1"),
                until=until,
            ),
            at=NOW,
        )
    )
    assert decide(floor, POLICY, NOW) == ()
    (lapse,) = decide(floor, POLICY, until)
    assert isinstance(lapse, Lapse)


def test_who_waits_too_long_overflows_to_the_next_queue() -> None:
    waiting = a_waiting(queue=QueueName("presale"), since=NOW - timedelta(minutes=4))
    (decision,) = decide(a_floor([], [waiting]), POLICY, NOW)
    assert decision == Overflow(
        conversation=waiting.conversation, to=QueueName("general"), because={"waited_s": 240.0}
    )
