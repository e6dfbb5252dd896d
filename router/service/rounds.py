"""The bots' rounds: wherever a contact waits for a bot's answer, the right bot is asked for it.

Calls out are made between transactions and side by side, so that a slow bot keeps nobody else
waiting. Who stops in the middle leaves a turn that the next daemon takes up.
"""

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import structlog

from router.channel.contract import Capabilities
from router.domain.content import Pressed
from router.domain.events import Logged
from router.domain.ids import AccountName, InteractionId
from router.domain.policy import ShopPolicy
from router.service import answer, turns
from router.service.answer import Turn, Utterance
from router.service.botport import NOTHING, Asked, Bot, BotChoice, BotFailed, BotSpec, Spent
from router.service.library import Knowledge
from router.service.ports import Clock, Conflict, NotFound, Store, StoreUnavailable
from router.service.pressure import Pressure
from router.service.statement import Families
from router.service.turns import Outcome

log = structlog.get_logger()

_PAUSE_S = 1.0
#: Events after which a bot may have to answer. What else calls for it is found after the pause.
_BRINGS = frozenset({"handed_to_bot", "interactions_read"})
_AT_ONCE = 16
#: After so many failures in a row a bot is left alone for a while.
_PATIENCE = 3
_REST = timedelta(seconds=30)


@dataclass(slots=True)
class Temper:
    """How a bot outside has fared lately: after repeated failures it is not asked for a while."""

    failures: int = 0
    resting_until: datetime | None = None

    def rests(self, at: datetime) -> bool:
        return self.resting_until is not None and at < self.resting_until

    def note(self, *, failed: bool, at: datetime) -> None:
        self.failures = self.failures + 1 if failed else 0
        self.resting_until = at + _REST if self.failures >= _PATIENCE else None


