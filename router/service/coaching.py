"""The reply coach at work: what it looks at in a conversation, and how often it was heeded."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from router.channel.contract import Audience, Capabilities
from router.domain.article import Publication
from router.domain.coach import CoachPolicy, Draft, Hint, Rule, advise, blocking
from router.domain.content import Content, plain_text
from router.domain.errors import ReplyHeld
from router.domain.ids import AgentId, ConversationId, PublicationId
from router.domain.knowledge import Candidate
from router.domain.product import Product
from router.domain.reading import Alarm
from router.domain.timeline import Direction
from router.service.reply import Said, reply
from router.service.scripts import Used
from router.service.unit import Unit

_LOOK_BACK = 30
_DIGITS = re.compile(r"\d[\d -]{4,}\d")


def question_in(unit: Unit, conversation: ConversationId) -> tuple[str, str, str]:
    """Return (words, language, channel) of what a reply answers; raises NotFound."""
    held = unit.conversations.get(conversation)
    said = unit.conversations.said_in(conversation, limit=_LOOK_BACK)
    words = (plain_text(each.content) for each in reversed(said) if each.direction is Direction.IN)
    return next((each for each in words if each), ""), held.language or "zh", held.channel


def articles_for(
    candidates: Sequence[Candidate], published: Mapping[str, Publication], *, sure: float
) -> tuple[Publication, ...]:
    """Return the articles that answer for sure: only these can be contradicted."""
    return tuple(
        published[each.article]
        for each in candidates
        if each.confidence >= sure and each.article in published
    )


def draft_of(
    unit: Unit,
    *,
    conversation: ConversationId,
    text: str,
    articles: Sequence[Publication] = (),
    products: Sequence[Product] = (),
) -> Draft:
    """Return a reply with all that the coach looks at; raises NotFound."""
    held = unit.conversations.get(conversation)
    said = unit.conversations.said_in(conversation, limit=_LOOK_BACK)
    heard = [each for each in said if each.direction is Direction.IN and each.reading]
    last = heard[-1].reading if heard else None
    members = unit.contacts.members(held.contact)
    texts = ["\n".join((*each.questions, each.answer_zh, each.answer_en)) for each in articles]
    return Draft(
        text=text,
        language=held.language or "zh",
        earlier=tuple(plain_text(each.content) for each in said if each.direction is Direction.OUT),
        complains=bool(unit.cases.open_of(members))
        or (last is not None and last.complaint is not Alarm.NONE),
        articles=texts,
        products=products,
        public=frozenset(
            "".join(sign for sign in run if sign.isdigit())
            for text_ in texts
            for run in _DIGITS.findall(text_)
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Coached:
    """A reply that went, and what the coach would have said better."""

    said: Said
    hints: tuple[Hint, ...]


def coached_reply(
    unit: Unit,
    *,
    conversation: ConversationId,
    by: AgentId,
    content: Content,
    capabilities: Capabilities,
    at: datetime,
    policy: CoachPolicy,
    key: str = "",
    promotional: bool = False,
    audience: Audience | None = None,
    sources: tuple[PublicationId, ...] = (),
    script: Used | None = None,
    articles: Sequence[Publication] = (),
    products: Sequence[Product] = (),
    shown: Collection[Rule] = (),
) -> Coached:
    """Queue an agent's answer and count what became of the coach's hints.

    Raises ReplyHeld if the shop lets no such reply go, and what `reply` raises. The same ``key``
    again is the same answer: it is not looked at twice.
    """
    held = unit.conversations.get(conversation)
    again = key and unit.conversations.by_external(held.account, f"out:{key}") is not None
    draft = draft_of(
        unit,
        conversation=conversation,
        text=plain_text(content),
        articles=articles,
        products=products,
    )
    hints = () if again else advise(draft, policy=policy)
    said = reply(
        unit,
        conversation=conversation,
        by=by,
        content=content,
        capabilities=capabilities,
        at=at,
        key=key,
        promotional=promotional,
        audience=audience,
        sources=sources,
        script=script,
    )
    note_sent(
        unit,
        conversation=conversation,
        author=by,
        shown=() if again else shown,
        hints=hints,
        policy=policy,
        at=at,
    )
    return Coached(said=said, hints=hints)


def note_sent(
    unit: Unit,
    *,
    conversation: ConversationId,
    author: str,
    shown: Collection[Rule],
    hints: Sequence[Hint],
    policy: CoachPolicy,
    at: datetime,
) -> None:
    """Count what became of the hints as a reply goes; raises ReplyHeld if the shop holds it.

    ``shown`` are the rules that the author was hinted at while writing: those that no longer apply
    were taken.
    """
    held = blocking(hints, policy=policy)
    if held:
        names = ", ".join(each.rule.value for each in held)
        raise ReplyHeld(f"text: the shop lets no such reply go ({names}); word it otherwise")
    still = {each.rule for each in hints}
    for rule in sorted({*shown, *still}):
        unit.coached.add(
            at=at,
            conversation=conversation,
            author=author,
            rule=rule,
            outcome="sent" if rule in still else "taken",
        )
