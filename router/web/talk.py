"""One visitor's connection: frame after frame, each acknowledged after the commit.

The words of the protocol belong to the account's adapter (`router.channel.connection.Connects`).
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import structlog
from aiohttp import WSMsgType, web

from router.channel.accounts import Account
from router.channel.captured import read_query
from router.channel.connection import CloseCode, FrameHead
from router.channel.contract import (
    Decoded,
    Event,
    Malformed,
    Moment,
    Presence,
    Recalled,
    Received,
    Request,
    Trusted,
    Unverified,
)
from router.domain.content import Media
from router.domain.conversation import Closed
from router.domain.ids import ConversationId, InteractionId, MediaId
from router.domain.timeline import Direction
from router.service.accept import Busy
from router.service.arrivals import TakenIn
from router.service.ports import NotFound, StoreUnavailable
from router.web import uploads
from router.web.deps import DEPS
from router.web.i18n import accepted
from router.web.live import HUB
from router.web.sockets import (
    SOCKETS,
    Ends,
    Line,
    interaction_of,
)
from router.web.visitors import names_of, where_they_stand
from router.web.webhooks import headers_of, take_in

log = structlog.get_logger()

#: Seconds to say hello.
HELLO_WITHIN: Final = 10.0
#: Frames at once, and frames a second after that.
BURST: Final = 40.0
PER_SECOND: Final = 10.0
RETRY_AFTER: Final = 2.0
_TRY_LATER: Final = 1013  # RFC 6455, IANA registry: try again later
#: How much of a conversation is shown again to a browser that comes back.
REPLAYED: Final = 200


class Talk:
    """One visitor's connection."""

    def __init__(self, request: web.Request, account: Account, visitor: str) -> None:
        self.request, self.account = request, account
        self.deps, self.hub = request.app[DEPS], request.app[HUB]
        self.sockets = request.app[SOCKETS]
        self.adapter: Any = account.adapter
        self.line = Line(account.name, self.adapter.frames)
        self.proof: Any = None
        self._headers = self._upgrade(visitor)
        self._room = BURST
        self._looked_at = asyncio.get_running_loop().time()

    def _upgrade(self, visitor: str) -> Mapping[str, str]:
        given = dict(headers_of(self.request))
        given.pop("cookie", None)
        given["x-visitor"] = visitor  # ours, whatever the browser says
        return given

    async def run(self, socket: web.WebSocketResponse) -> int:
        """Stay with the socket; return the code that it is closed with."""
        self.sockets.open(self.line)
        code = int(CloseCode.GOING_AWAY)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._listen(socket), name="chat-listen")
                tasks.create_task(self.line.write(socket), name="chat-write")
                tasks.create_task(self.line.ended(), name="chat-end")
        except* Ends as ends:
            code = next(each.code for each in ends.exceptions if isinstance(each, Ends))
        finally:
            self.sockets.close(self.line)
        return code

    async def _listen(self, socket: web.WebSocketResponse) -> None:
        try:
            async with asyncio.timeout(HELLO_WITHIN):
                await self._next(socket)
        except TimeoutError as error:
            raise Ends(CloseCode.POLICY) from error
        while True:
            await self._next(socket)

    async def _next(self, socket: web.WebSocketResponse) -> None:
        message = await socket.receive()
        if message.type is WSMsgType.TEXT:
            self._slow_down()
            data = message.data
            await self._frame(data if isinstance(data, bytes) else data.encode())
        elif message.type is WSMsgType.BINARY:
            raise Ends(CloseCode.BINARY)
        else:  # closed, closing, or broken: aiohttp has answered
            raise Ends(socket.close_code or CloseCode.GOING_AWAY)

    def _slow_down(self) -> None:
        now = asyncio.get_running_loop().time()
        self._room = min(BURST, self._room + (now - self._looked_at) * PER_SECOND) - 1
        self._looked_at = now
        if self._room < 0:
            raise Ends(CloseCode.RATE)
        self.deps.metrics.frames.labels(direction="in").inc()

    # ----- one frame -----------------------------------------------------------------------------

    async def _frame(self, body: bytes) -> None:
        fault = self.adapter.fault(body)
        if fault is not None:
            raise Ends(fault)
        request = self._as_request(body)
        try:
            trusted = self._trusted(request)
        except Unverified as error:
            self.deps.metrics.deliveries.labels(
                account=self.account.name, outcome="unverified"
            ).inc()
            log.warning("visitor_unverified", account=self.account.name, why=str(error))
            raise Ends(CloseCode.POLICY) from error
        try:
            head, decoded = self.adapter.head(trusted), self.adapter.decode(trusted)
        except Malformed as error:
            if error.answer is not None:
                self.line.say(error.answer.body)
            return
        if decoded.response.body:
            self.line.say(decoded.response.body)
        await self._act(head, trusted, decoded)

    def _as_request(self, body: bytes) -> Request:
        _, mark, query = self.request.raw_path.partition("?")
        return Request(
            method="FRAME",
            url=f"{self.deps.settings.public_url}{self.request.rel_url.raw_path}{mark}{query}",
            headers=self._headers,
            body=body,
            moment=Moment(now=self.deps.clock.now(), entropy=self.deps.ids.entropy(16)),
            query=read_query(query),
        )

    def _trusted(self, request: Request) -> Trusted:
        made: Trusted = (
            self.adapter.verify(request)
            if self.proof is None
            else self.adapter.frame(self.proof, request)
        )
        return made

    async def _act(self, head: FrameHead, trusted: Trusted, decoded: Decoded) -> None:
        if head.op == "upload_request":
            self._where_to_post(head)
            return
        if head.op == "typing":
            self._typing()
        events = self._with_files(head, trusted, decoded.events)
        if events is not None:
            events = await self._own_recalls(head, trusted, events)
        if events is None:
            return
        taken = await self._taken_in(head, replace(decoded, events=events))
        if taken is None:
            return
        if head.op == "hello":
            await self._welcome(head, trusted)
        elif head.op == "send":
            await self._acknowledge(head, taken)

    async def _taken_in(self, head: FrameHead, decoded: Decoded) -> TakenIn | None:
        """Return what became of a frame after the commit, or tell the browser to say it again."""
        events = tuple(each for each in decoded.events if not isinstance(each, Presence))
        if not events:
            return _NOTHING
        try:
            return await take_in(self.deps, self.account, replace(decoded, events=events))
        except (Busy, StoreUnavailable) as error:
            self.line.say(self.line.frames.error(re=head.id, code="busy", retry_after=RETRY_AFTER))
            if self.proof is None:
                raise Ends(_TRY_LATER) from error
            return None

    # ----- hello ---------------------------------------------------------------------------------

    async def _welcome(self, head: FrameHead, trusted: Trusted) -> None:
        self.proof = trusted.proof
        store, account = self.deps.store, self.account.name
        names = await store.read(names_of, account, self.proof)
        self.sockets.introduce(self.line, names)  # before history is read: nothing falls between
        self.line.lang = accepted(self.proof.locale) or self.line.lang
        wished = ConversationId(head.conversation)
        standing = await store.read(
            where_they_stand, account, names, wished=wished, last_seq=head.last_seq
        )
        held = standing.conversation
        if held is not None and not isinstance(held.state, Closed):
            # a member goes on in the conversation that began before the sign-in
            self.proof = replace(self.proof, external_id=held.external_id)
        self.line.conversation = held.id if held else None
        self.line.say(
            self.line.frames.welcome(
                self.proof,
                re=head.id,
                conversation=held.id if held else "",
                seq=held.last_seq if held else 0,
            )
        )
        for said in standing.missed:
            self.sockets.show(self.line, said)
        if held is not None and isinstance(held.state, Closed):
            self.line.say(self.line.frames.ended(conversation=held.id))
        log.info("visitor_welcomed", account=self.account.name, verified=self.proof.verified)

    # ----- what is said ---------------------------------------------------------------------------

    async def _acknowledge(self, head: FrameHead, taken: TakenIn) -> None:
        """Say that a message is committed, to this browser; show it to the visitor's others."""
        for external_id, interaction, seq in taken.named:
            if external_id.endswith(f":{head.client_msg_id}"):
                self.line.say(
                    self.line.frames.ack(
                        re=head.id,
                        client_msg_id=head.client_msg_id,
                        message_id=interaction,
                        seq=seq,
                        at=self.deps.clock.now(),
                    )
                )
        for said in taken.added:
            self.line.conversation = said.conversation
            for other in self.sockets.of(self.account.name, self.proof.external_id):
                if other is not self.line:
                    self.sockets.show(other, said)

    def _typing(self) -> None:
        if self.line.conversation is not None:
            self.hub.typing(self.line.conversation)

    # ----- files ----------------------------------------------------------------------------------

    def _where_to_post(self, head: FrameHead) -> None:
        most = self.deps.settings.most_media
        if head.size > most:
            self.line.say(self.line.frames.error(re=head.id, code="too_large"))
            return
        url = uploads.post_address(self.deps, self.account.name, self.proof.external_id, head.name)
        self.line.say(self.line.frames.upload(re=head.id, url=url, max_size=most))

    def _with_files(
        self, head: FrameHead, trusted: Trusted, events: Sequence[Event]
    ) -> tuple[Event, ...] | None:
        """Return the events with posted files as what they are; None if a file is not theirs."""
        found: list[Event] = []
        for event in events:
            if isinstance(event, Received) and isinstance(event.content, Media):
                content = event.content
                media = self._file(content.ref, trusted)
                if media is None:
                    self.line.say(self.line.frames.error(re=head.id, code="unknown_file"))
                    return None
                found.append(replace(event, content=replace(content, ref="", stored=media)))
            else:
                found.append(event)
        return tuple(found)

    async def _own_recalls(
        self, head: FrameHead, trusted: Trusted, events: Sequence[Event]
    ) -> tuple[Event, ...] | None:
        """Return the events with recalls aimed at the visitor's own words; None if at another's.

        A browser names a message by its own id or by ours; the adapter cannot know whose ours is.
        """
        names = (trusted.proof.external_id, *self.line.names)
        found: list[Event] = []
        for event in events:
            if isinstance(event, Recalled) and not _begins(event.target, names):
                target = await self._own_words(event.target, names)
                if target is None:
                    self.line.say(self.line.frames.error(re=head.id, code="not_found"))
                    return None
                found.append(replace(event, target=target))
            else:
                found.append(event)
        return tuple(found)

    async def _own_words(self, message: str, names: Sequence[str]) -> str | None:
        try:
            said = await self.deps.store.read(interaction_of, InteractionId(message))
        except NotFound:
            return None
        own = said.account == self.account.name and said.direction is Direction.IN
        return said.external_id if own and _begins(said.external_id, names) else None

    def _file(self, ref: str, trusted: Trusted) -> MediaId | None:
        return uploads.referenced(self.deps, ref, self.account.name, trusted.proof.external_id)


def _begins(external_id: str, names: Sequence[str]) -> bool:
    """Say whether an id was made from one of a visitor's own names."""
    return any(external_id.startswith(f"{name}:") for name in names)


_NOTHING: Final = TakenIn(added=(), known=0, ignored=0, named=(), conversations=(), bells=0)
