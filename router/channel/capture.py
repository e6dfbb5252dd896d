"""What an adapter makes of captured deliveries: the pure part of ``mainstem decode`` and of cases.

Reads no file and no clock; whatever the adapter borrows from the world stands in the capture.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from router.channel.accounts import BadSettings, read_settings, setting_names
from router.channel.captured import (
    NOWHERE,
    BadCapture,
    read_list,
    read_object,
    read_reply,
    read_request,
    read_time,
)
from router.channel.connection import Connects
from router.channel.contract import (
    Bell,
    Channel,
    Decoded,
    Malformed,
    Moment,
    Outbound,
    Pulled,
    Pulls,
    Refused,
    Request,
    Response,
    Trusted,
    Unverified,
)
from router.channel.shapes import BadShape, body_fields, in_full, outbound_from
from router.domain.content import Text

_ENTROPY = b"0123456789abcdef"
_REFUSED = Response(status=401)
_ACTS = ("request", "response", "pull_response", "send")


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What became of one request: proven or not, answered how, and what it says."""

    verified: bool
    error: str
    answer: Response
    handshake: bool
    decoded: Decoded
    trusted: Trusted | None


def take(adapter: Any, request: Request, *, connected: Trusted | None = None) -> Taken:
    """Walk ``request`` through verify, handshake and decode.

    ``connected`` is the proof of a socket whose first frame was verified earlier.
    """
    trusted = connected
    decoded = Decoded()
    try:
        trusted = _trusted(adapter, request, connected)
        shaken = adapter.handshake(trusted) if connected is None else None
        if shaken is None:
            decoded = adapter.decode(trusted)
    except Unverified as error:
        return _failed(f"Unverified: {error}", verified=False, answer=_REFUSED, trusted=None)
    except Malformed as error:
        answer = error.answer or Response()
        return _failed(f"Malformed: {error}", verified=True, answer=answer, trusted=trusted)
    return Taken(
        verified=True,
        error="",
        answer=decoded.response if shaken is None else shaken,
        handshake=shaken is not None,
        decoded=decoded,
        trusted=trusted,
    )


def _failed(error: str, *, verified: bool, answer: Response, trusted: Trusted | None) -> Taken:
    return Taken(
        verified=verified,
        error=error,
        answer=answer,
        handshake=False,
        decoded=Decoded(),
        trusted=trusted,
    )


def _trusted(adapter: Any, request: Request, connected: Trusted | None) -> Trusted:
    trusted: Trusted
    if connected is not None and isinstance(adapter, Connects):
        trusted = adapter.frame(connected.proof, request)
    else:
        trusted = adapter.verify(request)
    return trusted


def decode_capture(channel: Channel, capture: bytes) -> bytes:
    """Return as JSON what ``channel`` makes of a capture, or raise `BadCapture`.

    The capture is a JSON object with ``config``, ``now`` and ``steps``; each step holds a
    ``request``, a ``response`` (with the ``send`` that it answers), a ``pull_response`` or a
    ``send``. Keys of ``config`` that the channel does not know are named in ``ignored_config``,
    required ones that are absent in ``assumed_config``.
    """
    given = read_object(_json(capture), "capture")
    config = read_object(given.get("config", {}), "config")
    now = read_time(given.get("now"), "now")
    adapter, ignored, assumed = _built(channel, config)
    base = _base(config)
    shown = []
    connected: Trusted | None = None
    for number, each in enumerate(read_list(given.get("steps"), "steps")):
        where = f"steps[{number}]"
        step = read_object(each, where)
        moment = Moment(
            now=read_time(step["now"], f"{where}.now") if "now" in step else now, entropy=_ENTROPY
        )
        if "request" in step:
            request = read_request(step["request"], moment, base=base, where=f"{where}.request")
            taken = take(adapter, request, connected=_still(connected, request))
            connected = taken.trusted or connected
            shown.append(show(taken))
        else:
            shown.append(_outward(adapter, step, moment, where))
    result = {
        "channel": channel.name,
        "ignored_config": ignored,
        "assumed_config": assumed,
        "steps": shown,
    }
    return json.dumps(result, ensure_ascii=False, indent=2).encode("utf-8", "replace")


