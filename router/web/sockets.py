"""The open sockets of web chat: who is there, and frames on their way to them.

`router.web.chat` reads what visitors say; here is what they are told. A frame that finds no socket
is not lost: what was said stands on the timeline, and the next hello fetches it.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final

import structlog
from aiohttp import web

from router.channel.connection import CloseCode, ServerFrames
from router.channel.contract import Push, Reply, Speaker
from router.domain.content import Media
from router.domain.events import Logged
from router.domain.ids import AccountName, ConversationId, InteractionId
from router.domain.timeline import Direction, Interaction
from router.service.ports import NotFound
from router.service.records import Place
from router.service.unit import Unit
from router.web.deps import Deps
from router.web.live import Found
from router.web.uploads import look_path

log = structlog.get_logger()

#: Frames that may wait for one visitor's browser; one more and the browser must come again.
WAITING: Final = 256
_TAKEN: Final = frozenset({"offer_accepted", "conversation_taken", "conversation_transferred"})
#: Something was said: by the visitor at another daemon, or to them by its sender.
_SAID: Final = frozenset({"interaction_taken", "reply_settled"})
HANDED_OVER: Final = 202


class Ends(Exception):
    """A socket comes to its end, with the code that the other side is told."""

    def __init__(self, code: int) -> None:
        super().__init__(f"closed with {code}")
        self.code = code


class Line:
    """What goes out on one socket, in order."""

    def __init__(self, account: AccountName, frames: ServerFrames) -> None:
        self.account, self.frames = account, frames
        self.names: frozenset[str] = frozenset()
        self.lang = "zh"  # until the visitor's browser says another
        self.conversation: ConversationId | None = None
        self._waiting: asyncio.Queue[bytes] = asyncio.Queue(WAITING)
        self._end: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def say(self, frame: bytes) -> None:
        """Put a frame on its way; one who does not read is let go."""
        try:
            self._waiting.put_nowait(frame)
        except asyncio.QueueFull:
            self.end(CloseCode.SLOW)

    def end(self, code: int) -> None:
        """Let the socket come to its end."""
        if not self._end.done():
            self._end.set_result(code)

    async def write(self, socket: web.WebSocketResponse) -> None:
        """Send what is said, until cancelled or ended."""
        while True:
            frame = await self._waiting.get()
            try:
                await socket.send_str(frame.decode())
            except (ConnectionError, RuntimeError) as error:
                raise Ends(CloseCode.GOING_AWAY) from error

    async def ended(self) -> None:
        """Raise `Ends` once somebody has ended the line."""
        raise Ends(await asyncio.shield(self._end))


class Sockets:
    """All sockets of this daemon. Fulfils the port that carries an account's `Push`."""

    def __init__(self, deps: Deps) -> None:
        self._deps = deps
        self._lines: defaultdict[tuple[AccountName, str], set[Line]] = defaultdict(set)
        self._all: set[Line] = set()

    def __len__(self) -> int:
        return len(self._all)

    def open(self, line: Line) -> None:
        """Know of a socket, before it has said who is there."""
        self._all.add(line)

    def introduce(self, line: Line, names: Iterable[str]) -> None:
        """Know whose socket it is; more names may come when a visitor signs in."""
        line.names |= frozenset(names)
        for name in line.names:
            self._lines[line.account, name].add(line)

    def close(self, line: Line) -> None:
        """Forget a socket."""
        self._all.discard(line)
        for name in line.names:
            lines = self._lines[line.account, name]
            lines.discard(line)
            if not lines:
                del self._lines[line.account, name]

    def of(self, account: AccountName, person: str) -> tuple[Line, ...]:
        """Return the sockets at which one person is."""
        return tuple(self._lines.get((account, person), ()))

    async def push(self, account: AccountName, call: Push) -> Reply:
        """Hand a frame to every socket of its recipient; where there is none, resume will."""
        reached = self.of(account, call.recipient)
        for line in reached:
            line.say(call.payload)
        self._deps.metrics.frames.labels(direction="out").inc(len(reached))
        return Reply(status=HANDED_OVER, body=b"")

    def typing(self, account: AccountName, person: str, *, name: str) -> None:
        """Tell a visitor that our side is writing."""
        for line in self.of(account, person):
            line.say(line.frames.typing(by=Speaker.AGENT, name=name))

    def close_all(self) -> None:
        """Tell every browser to come again: the daemon stops."""
        for line in tuple(self._all):
            line.end(CloseCode.GOING_AWAY)

    # ----- what happened -----------------------------------------------------------------------

    async def notice(
        self, events: Sequence[Logged], found: Found, elsewhere: frozenset[int]
    ) -> None:
        """Tell visitors who answers them, what was taken back, and when it is over.

        What another daemon took in or sent is shown here: its pushes find only its own sockets.
        """
        for logged in events:
            event = logged.event
            place = found.places.get(event.conversation) if event.conversation else None
            if place is None or event.conversation is None:
                continue
            lines = self.of(place.account, place.external_id)
            if not lines:
                continue
            interaction = InteractionId(str((event.facts or {}).get("interaction", "")))
            if event.kind == "interaction_changed":
                await self._changed(lines, interaction)
            elif event.kind in _SAID:
                if logged.seq in elsewhere:
                    await self._show_all(lines, interaction)
            else:
                self._moved(lines, event.kind, event.conversation, place)

    def _moved(
        self, lines: Sequence[Line], kind: str, conversation: ConversationId, place: Place
    ) -> None:
        for line in lines:
            if kind in _TAKEN and place.agent is not None:
                line.say(line.frames.assigned(name=place.agent_name, by=Speaker.AGENT))
            elif kind == "handed_to_bot":
                titles = self._deps.policy.bot.name
                name = titles.get(line.lang, "")
                line.say(line.frames.assigned(name=name, by=Speaker.BOT))
            elif kind == "conversation_closed":
                line.conversation = None
                line.say(line.frames.ended(conversation=conversation))

    async def _changed(self, lines: Sequence[Line], interaction: InteractionId) -> None:
        said = await self._said(interaction)
        if said is not None and said.recalled_at is not None:
            for line in lines:
                line.say(recalled_frame(line, said))

    async def _show_all(self, lines: Sequence[Line], interaction: InteractionId) -> None:
        said = await self._said(interaction)
        if said is not None and is_shown(said):
            for line in lines:
                self.show(line, said)

    async def _said(self, interaction: InteractionId) -> Interaction | None:
        try:
            return await self._deps.store.read(interaction_of, interaction)
        except NotFound:
            return None

    def show(self, line: Line, said: Interaction) -> None:
        """Show one interaction on a socket, as it stands now."""
        if said.recalled_at is not None:
            line.say(recalled_frame(line, said))
            return
        link = ""
        if isinstance(said.content, Media) and said.content.stored:
            link = look_path(self._deps, said.content.stored)
        elif isinstance(said.content, Media):
            link = said.content.link
        line.say(message_frame(line, said, link=link))


