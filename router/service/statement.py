"""The pinned statement: which conversations it concerns, and how it is said first, once in each."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from router.channel.contract import Capabilities, Family
from router.domain.content import Text, plain_text
from router.domain.conversation import Conversation
from router.domain.crisis import Crisis, Subject
from router.domain.errors import DomainError, IllegalStep
from router.domain.ids import AccountName, AgentId, ConversationId, QueueName
from router.domain.policy import ShopPolicy
from router.domain.timeline import Direction
from router.service.crisis import subjects_in
from router.service.reply import Said, announce, reply
from router.service.supervise import requeue
from router.service.unit import Unit

#: How many of a conversation's last interactions are looked at for what it is about.
_LOOK_BACK = 20

#: The family of each account's channel, for the tone; the general wording where it is not known.
Families = Mapping[AccountName, Family]


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What is to be said first in a conversation, in its channel's tone and its language."""

    crisis: str
    subject: str
    text: str


def key_of(crisis: str, conversation: ConversationId) -> str:
    """Return the key that makes a statement be said once in a conversation."""
    return f"statement:{crisis}:{conversation}"


def concerns(unit: Unit, crisis: Crisis, held: Conversation, *, policy: ShopPolicy) -> bool:
    """Return whether a conversation is about the subject of a crisis.

    It is if the contact says so in it, or if an open case of the person is about it.
    """
    found: set[Subject] = set()
    for case in unit.cases.open_of(unit.contacts.members(held.contact)):
        found.update(subjects_in(case.topic, case.summary, policy.crisis))
    for said in unit.conversations.said_in(held.id, limit=_LOOK_BACK):
        if said.direction is Direction.IN:
            topic = said.reading.intent.value if said.reading else ""
            found.update(subjects_in(topic, plain_text(said.content), policy.crisis))
    return crisis.subject in found


def is_said(unit: Unit, crisis: str, held: Conversation) -> bool:
    """Return whether the statement was said in a conversation."""
    return (
        unit.conversations.by_external(held.account, f"out:{key_of(crisis, held.id)}") is not None
    )


def statements_for(
    unit: Unit, held: Conversation, *, policy: ShopPolicy, families: Families
) -> tuple[Statement, ...]:
    """Return the pinned statements that are to be said first in a conversation and were not."""
    return tuple(
        statement(crisis, held, families=families)
        for crisis in unit.crises.live()
        if crisis.is_pinned
        and not is_said(unit, crisis.id, held)
        and concerns(unit, crisis, held, policy=policy)
    )


def statement(crisis: Crisis, held: Conversation, *, families: Families) -> Statement:
    """Return a crisis's statement in the tone of the conversation's channel."""
    family = families.get(held.account)
    return Statement(
        crisis=crisis.id,
        subject=crisis.subject.key,
        text=crisis.wording(family.value if family else "", held.language or "zh"),
    )


def pinned(unit: Unit, crisis: str) -> Crisis:
    """Return a crisis whose statement is pinned; raises IllegalStep if it is not."""
    found = unit.crises.get(crisis)
    if not found.is_pinned:
        raise IllegalStep(f"the crisis is {found.state}; only a pinned statement is said")
    return found


def state(
    unit: Unit,
    *,
    crisis: str,
    conversation: ConversationId,
    by: AgentId,
    families: Families,
    capabilities: Capabilities,
    at: datetime,
) -> Said:
    """Say the pinned statement as an agent, in a conversation that the agent holds."""
    held = unit.conversations.get(conversation)
    said = statement(pinned(unit, crisis), held, families=families)
    return reply(
        unit,
        conversation=conversation,
        by=by,
        content=Text(text=said.text),
        capabilities=capabilities,
        at=at,
        key=key_of(crisis, conversation),
    )


def about(unit: Unit, crisis: Crisis, *, policy: ShopPolicy) -> tuple[Conversation, ...]:
    """Return the open conversations on a crisis, oldest first."""
    return tuple(
        each for each in unit.conversations.open() if concerns(unit, crisis, each, policy=policy)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Together:
    """What became of many conversations at once: done, and left out with the error's code."""

    done: tuple[ConversationId, ...]
    left_out: Mapping[ConversationId, str]


def state_together(
    unit: Unit,
    *,
    crisis: str,
    conversations: tuple[ConversationId, ...],
    by: AgentId,
    families: Families,
    capabilities: Mapping[AccountName, Capabilities],
    at: datetime,
) -> Together:
    """Say the pinned statement in many conversations, wherever they stand; who waits, waits on."""
    found, speaker = pinned(unit, crisis), unit.workforce.get(by)

    def say(inner: Unit, name: ConversationId) -> None:
        held = inner.conversations.get(name)
        announce(
            inner,
            conversation=name,
            content=Text(text=statement(found, held, families=families).text),
            name=speaker.name,
            author=by,
            capabilities=capabilities.get(held.account) or Capabilities(replies=False),
            at=at,
            key=key_of(crisis, name),
        )

    return _each(unit, conversations, say)


def route_together(
    unit: Unit,
    *,
    conversations: tuple[ConversationId, ...],
    queue: QueueName,
    by: AgentId,
    policy: ShopPolicy,
    at: datetime,
) -> Together:
    """Put many conversations in one line."""

    def send(inner: Unit, name: ConversationId) -> None:
        requeue(inner, conversation=name, queue=queue, by=by, policy=policy, at=at)

    return _each(unit, conversations, send)


def _each(
    unit: Unit,
    conversations: tuple[ConversationId, ...],
    verb: Callable[[Unit, ConversationId], None],
) -> Together:
    """Do it for each in a savepoint of its own: one that is refused keeps nobody else back."""
    done, left_out = [], {}
    for name in dict.fromkeys(conversations):
        try:
            unit.attempt(verb, name)
        except DomainError as error:
            left_out[name] = error.code
        else:
            done.append(name)
    return Together(done=tuple(done), left_out=left_out)
