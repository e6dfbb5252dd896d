"""What is unread on its way through the readers: bounded, in order for each contact, never stuck.

The table of interactions is the queue. From it so many are in hand as fit the window; a contact is
in hand once, so that nobody's words are read out of order. Each lane is one reader process. What
breaks a reader is tried again by itself, and in the end read by the small reader and marked.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

import structlog

from router.domain.content import plain_text
from router.domain.events import Logged
from router.domain.ids import AccountName, ContactId
from router.domain.policy import ShopPolicy
from router.domain.reading import CALM, Alarm, Intent, Reading
from router.domain.timeline import Interaction
from router.service.hearing import (
    Earlier,
    Heard,
    ReaderBroke,
    ReaderDown,
    Readers,
    Run,
    SmallReader,
    Words,
)
from router.service.library import Knowledge
from router.service.ports import Clock, Store, StoreUnavailable
from router.service.pressure import Pressure
from router.service.reading import Understood, Unread, meant, take_note, unread_runs

log = structlog.get_logger()

#: Interactions in hand at most, and those that one frame to a reader holds at most.
WINDOW: Final = 256
FRAME: Final = 16
#: What cannot wait is read by the small reader if no other has done so by then.
HURRY: Final = timedelta(milliseconds=300)
#: How often a single message may break a reader before the small reader takes it.
_TRIES: Final = 2
_TICK_S: Final = 1.0
#: Events that leave something unread. What else does is found at the next tick.
_BRINGS: Final = frozenset({"interaction_taken", "interaction_changed"})
#: In a burst only what is urgent is read, as much of it as gathers in so many seconds.
_GATHER_S: Final = 0.2
#: A contact whose reading could not be written down rests so long, in seconds.
_REST_S: Final = 5.0
#: What stands in a reading's reasons when the full reader gave up over the message.
GAVE_UP: Final = "reader:gave_up"


@dataclass(slots=True, eq=False)
class _Held:
    """A contact's unread words, in hand until what they mean is written down."""

    unread: Unread
    done: bool = False
    more: bool = False  # the contact has said something since

    @property
    def contact(self) -> ContactId:
        return self.unread.contact

    @property
    def count(self) -> int:
        return len(self.unread.said)


