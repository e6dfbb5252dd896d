"""A turn of a bot outside: may it be asked, what is it told, and may what it says be said.

The same guarantee holds as for the built-in bot, before the call and after it: whoever has an open
complaint, or something that nobody has read, is not spoken to by a bot alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from router.channel.contract import Capabilities
from router.domain.article import Publication
from router.domain.content import Content, Menu, Option, Pressed, Text, plain_text
from router.domain.conversation import WithBot
from router.domain.grounding import Grounded, Source, check, forbidden
from router.domain.ids import AccountName
from router.domain.knowledge import Candidate
from router.domain.policy import ShopPolicy
from router.domain.privacy import find, mask
from router.domain.timeline import Direction, Interaction
from router.service.answer import Turn, Utterance, introduced, question_in, say, which
from router.service.botport import (
    NOTHING,
    Asked,
    BotKind,
    BotSpec,
    BotTurn,
    Line,
    Spent,
    Told,
)
from router.service.ports import Conflict
from router.service.probable import probable_cases
from router.service.unit import Unit

#: How many lines of the conversation a bot is told, and how long each may be.
MOST_LINES, MOST_CHARACTERS = 20, 2000
#: What a bot of the shop's own may say at once.
LONGEST = 4000
_MOST_OPTIONS, _LONGEST_LABEL = 10, 80
#: How often one question is put to a bot at most: after a crash, or because the world moved on.
MOST_ATTEMPTS = 3
#: How long after its time limit nobody can be waiting for an answer any more.
_GRACE = timedelta(seconds=10)
#: The span over which the tokens of a day are counted.
_DAY = timedelta(days=1)
_VOICES = {Direction.IN: "contact", Direction.OUT: "agent", Direction.ELSEWHERE: "agent"}


def asked_of(
    turn: Turn,
    *,
    candidates: tuple[Candidate, ...],
    articles: Mapping[str, Publication],
    at: datetime,
) -> Asked:
    """Return what a bot is told of a turn: this conversation, masked, and articles; no notes."""
    content = turn.question.content
    return Asked(
        conversation=turn.conversation,
        question=turn.question.id,
        channel=turn.channel,
        account=turn.account,
        language=turn.language,
        text=mask(plain_text(content))[:MOST_CHARACTERS],
        payload=content.payload if isinstance(content, Pressed) else "",
        said=tuple(
            _line(each)
            for each in turn.said[-MOST_LINES:]
            if each.direction is not Direction.INTERNAL
            and each.recalled_at is None
            and each.id != turn.question.id
        ),
        articles=tuple(articles[each.article] for each in candidates if each.article in articles),
        candidates=candidates,
        turns=turn.turns,
        at=at,
    )


def _line(said: Interaction) -> Line:
    voice = said.author if said.author in {"bot", "system"} else _VOICES[said.direction]
    return Line(by=voice, text=mask(plain_text(said.content))[:MOST_CHARACTERS], at=said.at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """Whether the bot is to be asked now.

    If not, ``why`` says what is done instead; without it nothing is, somebody else has the turn.
    """

    ask: bool
    why: str = ""


def begin(unit: Unit, *, turn: Turn, spec: BotSpec, tokens: int, by: str, at: datetime) -> Begun:
    """Write down that the bot is asked, with ``tokens`` set aside; or say why it is not.

    Raises Conflict if something of the person is unread or the contact has said more.
    """
    unit.contacts.lock(unit.conversations.get(turn.conversation).contact)
    held = unit.conversations.get(turn.conversation)
    if not isinstance(held.state, WithBot) or held.waiting_since is None:
        return Begun(ask=False)
    members = unit.contacts.members(held.contact)
    if unit.conversations.unread_of(members):
        raise Conflict("something of this person has not been read yet")
    last = question_in(unit.conversations.said_in(held.id, limit=MOST_LINES))
    if last is None or last.id != turn.question.id:
        raise Conflict("the contact has said more since")
    if unit.cases.open_of(members) or probable_cases(unit, held.contact):
        return Begun(ask=False, why="open_case")
    earlier = unit.bot_turns.get(turn.question.id)
    if earlier is not None:
        refusal = _again(earlier, spec=spec, at=at)
        if refusal is not None:
            return refusal
    if spec.kind is BotKind.MODEL and _too_dear(unit, turn, spec=spec, tokens=tokens, at=at):
        return Begun(ask=False, why="cost_limit")
    asked = BotTurn(
        question=turn.question.id,
        conversation=turn.conversation,
        bot=spec.name,
        state="asked",
        why="",
        by=by,
        asked_at=at,
        until=at + spec.time_limit + _GRACE,
        attempts=(earlier.attempts if earlier else 0) + 1,
        tokens=(earlier.tokens if earlier else 0) + tokens,
        settled_at=None,
    )
    if earlier is None:
        unit.bot_turns.add(asked)
    else:
        unit.bot_turns.save(asked)
    return Begun(ask=True)


def _again(earlier: BotTurn, *, spec: BotSpec, at: datetime) -> Begun | None:
    """Say what a question that was put before comes to; None if it is put once more."""
    if earlier.state == "asked" and earlier.until > at:
        return Begun(ask=False)
    interrupted = earlier.state == "asked" and not spec.repeatable
    if interrupted or earlier.attempts >= MOST_ATTEMPTS:
        return Begun(ask=False, why="bot_interrupted")
    return None


def _too_dear(unit: Unit, turn: Turn, *, spec: BotSpec, tokens: int, at: datetime) -> bool:
    here = unit.bot_turns.spent_in(turn.conversation)
    if here + tokens > spec.conversation_tokens:
        return True
    return unit.bot_turns.spent_since(spec.name, at - _DAY) + tokens > spec.day_tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a turn ended: what is said now, and what is written down of the bot that was asked."""

    utterance: Utterance
    state: str
    why: str = ""
    spent: Spent = NOTHING