def show(taken: Taken) -> dict[str, Any]:
    """Return what became of a request as plain data, every field of every event."""
    return {
        "verified": taken.verified,
        "error": taken.error or None,
        "answer": show_answer(taken.answer),
        "handshake": taken.handshake,
        "events": [in_full(event) for event in taken.decoded.events],
        "calls": [in_full(call) for call in taken.decoded.calls],
    }


def show_answer(answer: Response) -> dict[str, Any]:
    """Return what the platform is answered as plain data."""
    return {
        "status": answer.status,
        "content_type": answer.content_type,
        **body_fields("body", answer.body),
    }


def _still(connected: Trusted | None, request: Request) -> Trusted | None:
    """Return the connection that ``request`` is a later frame of, if any."""
    return connected if connected is not None and request.method == "FRAME" else None


def _outward(adapter: Any, step: Mapping[str, Any], moment: Moment, where: str) -> dict[str, Any]:
    """Show a step that is not a delivery: an answer of the platform to us, or what we would say."""
    if "pull_response" in step:
        return _pull(adapter, step, where)
    if "response" not in step and "send" not in step:
        raise BadCapture(f"{where}: holds nothing to do, expected one of {', '.join(_ACTS)}")
    calls = adapter.encode(_message(step, moment, where))
    if isinstance(calls, Refused):
        return {"error": None, "calls": [], "outcome": in_full(calls)}
    shown: dict[str, Any] = {"error": None, "calls": [in_full(call) for call in calls]}
    if "response" in step:
        reply = read_reply(step["response"], where=f"{where}.response")
        if not calls:
            raise BadCapture(f"{where}.send: makes no call, so there is nothing to answer")
        shown["outcome"] = in_full(adapter.interpret(calls[0], reply))
    return shown


def _message(step: Mapping[str, Any], moment: Moment, where: str) -> Outbound:
    if "send" not in step:
        return Outbound(id="m1", recipient="recipient", content=Text(text="…"), at=moment.now)
    try:
        return outbound_from(step["send"], at=moment.now)
    except BadShape as error:
        raise BadCapture(f"{where}.send: {error}") from error


def _pull(adapter: Any, step: Mapping[str, Any], where: str) -> dict[str, Any]:
    if not isinstance(adapter, Pulls):
        raise BadCapture(f"{where}.pull_response: this channel pulls nothing; give a request")
    reply = read_reply(step["pull_response"], where=f"{where}.pull_response")
    bell = read_object(step.get("bell", {}), f"{where}.bell")
    given = {name: str(bell.get(name, "")) for name in ("cursor_key", "hint", "cursor")}
    rung = Bell(**given)
    shown: dict[str, Any] = {"error": None, "events": [], "outcome": None}
    try:
        pulled = adapter.read_pull(rung, reply)
    except Malformed as error:
        return {**shown, "error": f"Malformed: {error}"}
    if not isinstance(pulled, Pulled):
        return {**shown, "outcome": in_full(pulled)}
    events = [in_full(event) for event in pulled.events]
    return {**shown, "events": events, "cursor": pulled.cursor, "more": pulled.more}


def _json(capture: bytes) -> Any:
    try:
        return json.loads(capture)
    except (ValueError, RecursionError) as error:
        raise BadCapture(f"capture: expected JSON in UTF-8: {error}") from error


def _built(channel: Channel, config: Mapping[str, Any]) -> tuple[Any, list[str], list[str]]:
    known = setting_names(channel)
    ignored = [key for key in config if key not in known]
    given = {key: value for key, value in config.items() if key in known}
    assumed = [name for name in _required(channel) if name not in given]
    filled = {**dict.fromkeys(assumed, "not given"), **given}
    try:
        return channel.build(read_settings(channel, filled)), ignored, assumed
    except BadSettings as error:
        raise BadCapture("; ".join(f"config.{problem}" for problem in error.problems)) from error


def _required(channel: Channel) -> list[str]:
    """Return the settings without a default that a text can stand in for."""
    fields = msgspec.structs.fields(channel.settings)
    return [field.encode_name for field in fields if field.required and field.type is str]


def _base(config: Mapping[str, Any]) -> str:
    base = config.get("public_url") or config.get("base_url") or NOWHERE
    if not isinstance(base, str) or "://" not in base:
        raise BadCapture("config.public_url: expected a whole address such as https://shop.example")
    return base
