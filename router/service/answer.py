"""A bot's turn: it answers from the shop's articles, asks back, or hands over."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from router.channel.contract import Capabilities
from router.domain.article import Publication
from router.domain.coach import Hint, advise, blocking
from router.domain.content import Content, Menu, Option, Pressed, Text, plain_text
from router.domain.conversation import Close, Conversation, WithBot, step
from router.domain.events import Happened
from router.domain.ids import AccountName, ConversationId, ProductId, PublicationId, QueueName
from router.domain.knowledge import Answer, AskBack, Candidate, HandOver, decide_answer
from router.domain.policy import ShopPolicy
from router.domain.product import Product, ProductState, may_be_used, named_in
from router.domain.timeline import Direction, Interaction
from router.service import questions
from router.service.awareness import from_bot
from router.service.coaching import draft_of, note_sent
from router.service.ports import Conflict
from router.service.records import DecisionRecord
from router.service.reply import announce, bot_reply
from router.service.statement import Families, Statement, key_of, statements_for
from router.service.unit import Unit

_SOURCE: Mapping[str, str] = {
    "en": "I am {name}, the shop's assistant.",
    "zh": "我是智能助理{name}。",
}
_PERSON: Mapping[str, str] = {
    "en": "Write “agent” any time to reach a person.",
    "zh": "随时回复“人工”可转接人工客服。",
}
_WHICH: Mapping[str, str] = {"en": "Which of these do you mean?", "zh": "请问您想了解的是："}
_NOT_ON_SALE: Mapping[ProductState, Mapping[str, str]] = {
    ProductState.COMING: {"en": "{name} is not on sale yet.", "zh": "{name}尚未开售。"},
    ProductState.DISCONTINUED: {"en": "{name} is no longer sold.", "zh": "{name}已停售。"},
    ProductState.RECALLED: {"en": "{name} has been recalled.", "zh": "{name}已召回。"},
}
_SUCCESSOR: Mapping[str, str] = {
    "en": "{name} has taken its place.",
    "zh": "可以了解它的替代款{name}。",
}
_HUMAN: Mapping[str, str] = {"en": "Talk to a person", "zh": "转人工客服"}


#: How many of a conversation's last interactions a bot looks at.
_LOOK_BACK = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What the bot has to answer: a conversation it holds, up to one word of the contact's.

    ``said`` is the conversation so far, the question included. ``statements`` are pinned ones
    that concern it and were not said in it.
    """

    conversation: ConversationId
    account: AccountName
    queue: QueueName
    channel: str
    language: str
    question: Interaction
    said: tuple[Interaction, ...]
    turns: int
    statements: tuple[Statement, ...] = ()


def due(unit: Unit, *, policy: ShopPolicy, families: Families) -> tuple[Turn, ...]:
    """Return the conversations that wait for the bot's answer, from the tables alone."""
    turns = []
    for held in unit.conversations.with_bot():
        if isinstance(held.state, WithBot) and held.waiting_since is not None and not held.unread:
            said = unit.conversations.said_in(held.id, limit=_LOOK_BACK)
            asked = question_in(said)
            if asked is not None:
                turns.append(
                    Turn(
                        conversation=held.id,
                        account=held.account,
                        queue=held.queue,
                        channel=held.channel,
                        language=held.language or "zh",
                        question=asked,
                        said=said,
                        turns=sum(each.author == "bot" for each in said),
                        statements=statements_for(unit, held, policy=policy, families=families),
                    )
                )
    return tuple(turns)


