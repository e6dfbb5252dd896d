"""What happens now, told to open pages: one hub, one event stream a page (`/live?topics=…`).

A page asks for topics and gets the topic's name as the event, with tiny data: it fetches what it
shows by itself. Topics: ``queues``, ``trouble``, ``people``, ``knowledge``, ``crises`` (of
supervisors), ``desk`` and ``alerts`` (one's own), ``conversation:ID``, ``typing:ID``,
``contact:ID``, ``case:ID``. One event a second at most, save ``desk``, ``alerts`` and ``typing``.
"""

import asyncio
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

import msgspec
import structlog
from aiohttp import web

from router.domain.events import Happened, Logged
from router.domain.ids import AgentId, ContactId, ConversationId
from router.service.people import signed_in
from router.service.ports import Store, StoreUnavailable
from router.service.records import Place
from router.service.unit import Unit
from router.web.deps import DEPS
from router.web.errors import Denied
from router.web.me import Me, me_of

log = structlog.get_logger()

#: Seconds: between two events of one topic, between heartbeats, and for a client to take one.
PACE: Final = 1.0
HEARTBEAT: Final = 15.0
PATIENCE: Final = 10.0
MOST_TOPICS: Final = 60
#: Events that may wait to be told; more are told as "look at everything again".
BACKLOG: Final = 5000
#: Bytes that a page has not taken yet, from which on it is not written to beside its own task; and
#: how many pages are written to before others have their turn.
_BEHIND: Final = 16 * 1024
_IN_A_ROW: Final = 100
_AT_ONCE: Final = frozenset({"desk", "alerts", "typing"})
_SUPERVISORS: Final = frozenset({"queues", "trouble", "people", "knowledge", "crises"})
_OWN: Final = frozenset({"desk", "alerts"})
#: Where alerts to nobody in particular are told.
_TO_SUPERVISORS: Final = "alerts/*"
_OF_A_THING: Final = frozenset({"conversation", "typing", "contact", "case"})

