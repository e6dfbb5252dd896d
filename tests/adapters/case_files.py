"""Case files: read, played against an adapter, compared and rewritten.

A case is one story in TOML. ``settings`` are an account's; ``now`` (2025-10-09T09:00:00Z unless
given) is when it plays. One delivery stands at the top level or several under ``[[steps]]``:

- ``[request]``: method (POST), path or whole address, raw_query or query, headers, and body,
  body_b64 or body_file (beside the case). ``again = true`` repeats the step before.
- ``raises = "Unverified"`` or ``"Malformed"``, and ``says``, a part of the message; or
  ``handshake = true``, ``[response]``, ``[[events]]`` and ``[[calls]]`` as `router.channel.shapes`
  writes them.

``[[exchange]]`` is what we say: ``send`` (an Outbound; content is enough) or ``ask`` (token;
profile with ``of``; fetch or upload with ``media``, ``data``; pull with ``bell``, ``cursor``), then
``call`` or ``calls`` unsigned, ``signed`` with the token "test-token", and the platform's ``reply``
with the ``outcome``. Expected values may leave out fields that hold their default and nothing else,
so a new field in an answer is noticed.
"""

import base64
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from router.channel.accounts import read_settings
from router.channel.capture import Taken, take
from router.channel.captured import read_reply, read_request, read_time
from router.channel.contract import Bell, Channel, Moment, Refused, Reply, Request, Token, Trusted
from router.channel.registry import channels
from router.channel.shapes import content_from, in_full, in_short, outbound_from, time_text