@dataclass(slots=True, kw_only=True)
class Rounds:
    """Gives every bot its turns."""

    store: Store
    knowledge: Knowledge
    bots: Mapping[str, Bot]
    choice: BotChoice
    policy: ShopPolicy
    capabilities: Mapping[AccountName, Capabilities]
    families: Families
    clock: Clock
    name: str
    pressure: Pressure = field(default_factory=Pressure)
    tempers: dict[str, Temper] = field(default_factory=dict)
    _bell: asyncio.Event = field(default_factory=asyncio.Event)
    _at_work: set[InteractionId] = field(default_factory=set)

    def ring(self, logged: Sequence[Logged] | None = None) -> None:
        """There may be work: always, or if one of ``logged`` says so."""
        if logged is None or any(each.event.kind in _BRINGS for each in logged):
            self._bell.set()

    async def run(self) -> None:
        """Work until cancelled; a fault is logged and the rounds go on."""
        loop = asyncio.get_running_loop()
        async with asyncio.TaskGroup() as tasks:
            while True:
                began = loop.time()
                self._bell.clear()
                for turn in await self._due():
                    tasks.create_task(self._guarded(turn), name=f"bot {turn.conversation}")
                await self.pressure.give_way(loop.time() - began)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_PAUSE_S):
                        await self._bell.wait()

    async def once(self) -> int:
        """Take every turn that is due now, and return how many there were."""
        due = await self._due()
        await asyncio.gather(*(self._guarded(turn) for turn in due))
        return len(due)

    async def _due(self) -> tuple[Turn, ...]:
        """Return the turns to begin now, and count them as begun."""
        free = _AT_ONCE - len(self._at_work)
        if free <= 0:
            return ()
        try:
            found = await self.store.read(answer.due, policy=self.policy, families=self.families)
        except StoreUnavailable:
            log.warning("loop_waits_for_database", loop="bot")
            return ()
        fresh = [turn for turn in found if turn.question.id not in self._at_work][:free]
        self._at_work.update(turn.question.id for turn in fresh)
        return tuple(fresh)

    async def _guarded(self, turn: Turn) -> None:
        try:
            await self._take(turn)
        except (Conflict, NotFound) as error:
            log.info("bot_turn_overtaken", conversation=turn.conversation, why=str(error))
        except StoreUnavailable:
            log.warning("loop_waits_for_database", loop="bot")
        except Exception:
            log.exception("loop_failed", loop="bot")
        finally:
            self._at_work.discard(turn.question.id)
            self._bell.set()  # there is room for another

    async def _take(self, turn: Turn) -> None:
        """Have a turn answered by the bot whose it is, and fall back where it fails."""
        spec = self.choice.spec_for(turn.account, turn.queue)
        content = turn.question.content
        chosen = isinstance(content, Pressed) and content.payload.startswith("article:")
        recalled = answer.about_recall(turn, self.knowledge.products()) is not None
        if spec is None or chosen or recalled or turn.turns >= self.policy.bot.most_turns:
            await self._conclude(turn, Outcome(utterance=await self._built_in(turn), state="said"))
            return
        outcome = await self._outside(turn, spec)
        if outcome is None:
            return
        try:
            await self._conclude(turn, outcome)
        except (Conflict, NotFound):
            await self.store.transact(
                turns.overtake, turn=turn, spent=outcome.spent, at=self.clock.now()
            )
            raise

    async def _outside(self, turn: Turn, spec: BotSpec) -> Outcome | None:
        """Ask a bot outside; None if somebody else is asking it."""
        now, temper = self.clock.now(), self.tempers.setdefault(spec.name, Temper())
        if temper.rests(now):
            return await self._instead(turn, spec, "bot_rests", NOTHING)
        asked = await self._asked(turn, spec)
        tokens = turns.worst_cost(
            [asked.text, *(line.text for line in asked.said), *_words(asked)],
            answer_tokens=spec.answer_tokens,
        )
        begun = await self.store.transact(
            turns.begin, turn=turn, spec=spec, tokens=tokens, by=self.name, at=now
        )
        if not begun.ask:
            return await self._instead(turn, spec, begun.why, NOTHING) if begun.why else None
        try:
            async with asyncio.timeout(spec.time_limit.total_seconds()):
                told = await self.bots[spec.name].answer(asked)
        except (TimeoutError, BotFailed) as error:
            why = error.code if isinstance(error, BotFailed) else "bot_slow"
            spent = error.spent if isinstance(error, BotFailed) else NOTHING
            temper.note(failed=True, at=self.clock.now())
            log.warning("bot_failed", bot=spec.name, conversation=turn.conversation, why=why)
            return await self._instead(turn, spec, why, spent)
        temper.note(failed=False, at=self.clock.now())
        outcome = turns.outcome_of(told, asked, turn=turn, spec=spec, policy=self.policy)
        if outcome.state == "refused":
            log.warning(
                "bot_answer_refused",
                bot=spec.name,
                conversation=turn.conversation,
                why=outcome.why,
            )
        return outcome

    async def _asked(self, turn: Turn, spec: BotSpec) -> Asked:
        question = answer.question_of(turn)
        found = await self.knowledge.find(
            question,
            language=turn.language,
            limit=spec.articles,
            channel=turn.channel,
            account=turn.account,
        )
        return turns.asked_of(
            turn, candidates=found, articles=self.knowledge.published(), at=self.clock.now()
        )

    async def _built_in(self, turn: Turn) -> Utterance:
        candidates = await self.knowledge.find(
            answer.question_of(turn),
            language=turn.language,
            channel=turn.channel,
            account=turn.account,
        )
        return answer.compose(
            turn,
            candidates,
            self.knowledge.published(),
            products=self.knowledge.products(),
            policy=self.policy,
        )

    async def _instead(self, turn: Turn, spec: BotSpec, why: str, spent: Spent) -> Outcome:
        """Let the built-in bot try, if it may; else a person has it, with all that was said."""
        if spec.fallback and why != "open_case":
            utterance = await self._built_in(turn)
            because = {**utterance.because, "instead_of": spec.name, "failed": why}
            utterance = replace(utterance, because=because)
        else:
            utterance = Utterance(
                content=None, because={"why": why, "bot": spec.name}, first=turn.statements
            )
        return Outcome(utterance=utterance, state="failed", why=why, spent=spent)

    async def _conclude(self, turn: Turn, outcome: Outcome) -> None:
        await self.store.transact(
            turns.conclude,
            turn=turn,
            outcome=outcome,
            policy=self.policy,
            capabilities=self.capabilities,
            at=self.clock.now(),
        )


def _words(asked: Asked) -> list[str]:
    """Return the words of the articles that a model is shown."""
    return [
        text
        for each in asked.articles
        for text in (*each.questions[:2], each.answer_zh, each.answer_en)
    ]
