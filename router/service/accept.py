"""The front of intake: what has gathered while the last commit ran is the next batch, no timer."""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import structlog

from router.channel.contract import Edited, Event, Received, Speaker, Turn
from router.domain.content import plain_text
from router.domain.policy import ShopPolicy
from router.service.arrivals import Delivery, TakenIn
from router.service.intake import take_in, take_in_batch
from router.service.ports import Store, StoreUnavailable
from router.service.pressure import Pressure

log = structlog.get_logger()

#: How many deliveries share a transaction, and how many may wait for one.
BATCH = 256
BACKLOG = 4096
#: So many turns of the loop without another delivery: nobody stands at the door. A request takes
#: two or three turns from the socket to the line.
_QUIET_TURNS = 4
#: How many bytes of deliveries may wait, if they are large.
BACKLOG_BYTES = 64 * 1024 * 1024


class Busy(Exception):
    """There is no room for another delivery now; the platform is asked to come again."""


@dataclass(slots=True)
class _Waiting:
    delivery: Delivery
    done: "asyncio.Future[TakenIn]"


def _nothing(_text: str) -> bool:
    return False


class Intake:
    """Takes deliveries in, in the order of arrival; whoever awaits is answered after the commit."""

    def __init__(
        self,
        store: Store,
        policy: ShopPolicy,
        *,
        batch: int = BATCH,
        most: int = BACKLOG,
        pressure: Pressure | None = None,
        urgent: Callable[[str], bool] = _nothing,
    ) -> None:
        """``urgent`` is the fast tier: it says of a text whether it cannot wait to be read."""
        self._store, self._policy, self._batch = store, policy, batch
        self._most = most
        self._pressure = pressure or Pressure()
        self._urgent = urgent
        self._line: deque[_Waiting] = deque()
        self._bytes = 0
        self._some = asyncio.Event()
        self._stopping = False

    def check_room(self) -> None:
        """Raise Busy if the line is full or the daemon stops, before anybody reads a delivery."""
        full = len(self._line) >= self._most or self._bytes >= BACKLOG_BYTES
        if self._stopping or full:
            raise Busy("too many deliveries wait")

    @property
    def is_crowded(self) -> bool:
        """Return whether the line is so long that another daemon should be asked, if there is."""
        return len(self._line) > self._most * 3 // 4

    @property
    def backlog(self) -> int:
        """Return how many deliveries wait for the next transaction."""
        return len(self._line)

    async def accept(self, delivery: Delivery) -> TakenIn:
        """Return what became of ``delivery`` once it is committed.

        Raises Busy if the line is full or the daemon stops, StoreUnavailable if the database does
        not take it; in both cases nothing was promised.
        """
        self.check_room()
        pressing = frozenset(name for name, text in _said(delivery.events) if self._urgent(text))
        delivery = replace(delivery, urgent=pressing) if pressing else delivery
        waiting = _Waiting(delivery, asyncio.get_running_loop().create_future())
        self._line.append(waiting)
        self._bytes += _size(delivery)
        self._some.set()
        return await waiting.done

    async def run(self) -> None:
        """Take in batches until stopped and the line is empty."""
        while not (self._stopping and not self._line):
            await self._some.wait()
            self._some.clear()
            while self._line:
                await self._let_in()
                size = min(self._batch, len(self._line))
                batch = [self._line.popleft() for _ in range(size)]
                self._bytes -= sum(_size(each.delivery) for each in batch)
                await self._take(batch)

    async def _let_in(self) -> None:
        """Let those who stand at the door come in first: until the loop turns and nobody comes.

        On SQLite the loop and the writer's thread share the interpreter. Who works while the other
        works takes twice the time, so a batch is as large as it can be.
        """
        quiet = 0
        while quiet < _QUIET_TURNS and len(self._line) < self._batch:
            before = len(self._line)
            await asyncio.sleep(0)
            quiet = quiet + 1 if len(self._line) == before else 0

    def stop(self) -> None:
        """Take in what has come, and nothing after it."""
        self._stopping = True
        self._some.set()

    async def _take(self, batch: list[_Waiting]) -> None:
        deliveries = [each.delivery for each in batch]
        self._pressure.came(len(batch))
        try:
            results = await self._store.transact(take_in_batch, deliveries, self._policy)
        except StoreUnavailable as error:
            for each in batch:
                _fail(each, error)
            return
        except Exception:  # the line must go on whatever one batch runs into
            log.exception("batch_failed", deliveries=len(batch))
            for each in batch:
                await self._alone(each)
            return
        for each, result in zip(batch, results, strict=True):
            if isinstance(result, TakenIn):
                if not each.done.done():
                    each.done.set_result(result)
            else:
                await self._alone(each)

    async def _alone(self, waiting: _Waiting) -> None:
        """Try a delivery that failed in company once more by itself."""
        try:
            result = await self._store.transact(take_in, waiting.delivery, self._policy)
        except Exception as error:  # noqa: BLE001  handed to whoever delivered it
            log.warning("delivery_failed", account=waiting.delivery.source.account)
            _fail(waiting, error)
        else:
            if not waiting.done.done():
                waiting.done.set_result(result)


def _size(delivery: Delivery) -> int:
    return 0 if delivery.raw is None else len(delivery.raw.body)


def _fail(waiting: _Waiting, error: Exception) -> None:
    with contextlib.suppress(asyncio.InvalidStateError):
        waiting.done.set_exception(error)


def _said(events: Sequence[Event]) -> Iterator[tuple[str, str]]:
    """Yield the platform's id and the words of everything that the contact says."""
    for event in events:
        match event:
            case Received(by=Speaker.CONTACT | Speaker.UNKNOWN):
                yield event.external_id, plain_text(event.content)
            case Turn(by=Speaker.CONTACT | Speaker.UNKNOWN):
                yield event.external_id, event.text
            case Edited():
                yield event.target, plain_text(event.content)
            case _:
                pass
