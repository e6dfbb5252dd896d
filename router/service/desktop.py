"""What an agent has before them: the desk, and a conversation laid open."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from router.channel.contract import Capabilities
from router.domain.conversation import Offered
from router.domain.errors import CannotReply
from router.domain.ids import AccountName, AgentId, ConversationId, ReservationId
from router.domain.policy import ShopPolicy
from router.domain.timeline import Interaction
from router.domain.workforce import Agent
from router.service.cards import Card, CaseCard, agent_names, cards_of, case_cards, urgency
from router.service.contacts import Person, person
from router.service.handover import Handover, handed_over, handover
from router.service.probable import probable_cases
from router.service.records import Alert, DecisionRecord, Reservation
from router.service.room import ReplyRoom, ReplyWay, ways
from router.service.stories import CaseStory, stories, stories_of
from router.service.unit import Unit

#: How many of the last words in it an offer shows.
_LAST = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferCard:
    """An offer as the agent sees it, complaints first, before accepting."""

    reservation: Reservation
    card: Card
    stories: tuple[CaseStory, ...]
    last: tuple[Interaction, ...]
    handover: Handover


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What stands on an agent's desk."""

    me: Agent
    offers: tuple[OfferCard, ...]
    mine: tuple[Card, ...]
    cases: tuple[CaseCard, ...]
    alerts: tuple[Alert, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenConversation:
    """A conversation laid open: what was said in it, and the person's whole history."""

    card: Card
    said: tuple[Interaction, ...]
    timeline: tuple[Interaction, ...]  # every channel, newest first
    stories: tuple[CaseStory, ...]
    person: Person
    ways: tuple[ReplyWay, ...]  # the usual first; none if it cannot be answered
    decisions: tuple[DecisionRecord, ...]
    agent_names: Mapping[AgentId, str]
    handover: Handover

    @property
    def room(self) -> ReplyRoom:
        """Return whether it can be answered in the usual way."""
        return self.ways[0].room if self.ways else ReplyRoom(allowed=False, why=CannotReply.code)


def desk(unit: Unit, *, me: AgentId, policy: ShopPolicy, at: datetime) -> Desk:
    """Return what stands on an agent's desk: offers, conversations, own cases, alerts."""
    agent = unit.workforce.get(me)
    held = unit.conversations.held_by(me)
    cards = cards_of(unit, held, policy=policy, at=at)
    offered = [
        (card, card.conversation.state.reservation)
        for card in sorted(cards, key=urgency)
        if isinstance(card.conversation.state, Offered)
    ]
    owned = unit.cases.open_owned_by(me)
    return Desk(
        me=agent,
        offers=_offers(unit, offered, at) if offered else (),
        mine=tuple(card for card in cards if not isinstance(card.conversation.state, Offered)),
        cases=case_cards(unit, owned, at=at) if owned else (),
        alerts=unit.journal.alerts(me, supervisor=agent.supervises()),
    )


def _offers(
    unit: Unit, offered: Sequence[tuple[Card, ReservationId]], at: datetime
) -> tuple[OfferCard, ...]:
    """Return offers with all that is shown of them; few questions for all."""
    reservations = unit.workforce.reservations([reservation for _card, reservation in offered])
    last = unit.conversations.latest_in([card.conversation.id for card, _ in offered], limit=_LAST)
    members = unit.contacts.members_of({card.conversation.contact for card, _ in offered})
    everybody = {each for person in members.values() for each in person}
    notes = unit.memory.of(everybody)
    suspects = {
        each
        for proposal in unit.proposals.open_of(everybody)
        for each in (proposal.one, proposal.other)
    }

    def shown(card: Card, reservation: ReservationId) -> OfferCard:
        held = card.conversation
        person = members[held.contact]
        probable = probable_cases(unit, held.contact) if suspects.intersection(person) else ()
        return OfferCard(
            reservation=reservations[reservation],
            card=card,
            stories=stories_of(unit, card.cases, probable, at=at),
            last=last[held.id],
            handover=handed_over(
                unit,
                held,
                members=person,
                cases=[each.case for each in card.cases],
                notes=tuple(each for each in notes if each.contact in person),
            ),
        )

    return tuple(shown(card, reservation) for card, reservation in offered)


def open_conversation(
    unit: Unit,
    *,
    conversation: ConversationId,
    policy: ShopPolicy,
    capabilities: Mapping[AccountName, Capabilities],
    at: datetime,
) -> OpenConversation:
    """Lay a conversation open, with the cross-channel history; raises NotFound."""
    held = unit.conversations.get(conversation)
    (card,) = cards_of(unit, (held,), policy=policy, at=at)
    members = unit.contacts.members(held.contact)
    able = capabilities.get(held.account) or Capabilities(replies=False)
    return OpenConversation(
        card=card,
        said=unit.conversations.said_in(conversation),
        timeline=unit.conversations.timeline(members, limit=50),
        stories=stories(unit, held.contact, at=at),
        person=person(unit, held.contact),
        ways=ways(unit, held, capabilities=able, at=at),
        decisions=unit.journal.decisions(conversation),
        agent_names=agent_names(unit),
        handover=handover(unit, conversation),
    )
