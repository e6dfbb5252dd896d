"""Handovers summed up by a model: where one is configured, while a person is being found.

It is an extra: the built-in lines are always there, and are shown while the model thinks, where it
fails, is too dear, or says what the timeline does not. Its turns are claimed and paid for as those
of bots are, so that limits hold over several daemons.
"""

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final, Protocol

import structlog

from router.domain.briefing import Fact, Line, fault_in
from router.domain.conversation import Closed, WithBot
from router.domain.digest import words_of
from router.domain.events import Happened, Logged
from router.domain.ids import ConversationId, InteractionId
from router.domain.privacy import mask
from router.domain.timeline import Direction, Interaction
from router.service.botport import NOTHING, BotFailed, BotSpec, BotTurn, Spent
from router.service.ports import Clock, Conflict, NotFound, Store, StoreUnavailable
from router.service.records import DecisionRecord
from router.service.unit import Unit

log = structlog.get_logger()

#: The kind of decision that holds a summary, and what tells that a person is being found.
KIND: Final = "handover"
_BEGINS: Final = frozenset({"handed_to_human", "offer_made"})
#: With fewer things said the timeline is its own summary.
FEWEST: Final = 4
_LOOK_BACK: Final = 60
_LONGEST: Final = 500
_GRACE: Final = timedelta(seconds=10)
_DAY: Final = timedelta(days=1)
_AT_ONCE: Final = 4
_VOICES: Final = {Direction.IN: "contact", Direction.OUT: "agent", Direction.ELSEWHERE: "agent"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Briefed:
    """What a model made of the facts, and what that cost."""

    lines: tuple[Line, ...]
    spent: Spent = NOTHING


class Writer(Protocol):
    """A model that sums up."""

    @property
    def spec(self) -> BotSpec: ...

    async def brief(self, facts: Sequence[Fact], *, language: str) -> Briefed:
        """Sum up what happened; raises BotFailed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A conversation to sum up: up to which interaction, from what."""

    conversation: ConversationId
    upto: InteractionId
    language: str
    facts: tuple[Fact, ...]

    @property
    def key(self) -> InteractionId:
        """Return the name under which the turn is claimed, once for all daemons."""
        return InteractionId(key_of(self.upto))


def key_of(upto: InteractionId) -> str:
    """Return the name of the turn, and of the decision, up to a word of the contact's."""
    return f"handover:{upto}"


def wanted(unit: Unit, conversation: ConversationId) -> Wanted | None:
    """Return what is to be summed up; None if nothing is, or it is done already."""
    held = unit.conversations.get(conversation)
    if isinstance(held.state, Closed | WithBot):
        return None
    members = unit.contacts.members(held.contact)
    timeline = unit.conversations.timeline(members, limit=_LOOK_BACK)
    spoken = [each for each in timeline if each.recalled_at is None and words_of(each)]
    here = last_word(timeline, conversation)
    if here is None or len(spoken) < FEWEST:
        return None
    said = [
        Fact(
            id=f"f{number}",
            by="bot" if each.author == "bot" else _VOICES[each.direction],
            channel=each.channel,
            at=each.at,
            text=mask(words_of(each))[:_LONGEST],
        )
        for number, each in enumerate(reversed(spoken), 1)
        if each.direction in _VOICES
    ]
    cases = [
        Fact(id=f"c{number}", by="case", channel="", at=each.opened_at, text=mask(each.summary))
        for number, each in enumerate(unit.cases.open_of(members), 1)
    ]
    asked = Wanted(
        conversation=conversation,
        upto=here,
        language="en" if held.language == "en" else "zh",
        facts=(*cases, *said),
    )
    return None if unit.bot_turns.get(asked.key) is not None else asked


def last_word(
    timeline: Sequence[Interaction], conversation: ConversationId
) -> InteractionId | None:
    """Return the contact's last word in a conversation; ``timeline`` is newest first."""
    return next(
        (
            each.id
            for each in timeline
            if each.conversation == conversation
            and each.direction is Direction.IN
            and each.recalled_at is None
            and words_of(each)
        ),
        None,
    )


def claim(unit: Unit, *, asked: Wanted, spec: BotSpec, by: str, at: datetime) -> bool:
    """Set the tokens aside and take the turn; False if it would be too dear.

    Raises Conflict if another daemon has taken it.
    """
    tokens = sum(len(each.text) + 60 for each in asked.facts) + 1500 + spec.answer_tokens
    if unit.bot_turns.spent_in(asked.conversation) + tokens > spec.conversation_tokens:
        return False
    if unit.bot_turns.spent_since(spec.name, at - _DAY) + tokens > spec.day_tokens:
        return False
    unit.bot_turns.add(
        BotTurn(
            question=asked.key,
            conversation=asked.conversation,
            bot=spec.name,
            state="asked",
            why="",
            by=by,
            asked_at=at,
            until=at + spec.time_limit + _GRACE,
            attempts=1,
            tokens=tokens,
            settled_at=None,
        )
    )
    return True


def settle(
    unit: Unit, *, asked: Wanted, briefed: Briefed, fault: str, failed: bool, bot: str, at: datetime
) -> None:
    """Write the summary down, or why there is none, and what was paid; pages hear of it."""
    turn = unit.bot_turns.get(asked.key)
    if turn is None:
        raise NotFound(f"the summary of {asked.conversation} was never begun")
    state = "failed" if failed else "refused" if fault else "said"
    paid = briefed.spent.total or (turn.tokens if failed else 0)
    unit.bot_turns.save(replace(turn, state=state, why=fault, tokens=paid, settled_at=at))
    if fault:
        return
    held = unit.conversations.get(asked.conversation)
    unit.journal.decide(
        DecisionRecord(
            id=asked.key,
            at=at,
            kind=KIND,
            conversation=asked.conversation,
            agent=None,
            reservation=None,
            because={
                "why": "summed_up",
                "bot": bot,
                "upto": asked.upto,
                "lines": [each.text for each in briefed.lines],
            },
            seen_seq=unit.journal.seq(),
            cases=(),
        )
    )
    unit.record(
        Happened(
            kind="handover_written",
            contact=held.contact,
            conversation=asked.conversation,
            facts={"bot": bot},
        ),
        at=at,
    )


@dataclass(slots=True, kw_only=True)
class Briefings:
    """Has every handover summed up, a few at a time; without a writer it does nothing."""

    store: Store
    writer: Writer | None
    clock: Clock
    name: str
    _waiting: dict[ConversationId, None] = field(default_factory=dict)
    _bell: asyncio.Event = field(default_factory=asyncio.Event)

    def ring(self, logged: Sequence[Logged]) -> None:
        """Note for which conversations a person is being found."""
        for each in logged if self.writer is not None else ():
            if each.event.kind in _BEGINS and each.event.conversation is not None:
                self._waiting[each.event.conversation] = None
                self._bell.set()

    async def run(self) -> None:
        """Work until cancelled; a fault is logged and the built-in lines stay."""
        while True:
            await self._bell.wait()
            self._bell.clear()
            await self.once()

    async def once(self) -> None:
        """Sum up all that waits now."""
        while self._waiting:
            some = list(self._waiting)[:_AT_ONCE]
            for each in some:
                del self._waiting[each]
            await asyncio.gather(*map(self._guarded, some))

    async def _guarded(self, conversation: ConversationId) -> None:
        try:
            if self.writer is not None:
                await self._one(conversation, self.writer)
        except (Conflict, NotFound) as error:
            log.info("handover_overtaken", conversation=conversation, why=str(error))
        except StoreUnavailable:
            log.warning("loop_waits_for_database", loop="handover")
        except Exception:
            log.exception("loop_failed", loop="handover")

    async def _one(self, conversation: ConversationId, writer: Writer) -> None:
        asked = await self.store.read(wanted, conversation)
        spec = writer.spec
        if asked is None or not await self.store.transact(
            claim, asked=asked, spec=spec, by=self.name, at=self.clock.now()
        ):
            return
        briefed, fault, failed = Briefed(lines=()), "bot_slow", True
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(spec.time_limit.total_seconds()):
                briefed, fault, failed = await _written(writer, asked)
        if fault:
            log.warning("handover_not_written", conversation=conversation, why=fault, bot=spec.name)
        await self.store.transact(
            settle,
            asked=asked,
            briefed=briefed,
            fault=fault,
            failed=failed,
            bot=spec.name,
            at=self.clock.now(),
        )


async def _written(writer: Writer, asked: Wanted) -> tuple[Briefed, str, bool]:
    """Return what the writer made of it, why that may not be shown, and whether it failed."""
    try:
        briefed = await writer.brief(asked.facts, language=asked.language)
    except BotFailed as failed:
        return Briefed(lines=(), spent=failed.spent), failed.code, True
    return briefed, fault_in(briefed.lines, asked.facts), False


def written_lines(unit: Unit, upto: InteractionId | None) -> tuple[tuple[str, ...], str]:
    """Return (lines, bot) of the summary up to the contact's last word; empty if there is none.

    One that is older than the last word is not shown: it would leave out what matters most.
    """
    if upto is None:
        return (), ""
    for each in unit.journal.decisions_named((key_of(upto),)).values():
        lines = each.because.get("lines")
        if isinstance(lines, list | tuple):
            return tuple(map(str, lines)), str(each.because.get("bot", ""))
    return (), ""
