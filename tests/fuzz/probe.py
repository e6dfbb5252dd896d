"""What is thrown at an adapter, and what must be true of whatever it makes of it.

An input is a `Shot`: a delivery as it came over the wire, the same behind its proof, or a
platform's answer to a call of ours. It comes from a story of the channel and a list of changes.
"""

import base64
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from random import Random
from typing import Any, Literal

from router.channel.capture import Taken, take
from router.channel.captured import read_time
from router.channel.contract import (
    CallEnded,
    Edited,
    Followed,
    HttpCall,
    Identified,
    Ignored,
    Malformed,
    Moment,
    Rated,
    Recalled,
    Receipt,
    Received,
    Reply,
    Request,
    ShopEvent,
    Trusted,
    Turn,
)
from router.channel.shapes import in_full, time_text
from tests.adapters.case_files import (
    ENTROPY,
    TOKEN,
    Case,
    answer_to,
    cases,
    deliveries,
    given_reply,
    played,
)
from tests.fuzz.mangle import changed_headers, changed_pairs, mangled
from tests.fuzz.resign import resigned

Way = Literal["wire", "signed", "trusted", "reply"]

#: Seconds of the processor that one input of at most a few megabytes may cost.
MOST_SECONDS = 5.0
_KEYED = Received | Edited | Recalled | Turn | CallEnded | Followed | ShopEvent | Rated | Identified
_STATUSES = (200, 200, 200, 201, 204, 301, 400, 401, 403, 404, 409, 413, 429, 500, 502, 503, 0, 999)
_METHODS = ("GET", "POST", "PUT", "HEAD", "FRAME", "PUBLISH")
_EARLIEST, _LATEST = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)


class Broken(AssertionError):
    """Something is not as every adapter promises; the message says what."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One thing that a platform sends in a story: a delivery, or an answer to a call of ours."""

    case: Case
    number: int
    way: Way
    story: tuple[tuple[Request, Taken], ...] = ()

    def __repr__(self) -> str:
        return f"{self.case.channel.name}/{self.case.path.stem}#{self.number} {self.way}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """A target, and what came instead of what the story tells."""

    target: Target
    request: Request | None = None
    reply: Reply | None = None


# ----- what there is to throw --------------------------------------------------------------------


@cache
def targets() -> dict[str, tuple[Target, ...]]:
    """Return what can be changed, by channel."""
    found: dict[str, list[Target]] = {}
    for case in cases():
        into = found.setdefault(case.channel.name, [])
        story = tuple(
            (request, taken)
            for (_, request), (_, taken) in zip(deliveries(case), played(case), strict=True)
        )
        for number, (_, taken) in enumerate(story):
            ways: tuple[Way, ...] = ("wire", "signed", "trusted") if taken.trusted else ("wire",)
            into.extend(Target(case=case, number=number, way=way, story=story) for way in ways)
        for number, exchange in enumerate(case.exchanges()):
            if "reply" in exchange:
                into.append(Target(case=case, number=number, way="reply"))
    return {name: tuple(each) for name, each in found.items()}


def shot(target: Target, changes: list[int]) -> Shot:
    """Return what comes of ``target`` after ``changes``."""
    if target.way == "reply":
        reply = given_reply(target.case, target.case.exchanges()[target.number])
        for change in changes:
            reply = _changed_reply(reply, change)
        return Shot(target=target, reply=reply)
    request, _ = _told(target)
    if target.way == "trusted":
        body = _trusted(target).body
        for change in changes:
            body = mangled(body, change)
        return Shot(target=target, request=replace(request, body=body))
    for change in changes:
        if target.way == "wire":
            request = _changed_request(request, change)
        else:
            request = replace(request, body=mangled(request.body, change))
    if target.way == "signed":
        settings = target.case.adapter().settings
        request = resigned(target.case.channel.name, settings, request)
    return Shot(target=target, request=request)


def _told(target: Target) -> tuple[Request, Taken]:
    return target.story[target.number]


def _trusted(target: Target) -> Trusted:
    trusted = _told(target)[1].trusted
    assert isinstance(trusted, Trusted)
    return trusted


def _changed_request(request: Request, change: int) -> Request:
    chance = Random(change)  # noqa: S311  a repeatable choice, no secret
    match chance.randrange(8):
        case 0:
            return replace(request, headers=changed_headers(request.headers, chance))
        case 1 | 2:
            return replace(request, query=tuple(changed_pairs(request.query, chance)))
        case 3:
            return replace(request, method=chance.choice(_METHODS))
        case _:
            return replace(request, body=mangled(request.body, change))


def _changed_reply(reply: Reply, change: int) -> Reply:
    chance = Random(change)  # noqa: S311  a repeatable choice, no secret
    match chance.randrange(6):
        case 0:
            return replace(reply, status=chance.choice(_STATUSES))
        case 1:
            headers = {**reply.headers, "retry-after": "1"}
            return replace(reply, headers=changed_headers(headers, chance))
        case _:
            return replace(reply, body=mangled(reply.body, change))


# ----- what must be true -------------------------------------------------------------------------


def judge(shot: Shot) -> str:
    """Throw ``shot``; return what was made of it in a word, or raise `Broken`."""
    began = time.process_time()
    try:
        made = _reply(shot) if shot.reply is not None else _delivery(shot)
    except Broken:
        raise
    except Exception as error:
        raise Broken(f"{type(error).__name__}: {error}") from error
    cost = time.process_time() - began
    if cost > MOST_SECONDS:
        raise Broken(f"took {cost:.1f} s of the processor")
    return made


def _delivery(shot: Shot) -> str:
    assert shot.request is not None
    target, request = shot.target, shot.request
    adapter, connected = target.case.adapter(), _connection(target)
    if target.way == "trusted":
        connected = replace(_trusted(target), request=request, body=request.body)
        taken = take(_Proven(adapter, connected), request)
    else:
        taken = take(adapter, request, connected=connected)
    if not taken.answer.status < 500:
        raise Broken(f"answers {taken.answer.status}")
    if not (taken.error.startswith(("Unverified: ", "Malformed: ")) or not taken.error):
        raise Broken(f"a refusal that says nothing: {taken.error}")
    if taken.error.endswith(": "):
        raise Broken("a refusal that does not say why")
    moment = request.moment
    for event in taken.decoded.events:
        check_event(event)
    for call in taken.decoded.calls:
        adapter.sign(call, token=TOKEN, moment=moment)
    return taken.error.partition(":")[0] or ("shaken" if taken.handshake else "decoded")


def _connection(target: Target) -> Trusted | None:
    """Return the proof of the socket that the target's frame came on."""
    if target.number == 0 or _told(target)[0].method != "FRAME":
        return None
    before = (taken.trusted for _, taken in reversed(target.story[: target.number]))
    return next((trusted for trusted in before if trusted is not None), None)