_TALK: Final = ("queues", "desk", "conversation", "contact")
_CASE: Final = ("queues", "desk", "conversation", "contact", "case")
_CRISIS: Final = ("crises",)
#: Event kind → the topics that it touches.
TOPICS: Final[Mapping[str, tuple[str, ...]]] = {
    "interaction_taken": _TALK,
    "interaction_changed": ("desk", "conversation", "contact"),
    "interactions_read": ("queues", "conversation", "contact"),
    "reading_corrected": ("queues", "desk", "conversation", "contact"),
    "bell_rung": (),
    "call_ended": _TALK,
    "reply_queued": ("queues", "conversation", "contact"),
    "reply_settled": ("conversation", "contact", "trouble"),
    "note_added": ("conversation", "contact"),
    "conversation_opened": _TALK,
    "conversation_queued": _TALK,
    "conversation_triaged": _TALK,
    "handed_to_bot": _TALK,
    "handed_to_human": _TALK,
    "offer_made": _TALK,
    "offer_accepted": _TALK,
    "offer_declined": _TALK,
    "offer_lapsed": _TALK,
    "offer_withdrawn": _TALK,
    "conversation_taken": _TALK,
    "conversation_transferred": _TALK,
    "conversation_overflowed": _TALK,
    "plan_followed": _TALK,
    "conversation_parked": _TALK,
    "conversation_resumed": _TALK,
    "wrap_up_started": _TALK,
    "conversation_closed": _TALK,
    "priority_raised": _TALK,
    "case_opened": _CASE,
    "case_joined": _CASE,
    "case_acknowledged": _CASE,
    "case_owned": _CASE,
    "case_enqueued": _CASE,
    "case_escalated": (*_CASE, "alerts"),
    "case_changed": _CASE,
    "case_resolved": _CASE,
    "case_reopened": _CASE,
    "follow_up_asked": _CASE,
    "case_confirmed": _CASE,
    "case_denied": _CASE,
    "rating_asked": _TALK,
    "rating_given": _TALK,
    "crisis_raised": _CRISIS,
    "crisis_drafted": _CRISIS,
    "crisis_approved": _CRISIS,
    "crisis_pinned": _CRISIS,
    "crisis_ended": _CRISIS,
    "merge_proposed": _TALK,
    "contacts_merged": _TALK,
    "contacts_split": _TALK,
    "contact_changed": _TALK,
    "identity_linked": ("conversation", "contact"),
    "presence_changed": ("queues", "desk", "people"),
    "presence_asked": ("queues",),
    "presence_declined": ("desk", "alerts"),
    "agent_changed": ("queues", "people"),
    "alert_raised": ("queues", "desk", "alerts"),
    "handover_written": ("desk", "conversation"),
    "remembered_changed": ("desk", "conversation", "contact"),
    "article_changed": ("knowledge",),
    "product_changed": ("knowledge",),
    "script_changed": ("knowledge",),
}
#: Unknown to the table (a newer daemon's event): whoever watches the whole shop looks again.
_UNKNOWN: Final = ("queues", "trouble")


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What the tables say of the things that events speak of."""

    places: Mapping[ConversationId, Place]
    roots: Mapping[ContactId, ContactId]


#: Hears of events, what was looked up, and the numbers of those that another daemon committed.
Told = Callable[[Sequence[Logged], Found, frozenset[int]], Awaitable[None]]


def look_up(
    unit: Unit, conversations: Sequence[ConversationId], contacts: Sequence[ContactId]
) -> Found:
    """Return where conversations stand and who stands for contacts; unknown ones are left out."""
    return Found(
        places=unit.conversations.places(conversations), roots=unit.contacts.root_ids(contacts)
    )


@dataclass(slots=True, eq=False)
class Client:
    """One open page: what it asked for, and what it is yet to be told."""

    me: AgentId
    supervisor: bool
    topics: frozenset[str]
    some: asyncio.Event = field(default_factory=asyncio.Event)
    pending: dict[str, int] = field(default_factory=dict)
    told_at: dict[str, float] = field(default_factory=dict)
    stream: web.StreamResponse | None = None  # once it has begun
    way: asyncio.WriteTransport | None = None

    def places(self) -> Iterator[str]:
        """Yield where its topics are told: one's own by one's name, others by theirs."""
        for topic in self.topics:
            yield f"{topic}/{self.me}" if topic in _OWN else topic
        if self.supervisor and "alerts" in self.topics:
            yield _TO_SUPERVISORS

    def note(self, topic: str, seq: int) -> None:
        """Note that there is something new; many before it is told are one."""
        self.pending[topic] = max(seq, self.pending.get(topic, 0))

    def touch(self, topic: str, seq: int) -> None:
        """Note that there is something new, and let the page's own task tell it."""
        self.note(topic, seq)
        self.some.set()

    async def tell(self, now: float) -> None:
        """Write what may be told now, without waiting for anybody.

        What must wait, or a page that does not read, is left to the page's own task.
        """
        if self.stream is not None and not self._is_behind():
            lines = self.lines(now)
            if lines:
                with suppress(ConnectionError):  # gone: its task ends by itself
                    await self.stream.write(lines)
        if self.pending:
            self.some.set()

    def _is_behind(self) -> bool:
        return self.way is None or self.way.get_write_buffer_size() > _BEHIND

    def lines(self, now: float) -> bytes:
        """Return and forget the events that may be told now, as the stream writes them."""
        return b"".join(_event(topic, seq) for topic, seq in self.due(now))

    def due(self, now: float) -> Iterator[tuple[str, int]]:
        """Yield and forget what may be told now."""
        for topic in tuple(self.pending):
            last = self.told_at.get(topic, -PACE)
            if topic.partition(":")[0] in _AT_ONCE or now - last >= PACE:
                self.told_at[topic] = now
                yield topic, self.pending.pop(topic)


