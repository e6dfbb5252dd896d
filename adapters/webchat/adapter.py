"""Web chat: the pure codec of our WebSocket protocol ``pam.v1``."""

import json
import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hmac import compare_digest
from urllib.parse import urlsplit

import msgspec

from adapters.webchat import frames as server_frames
from adapters.webchat.identity import identify, issue, member_of
from adapters.webchat.reading import READERS, answer, head_of, refused, typed
from adapters.webchat.settings import Settings
from adapters.webchat.wire import Hello, Send, UploadRequest, read
from router.channel.connection import CloseCode, FrameHead, ServerFrames, Visitor
from router.channel.contract import (
    Accepted,
    Decoded,
    Deferred,
    Ignored,
    Malformed,
    Moment,
    Outbound,
    Outcome,
    Push,
    Reply,
    Request,
    Response,
    Token,
    Trusted,
    Unverified,
)
from router.channel.text import split
from router.domain.content import Content, MediaKind, Text

MAX_FRAME = 64 * 1024
MAX_TEXT = 8000
_HALF_PAIR = re.compile(rb"\\u[dD][89a-fA-F]")
_MEDIA = {kind.value: kind for kind in MediaKind}


@dataclass(frozen=True, slots=True)
class WebChat:
    """One site key. Identity is proven by the first frame and holds for the connection."""

    settings: Settings

    @property
    def frames(self) -> ServerFrames:
        """The builders of the server's frames."""
        return server_frames

    def fault(self, body: bytes) -> CloseCode | None:
        """Return why a frame ends the connection before anybody reads it, or None."""
        if len(body) > MAX_FRAME:
            return CloseCode.TOO_BIG
        try:
            body.decode()
            if _HALF_PAIR.search(body):
                json.dumps(json.loads(body), ensure_ascii=False).encode()
        except UnicodeError:
            return CloseCode.BAD_TEXT
        except (ValueError, RecursionError):
            return None  # not JSON, which decode says better
        return None

    def issue(self, *, member: str, name: str, phone: str, at: datetime, lasts: timedelta) -> str:
        """Return a signed token for one member of the shop."""
        return issue(self.settings, member=member, name=name, phone=phone, at=at, lasts=lasts)

    def verify(self, request: Request) -> Trusted:
        """Prove the identity in the first frame, which must be a hello."""
        self._check_page(request)
        proof = self._introduced(request)
        return Trusted(request=request, body=request.body, proof=proof)

    def frame(self, proof: Visitor, request: Request) -> Trusted:
        """Return a later frame as `Trusted`; a second hello may sign an anonymous visitor in."""
        if not self._is_hello(request.body):
            return Trusted(request=request, body=request.body, proof=proof)
        found = self._introduced(request)
        same = found.external_id == proof.external_id
        if not (member_of(found) == member_of(proof) if proof.verified else found.verified or same):
            raise Unverified("this connection belongs to somebody else; open another")
        kept = replace(found, external_id=proof.external_id)
        return Trusted(request=request, body=request.body, proof=kept)

    def handshake(self, request: Trusted) -> Response | None:
        return None

    def head(self, request: Trusted) -> FrameHead:
        """Return what is needed to answer the frame."""
        frame = head_of(request.body)
        match frame.op:
            case "hello":
                resume = typed(request, frame, Hello).resume
                return FrameHead(
                    op=frame.op,
                    id=frame.id,
                    conversation=(resume.conversation_id or "") if resume else "",
                    last_seq=resume.last_seq if resume else 0,
                )
            case "send":
                sent = typed(request, frame, Send)
                return FrameHead(op=frame.op, id=frame.id, client_msg_id=sent.client_msg_id)
            case "upload_request":
                file = typed(request, frame, UploadRequest)
                return FrameHead(
                    op=frame.op, id=frame.id, name=file.name, mime=file.mime, size=file.size
                )
            case op:
                return FrameHead(op=op, id=frame.id)

    def decode(self, request: Trusted) -> Decoded:
        """Return what one frame says; `Malformed` carries the error frame that answers it."""
        frame = head_of(request.body)
        if self.fault(request.body) is not None:
            raise refused(frame, "bad_frame", "frame is too big or not valid UTF-8")
        found = READERS.get(frame.op)
        if found is None:
            said = server_frames.error(re=frame.id, code="unknown_op", message=frame.op)
            return Decoded(events=(Ignored(kind=frame.op or "empty"),), response=answer(said))
        return Decoded(events=found(request, frame, request.proof))

    def encode(self, message: Outbound) -> tuple[Push, ...]:
        """Return the message frames that say ``message``; a long text goes in several.

        Each part has the message's ``seq``; the first has its id, the others the id with a number.
        """
        parts: tuple[Content, ...] = (message.content,)
        if isinstance(message.content, Text):
            texts = split(message.content.text, MAX_TEXT) or ("",)
            parts = tuple(Text(text=text) for text in texts)
        return tuple(
            Push(
                recipient=message.recipient,
                payload=server_frames.message(
                    message_id=message.id if number == 1 else f"{message.id}.{number}",
                    seq=message.seq,
                    by=message.by,
                    name=message.speaker_name,
                    content=part,
                    at=message.at,
                ),
            )
            for number, part in enumerate(parts, 1)
        )

    def sign(self, call: Push, *, token: Token | None, moment: Moment) -> Push:
        return call

    def interpret(self, call: Push, reply: Reply) -> Outcome:
        """Accept what reached a socket or waits for the next resume: the message is stored."""
        if 200 <= reply.status < 300:  # noqa: PLR2004 - HTTP's classes
            return Accepted(external_id=_message_id(call.payload))
        return Deferred(why=f"frame was not handed over ({reply.status})")

    def _check_page(self, request: Request) -> None:
        site = self.settings.site
        if site and not compare_digest(
            request.one("site").encode("utf-8", "surrogatepass"), site.encode()
        ):
            raise Unverified("site key does not match")
        origin = request.headers.get("origin")
        if origin is None or "*" in self.settings.origins:
            return  # every browser sends one; programs without may say what they like anyway
        if origin not in (*self.settings.origins, _own(request.url)):
            raise Unverified("origin is not on the allow-list")

    def _is_hello(self, body: bytes) -> bool:
        try:
            return head_of(body).op == "hello"
        except Malformed:
            return False

    def _introduced(self, request: Request) -> Visitor:
        if self.fault(request.body) is not None or not self._is_hello(request.body):
            raise Unverified("the first frame must be a hello")
        try:
            hello = read(request.body, Hello)
        except Malformed as error:
            raise Unverified(str(error)) from error
        visitor = request.headers.get("x-visitor", "")
        return identify(self.settings, hello, visitor=visitor, now=request.moment.now)


def _own(url: str) -> str:
    parts = urlsplit(url)
    scheme = {"wss": "https", "ws": "http"}.get(parts.scheme, parts.scheme)
    return f"{scheme}://{parts.netloc}"


class _Sent(msgspec.Struct):
    message_id: str


def _message_id(payload: bytes) -> str:
    return msgspec.json.decode(payload, type=_Sent).message_id
