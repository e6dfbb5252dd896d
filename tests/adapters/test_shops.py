"""The shops' signatures against doudian and the recorded vectors, and pages that move."""

import base64
import hashlib
import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, unquote

import pytest
from doudian.core import DouDian  # type: ignore[import-untyped]
from hypothesis import given
from hypothesis import strategies as st

from adapters._common.shops import kind_of, local_text, local_time, sorted_md5
from adapters._common.wecrypt import sorted_sha1
from adapters.douyin_shop.adapter import event_sign
from adapters.jd.adapter import JD
from adapters.jd.settings import Settings as JDSettings
from adapters.kuaishou.adapter import kwaisign
from adapters.pinduoduo.adapter import Pinduoduo, socket_sign
from adapters.pinduoduo.settings import Settings as PinduoduoSettings
from router.channel.contract import Bell, Moment, Pulled, Reply, ShopEvent
from tests.adapters.vectors import vector

NOW = datetime(2025, 10, 9, 9, 30, tzinfo=UTC)
MOMENT = Moment(now=NOW, entropy=b"0123456789abcdef")
PUSH = vector("doudian-push")["inputs"]


# ----- signatures --------------------------------------------------------------------------------


def doudian() -> Any:
    """Return the package's client, made without its constructor, which calls the network."""
    client = DouDian.__new__(DouDian)
    client._app_key, client._app_secret = PUSH["app_key"], PUSH["app_secret"]  # noqa: SLF001
    client._logger = logging.getLogger("doudian")  # noqa: SLF001
    return client


@given(st.lists(st.dictionaries(st.text(max_size=8), st.integers() | st.text(max_size=8))))
def test_a_push_that_we_would_sign_doudian_accepts(items: list[dict[str, Any]]) -> None:
    body = json.dumps(items).encode()
    signed = event_sign(PUSH["app_key"], body, PUSH["app_secret"])
    assert doudian().callback({"app-id": PUSH["app_key"], "event-sign": signed}, body) == items


def test_the_recorded_signatures_are_ours() -> None:
    push, room = vector("doudian-push"), vector("kuaishou-kwaisign")
    assert (
        event_sign(PUSH["app_key"], PUSH["body"].encode(), PUSH["app_secret"])
        == push["outputs"]["event_sign"]
    )
    given_room = room["inputs"]
    ours = kwaisign(given_room["body"].encode(), given_room["app_secret"])
    assert ours == room["outputs"]["kwaisign"]
    check = vector("xiaohongshu-url-verify")
    parts = (check["inputs"][name] for name in ("token", "timestamp", "nonce"))
    assert sorted_sha1(*parts) == check["outputs"]["signature"]
    jd = vector("jd-api-sign")
    assert sorted_md5(jd["inputs"]["app_secret"], jd["inputs"]["params"]) == jd["outputs"]["sign"]


def test_pinduoduos_socket_is_signed_with_the_hex_text_and_not_the_digest() -> None:
    told = vector("pinduoduo-ws-sign")
    made = told["inputs"]
    ours = socket_sign(made["client_id"], made["ms"], made["client_secret"])
    assert ours == told["outputs"]["base64_of_hex_text"]
    assert ours != told["outputs"]["base64_of_digest_bytes"]


def test_the_address_of_pinduoduos_socket_holds_client_time_and_signature() -> None:
    made = vector("pinduoduo-ws-sign")["inputs"]
    adapter = Pinduoduo(
        PinduoduoSettings(client_id=made["client_id"], client_secret=made["client_secret"])
    )
    at = datetime.fromtimestamp(int(made["ms"]) / 1000, UTC)
    address = adapter.dial(Moment(now=at, entropy=MOMENT.entropy))
    client, milliseconds, sign = address.partition("/message/")[2].split("/")
    digest = hashlib.md5(  # noqa: S324  the platform's
        f"{client}{milliseconds}{made['client_secret']}".encode()
    ).hexdigest()
    assert (client, milliseconds) == (made["client_id"], made["ms"])
    assert base64.b64decode(unquote(sign)).decode() == digest
    assert json.loads(adapter.heartbeat("", MOMENT)) == {
        "commandType": "HeartBeat",
        "time": int(NOW.timestamp() * 1000),
    }


