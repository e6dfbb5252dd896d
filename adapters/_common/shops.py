"""What the platforms of Chinese shops share: local times, sorted MD5 signatures, names of news.

https://open.taobao.com (signature; JD and Pinduoduo use the same)
"""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from urllib.parse import parse_qsl, urlencode

from adapters._common.fields import moment_of, word
from router.channel.contract import HttpCall, ShopEvent
from router.domain.identity import Claim, ClaimKind

CHINA = timezone(timedelta(hours=8))
FORM = (("content-type", "application/x-www-form-urlencoded; charset=utf-8"),)
_LOCAL = re.compile(r"(\d{4}-\d{2}-\d{2})[ T](\d{2}:\d{2}:\d{2})", re.ASCII)
_TOPIC = re.compile(r"[a-z]+_(trade|refund|logistics)_(\w+)", re.ASCII)
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_WHAT = {"trade": "order", "refund": "refund", "logistics": "parcel"}
_VERBS = {
    "trade_create": "created",
    "trade_buyer_pay": "paid",
    "trade_confirmed": "confirmed",
    "trade_seller_ship": "shipped",
    "trade_partly_seller_ship": "partly_shipped",
    "trade_success": "completed",
    "trade_close": "closed",
    "refund_created": "created",
    "refund_success": "completed",
    "refund_closed": "closed",
}


# ----- times -------------------------------------------------------------------------------------


def local_text(moment: datetime) -> str:
    """Return a time as these platforms write it: local to China, to the second."""
    return moment.astimezone(CHINA).strftime("%Y-%m-%d %H:%M:%S")


def local_time(given: str) -> datetime | None:
    """Return a time that was written local to China, or as a number since 1970."""
    found = _LOCAL.match(given)
    if found is None:
        return moment_of(given)
    try:
        read = datetime.fromisoformat(f"{found[1]} {found[2]}").replace(tzinfo=CHINA)
        return read.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


# ----- calls -------------------------------------------------------------------------------------


def sorted_md5(secret: str, parameters: Mapping[str, str]) -> str:
    """Return the upper-case hex MD5 of the parameters by name, between two copies of the secret."""
    said = "".join(f"{name}{parameters[name]}" for name in sorted(parameters))
    raw = f"{secret}{said}{secret}".encode("utf-8", "replace")
    return hashlib.md5(raw, usedforsecurity=False).hexdigest().upper()


def form_call(url: str, parameters: Mapping[str, str], *, note: str) -> HttpCall:
    """Return a POST of ``parameters`` as a form, without those of the system."""
    return HttpCall(
        method="POST", url=url, headers=FORM, body=urlencode(parameters).encode(), note=note
    )


def signed_form(call: HttpCall, secret: str, system: Mapping[str, str]) -> HttpCall:
    """Return the form with the parameters of the system and the signature over all of them."""
    given = dict(parse_qsl(call.body.decode(), keep_blank_values=True))
    whole = {**given, **{name: value for name, value in system.items() if value}}
    return replace(call, body=urlencode({**whole, "sign": sorted_md5(secret, whole)}).encode())


# ----- rows --------------------------------------------------------------------------------------


def rows_with(value: Any, name: str) -> Iterator[Mapping[str, Any]]:
    """Yield every object that holds ``name``, wherever it stands; what it holds is its own."""
    if isinstance(value, Mapping):
        if word(value, name):
            yield value
            return
        for held in value.values():
            yield from rows_with(held, name)
    elif isinstance(value, list):
        for held in value:
            yield from rows_with(held, name)


def listed(value: Any) -> Iterator[Mapping[str, Any]]:
    """Yield every object that stands in a list; what such an object holds is its own."""
    if isinstance(value, Mapping):
        for held in value.values():
            yield from listed(held)
    elif isinstance(value, list):
        yield from (held for held in value if isinstance(held, Mapping))


def row_keys(rows: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """Return a key for each row without an id: its hash, and which of the equal rows it is.

    A page that is read again has the same keys, as long as equal rows stand on it together.
    """
    seen: dict[str, int] = {}
    keys = []
    for row in rows:
        digest = hashlib.sha256("\x1f".join(row).encode("utf-8", "replace")).hexdigest()[:32]
        keys.append(f"hash:{digest}:{seen.get(digest, 0)}")
        seen[digest] = seen.get(digest, 0) + 1
    return tuple(keys)


# ----- news of orders ----------------------------------------------------------------------------


def kind_of(topic: str) -> str:
    """Return our word for a topic such as ``taobao_trade_TradeBuyerPay``; empty if it is no news.

    A verb that is not in the list keeps the platform's own word.
    """
    found = _TOPIC.fullmatch(topic)
    if found is None:
        return ""
    verb = _HUMP.sub("_", found[2]).lower()
    return f"{_WHAT[found[1]]}.{_VERBS.get(verb, verb)}"


def news(
    *,
    external_id: str,
    kind: str,
    order: str,
    at: datetime,
    summary: str,
    buyer: str = "",
    words: str = "",
) -> ShopEvent:
    """Return one piece of news about an order.

    Where the platform does not say who bought, the order itself is the identity: nothing joins two
    orders of one person then but the number, which is an unproven claim. ``words`` are the buyer's.
    """
    claim = Claim(kind=ClaimKind.ORDER, value=order, verified=False, source="platform")
    return ShopEvent(
        external_id=external_id,
        sender=buyer or f"order:{order}",
        at=at,
        kind=kind,
        order=order,
        summary=summary,
        claims=(claim,) if order else (),
        words=words,
    )


def written(fields: Any, *names: str) -> str:
    """Return what the buyer wrote under ``names``, each on a line of its own."""
    return "\n".join(dict.fromkeys(filter(None, (word(fields, name).strip() for name in names))))


def told(fields: Any, labels: Mapping[str, str]) -> str:
    """Return the fields that are there as ``label value``, in the order of ``labels``."""
    values = ((label, word(fields, name)) for name, label in labels.items())
    return ", ".join(f"{label} {value}".strip() for label, value in values if value)