def outcome_of(
    told: Told, asked: Asked, *, turn: Turn, spec: BotSpec, policy: ShopPolicy
) -> Outcome:
    """Judge what a bot told. Nothing is said that its kind may not say; pure."""
    if told.hand_over or not (told.text.strip() or told.ask or told.options):
        gone = Utterance(content=None, because={"why": "bot_hands_over", "bot": spec.name})
        return _done(turn, gone, policy=policy, state="handed_over", spent=told.spent)
    judged = _from_articles if spec.kind is BotKind.MODEL else _own_words
    content, because, fault = judged(told, asked, turn)
    if content is not None:
        held = {str(each.article): each.id for each in asked.articles}
        named = because.get("articles", ())
        sources = (
            tuple(held[each] for each in named if each in held)
            if isinstance(named, Mapping | list)
            else ()
        )
        said = Utterance(content=content, because={**because, "bot": spec.name}, sources=sources)
        return _done(turn, said, policy=policy, state="said", spent=told.spent)
    return _done(
        turn,
        _ask_back(turn, asked, fault=fault, bot=spec.name, policy=policy),
        policy=policy,
        state="refused",
        why=fault,
        spent=told.spent,
    )


_Judged = tuple[Content | None, Mapping[str, object], str]


def _done(
    turn: Turn, utterance: Utterance, *, policy: ShopPolicy, state: str, spent: Spent, why: str = ""
) -> Outcome:
    utterance = introduced(turn, utterance, policy=policy)
    return Outcome(utterance=utterance, state=state, why=why, spent=spent)


def _from_articles(told: Told, asked: Asked, turn: Turn) -> _Judged:
    """Let a model say what the articles say, or ask which of them is meant; nothing else."""
    offered = {str(each.article): each for each in asked.articles}
    if told.ask:
        chosen = [each for each in dict.fromkeys(told.ask) if each in offered][:3]
        if not chosen:
            return None, {}, "asks_unknown"
        labels = {str(each.article): each.question for each in asked.candidates}
        menu = which(turn, {name: labels[name] for name in chosen})
        return menu, {"why": "ask_back", "articles": chosen}, ""
    sources = [_source(each) for each in asked.articles]
    verdict = check(told.text, told.articles, sources)
    if isinstance(verdict, Grounded):
        cited = {name: offered[name].number for name in verdict.articles}
        return Text(text=told.text.strip()), {"why": "model", "articles": cited}, ""
    return None, {}, verdict.fault.value


def _source(article: Publication) -> Source:
    return Source(
        id=article.article,
        text="\n".join((*article.questions, article.answer_zh, article.answer_en)),
    )


def _own_words(told: Told, _asked: Asked, _turn: Turn) -> _Judged:
    """Let a bot of the shop's own say what it likes, save what no bot may say."""
    text, options = told.text.strip(), told.options[:_MOST_OPTIONS]
    words = "\n".join((text, *(each.label for each in options)))
    if len(words) > LONGEST:
        return None, {}, "too_long"
    if find(words):
        return None, {}, "private_number"
    if forbidden(words):
        return None, {}, "claims_what_it_may_not"
    because: dict[str, object] = {"why": "bot", "articles": list(told.articles)}
    if not options:
        return Text(text=text), because, ""
    labelled = tuple(
        Option(id=each.id, label=each.label.strip()[:_LONGEST_LABEL] or each.id) for each in options
    )
    return Menu(text=text, options=labelled), because, ""


def _ask_back(turn: Turn, asked: Asked, *, fault: str, bot: str, policy: ShopPolicy) -> Utterance:
    """Ask which article is meant, in our own words, where a bot said what it may not."""
    likely = {
        str(each.article): each.question
        for each in asked.candidates
        if each.confidence >= policy.bot.ask_at
    }
    because = {"why": "bot_refused", "fault": fault, "bot": bot}
    return Utterance(content=which(turn, likely) if likely else None, because=because)


def conclude(
    unit: Unit,
    *,
    turn: Turn,
    outcome: Outcome,
    policy: ShopPolicy,
    capabilities: Mapping[AccountName, Capabilities],
    at: datetime,
) -> bool:
    """Say what was decided and settle the bot's turn, in one commit; return whether it spoke."""
    spoke = say(
        unit,
        turn=turn,
        utterance=outcome.utterance,
        policy=policy,
        capabilities=capabilities,
        at=at,
    )
    _settle(unit, turn, outcome, at=at)
    return spoke


def overtake(unit: Unit, *, turn: Turn, spent: Spent, at: datetime) -> None:
    """Note that an answer came too late for the world as it is; it is thrown away."""
    late = Outcome(utterance=Utterance(content=None, because={}), state="overtaken", spent=spent)
    _settle(unit, turn, late, at=at)


def _settle(unit: Unit, turn: Turn, outcome: Outcome, *, at: datetime) -> None:
    asked = unit.bot_turns.get(turn.question.id)
    if asked is None or asked.state != "asked":
        return
    unknown = asked.tokens if outcome.state == "failed" else 0  # it may have cost all of it
    unit.bot_turns.save(
        replace(
            asked,
            state=outcome.state,
            why=outcome.why,
            tokens=outcome.spent.total or unknown,
            settled_at=at,
        )
    )


def worst_cost(texts: Sequence[str], *, answer_tokens: int) -> int:
    """Return the most tokens that a call can cost: one for each character, and the answer's."""
    return sum(len(each) for each in texts) + answer_tokens
