"""Platforms deliver: verified, written down once, answered after the commit."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
from aiohttp import ClientSession, FormData
from structlog.testing import capture_logs

from router.channel.accounts import open_account
from router.channel.contract import (
    Capabilities,
    Channel,
    Decoded,
    Family,
    HttpCall,
    Received,
    Request,
    Trusted,
)
from router.domain.content import Text
from router.domain.ids import AccountName, QueueName
from router.service.records import RawDelivery
from router.service.unit import Unit
from router.store.engine import SqlStore
from router.web.webhooks import replay
from tests.support.fakes import CountingIds, FixedClock
from tests.web.house import API_KEY, PATH_SECRET, WECHAT_QUERY, House, a_house, wechat_text

HOOK = f"/hooks/wechat/{PATH_SECRET}?{WECHAT_QUERY}"


def _unreadable(unit: Unit) -> tuple[RawDelivery, ...]:
    return unit.journal.deliveries(state="unreadable")


async def test_a_customers_words_stand_on_the_timeline_when_the_platform_is_answered(
    house: House, client: ClientSession
) -> None:
    answer = await client.post(HOOK, data=wechat_text("桌子到了吗").encode())
    assert (answer.status, await answer.text()) == (200, "success")
    (held,) = await house.open()
    assert [said.content.text for said in await house.said(held.id)] == ["桌子到了吗"]  # type: ignore[union-attr]


async def test_a_second_copy_of_a_delivery_changes_nothing(
    house: House, client: ClientSession
) -> None:
    for _ in range(2):
        answer = await client.post(HOOK, data=wechat_text("桌子到了吗").encode())
        assert answer.status == 200
    (held,) = await house.open()
    assert len(await house.said(held.id)) == 1


async def test_a_hundred_deliveries_at_once_are_each_kept_once(
    house: House, client: ClientSession
) -> None:
    bodies = [wechat_text(f"第{n}句", message=n // 2).encode() for n in range(100)]
    answers = await asyncio.gather(*(client.post(HOOK, data=body) for body in bodies))
    assert {answer.status for answer in answers} == {200}
    (held,) = await house.open()
    assert [said.seq for said in await house.said(held.id)] == list(range(1, 51))


async def test_the_address_check_of_a_platform_is_answered(client: ClientSession) -> None:
    answer = await client.get(f"{HOOK}&echostr=5718293")
    assert (answer.status, await answer.text()) == (200, "5718293")


async def test_a_forged_delivery_is_refused_counted_and_leaves_nothing(
    house: House, client: ClientSession
) -> None:
    forged = HOOK.replace("218d", "318d")
    answer = await client.post(forged, data=wechat_text("假的").encode())
    assert answer.status == 401
    assert await house.open() == ()
    counted = await (await client.get("/metrics")).text()
    assert 'mainstem_deliveries_total{account="wechat",outcome="unverified"} 1.0' in counted


async def test_a_wrong_or_missing_path_secret_proves_nothing(client: ClientSession) -> None:
    body = wechat_text("你好").encode()
    for path in ("/hooks/wechat", "/hooks/wechat/0123456789abcdeX"):
        assert (await client.post(f"{path}?{WECHAT_QUERY}", data=body)).status == 401


async def test_an_unknown_account_is_not_found(client: ClientSession) -> None:
    assert (await client.post("/hooks/nobody", data=b"x")).status == 404


async def test_a_delivery_nobody_can_read_is_answered_kept_and_shown(
    house: House, client: ClientSession
) -> None:
    answer = await client.post(HOOK, data=b"<xml><MsgType>text</MsgType")
    assert answer.status == 200
    (kept,) = await house.store.read(_unreadable)
    assert kept.body == b"<xml><MsgType>text</MsgType"
    assert PATH_SECRET not in kept.url
    assert kept.why


async def test_a_kept_delivery_is_taken_in_once_its_adapter_can_read_it(
    house: House, client: ClientSession
) -> None:
    await client.post(HOOK, data=b"<xml><MsgType>text</MsgType")
    (kept,) = await house.store.read(_unreadable)

    def mended(unit: Unit) -> None:
        good = RawDelivery(
            id="mended",
            account=kept.account,
            at=kept.at,
            state="unreadable",
            method=kept.method,
            url=kept.url,
            headers=kept.headers,
            body=wechat_text("补上的话").encode(),
            why="",
        )
        unit.journal.keep_delivery(good)

    await house.store.transact(mended)
    taken = await replay(house.deps, "mended")
    again = await replay(house.deps, "mended")
    assert (len(taken.added), len(again.added), again.known) == (1, 0, 1)


async def test_a_daemon_that_stops_promises_nothing(house: House, client: ClientSession) -> None:
    house.deps.intake.stop()
    answer = await client.post(HOOK, data=wechat_text("你好").encode())
    assert answer.status == 503
    assert int(answer.headers["Retry-After"]) > 0


async def test_a_body_beyond_the_limit_is_refused_politely(
    sqlite_store: SqlStore, clock: FixedClock, ids: CountingIds, tmp_path: Path
) -> None:
    async with (
        a_house(sqlite_store, clock, ids, tmp_path, most_body=10_000) as house,
        house.browser() as client,
    ):
        answer = await client.post(HOOK, data=b"x" * 20_000)
        assert answer.status == 413
        still = await client.post(HOOK, data=wechat_text("你好").encode())
        assert still.status == 200


async def test_a_call_is_uploaded_with_the_phone_systems_key(client: ClientSession) -> None:
    words = "WEBVTT\n\n00:00.000 --> 00:02.000\n<v 客户>你们的快递太慢了，我要投诉\n"
    form = FormData()
    form.add_field("meta", '{"call_id": "c-1", "caller": "+8613800138000"}')
    form.add_field("file", words.encode(), filename="call.vtt", content_type="text/vtt")
    answer = await client.post(
        "/v1/transcripts", data=form, headers={"Authorization": f"Bearer {API_KEY}"}
    )
    assert answer.status == 200, await answer.text()
    assert (await answer.json())["call_id"] == "c-1"


async def test_an_upload_with_another_key_is_refused(client: ClientSession) -> None:
    headers = {"Authorization": "Bearer somebody-elses"}
    answer = await client.post("/v1/transcripts", data=b"WEBVTT\n", headers=headers)
    assert answer.status == 401
    assert (await answer.json())["error"]["code"] == "unverified"


async def test_an_upload_nobody_can_read_says_what_to_mend(client: ClientSession) -> None:
    headers = {"Authorization": f"Bearer {API_KEY}", "Content-Type": "text/vtt"}
    answer = await client.post("/v1/transcripts", data=b"neither this nor that", headers=headers)
    assert answer.status in {400, 415}
    assert (await answer.json())["fix"]


# ----- our own faults ----------------------------------------------------------------------------


class OddSettings(msgspec.Struct, forbid_unknown_fields=True):
    """Nothing to set."""


class Odd:
    """A channel from elsewhere with faults of its own."""

    def verify(self, request: Request) -> Trusted:
        return Trusted(request=request, body=request.body)

    def handshake(self, request: Trusted) -> None:
        return None

    def decode(self, request: Trusted) -> Decoded:
        match request.body:
            case b"broken adapter":
                raise RuntimeError("a bug in an adapter")
            case b"no time zone":
                at = request.request.moment.now.replace(tzinfo=None)
            case _:
                at = request.request.moment.now
        said = Received(external_id="1", sender="o-odd", at=at, content=Text(text="你好"))
        call = HttpCall(method="GET", url="https://platform.example/profile")
        return Decoded(events=(said,), calls=(call,))


ODD = Channel(
    name="odd",
    title={"en": "Odd", "zh": "怪"},
    family=Family.IM,
    transport="webhook",
    capabilities=Capabilities(replies=False),
    settings=OddSettings,
    build=lambda _settings: Odd(),
)


@pytest.fixture
async def odd(
    sqlite_store: SqlStore, clock: FixedClock, ids: CountingIds, tmp_path: Path
) -> AsyncIterator[House]:
    name = AccountName("odd")
    account = open_account(ODD, name=name, queue=QueueName("general"), settings={})
    async with a_house(sqlite_store, clock, ids, tmp_path, more={name: account}) as house:
        yield house


@pytest.mark.parametrize("body", [b"broken adapter", b"no time zone"])
async def test_what_our_own_fault_loses_is_kept_and_asked_for_again(
    odd: House, body: bytes
) -> None:
    with capture_logs() as written:
        async with odd.browser() as client:
            answer = await client.post("/hooks/odd", data=body)
            assert (answer.status, await answer.text()) == (500, "server_error\n")
    assert [each["event"] for each in written].count("request_failed") == 1
    (kept,) = await odd.store.read(_unreadable)
    assert (kept.body, kept.why.startswith("our fault: ")) == (body, True)


async def test_what_an_adapter_wants_called_is_handed_on_after_the_commit(odd: House) -> None:
    async with odd.browser() as client:
        assert (await client.post("/hooks/odd", data=b"fine")).status == 200
    ((account, (call,)),) = odd.wanted
    assert (account, call.url) == ("odd", "https://platform.example/profile")  # type: ignore[union-attr]
    assert len(await odd.open()) == 1
