"""What a row of a chat, an order and a message of the mini program say, in our words."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from adapters._common.fields import moment_of, word
from adapters._common.shops import local_time, news, row_keys, told
from adapters._common.shops import written as written_with
from adapters._common.wordin import leaves
from router.channel.contract import Event, Malformed, Moment, Received, Speaker
from router.domain.content import Text, Unsupported

_BUYERS = ("open_id_buyer", "openIdBuyer", "pin", "xid_buyer")
_LABELS = {
    "orderStateRemark": "",
    "orderPayment": "实付/paid",
    "orderRemark": "买家留言/buyer's note",
    "waybill": "运单/parcel",
}
_STATES = {
    "WAIT_SELLER_STOCK_OUT": "to_be_shipped",
    "WAIT_GOODS_RECEIVE_CONFIRM": "shipped",
    "FINISHED_L": "completed",
    "TRADE_CANCELED": "cancelled",
    "LOCKED": "locked",
}
#: Names under which the mini program's page may tell who writes; all unverified.
_SENDERS = ("fromUser", "FromUserName", "openId", "open_id", "userId", "pin", "fromPin", "customer")
_KEYS = ("msgId", "MsgId", "messageId", "id")


def chat_of(rows: Sequence[Mapping[str, Any]]) -> Iterator[Received]:
    """Yield the rows of a chat, which another desk has: 咚咚.

    A row has no id; its key is its hash and which of the equal ones it is.
    """
    keys = row_keys(
        [(word(row, "sid"), word(row, "time"), _side(row), word(row, "content")) for row in rows]
    )
    for key, row in zip(keys, rows, strict=True):
        at, words, customer = local_time(word(row, "time")), word(row, "content"), _customer(row)
        if at is None:
            raise Malformed("a row of a chat without a time that can be read")
        ours = _side(row) == "true"
        yield Received(
            external_id=key,
            sender=customer,
            at=at,
            content=Text(text=words) if words else Unsupported(kind="chat"),
            by=Speaker.AGENT if ours else Speaker.CONTACT,
            sender_name=word(row, "waiter") if ours else customer,
            standby=True,
        )


def _customer(row: Mapping[str, Any]) -> str:
    found = word(row, "customer")
    if not found:
        raise Malformed("a row of a chat without customer")
    return found


def _side(row: Mapping[str, Any]) -> str:
    """Return ``true`` if the shop wrote the row, whatever the truth stands there as."""
    given = row.get("waiterSend")
    return "true" if given is True or word(row, "waiterSend").lower() in ("true", "1") else "false"


def order_of(row: Mapping[str, Any]) -> Event:
    """Return the state that an order has come to; its key holds the time of the change."""
    order, state, changed = (word(row, each) for each in ("orderId", "orderState", "modified"))
    at = local_time(changed) or local_time(word(row, "orderStartTime"))
    if at is None:
        raise Malformed("an order without a time of change")
    return news(
        external_id=f"order:{order}:{state}:{changed}",
        kind=f"order.{_STATES.get(state, state.lower() or 'changed')}",
        order=order,
        at=at,
        summary=told(row, _LABELS),
        buyer=word(row, *_BUYERS),
        words=written_with(row, "orderRemark"),
    )


def written(fields: Mapping[str, Any], moment: Moment) -> Received:
    """Return what came from the mini program: every word of it, because no name is certain."""
    sender = word(fields, *_SENDERS)
    if not sender:
        raise Malformed("a message of the mini program that does not say who writes")
    whole = repr(sorted(fields.items(), key=lambda pair: pair[0])).encode("utf-8", "replace")
    text = word(fields, "content", "Content", "text")
    words = "\n".join(leaves({key: each for key, each in fields.items() if key not in _SENDERS}))
    return Received(
        external_id=word(fields, *_KEYS) or f"hash:{hashlib.sha256(whole).hexdigest()[:32]}",
        sender=sender,
        at=moment_of(word(fields, "time", "timestamp", "CreateTime", "createTime")) or moment.now,
        content=Text(text=text) if text else Unsupported(kind="miniprogram", text=words),
    )