class ReadingRoom:
    """Takes what is unread through the readers and writes down what it means."""

    def __init__(
        self,
        store: Store,
        *,
        readers: Readers,
        small: SmallReader,
        knowledge: Knowledge,
        policy: ShopPolicy,
        clock: Clock,
        window: int = WINDOW,
        hurry: timedelta = HURRY,
        any_question: Callable[[AccountName], bool] = lambda _account: False,
        pressure: Pressure | None = None,
    ) -> None:
        self._pressure = pressure or Pressure()
        self._store, self._readers, self._small = store, readers, small
        self._knowledge, self._policy, self._clock = knowledge, policy, clock
        self._any_question = any_question  # accounts whose bot may be asked anything
        self._window, self._hurry_s = window, hurry.total_seconds()
        self._in_hand: dict[ContactId, _Held] = {}
        self._waiting: tuple[deque[_Held], deque[_Held]] = (deque(), deque())  # urgent, others
        self._heard: deque[tuple[_Held, tuple[Heard, ...]]] = deque()
        self._cut = False  # not all that is unread is in hand
        self._rang: set[ContactId] = set()  # of whom there is news since we last looked
        self._bell, self._some, self._noted = asyncio.Event(), asyncio.Event(), asyncio.Event()

    def ring(self, logged: Sequence[Logged] | None = None) -> None:
        """There may be something unread: always, or if one of ``logged`` says so."""
        if logged is None:
            self._bell.set()
            return
        for each in logged:
            if each.event.kind in _BRINGS and each.event.contact is not None:
                self._rang.add(each.event.contact)
                if each.event.contact in self._in_hand:
                    self._in_hand[each.event.contact].more = True
                self._bell.set()

    async def run(self) -> None:
        """Read until cancelled; a fault is logged and the work goes on."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._forever(lambda: self._feed(tasks)), name="feed")
            tasks.create_task(self._forever(self._note), name="note")
            for lane in range(max(1, self._readers.lanes)):
                tasks.create_task(self._forever(self._serves(lane)), name=f"lane {lane}")

    def _serves(self, lane: int) -> Callable[[], Awaitable[None]]:
        return lambda: self._lane(lane)

    async def _forever(self, work: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await work()
            except StoreUnavailable:
                log.warning("loop_waits_for_database", loop="reading")
                await asyncio.sleep(_TICK_S)
            except Exception:
                log.exception("loop_failed", loop="reading")
                await asyncio.sleep(_TICK_S)

    # ----- from the table ---------------------------------------------------------------------

    async def _feed(self, tasks: asyncio.TaskGroup) -> None:
        """Take into hand what fits, urgent contacts first, then the oldest."""
        self._bell.clear()
        self._rang.clear()
        pressed = self._pressure.only_urgent
        room = self._window - sum(
            held.count for held in self._in_hand.values() if held.unread.urgent or not pressed
        )
        found: tuple[Unread, ...] = ()
        if room > 0:
            found = await self._store.read(
                unread_runs, limit=room, besides=frozenset(self._in_hand), only_urgent=pressed
            )
        for each in found:
            held = _Held(unread=each, more=each.contact in self._rang)
            self._in_hand[held.contact] = held
            self._waiting[0 if each.urgent else 1].append(held)
            if each.urgent:
                tasks.create_task(self._hurry(held), name="hurry")
        if found or any(self._waiting):
            self._some.set()
        self._cut = pressed or room <= 0 or sum(len(each.said) for each in found) >= room
        if pressed:
            await asyncio.sleep(_GATHER_S)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_TICK_S):
                await self._bell.wait()

    # ----- through the readers ----------------------------------------------------------------

    async def _lane(self, lane: int) -> None:
        """Read what waits, a frame at a time."""
        await self._some.wait()
        frame = self._frame()
        if not frame:
            self._some.clear()
            return
        began = asyncio.get_running_loop().time()
        try:
            await self._read(lane, frame)
        finally:
            for held in frame:
                if not held.done:
                    self._let_go(held)
        await self._pressure.give_way(asyncio.get_running_loop().time() - began)

    def _frame(self) -> list[_Held]:
        """Return what goes to a reader next: some contacts, the urgent ones first."""
        frame: list[_Held] = []
        size = 0
        lines = self._waiting[:1] if self._pressure.only_urgent else self._waiting
        for line in lines:
            while line and (not frame or size + line[0].count <= FRAME):
                held = line.popleft()
                if not held.done:
                    frame.append(held)
                    size += held.count
        return frame

    async def _read(self, lane: int, frame: Sequence[_Held]) -> None:
        if lane >= self._readers.lanes:
            await self._by_small(frame)
            return
        try:
            heard = await self._readers.read(lane, [held.unread.run for held in frame])
        except ReaderDown:
            await self._by_small(frame)
        except ReaderBroke as error:
            log.warning("reader_broke", lane=lane, contacts=len(frame), why=str(error))
            for held in frame:
                await self._one_by_one(lane, held)
        else:
            for held, each in zip(frame, heard, strict=True):
                self._deliver(held, each)

    async def _one_by_one(self, lane: int, held: _Held) -> None:
        """Read a contact's words singly, so that one that breaks readers spoils no other."""
        before = {name: list(turns) for name, turns in held.unread.run.before.items()}
        heard: list[Heard] = []
        for said, words in zip(held.unread.said, held.unread.run.words, strict=True):
            turns = before.setdefault(words.conversation, [])
            run = Run(words=(words,), before={words.conversation: tuple(turns)})
            told = await self._single(lane, run, said)
            turns.append(Earlier(text=words.text, reading=told.reading))
            heard.append(told)
        self._deliver(held, tuple(heard))

    async def _single(self, lane: int, run: Run, said: Interaction) -> Heard:
        for _ in range(_TRIES):
            try:
                return (await self._readers.read(lane, (run,)))[0][0]
            except ReaderDown:
                return (await self._by_rules(run))[0]
            except ReaderBroke:
                continue
        log.warning("message_given_up", interaction=said.id, tries=_TRIES)
        heard = (await self._by_rules(run))[0]
        marked = replace(heard.reading, because=(*heard.reading.because, GAVE_UP))
        return replace(heard, reading=marked)

    async def _by_small(self, frame: Sequence[_Held]) -> None:
        for held in frame:
            self._deliver(held, await self._by_rules(held.unread.run))

    async def _by_rules(self, run: Run) -> tuple[Heard, ...]:
        """Return what the small reader hears; what even it cannot read, a person must look at."""
        try:
            return await asyncio.to_thread(self._small.hear, run)
        except Exception:
            log.exception("small_reader_failed", messages=len(run.words))
            return tuple(_unreadable(words) for words in run.words)

    async def _hurry(self, held: _Held) -> None:
        """Read what cannot wait by rules, if no reader has done it in time."""
        await asyncio.sleep(self._hurry_s)
        if not held.done:
            heard = await self._by_rules(held.unread.run)
            if not held.done:
                log.info("urgent_read_small", contact=held.contact, messages=held.count)
            self._deliver(held, heard)

    def _deliver(self, held: _Held, heard: tuple[Heard, ...]) -> None:
        """Hand over what was heard first; who comes later has read in vain."""
        if not held.done:
            held.done = True
            self._heard.append((held, heard))
            self._noted.set()

    # ----- into the table ---------------------------------------------------------------------

    async def _note(self) -> None:
        """Write down what has gathered while the last commit ran."""
        await self._noted.wait()
        if self._pressure.only_urgent:
            await asyncio.sleep(_GATHER_S)
        self._noted.clear()
        batch = tuple(self._heard)
        self._heard.clear()
        try:
            await self._take_note(batch)
        except StoreUnavailable:
            self._heard.extendleft(reversed(batch))
            self._noted.set()
            raise
        except Exception:
            log.exception("readings_not_noted", contacts=len(batch))
            for each in batch:
                await self._note_alone(each)
        else:
            for held, _heard in batch:
                self._let_go(held, written=True)

    async def _note_alone(self, each: tuple[_Held, tuple[Heard, ...]]) -> None:
        held = each[0]
        try:
            await self._take_note((each,))
        except Exception:
            log.exception("reading_not_noted", contact=held.contact)
            asyncio.get_running_loop().call_later(_REST_S, self._let_go, held)
        else:
            self._let_go(held, written=True)

    async def _take_note(self, batch: Sequence[tuple[_Held, tuple[Heard, ...]]]) -> None:
        understood: list[Understood] = []
        for held, heard in batch:
            for said, told in zip(held.unread.said, heard, strict=True):
                understood.append(meant(said, told, answerable=self._answerable(said, told)))
        await self._store.transact(take_note, understood, policy=self._policy, at=self._clock.now())

    def _answerable(self, said: Interaction, heard: Heard) -> bool:
        words = plain_text(said.content)
        if not words:
            return False
        if self._any_question(said.account) or self._knowledge.is_recalled(words):
            return True
        if heard.candidates is None:
            found = self._knowledge.best(
                words,
                language=heard.reading.language,
                limit=1,
                channel=said.channel,
                account=said.account,
            )
        else:
            found = self._knowledge.fitting(
                heard.candidates,
                asked=words,
                channel=said.channel,
                account=said.account,
                limit=1,
            )
        return bool(found) and found[0].confidence >= self._policy.bot.ask_at

    def _let_go(self, held: _Held, *, written: bool = False) -> None:
        """Forget a contact: what is still unread of theirs is taken into hand again."""
        if self._in_hand.get(held.contact) is held:
            del self._in_hand[held.contact]
        if self._cut or held.more or not written:
            self._bell.set()


def _unreadable(words: Words) -> Heard:
    reading = Reading(
        language=words.language or "zh",
        intent=Intent.OTHER,
        complaint=Alarm.WATCH,
        complaint_score=0.5,
        severity=1,
        wants_human=False,
        sentiment=0.0,
        entities=(),
        because=(GAVE_UP,),
        reader="none",
    )
    return Heard(reading=reading, mood=CALM, candidates=())