def question_in(said: Sequence[Interaction]) -> Interaction | None:
    """Return the contact's last word among what was said, oldest first."""
    return next((each for each in reversed(said) if each.direction is Direction.IN), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Utterance:
    """What the bot says, or that it hands over (``content`` None), and why.

    ``first`` are the official statements that are said before anything else, also before it
    hands over; ``sources`` the publications that it comes from.
    """

    content: Content | None
    because: Mapping[str, object]
    first: tuple[Statement, ...] = ()
    sources: tuple[PublicationId, ...] = ()


def compose(
    turn: Turn,
    candidates: tuple[Candidate, ...],
    articles: Mapping[str, Publication],
    *,
    products: Mapping[ProductId, Product],
    policy: ShopPolicy,
) -> Utterance:
    """Return what to say to ``turn``, official statements first; pure."""
    utterance = about_recall(turn, products) or _composed(
        turn, candidates, articles, products=products, policy=policy
    )
    return introduced(turn, utterance, policy=policy)


def introduced(turn: Turn, utterance: Utterance, *, policy: ShopPolicy) -> Utterance:
    """Return it with what is said first: official statements, and on the first turn who speaks."""
    language, content = _spoken(turn.language), utterance.content
    who = _SOURCE[language].format(name=policy.bot.name.get(language, ""))
    if turn.turns == 0 and isinstance(content, Text):
        content = Text(text=f"{who}\n{content.text}\n{_PERSON[language]}")
    elif turn.turns == 0 and isinstance(content, Menu):
        content = replace(content, text=f"{who}\n{content.text}")
    return replace(utterance, content=content, first=turn.statements)


def about_recall(turn: Turn, products: Mapping[ProductId, Product]) -> Utterance | None:
    """Return the official statement where a recalled product is named; a person where it was said.

    Of a recalled product nothing else is said, whatever an article holds.
    """
    for product in named_in(question_of(turn), products.values()):
        if product.state is ProductState.RECALLED:
            because = {"why": "recalled", "product": product.id}
            words = product.statement(turn.language)
            pinned = any(each.subject == f"product:{product.id}" for each in turn.statements)
            told = any(
                each.author == "bot" and words in plain_text(each.content) for each in turn.said
            )
            if pinned or told:
                return Utterance(content=None, because=because)
            return Utterance(content=Text(text=words), because=because)
    return None


def _composed(
    turn: Turn,
    candidates: tuple[Candidate, ...],
    articles: Mapping[str, Publication],
    *,
    products: Mapping[ProductId, Product],
    policy: ShopPolicy,
) -> Utterance:
    if turn.turns >= policy.bot.most_turns:
        return Utterance(content=None, because={"why": "most_turns"})
    pressed = turn.question.content
    if isinstance(pressed, Pressed) and pressed.payload.startswith("article:"):
        article = articles.get(pressed.payload.removeprefix("article:"))
        if article is not None and may_be_used(
            answer=f"{article.answer_zh}\n{article.answer_en}",
            about=article.products,
            recommends=article.recommends,
            asked=pressed.label,
            products=products,
        ):
            return _answer(turn, article, 1.0, products)
    bot = policy.bot
    match decide_answer(candidates, answer_at=bot.answer_at, ask_at=bot.ask_at):
        case Answer(candidate=best) if best.article in articles:
            return _answer(turn, articles[best.article], best.confidence, products)
        case AskBack(candidates=likely):
            menu = which(turn, {each.article: each.question for each in likely})
            return Utterance(content=menu, because={"why": "ask_back", **_odds(candidates)})
        case Answer() | HandOver():
            return Utterance(content=None, because={"why": "bot_unsure", **_odds(candidates)})


def which(turn: Turn, questions: Mapping[str, str]) -> Menu:
    """Return the question which of several articles is meant; a person is always one answer."""
    language = _spoken(turn.language)
    options = [Option(id=f"article:{name}", label=text) for name, text in questions.items()]
    options.append(Option(id="human", label=_HUMAN[language]))
    return Menu(text=_WHICH[language], options=tuple(options))


def _spoken(language: str) -> str:
    return "en" if language == "en" else "zh"


def _odds(candidates: tuple[Candidate, ...]) -> dict[str, object]:
    return {"candidates": {each.article: round(each.confidence, 3) for each in candidates}}


def _standing(turn: Turn, products: Mapping[ProductId, Product]) -> str:
    """Return that what was asked about is not on sale (yet), and what is in its place."""
    lines, language = [], _spoken(turn.language)
    for product in named_in(question_of(turn), products.values()):
        if not product.on_sale:
            lines.append(_NOT_ON_SALE[product.state][language].format(name=product.name(language)))
            successor = products.get(product.successor) if product.successor else None
            if successor is not None and successor.on_sale:
                lines.append(_SUCCESSOR[language].format(name=successor.name(language)))
    return "\n".join(lines)


def _answer(
    turn: Turn,
    article: Publication,
    confidence: float,
    products: Mapping[ProductId, Product],
) -> Utterance:
    said = (_standing(turn, products), article.answer(_spoken(turn.language)))
    because = {
        "why": "article",
        "article": article.article,
        "publication": article.id,
        "number": article.number,
        "confidence": round(confidence, 3),
    }
    words = "\n".join(filter(None, said))
    return Utterance(content=Text(text=words), because=because, sources=(article.id,))


def say(
    unit: Unit,
    *,
    turn: Turn,
    utterance: Utterance,
    policy: ShopPolicy,
    capabilities: Mapping[AccountName, Capabilities],
    at: datetime,
) -> bool:
    """Say it, or hand over. Raises Conflict if anything of the person has changed meanwhile.

    Returns whether the bot spoke. A bot never answers a person with an open complaint, answers
    only the last thing that the contact said, and does not go round in circles.
    """
    held = unit.conversations.get(turn.conversation)
    unit.contacts.lock(held.contact)
    held = unit.conversations.get(turn.conversation)
    members = unit.contacts.members(held.contact)
    if not isinstance(held.state, WithBot) or held.waiting_since is None:
        return False
    if unit.conversations.unread_of(members):
        raise Conflict("something of this person has not been read yet")
    said = unit.conversations.said_in(held.id, limit=_LOOK_BACK)
    last = question_in(said)
    if last is None or (last.id, last.content) != (turn.question.id, turn.question.content):
        raise Conflict("the contact has said more since")
    for each in utterance.sources:
        if not unit.knowledge.publication(each).holds(at):
            raise Conflict("what was to be answered is no longer published")
    able = capabilities.get(held.account) or Capabilities(replies=False)
    cases = unit.cases.open_of(members)
    name = policy.bot.name.get(_spoken(turn.language), "")
    if not cases and able.replies:
        held = _state_first(unit, held, utterance.first, name=name, able=able, at=at)
    hints = _hints(unit, held, utterance.content, policy=policy)
    unsaid = _unsaid(said, utterance.content, hints, policy=policy)
    if cases or utterance.content is None or unsaid:
        why = str(utterance.because.get("why", "bot_unsure"))
        why = "open_case" if cases else unsaid or why
        _decide(unit, held, _unsaid_for(utterance, why), kind="bot_hands_over", at=at)
        if why == "bot_unsure":
            questions.keep(unit, turn.question, language=turn.language, at=at)
        from_bot(unit, held, why=why, at=at)
        return False
    if not able.replies:
        from_bot(unit, held, why="cannot_reply", at=at)
        return False
    note_sent(
        unit,
        conversation=held.id,
        author="bot",
        shown=(),
        hints=hints,
        policy=policy.coach,
        at=at,
    )
    decided = _decide(unit, held, utterance, kind="bot_turn", at=at)
    bot_reply(
        unit,
        conversation=held.id,
        content=utterance.content,
        name=name,
        capabilities=able,
        at=at,
        key=f"bot:{turn.question.id}",
        decision=decided,
        sources=utterance.sources,
    )
    return True


def _hints(
    unit: Unit, held: Conversation, content: Content | None, *, policy: ShopPolicy
) -> tuple[Hint, ...]:
    """Return what the coach says of a bot's answer: it is held to what agents are held to."""
    if content is None:
        return ()
    draft = draft_of(unit, conversation=held.id, text=plain_text(content))
    return advise(draft, policy=policy.coach)


def _unsaid(
    said: Sequence[Interaction],
    content: Content | None,
    hints: Sequence[Hint],
    *,
    policy: ShopPolicy,
) -> str:
    """Return why an answer is better not said, or empty."""
    held = "reply_held" if blocking(hints, policy=policy.coach) else ""
    return going_round(said, content, policy=policy) or held


def going_round(said: Sequence[Interaction], content: Content | None, *, policy: ShopPolicy) -> str:
    """Return why the bot gets nowhere by saying ``content`` now, or empty."""
    spoken = [each.content for each in said if each.author == "bot"]
    if isinstance(content, Text) and any(_is_said(content.text, each) for each in spoken):
        return "bot_repeats"
    asked_back = 0
    for each in reversed(spoken):
        if not isinstance(each, Menu):
            break
        asked_back += 1
    if isinstance(content, Menu) and asked_back >= policy.bot.most_asks_back:
        return "bot_stuck"
    return ""


def _unsaid_for(utterance: Utterance, why: str) -> Utterance:
    """Return it with the reason for which it was not said; what it was stays written down."""
    meant = str(utterance.because.get("why", ""))
    if meant == why:
        return utterance
    return replace(utterance, because={**utterance.because, "why": why, "unsaid": meant})


def _is_said(words: str, before: Content) -> bool:
    """Say whether the same was said before, with or without the introduction around it."""
    return isinstance(before, Text) and f"\n{words}\n" in f"\n{before.text}\n"


def _state_first(
    unit: Unit,
    held: Conversation,
    statements: tuple[Statement, ...],
    *,
    name: str,
    able: Capabilities,
    at: datetime,
) -> Conversation:
    """Say the official statements that are still pinned; the contact goes on waiting."""
    for each in statements:
        if unit.crises.get(each.crisis).is_pinned:
            announce(
                unit,
                conversation=held.id,
                content=Text(text=each.text),
                name=name,
                author="bot",
                capabilities=able,
                at=at,
                key=key_of(each.crisis, held.id),
            )
    return unit.conversations.get(held.id)


def _decide(
    unit: Unit, held: Conversation, utterance: Utterance, *, kind: str, at: datetime
) -> str:
    decision_id = unit.new_id()
    members = unit.contacts.members(held.contact)
    unit.journal.decide(
        DecisionRecord(
            id=decision_id,
            at=at,
            kind=kind,
            conversation=held.id,
            agent=None,
            reservation=None,
            because=dict(utterance.because),
            seen_seq=unit.journal.seq(),
            cases=tuple(case.id for case in unit.cases.open_of(members)),
        )
    )
    return decision_id


def close_silent(unit: Unit, *, policy: ShopPolicy, at: datetime) -> int:
    """Close the bot's conversations whose contact was answered and has been silent for long."""
    closed = 0
    for held in unit.conversations.in_state(WithBot):
        if not isinstance(held.state, WithBot) or held.waiting_since is not None or held.unread:
            continue
        quiet_since = max(
            moment for moment in (held.last_in_at, held.last_out_at, held.opened_at) if moment
        )
        if quiet_since + policy.routing.idle_after > at:
            continue
        if unit.cases.open_of(unit.contacts.members(held.contact)):
            from_bot(unit, held, why="open_case", at=at)  # a bot never closes over a complaint
            continue
        unit.conversations.save(_closed(held, at=at))
        unit.record(
            Happened(
                kind="conversation_closed",
                contact=held.contact,
                conversation=held.id,
                facts={"disposition": "answered_by_bot"},
            ),
            at=at,
        )
        closed += 1
    return closed


def _closed(held: Conversation, *, at: datetime) -> Conversation:
    return replace(
        held,
        state=step(held.state, Close(at=at)),
        closed_at=at,
        disposition="answered_by_bot",
    )


def question_of(turn: Turn) -> str:
    """Return the words that articles are searched for."""
    return plain_text(turn.question.content)