ROOT = Path(__file__).parents[2]
NOW = datetime(2025, 10, 9, 9, 0, tzinfo=UTC)
ENTROPY = b"0123456789abcdef"
TOKEN = Token(value="test-token", expires_at=datetime(2025, 10, 9, 11, 0, tzinfo=UTC))
_CASE_KEYS = {"settings", "now", "steps", "exchange"}
_STEP_KEYS = {
    *("request", "again", "now"),
    *("raises", "says", "handshake", "response", "events", "calls"),
}
_MADE = ("call", "calls", "signed", "outcome")
_EXCHANGE_KEYS = {
    *("send", "ask", "of", "media", "data", "bell", "cursor", "now"),
    *("reply", *_MADE),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One case file: the channel whose story it is, and what stands in it."""

    channel: Channel
    path: Path
    told: Mapping[str, Any]

    @property
    def now(self) -> datetime:
        """Return the time at which the story plays."""
        return read_time(self.told["now"], "now") if "now" in self.told else NOW

    def adapter(self) -> Any:
        """Return the adapter of an account with the case's settings."""
        return self.channel.build(read_settings(self.channel, self.told.get("settings", {})))

    def steps(self) -> tuple[Mapping[str, Any], ...]:
        """Return the deliveries, in order; a case with one tells it at the top level."""
        single = {key: value for key, value in self.told.items() if key in _STEP_KEYS - {"now"}}
        if single and "steps" in self.told:
            raise ValueError(f"{self.path}: give one request at the top level, or steps, not both")
        return tuple(self.told.get("steps", ())) or ((single,) if single else ())

    def exchanges(self) -> tuple[Mapping[str, Any], ...]:
        """Return what we say and what the platform answers."""
        return tuple(self.told.get("exchange", ()))


def cases(narrowed_to: str = "") -> Iterator[Case]:
    """Yield every case of every channel that lives under ``adapters``."""
    for name, channel in sorted(channels().items()):
        if narrowed_to in ("", name):
            for path in sorted((ROOT / "adapters" / name / "cases").glob("*.toml")):
                told = tomllib.loads(path.read_text(encoding="utf-8"))
                yield Case(channel=channel, path=path, told=told)


# ----- playing -----------------------------------------------------------------------------------


def deliveries(case: Case) -> Iterator[tuple[Mapping[str, Any], Request]]:
    """Yield each step with its request; ``again = true`` repeats the one before."""
    given: Mapping[str, Any] = {}
    base = case.told.get("settings", {}).get("public_url") or "https://shop.example"
    for number, step in enumerate(case.steps()):
        given = given if step.get("again") else _with_file(case, step["request"])
        now = read_time(step["now"], "now") if "now" in step else case.now
        moment = Moment(now=now, entropy=ENTROPY)
        yield step, read_request(given, moment, base=base, where=f"step {number}")


def played(case: Case) -> Iterator[tuple[Mapping[str, Any], Taken]]:
    """Yield each step with what the adapter made of it."""
    adapter = case.adapter()
    connected: Trusted | None = None
    for step, request in deliveries(case):
        on = connected if request.method == "FRAME" else None
        taken = take(adapter, request, connected=on)
        connected = taken.trusted or connected
        yield step, taken


def answered(case: Case, exchange: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the adapter makes of an exchange: the values under ``call`` and so on."""
    adapter = case.adapter()
    now = read_time(exchange["now"], "now") if "now" in exchange else case.now
    calls = _calls(adapter, exchange, now)
    if isinstance(calls, Refused):
        return {"outcome": calls}
    made: dict[str, Any] = {
        "call" if len(calls) == 1 else "calls": calls[0] if len(calls) == 1 else calls
    }
    if "signed" in exchange:
        moment = Moment(now=now, entropy=ENTROPY)
        made["signed"] = adapter.sign(calls[0], token=TOKEN, moment=moment)
    if "reply" in exchange:
        made["outcome"] = _outcome(adapter, exchange, calls, given_reply(case, exchange), now)
    return made


def given_reply(case: Case, exchange: Mapping[str, Any]) -> Reply:
    """Return what the platform answers in an exchange."""
    return read_reply(_with_file(case, exchange["reply"]), where="reply")


def answer_to(case: Case, exchange: Mapping[str, Any], reply: Reply) -> Any:
    """Return what the adapter makes of ``reply`` in the place of the exchange's own."""
    adapter = case.adapter()
    now = read_time(exchange["now"], "now") if "now" in exchange else case.now
    calls = _calls(adapter, exchange, now)
    if isinstance(calls, Refused):
        raise TypeError("a message that is refused is never answered")
    return _outcome(adapter, exchange, calls, reply, now)


def _calls(adapter: Any, exchange: Mapping[str, Any], now: datetime) -> tuple[Any, ...] | Refused:
    match exchange.get("ask", "send"):
        case "send":
            made: tuple[Any, ...] | Refused = adapter.encode(
                outbound_from(exchange["send"], at=now)
            )
            return made
        case "token":
            return (adapter.token_call(),)
        case "profile":
            call = adapter.profile_call(exchange["of"])
        case "fetch":
            call = adapter.fetch_call(content_from(exchange["media"]))
        case "upload":
            data = exchange.get("data", "").encode()
            moment = Moment(now=now, entropy=ENTROPY)
            call = adapter.upload_call(content_from(exchange["media"]), data, moment=moment)
        case "pull":
            call = adapter.pull_call(_bell(exchange), cursor=exchange.get("cursor", ""))
        case other:
            raise ValueError(f"there is nothing to ask called {other}")
    return () if call is None else (call,)


def _outcome(
    adapter: Any, exchange: Mapping[str, Any], calls: tuple[Any, ...], reply: Any, now: datetime
) -> Any:
    match exchange.get("ask", "send"):
        case "token":
            return adapter.read_token(reply, now=now)
        case "profile":
            return adapter.read_profile(exchange["of"], reply, now=now)
        case "fetch":
            return adapter.read_fetch(reply)
        case "upload":
            return adapter.read_upload(reply)
        case "pull":
            return adapter.read_pull(_bell(exchange), reply)
        case _:
            return adapter.interpret(calls[0], reply)


def _bell(exchange: Mapping[str, Any]) -> Bell:
    given = {"cursor_key": "", "cursor": exchange.get("cursor", ""), **exchange.get("bell", {})}
    return Bell(**given)


def _with_file(case: Case, given: Mapping[str, Any]) -> Mapping[str, Any]:
    if "body_file" not in given:
        return given
    rest = {key: value for key, value in given.items() if key != "body_file"}
    data = (case.path.parent / given["body_file"]).read_bytes()
    return {**rest, "body_b64": base64.b64encode(data).decode()}


# ----- comparing ---------------------------------------------------------------------------------


def same(expected: Any, value: object) -> bool:
    """Return whether ``expected`` tells ``value``, leaving out at most what is default."""
    return _same(expected, in_full(value), in_short(value))


def _same(expected: Any, full: Any, short: Any) -> bool:
    if isinstance(expected, datetime):
        return bool(time_text(expected) == full)
    if isinstance(expected, dict) and isinstance(full, dict):
        needed = set(short) - {"type"} if isinstance(short, dict) else set(full)
        shorter = short if isinstance(short, dict) else {}
        return needed <= set(expected) <= set(full) and all(
            _same(told, full[key], shorter.get(key, full[key])) for key, told in expected.items()
        )
    if isinstance(expected, list) and isinstance(full, list):
        shorts = short if isinstance(short, list) and len(short) == len(full) else full
        return len(expected) == len(full) and all(
            _same(told, each, brief)
            for told, each, brief in zip(expected, full, shorts, strict=True)
        )
    return bool(expected == full and isinstance(expected, bool) == isinstance(full, bool))


def unknown_keys(case: Case) -> set[str]:
    """Return the words in a case that mean nothing, so that a typo is not a missing check."""
    words = set(case.told) - _CASE_KEYS - _STEP_KEYS
    for step in case.steps():
        words |= set(step) - _STEP_KEYS
    for exchange in case.exchanges():
        words |= set(exchange) - _EXCHANGE_KEYS
    return words


# ----- rewriting ---------------------------------------------------------------------------------


def retold(case: Case) -> dict[str, Any]:
    """Return the case with its expectations replaced by what the adapter does now."""
    steps = [_retold_step(step, taken) for step, taken in played(case)]
    told = {key: value for key, value in case.told.items() if key in {"settings", "now"}}
    if "steps" in case.told:
        told["steps"] = steps
    elif steps:
        told |= steps[0]
    exchanges = [_retold_exchange(each, answered(case, each)) for each in case.exchanges()]
    return {**told, "exchange": exchanges} if exchanges else told


def _retold_exchange(exchange: Mapping[str, Any], made: Mapping[str, Any]) -> dict[str, Any]:
    said = {key: value for key, value in exchange.items() if key not in (*_MADE, "reply")}
    now = {key: in_short(value) for key, value in made.items()}
    answer = {"reply": exchange["reply"]} if "reply" in exchange else {}
    last = {"outcome": now.pop("outcome")} if "outcome" in now else {}
    return {**said, **now, **answer, **last}


def _retold_step(step: Mapping[str, Any], taken: Taken) -> dict[str, Any]:
    kept = {key: step[key] for key in ("now", "again", "request") if key in step}
    if taken.error:
        kept["raises"] = taken.error.partition(":")[0]
        if step.get("says", "") in taken.error and "says" in step:
            kept["says"] = step["says"]
    if taken.handshake:
        kept["handshake"] = True
    answer = _untyped(in_short(taken.answer))
    if answer and kept.get("raises") != "Unverified":
        kept["response"] = answer
    for name in ("events", "calls"):
        found = [in_short(each) for each in getattr(taken.decoded, name)]
        if found:
            kept[name] = found
    return kept


def _untyped(shown: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in shown.items() if key != "type"}
