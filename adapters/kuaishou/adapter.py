"""Kuaishou's webhook: what viewers of a live room write, told in pushes of several.

https://open.kuaishou.com (webhook, live interaction)
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from hmac import compare_digest
from typing import Any

from adapters._common.calls import raw_json
from adapters._common.fields import inside, many, moment_of, word
from adapters._common.jsonin import read_object
from adapters._common.wordin import leaves
from adapters.kuaishou.settings import Settings
from router.channel.contract import (
    Audience,
    Decoded,
    Event,
    HttpCall,
    Ignored,
    Malformed,
    Moment,
    Outbound,
    Outcome,
    Reason,
    Received,
    Refused,
    Reply,
    Request,
    Response,
    Token,
    Trusted,
    Unverified,
)
from router.domain.content import Content, Text, Unsupported

_JSON = "application/json"
_DONE = Response(body=b'{"result":1}', content_type=_JSON)
_LIVE, _TEST = "LIVE_INTERACTION_DATA", "LIVE_INTERACTION_DATA_TEST"
#: Ids of the platform's load tests, whatever the event is called.
_TESTS = ("stress_", "test_")
#: Interactions that say nothing in words.
_SILENT = frozenset({"giftSend", "liveLike"})


def kwaisign(body: bytes, app_secret: str) -> str:
    """Return what the header holds for the raw ``body``; the secret stands behind it."""
    return hashlib.md5(body + app_secret.encode(), usedforsecurity=False).hexdigest()


@dataclass(frozen=True, slots=True)
class Kuaishou:
    """One application and the live rooms that it is mounted in."""

    settings: Settings

    def verify(self, request: Request) -> Trusted:
        """Prove the origin by the signature over the body, which holds no time that is checked."""
        given = request.headers.get("kwaisign", "").encode("utf-8", "replace")
        if not compare_digest(given, kwaisign(request.body, self.settings.app_secret).encode()):
            raise Unverified("kwaisign does not match")
        return Trusted(request=request, body=request.body)

    def handshake(self, request: Trusted) -> Response | None:
        """Return None: the test event of a new address is answered like any other."""
        return None

    def decode(self, request: Trusted) -> Decoded:
        """Return the comments of a push; anything but ``result`` 1 counts as a failure."""
        try:
            fields = read_object(request.body)
        except Malformed as error:
            raise Malformed(str(error), answer=_DONE) from error
        self._check_readable(fields)
        return Decoded(events=tuple(_events(fields, request.request.moment.now)), response=_DONE)

    def _check_readable(self, fields: Mapping[str, Any]) -> None:
        app = word(fields, "app_id")
        if app and self.settings.app_id and app != self.settings.app_id:
            raise Malformed("the event is addressed to another app", answer=_DONE)
        if word(fields, "encryptedMsg"):
            answer = raw_json({"result": 1, "message_id": word(fields, "msgId")})
            why = "a push for a third-party platform; how it is sealed is not known"
            raise Malformed(why, answer=Response(body=answer, content_type=_JSON))

    def encode(self, message: Outbound) -> tuple[HttpCall, ...]:
        """Return nothing: comments cannot be answered, private messages have no public API."""
        return ()

    def sign(self, call: HttpCall, *, token: Token | None, moment: Moment) -> HttpCall:
        return call

    def interpret(self, call: HttpCall, reply: Reply) -> Outcome:
        return Refused(reason=Reason.ACCOUNT, why="Kuaishou has no public API for replies")


def _events(fields: Mapping[str, Any], now: datetime) -> Iterator[Event]:
    name, data = word(fields, "event"), inside(fields, "data")
    push, key = word(data, "push_type"), word(data, "unique_message_id", "taskId")
    if name != _LIVE or key.startswith(_TESTS):
        yield Ignored(kind=_TEST if key.startswith(_TESTS) else name or "unnamed")
        return
    items = many(data, "payload") or many({"items": _alone(data)}, "items")
    if push in _SILENT or not items:
        yield Ignored(kind=push or "unnamed")
        return
    at = moment_of(word(fields, "timestamp")) or now
    key = key or f"hash:{hashlib.sha256(repr(fields).encode('utf-8', 'replace')).hexdigest()[:32]}"
    for number, item in enumerate(items):
        yield _comment(item, push, room=word(data, "room_code"), key=f"{key}:{number}", at=at)


def _alone(data: Mapping[str, Any]) -> list[Any]:
    """Return a payload that is one object, or JSON in a text, as the list that it should be."""
    single = inside(data, "payload")
    return [single] if single else []


def _comment(item: Any, push: str, *, room: str, key: str, at: datetime) -> Event:
    person = inside(item, "userInfo")
    viewer = word(person, "userId", "openId")
    if not viewer:
        return Ignored(kind=f"{push}.from_nobody")
    return Received(
        external_id=key,
        sender=viewer,
        at=at,
        content=_content(item, push),
        sender_name=word(person, "userName"),
        audience=Audience.PUBLIC,
        thread=room,
    )


def _content(item: Mapping[str, Any], push: str) -> Content:
    words = word(item, "content")
    if push == "liveComment" and words:
        return Text(text=words)
    rest = {name: value for name, value in item.items() if name != "userInfo"}
    return Unsupported(kind=push, text="\n".join(leaves(rest)))