def test_a_pull_of_jd_is_signed_over_all_that_it_sends() -> None:
    made = vector("jd-api-sign")["inputs"]
    adapter = JD(JDSettings(app_key="jdkey", app_secret=made["app_secret"], access_token="jdtok"))
    bell = Bell(cursor_key="orders", hint="2025-10-09 17:30:00")
    call = adapter.sign(adapter.pull_call(bell, cursor=""), token=None, moment=MOMENT)
    sent = dict(parse_qsl(call.body.decode()))
    sign = sent.pop("sign")
    said = made["app_secret"] + "".join(k + v for k, v in sorted(sent.items()))
    raw = (said + made["app_secret"]).encode()
    assert sign == hashlib.md5(raw).hexdigest().upper()  # noqa: S324  the platform's
    assert set(sent) == set(made["params"])
    assert sent["timestamp"] == "2025-10-09 17:30:00"


# ----- times and names ---------------------------------------------------------------------------


@given(st.datetimes(datetime(1971, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_a_local_time_is_read_as_it_was_written(moment: datetime) -> None:
    assert local_time(local_text(moment)) == moment.replace(microsecond=0)


@given(st.text())
def test_any_text_is_a_time_or_none(given_text: str) -> None:
    read = local_time(given_text)
    assert read is None or read.tzinfo is not None


@pytest.mark.parametrize(
    ("topic", "kind"),
    [
        ("taobao_trade_TradeBuyerPay", "order.paid"),
        ("pdd_refund_RefundCreated", "refund.created"),
        ("taobao_logistics_LogsticSignSuccess", "parcel.logstic_sign_success"),
        ("taobao_item_ItemAdd", ""),
        ("", ""),
    ],
)
def test_a_topic_has_a_name_of_ours_or_is_no_news(topic: str, kind: str) -> None:
    assert kind_of(topic) == kind


# ----- pages that move while they are read -------------------------------------------------------


class Orders:
    """JD's orders by the time of their change; one changes again before each answer."""

    def __init__(self, count: int, *, leaves: int) -> None:
        self.held = list(range(count))
        self.leaves = leaves

    def answer(self, page: int, size: int) -> Reply:
        if self.leaves and len(self.held) > self.leaves:
            del self.held[0]  # the oldest changed again: it leaves the period, all others move up
        rows = [
            {"orderId": f"o{each}", "orderState": "LOCKED", "modified": "2025-10-09 17:00:00"}
            for each in self.held[(page - 1) * size : page * size]
        ]
        result = {"orderTotal": len(self.held), "orderInfoList": rows}
        told = {"jingdong_pop_order_search_responce": {"code": "0", "result": result}}
        return Reply(status=200, body=json.dumps(told).encode())


@given(count=st.integers(0, 230), leaves=st.integers(0, 1))
def test_no_order_slips_by_while_others_leave_the_period(count: int, leaves: int) -> None:
    orders = Orders(count, leaves=leaves)
    told = set(pulled(orders))
    assert {f"o{each}" for each in orders.held} <= told


def pulled(orders: Orders) -> Iterator[str]:
    """Yield the orders that a pull finds, page by page, as the puller asks for them."""
    adapter = JD(JDSettings(app_key="k", app_secret="s", access_token="t"))
    cursor, more = "2025-10-09 16:50:00", True
    while more:
        bell = Bell(cursor_key="orders", hint="2025-10-09 17:30:00", cursor=cursor)
        sent = dict(parse_qsl(adapter.pull_call(bell, cursor=cursor).body.decode()))
        asked = json.loads(sent["360buy_param_json"])
        page = adapter.read_pull(bell, orders.answer(int(asked["page"]), int(asked["page_size"])))
        assert isinstance(page, Pulled)
        yield from (event.order for event in page.events if isinstance(event, ShopEvent))
        assert page.cursor != cursor, "the pull stands still"
        cursor, more = page.cursor, page.more
    assert cursor == "2025-10-09 17:30:00"