class Hub:
    """Hears what each commit logged, here and in other daemons, and tells the pages."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._clients: set[Client] = set()
        self._noted: set[Client] = set()
        self._watching: defaultdict[str, set[Client]] = defaultdict(set)
        self._events: deque[Logged] = deque(maxlen=BACKLOG)
        self._elsewhere: set[int] = set()
        self._some = asyncio.Event()
        self._overflowed = self._stopping = False
        self._told: list[tuple[Told, Callable[[], bool]]] = []

    def also_tell(self, told: Told, *, present: Callable[[], bool]) -> None:
        """Let somebody else of this room (the chat's sockets) hear what the hub has looked up.

        ``present`` says whether anybody listens there now; nothing is looked up for nobody.
        """
        self._told.append((told, present))

    def notice(self, events: Sequence[Logged]) -> None:
        """Hear of what another daemon committed, in the order of their numbers."""
        self._elsewhere.update(logged.seq for logged in events)
        self.committed(events)

    def committed(self, events: Sequence[Logged]) -> None:
        """Hear of what this daemon committed."""
        self._overflowed |= len(self._events) + len(events) > BACKLOG
        self._events.extend(events)
        self._some.set()

    def join(self, client: Client) -> None:
        """Begin to tell a page."""
        self._clients.add(client)
        for place in client.places():
            self._watching[place].add(client)

    def leave(self, client: Client) -> None:
        """Stop telling a page."""
        self._clients.discard(client)
        for place in client.places():
            self._watching[place].discard(client)
            if not self._watching[place]:
                del self._watching[place]

    def typing(self, conversation: ConversationId) -> None:
        """Tell the desks that the contact is writing."""
        for client in self._watching.get(f"typing:{conversation}", ()):
            client.touch(f"typing:{conversation}", 0)

    async def run(self) -> None:
        """Tell what was heard, until cancelled."""
        while True:
            await self._some.wait()
            self._some.clear()
            events, elsewhere = tuple(self._events), frozenset(self._elsewhere)
            self._events.clear()
            self._elsewhere.clear()
            self._noted.clear()
            if self._overflowed:
                self._overflowed = False
                self._look_again(events)
            elif events:
                await self._survive(events, elsewhere)
                await self._write()

    async def _write(self) -> None:
        """Write to every page of which something was noted."""
        now = asyncio.get_running_loop().time()
        for count, client in enumerate(tuple(self._noted), 1):
            await client.tell(now)
            if count % _IN_A_ROW == 0:
                await asyncio.sleep(0)  # others have work too

    async def _survive(self, events: Sequence[Logged], elsewhere: frozenset[int]) -> None:
        try:
            await self._tell(events, elsewhere)
        except Exception:  # the stream of every page hangs on this task
            log.exception("events_not_told", events=len(events))
            self._look_again(events)

    def stop(self) -> None:
        """Let every stream come to its end; the pages come again by themselves."""
        self._stopping = True
        for client in self._clients:
            client.some.set()

    @property
    def stopping(self) -> bool:
        """Say whether streams should end."""
        return self._stopping

    def _look_again(self, events: Sequence[Logged]) -> None:
        seq = max((logged.seq for logged in events), default=0)
        for client in self._clients:
            for topic in client.topics:
                client.touch(topic, seq)

    async def _tell(self, events: Sequence[Logged], elsewhere: frozenset[int]) -> None:
        if not self._clients and not any(present() for _told, present in self._told):
            return
        conversations = tuple(
            {each.event.conversation: None for each in events if each.event.conversation}
        )
        contacts = tuple({each.event.contact: None for each in events if each.event.contact})
        try:
            found = await self._store.read(look_up, conversations, contacts)
        except StoreUnavailable:
            log.warning("events_not_looked_up", events=len(events))
            self._look_again(events)
            return
        for logged in events:
            self._publish(logged, found)
        for told, _present in self._told:
            await told(events, found, elsewhere)

    def _publish(self, logged: Logged, found: Found) -> None:
        event = logged.event
        place = found.places.get(event.conversation) if event.conversation else None
        agents = {event.agent, place.agent if place else None} - {None}
        for topic in TOPICS.get(event.kind, _UNKNOWN):
            if topic in _SUPERVISORS:
                self._note(topic, topic, logged.seq)
            elif topic in _OWN:
                for agent in agents:
                    self._note(f"{topic}/{agent}", topic, logged.seq)
        if event.agent is None and "alerts" in TOPICS.get(event.kind, _UNKNOWN):
            self._note(_TO_SUPERVISORS, "alerts", logged.seq)
        for topic in set(_named(event, found)):
            self._note(topic, topic, logged.seq)

    def _note(self, place: str, topic: str, seq: int) -> None:
        for client in self._watching.get(place, ()):
            client.note(topic, seq)
            self._noted.add(client)


def _named(event: Happened, found: Found) -> Iterator[str]:
    """Yield the topics of the very things that an event speaks of."""
    kinds = TOPICS.get(event.kind, _UNKNOWN)
    if "conversation" in kinds and event.conversation:
        yield f"conversation:{event.conversation}"
    if "case" in kinds and event.case:
        yield f"case:{event.case}"
    if "contact" in kinds and event.contact:
        yield f"contact:{event.contact}"
        yield f"contact:{found.roots.get(event.contact, event.contact)}"
        fold = (event.facts or {}).get("fold")
        if fold:
            yield f"contact:{fold}"


HUB = web.AppKey("HUB", Hub)
routes = web.RouteTableDef()


@routes.get("/live")
async def live(request: web.Request) -> web.StreamResponse:
    """Stream events for ``topics`` (comma-separated).

    A stream that begins after ``since`` (or Last-Event-ID) tells every topic once if anything has
    happened since; without either, every topic is told once, so that nothing falls between the
    page and its stream.
    """
    me, deps, hub = me_of(request), request.app[DEPS], request.app[HUB]
    client = Client(me=me.agent.id, supervisor=me.agent.supervises(), topics=_topics(request, me))
    since = request.headers.get("Last-Event-ID") or request.query.get("since", "")
    hub.join(client)
    try:
        seq = await deps.store.read(_seq)
        if not since.isdecimal() or int(since) < seq:
            for topic in client.topics:
                if not topic.startswith("typing:"):
                    client.touch(topic, seq)
        return await _stream(request, client)
    finally:
        hub.leave(client)


def _seq(unit: Unit) -> int:
    return unit.journal.seq()


def _topics(request: web.Request, me: Me) -> frozenset[str]:
    wished = frozenset(filter(None, request.query.get("topics", "").split(",")))
    if not wished or len(wished) > MOST_TOPICS:
        raise Denied("bad_request", 400)
    for topic in wished:
        name, _, thing = topic.partition(":")
        known = (thing and name in _OF_A_THING) or (not thing and name in _OWN | _SUPERVISORS)
        if not known:
            raise Denied("bad_request", 400)
        if name in _SUPERVISORS and not me.agent.supervises():
            raise Denied("forbidden", 403)
    return wished


async def _stream(request: web.Request, client: Client) -> web.StreamResponse:
    response = web.StreamResponse(
        headers={
            "Content-Type": "text/event-stream; charset=utf-8",
            "Cache-Control": "no-store",
            "X-Accel-Buffering": "no",
        }
    )
    await response.prepare(request)
    client.stream, client.way = response, request.transport
    loop = asyncio.get_running_loop()
    beat_at = loop.time()
    with suppress(ConnectionError, TimeoutError):  # gone or slow: the browser comes again
        while not request.app[HUB].stopping:
            now = loop.time()
            lines = client.lines(now)
            if now >= beat_at:
                if not await _still_in(request):
                    break
                lines += b": \n\n"
                beat_at = now + HEARTBEAT
            if lines:
                async with asyncio.timeout(PATIENCE):
                    await response.write(lines)
            await _next(client, beat_at - now)
    return response


@lru_cache(maxsize=256)
def _event(topic: str, seq: int) -> bytes:
    mark = f"id: {seq}\n" if seq else ""
    data = msgspec.json.encode({"seq": seq}).decode()
    return f"event: {topic}\n{mark}data: {data}\n\n".encode()


async def _next(client: Client, beat: float) -> None:
    """Wait until there may be something to tell."""
    client.some.clear()
    wait = min(beat, PACE) if client.pending else beat
    with suppress(TimeoutError):
        async with asyncio.timeout(max(0.0, wait)):
            await client.some.wait()


async def _still_in(request: web.Request) -> bool:
    """Say whether the person is still signed in: a password may have been changed meanwhile."""
    me = me_of(request)
    epoch = me.credentials.session_epoch
    return await request.app[DEPS].store.read(signed_in, me.agent.id, epoch=epoch) is not None