class _Proven:
    """An adapter whose proof has already been given."""

    def __init__(self, adapter: Any, trusted: Trusted) -> None:
        self._trusted = trusted
        self.handshake, self.decode = adapter.handshake, adapter.decode

    def verify(self, request: Request) -> Trusted:
        return self._trusted


def _reply(shot: Shot) -> str:
    assert shot.reply is not None
    case, exchange = shot.target.case, shot.target.case.exchanges()[shot.target.number]
    try:
        outcome = answer_to(case, exchange, shot.reply)
    except Malformed as error:
        if exchange.get("ask") != "pull":
            raise
        return f"Malformed {error}"[:9]
    for event in getattr(outcome, "events", ()):
        check_event(event)
    retry_after = getattr(outcome, "retry_after", None)
    if retry_after is not None and not timedelta(0) <= retry_after <= timedelta(days=1):
        raise Broken(f"wants to be asked again after {retry_after}")
    _storable(outcome, "outcome")
    return type(outcome).__name__


def check_event(event: Any) -> None:
    """Raise `Broken` unless the event can be stored by every database and found again."""
    _storable(event, type(event).__name__)
    json.dumps(in_full(event))
    if isinstance(event, _KEYED | Receipt) and not event.external_id:
        raise Broken(f"{type(event).__name__} without external_id")
    if isinstance(event, _KEYED) and not event.sender and not isinstance(event, Edited | Recalled):
        raise Broken(f"{type(event).__name__} without sender")
    if isinstance(event, Ignored) and not event.kind:
        raise Broken("Ignored without kind")


def _storable(value: Any, where: str) -> None:
    match value:
        case str():
            _storable_text(value, where)
        case datetime():
            if value.tzinfo is None or not _EARLIEST < value < _LATEST:
                raise Broken(f"{where}: {value!r} is no time that a database keeps")
        case tuple() | list() | frozenset() | set():
            for each in value:
                _storable(each, where)
        case dict():
            for key, held in value.items():
                _storable((key, held), where)
        case _ if is_dataclass(value) and not isinstance(value, HttpCall | type):
            for field in fields(value):
                _storable(getattr(value, field.name), f"{where}.{field.name}")


def _storable_text(value: str, where: str) -> None:
    if "\x00" in value:
        raise Broken(f"{where}: holds a NUL, which PostgreSQL does not take")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise Broken(f"{where}: holds half a character: {value[:80]!r}") from error


# ----- kept to be thrown again -------------------------------------------------------------------


def told_of(shot: Shot, why: str) -> dict[str, Any]:
    """Return a shot as a file: a capture that ``mainstem decode`` reads, and where it is from."""
    target = shot.target
    kept: dict[str, Any] = {
        "why": why,
        "case": f"{target.case.channel.name}/{target.case.path.stem}",
        "number": target.number,
        "way": target.way,
        "config": target.case.told.get("settings", {}),
        "now": time_text(target.case.now),
    }
    if shot.request is not None:
        kept["steps"] = [
            {
                "now": time_text(shot.request.moment.now),
                "request": {
                    "method": shot.request.method,
                    "path": shot.request.url,
                    "query": [list(pair) for pair in shot.request.query],
                    "headers": dict(shot.request.headers),
                    "body_b64": base64.b64encode(shot.request.body).decode(),
                },
            }
        ]
    if shot.reply is not None:
        kept["reply"] = {
            "status": shot.reply.status,
            "headers": dict(shot.reply.headers),
            "body_b64": base64.b64encode(shot.reply.body).decode(),
        }
    return kept


def shot_of(kept: dict[str, Any]) -> Shot:
    """Return the shot that a file tells."""
    target = next(
        each
        for each in targets()[kept["case"].partition("/")[0]]
        if (f"{each.case.channel.name}/{each.case.path.stem}", each.number, each.way)
        == (kept["case"], kept["number"], kept["way"])
    )
    if "reply" in kept:
        told = kept["reply"]
        body = base64.b64decode(told["body_b64"])
        return Shot(
            target=target, reply=Reply(status=told["status"], headers=told["headers"], body=body)
        )
    step = kept["steps"][0]
    told = step["request"]
    request = Request(
        method=told["method"],
        url=told["path"],
        headers=told["headers"],
        body=base64.b64decode(told["body_b64"]),
        moment=Moment(now=read_time(step["now"], "now"), entropy=ENTROPY),
        query=tuple((name, value) for name, value in told["query"]),
    )
    return Shot(target=target, request=request)


def every() -> Iterator[Target]:
    """Yield every target of every channel."""
    for each in targets().values():
        yield from each
