"""What an agent has before them: the desk, and a conversation laid open."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from router.channel.contract import Capabilities
from router.domain.conversation import Offered
from router.domain.errors import CannotReply
from router.domain.ids import AccountName, AgentId, ConversationId
from router.domain.policy import ShopPolicy
from router.domain.timeline import Interaction
from router.domain.workforce import Agent
from router.service.cards import Card, CaseCard, agent_names, cards_of, case_cards, urgency
from router.service.contacts import Person, person
from router.service.handover import Handover, handover
from router.service.records import Alert, DecisionRecord, Reservation
from router.service.room import ReplyRoom, ReplyWay, ways
from router.service.stories import CaseStory, stories
from router.service.unit import Unit


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
    offers = tuple(
        _offer(unit, card, at)
        for card in sorted(cards, key=urgency)
        if isinstance(card.conversation.state, Offered)
    )
    mine = tuple(card for card in cards if not isinstance(card.conversation.state, Offered))
    cases = case_cards(unit, [case for case in unit.cases.all_open() if case.owner == me], at=at)
    alerts = unit.journal.alerts(me, supervisor=agent.supervises())
    return Desk(me=agent, offers=offers, mine=mine, cases=cases, alerts=alerts)


def _offer(unit: Unit, card: Card, at: datetime) -> OfferCard:
    state = card.conversation.state
    if not isinstance(state, Offered):
        raise TypeError("only an offered conversation has an offer")
    return OfferCard(
        reservation=unit.workforce.reservation(state.reservation),
        card=card,
        stories=stories(unit, card.conversation.contact, at=at),
        last=unit.conversations.said_in(card.conversation.id, limit=5),
        handover=handover(unit, card.conversation.id),
    )


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
