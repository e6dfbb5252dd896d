"""Leave to stop taking work: asked on the desk or by program, answered on the page of queues."""

from pathlib import Path

import pytest

from router.domain.workforce import Presence, Role
from router.store.engine import SqlStore
from tests.support.fakes import CountingIds, FixedClock
from tests.web.house import a_house, sign_in
from tests.web.program import Program


@pytest.mark.parametrize("answer", ["approve", "decline"])
async def test_an_agent_asks_on_the_desk_and_a_supervisor_answers(
    sqlite_store: SqlStore, clock: FixedClock, ids: CountingIds, tmp_path: Path, answer: str
) -> None:
    (tmp_path / "config").mkdir()
    wished = tmp_path / "config" / "routing.toml"
    wished.write_text('approve_presence = ["busy"]\n', "utf-8")
    environ = {"MAINSTEM_CONFIG": str(wished.parent)}
    async with (
        a_house(sqlite_store, clock, ids, tmp_path, environ=environ) as house,
        house.browser() as browser,
        house.browser() as plain,
    ):
        boss = Program(plain, await house.token(await house.agent("boss", Role.SUPERVISOR)))
        chen_id = await house.agent("chen")
        chen = Program(plain, await house.token(chen_id))
        await chen.put("/me/presence", json={"presence": "available"})
        csrf = await sign_in(browser, "chen")
        assert 'name="why"' in await (await browser.get("/desk")).text()
        form = {"csrf": csrf, "presence": "busy", "why": "打印机坏了"}
        assert (await browser.post("/desk/presence", data=form)).status == 200
        assert (await chen.get("/me"))["agent"]["presence"] == "available"
        (asked,) = await boss.get("/alerts")
        assert (asked["kind"], asked["facts"]["why"]) == ("presence_asked", "打印机坏了")
        refused = await chen.post(f"/alerts/{asked['id']}/approve", status=403)
        assert refused["error"]["code"] == "forbidden"
        async with house.browser() as other:
            csrf = await sign_in(other, "boss")
            page = await (await other.get("/queues")).text()
            assert "打印机坏了" in page
            answered = await other.post(
                f"/alerts/{asked['id']}/{answer}", data={"csrf": csrf}, allow_redirects=False
            )
            assert answered.status == 303
        found = Presence((await chen.get("/me"))["agent"]["presence"])
        assert found is (Presence.BUSY if answer == "approve" else Presence.AVAILABLE)
        assert [each["kind"] for each in await chen.get("/alerts")] == (
            [] if answer == "approve" else ["presence_declined"]
        )


async def test_a_program_asks_and_a_program_answers(
    sqlite_store: SqlStore, clock: FixedClock, ids: CountingIds, tmp_path: Path
) -> None:
    (tmp_path / "config").mkdir()
    wished = tmp_path / "config" / "routing.toml"
    wished.write_text('approve_presence = ["busy"]\n', "utf-8")
    environ = {"MAINSTEM_CONFIG": str(wished.parent)}
    async with (
        a_house(sqlite_store, clock, ids, tmp_path, environ=environ) as house,
        house.browser() as plain,
    ):
        boss = Program(plain, await house.token(await house.agent("boss", Role.SUPERVISOR)))
        chen = Program(plain, await house.token(await house.agent("chen")))
        await chen.put("/me/presence", json={"presence": "available"})
        missing = await chen.put("/me/presence", json={"presence": "busy"}, status=409)
        assert missing["error"]["field"] == "why"
        body = {"presence": "busy", "why": "会议"}
        assert (await chen.put("/me/presence", json=body))["presence"] == "available"
        (asked,) = await boss.get("/alerts")
        granted = await boss.post(f"/alerts/{asked['id']}/approve")
        assert granted["presence"] == "busy"
        assert (await boss.post(f"/alerts/{asked['id']}/decline", status=404))["error"]
