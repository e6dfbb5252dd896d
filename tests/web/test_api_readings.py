"""Readings over the API: corrected, listed as examples, and what the readers lack."""

from collections.abc import Mapping
from pathlib import Path

from aiohttp import ClientSession

from router.domain.ids import ConversationId
from router.domain.workforce import Role
from router.readers.small import Small
from router.service.reading import meant, take_note, unread_runs
from router.store.engine import SqlStore
from router.understanding.reader import RuleReader
from tests.support.fakes import CountingIds, FixedClock
from tests.web.house import House, a_house, sign_in
from tests.web.program import Program

LABELS = {
    "complaint": True,
    "severity": 2,
    "intent": "after_sales",
    "language": "zh",
    "wants_human": False,
}


async def read(house: House) -> None:
    """Let the rules read what is unread."""
    small = Small(RuleReader())
    found = await house.store.read(unread_runs, limit=50)
    understood = tuple(
        meant(said, heard, answerable=False)
        for each in found
        for said, heard in zip(each.said, small.hear(each.run), strict=True)
    )
    await house.store.transact(
        take_note, understood, policy=house.deps.policy, at=house.clock.now()
    )


async def said_first(house: House, conversation: ConversationId) -> str:
    return (await house.said(conversation))[0].id


async def test_an_agent_corrects_a_reading_and_it_is_kept_as_an_example(
    house: House, boss: Program, chen: Program
) -> None:
    conversation = await house.wechat_says(boss.client, "桌腿可以当牙签了")
    await read(house)
    interaction = await said_first(house, conversation)
    said = await chen.put(f"/interactions/{interaction}/reading", json=LABELS)
    me = (await chen.get("/me"))["agent"]["id"]
    assert said["reading"]["complaint"] == "alert"
    assert said["reading"]["corrected_by"] == me
    assert len(await chen.get("/cases")) == 1
    page = await boss.get("/corrections?limit=1")
    (kept,) = page["corrections"]
    assert (kept["text"], kept["by"], kept["labels"]) == ("桌腿可以当牙签了", me, LABELS)
    assert kept["before"]["complaint"] != "alert"
    assert (await boss.get(f"/corrections?before={page['next']}"))["corrections"] == []
    bad = await chen.put(
        f"/interactions/{interaction}/reading", json={**LABELS, "severity": 0}, status=409
    )
    assert bad["error"]["field"] == "severity"


class Worse:
    """Readers whose model is broken."""

    readers: Mapping[str, int] = {"rules/1": 1}
    restarts = 2

    def warnings(self) -> Mapping[str, str]:
        return {"reader_small": "reader.npz has another hash"}


async def test_readers_that_lack_something_are_told_of_and_the_daemon_goes_on(
    store: SqlStore, clock: FixedClock, ids: CountingIds, tmp_path: Path
) -> None:
    async with (
        a_house(store, clock, ids, tmp_path, readers=Worse()) as house,
        house.browser() as client,
    ):
        told = await (await client.get("/readyz")).json()
        assert "reader" not in told["wrong"]
        assert told["warnings"] == {"reader_small": "reader.npz has another hash"}
        text = await (await client.get("/metrics")).text()
        assert 'mainstem_reader_warnings{warning="reader_small"} 1.0' in text
        assert 'mainstem_readers{reader="rules/1"} 1.0' in text
        assert "mainstem_reader_restarts_total 2.0" in text
        await house.agent("boss", role=Role.SUPERVISOR)
        await house.agent("chen")
        await _sees(client, "boss", "reader.npz has another hash", banner=True)
        async with house.browser() as other:
            await _sees(other, "chen", "reader.npz has another hash", banner=False)


async def _sees(client: ClientSession, login: str, words: str, *, banner: bool) -> None:
    await sign_in(client, login)
    page = await (await client.get("/desk")).text()
    assert (words in page) is banner
    said = ("消息目前仅由规则或自带模型识别", "messages are read by rules")
    assert any(each in page.casefold() for each in said) is banner