def interaction_of(unit: Unit, interaction: InteractionId) -> Interaction:
    """Return one interaction; raises NotFound."""
    return unit.conversations.interaction(interaction)


def is_shown(said: Interaction) -> bool:
    """Say whether a visitor sees this: never what colleagues write to each other."""
    return said.direction is not Direction.INTERNAL


def own_id(line: Line, said: Interaction) -> str:
    """Return the id that the visitor's browser gave to a message of its own."""
    if said.direction is not Direction.IN:
        return ""
    for name in line.names:
        if said.external_id.startswith(f"{name}:"):
            return said.external_id.removeprefix(f"{name}:")
    return ""


def recalled_frame(line: Line, said: Interaction) -> bytes:
    """Return the frame that takes a message back."""
    return line.frames.recalled(message_id=said.id, client_msg_id=own_id(line, said))


def message_frame(line: Line, said: Interaction, *, link: str = "") -> bytes:
    """Return the frame that shows a message; ``link`` is where its file can be seen."""
    content = said.content
    if isinstance(content, Media):
        content = Media(
            kind=content.kind,
            link=link,
            caption=content.caption,
            name=content.name,
            mime=content.mime,
            size=content.size,
        )
    by = Speaker.CONTACT
    if said.direction is not Direction.IN:
        by = Speaker.BOT if said.author == "bot" else Speaker.AGENT
    return line.frames.message(
        message_id=said.id,
        seq=said.seq,
        by=by,
        name=said.author_name,
        content=content,
        at=said.at,
        client_msg_id=own_id(line, said),
    )


SOCKETS = web.AppKey("SOCKETS", Sockets)
