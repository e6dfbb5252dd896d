"""What a message of TMC and a page of the chat history say, in our words.

https://open.taobao.com (message service; taobao.wangwang.eservice.chatlog.get)
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from adapters._common.fields import inside, word
from adapters._common.shops import kind_of, local_time, news, row_keys, told, written
from router.channel.contract import Event, Ignored, Malformed, Received, Speaker
from router.domain.content import Text, Unsupported

#: In front of a nick where chats name people.
SITE = "cntaobao"
_BUYERS = ("buyer_open_uid", "buyer_open_id", "open_uid", "buyer_nick")
_LABELS = {
    "status": "",
    "refund_phase": "",
    "payment": "实付/paid",
    "refund_fee": "退款额/amount",
    "refund_id": "退款/refund",
    "bill_type": "",
    "reason": "原因/reason",
    "desc": "说明/description",
    "buyer_message": "买家留言/buyer's note",
    "company_name": "快递/carrier",
    "out_sid": "运单/parcel",
    "content": "评价/review",
}
_FROM_US = "0"


def news_of(message: Mapping[str, Any], now: datetime | None) -> Event:
    """Return what a message says: ``id``, ``topic``, ``time`` and a ``content`` of its own.

    ``now`` stands in for a time that it lacks; without either it is `Malformed`.
    """
    topic, content = word(message, "topic"), inside(message, "content")
    order = word(content, "tid", "oid")
    kind = kind_of(topic)
    if not (kind and order):
        return Ignored(kind=topic or "unnamed")
    at = local_time(word(message, "time", "pub_time") or word(content, "modified")) or now
    if at is None:
        raise Malformed("a message without a time that can be read")
    key = word(message, "id")
    parts = (topic, order, word(content, "oid"), word(content, "refund_id"), word(message, "time"))
    return news(
        external_id=f"tmc:{key or ':'.join(filter(None, parts))}",
        kind=kind,
        order=order,
        at=at,
        summary=told(content, _LABELS),
        buyer=word(content, *_BUYERS),
        words=written(content, "reason", "desc", "buyer_message", "content"),
    )


def chat_of(rows: list[Any], peer: str) -> Iterator[Received]:
    """Yield the rows of a chat with ``peer``, which another desk has: 千牛.

    A row has no id; its key is its hash and which of the equal ones it is.
    """
    named = [
        (word(row, "time"), word(row, "direction"), word(row, "content"))
        for row in rows
        if isinstance(row, Mapping)
    ]
    keys = row_keys([(peer, *each) for each in named])
    for key, (time, direction, words) in zip(keys, named, strict=True):
        at = local_time(time)
        if at is None:
            raise Malformed("a row of a chat without a time that can be read")
        ours = direction == _FROM_US
        yield Received(
            external_id=key,
            sender=peer,
            at=at,
            content=Text(text=words) if words else Unsupported(kind="chat"),
            by=Speaker.AGENT if ours else Speaker.CONTACT,
            sender_name="" if ours else peer.removeprefix(SITE),
            standby=True,
        )
