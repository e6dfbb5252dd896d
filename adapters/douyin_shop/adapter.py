"""Douyin Shop's pushes: lists of news, each with its number, its key and its order.

https://op.jinritemai.com (message push)
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hmac import compare_digest
from typing import Any

from adapters._common.fields import inside, word
from adapters._common.jsonin import read_json
from adapters._common.shops import local_time, news, told, written
from adapters.douyin_shop.settings import Settings
from router.channel.contract import (
    Decoded,
    Event,
    HttpCall,
    Ignored,
    Malformed,
    Moment,
    Outbound,
    Outcome,
    Reason,
    Refused,
    Reply,
    Request,
    Response,
    Token,
    Trusted,
    Unverified,
)

#: The answer is unverified; anything else is repeated.
_ANSWER = Response(body=b'{"code":0,"msg":"success"}', content_type="application/json")
_PROBE = "0"
#: The numbers are unverified; others keep theirs in the name.
_TAGS = {"100": "order.created", "101": "order.paid", "102": "order.shipped"}
_TIMES = (
    *("update_time", "modify_time", "finish_time", "complete_time", "cancel_time", "ship_time"),
    *("apply_time", "pay_time", "create_time"),
)
_LABELS = {
    "order_status": "状态/status",
    "aftersale_status": "售后状态/status",
    "aftersale_id": "售后/refund",
    "refund_amount": "退款额(分)/amount in cents",
    "tracking_no": "运单/parcel",
    "logistics_code": "运单/parcel",
    "reason": "原因/reason",
    "remark": "备注/note",
}


def event_sign(app_key: str, body: bytes, app_secret: str) -> str:
    """Return what the header holds for the raw ``body``."""
    said = app_key.encode() + body + app_secret.encode()
    return hashlib.md5(said, usedforsecurity=False).hexdigest()


@dataclass(frozen=True, slots=True)
class DouyinShop:
    """One application and the shop that it serves."""

    settings: Settings

    def verify(self, request: Request) -> Trusted:
        """Prove the origin by the signature over the body, which gives no time of its own."""
        given = self.settings
        expected = event_sign(given.app_key, request.body, given.app_secret)
        _check(request, "app-id", given.app_key)
        _check(request, "event-sign", expected)
        return Trusted(request=request, body=request.body)

    def handshake(self, request: Trusted) -> Response | None:
        """Return None: the probe of the address is signed news like any other."""
        return None

    def decode(self, request: Trusted) -> Decoded:
        """Return each piece of news of the list."""
        items = read_json(request.body)
        if not isinstance(items, list):
            raise Malformed("expected a list of news", answer=_ANSWER)
        now = request.request.moment.now
        return Decoded(events=tuple(self._event(each, now) for each in items), response=_ANSWER)

    def _event(self, item: Any, now: datetime) -> Event:
        tag, data = word(item, "tag"), inside(item, "data")
        shop, order = word(data, "shop_id"), word(data, "p_id", "order_id", "s_id")
        if tag == _PROBE:
            return Ignored(kind="probe")
        if self.settings.shop_id and shop not in ("", self.settings.shop_id):
            return Ignored(kind="another_shop")  # its neighbours in the list may be ours
        if not order:
            return Ignored(kind=f"tag.{tag or 'unnamed'}")
        key = word(item, "msg_id")
        return news(
            external_id=f"push:{key}" if key else f"push:{tag}:{order}:{word(data, *_TIMES)}",
            kind=_kind(tag, data),
            order=order,
            at=local_time(word(data, *_TIMES)) or now,
            summary=told(data, _LABELS),
            words=written(data, "reason"),
            buyer=word(data, "open_id", "buyer_open_id", "doudian_open_id"),
        )

    def encode(self, message: Outbound) -> tuple[HttpCall, ...]:
        """Return nothing: buyers are answered in 飞鸽 only."""
        return ()

    def sign(self, call: HttpCall, *, token: Token | None, moment: Moment) -> HttpCall:
        return call

    def interpret(self, call: HttpCall, reply: Reply) -> Outcome:
        return Refused(reason=Reason.ACCOUNT, why="Douyin Shop has no public API for replies")


def _kind(tag: str, data: Mapping[str, Any]) -> str:
    what = "refund" if word(data, "aftersale_id") else "order"
    return _TAGS.get(tag, f"{what}.tag_{tag or 'unnamed'}")


def _check(request: Request, name: str, expected: str) -> None:
    given = request.headers.get(name, "").encode("utf-8", "replace")
    if not compare_digest(given, expected.encode()):
        raise Unverified(f"{name} does not match")
