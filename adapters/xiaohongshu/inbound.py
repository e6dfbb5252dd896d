"""What a shop's news and a mini program's push say, in our words."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from adapters._common.fields import inside, moment_of, word
from adapters._common.shops import news, told, written
from adapters._common.wordin import leaves
from router.channel.contract import Event, Ignored, Received
from router.domain.content import Content, Text, Unsupported

_STATES = {
    "1": ("order.created", "待付款/unpaid"),
    "2": ("order.paid", "已付款/paid"),
    "3": ("order.in_customs", "清关中/in customs"),
    "4": ("order.to_be_shipped", "待发货/to be shipped"),
    "5": ("order.partly_shipped", "部分发货/partly shipped"),
    "6": ("order.shipped", "待收货/to be received"),
    "7": ("order.completed", "已完成/done"),
    "8": ("order.closed", "已关闭/closed"),
    "9": ("order.cancelled", "已取消/cancelled"),
    "10": ("order.exchange_requested", "换货申请中/exchange requested"),
}
_RETURNS = {
    "1": "退货退款/return and refund",
    "2": "换货/exchange",
    "3": "仅退款(旧)/refund only (old)",
    "4": "发货后仅退款/refund only after shipping",
    "5": "未发货仅退款/refund only before shipping",
}
_FROM = {"1": "买家/buyer", "2": "商家/seller", "3": "平台客服/platform staff", "4": "系统/system"}
_MORE = {
    "refundFee": "退款额/amount",
    "reason": "原因/reason",
    "reasonDesc": "原因/reason",
    "sellerRemark": "商家备注/shop's note",
    "expressNo": "运单/parcel",
}
_NOT_THE_BUYER = frozenset({"2", "3", "4"})
_REASONS = ("reason", "reasonDesc")
_STATUS = "msg_fulfillment_status_change"
_ORDERS, _RETURN = "msg_fulfillment_", "msg_after_sale_"
_FRAME = frozenset({"ToUserName", "FromUserName", "CreateTime", "MsgType", "MsgId", "Event"})


def news_of(item: Any, *, seller: str, now: datetime) -> Event:
    """Return one piece of news; what is about goods and not about an order is counted."""
    tag, data = word(item, "msgTag"), inside(item, "data")
    if seller and word(item, "sellerId") not in ("", seller):
        return Ignored(kind="another_shop")  # its neighbours in the list may be ours
    order, returned = word(data, "orderId"), word(data, "returnsId")
    if not (order or returned) or not tag.startswith((_ORDERS, _RETURN)):
        return Ignored(kind=tag or "unnamed")
    status, updated = word(data, "orderStatus", "status"), word(data, "updateTime")
    kind, summary = _order(tag, data) if tag.startswith(_ORDERS) else _returned(tag, data)
    return news(
        external_id=":".join((tag, returned or order, status, updated)),
        kind=kind,
        order=order or returned,
        at=moment_of(updated) or now,
        summary=summary,
        words="" if word(data, "requestFrom") in _NOT_THE_BUYER else written(data, *_REASONS),
    )


def _order(tag: str, data: Mapping[str, Any]) -> tuple[str, str]:
    status = word(data, "orderStatus")
    if tag != _STATUS:
        return f"order.{tag.removeprefix(_ORDERS)}", told(data, _MORE)
    kind, words = _STATES.get(status, (f"order.status_{status or 'unnamed'}", ""))
    return kind, ", ".join(filter(None, (words, told(data, _MORE))))


def _returned(tag: str, data: Mapping[str, Any]) -> tuple[str, str]:
    verb = tag.removeprefix(_RETURN)
    asked = (
        _RETURNS.get(word(data, "returnType"), ""),
        _FROM.get(word(data, "requestFrom"), ""),
        told(data, {"returnsId": "", **_MORE}),
    )
    return f"refund.{'created' if verb == 'create' else verb}", ", ".join(filter(None, asked))


def pushed(fields: Mapping[str, Any], now: datetime) -> Event:
    """Return what a mini program's push says, if it is shaped as WeChat's (unverified)."""
    sender, kind = word(fields, "FromUserName"), word(fields, "MsgType")
    words = "\n".join(leaves({key: held for key, held in fields.items() if key not in _FRAME}))
    if kind == "event" or not (sender and (words or kind)):
        return Ignored(kind=word(fields, "Event") or kind or "program.unnamed")
    text = word(fields, "Content")
    spoken = kind == "text" and text
    content: Content = Text(text=text) if spoken else Unsupported(kind=kind, text=words)
    whole = repr(sorted(fields.items(), key=lambda pair: pair[0])).encode("utf-8", "replace")
    key = word(fields, "MsgId") or f"hash:{hashlib.sha256(whole).hexdigest()[:32]}"
    at = moment_of(word(fields, "CreateTime")) or now
    return Received(external_id=key, sender=sender, at=at, content=content)
