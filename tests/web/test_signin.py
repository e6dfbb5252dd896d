"""The door: who gets in, for how long, and which forms are believed."""

from datetime import timedelta

from aiohttp import ClientResponse, ClientSession

from router.domain.workforce import Role
from router.service import people
from tests.web.house import PASSWORD, House, sign_in


async def test_whoever_is_not_signed_in_is_sent_to_the_door_and_back_afterwards(
    house: House, client: ClientSession
) -> None:
    await house.agent("chen")
    answer = await client.get("/desk?x=1", allow_redirects=False)
    assert answer.headers["Location"] == "/signin?next=%2Fdesk%3Fx%3D1"
    given = {"login": "chen", "password": PASSWORD, "next": "/desk?x=1"}
    inside = await client.post("/signin", data=given, allow_redirects=False)
    assert (inside.status, inside.headers["Location"]) == (303, "/desk?x=1")


async def test_nobody_is_sent_to_a_foreign_page_after_signing_in(
    house: House, client: ClientSession
) -> None:
    await house.agent("chen")
    for foreign in ("https://evil.example/", "//evil.example/", "/\\evil.example"):
        given = {"login": "chen", "password": PASSWORD, "next": foreign}
        answer = await client.post("/signin", data=given, allow_redirects=False)
        assert answer.headers["Location"] == "/"


async def test_the_session_cookie_is_kept_from_scripts_and_other_sites(
    house: House, client: ClientSession
) -> None:
    await house.agent("chen")
    await sign_in(client, "chen")
    cookie = next(each for each in client.cookie_jar if each.key == "mainstem_session")
    assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")


async def test_a_wrong_password_and_an_unknown_login_are_refused_alike(
    house: House, client: ClientSession
) -> None:
    await house.agent("chen")
    wrong = await client.post("/signin", data={"login": "chen", "password": "guess"})
    unknown = await client.post("/signin", data={"login": "nobody", "password": "guess"})
    assert (wrong.status, unknown.status) == (401, 401)
    assert (await wrong.text()).replace("chen", "") == (await unknown.text()).replace("nobody", "")


async def test_who_guesses_must_wait_and_then_may_try_again(
    house: House, client: ClientSession
) -> None:
    await house.agent("chen")
    for _ in range(5):
        assert (await _try(client, "guess")).status == 401
    assert (await _try(client, PASSWORD)).status == 429
    house.clock.advance(timedelta(minutes=1))
    assert (await _try(client, PASSWORD)).status == 303


async def _try(client: ClientSession, password: str) -> ClientResponse:
    given = {"login": "chen", "password": password}
    return await client.post("/signin", data=given, allow_redirects=False)


async def test_a_form_without_our_own_mark_changes_nothing(
    house: House, client: ClientSession
) -> None:
    await house.agent("chen")
    csrf = await sign_in(client, "chen")
    assert (await client.post("/signout", allow_redirects=False)).status == 403
    assert (await client.get("/me")).status == 200
    forged = await client.post("/signout", data={"csrf": csrf[::-1]}, allow_redirects=False)
    assert forged.status == 403
    right = await client.post("/signout", data={"csrf": csrf}, allow_redirects=False)
    assert right.status == 303
    assert (await client.get("/me", allow_redirects=False)).status == 303


async def test_the_mark_may_come_in_a_header_as_htmx_sends_it(
    house: House, client: ClientSession
) -> None:
    await house.agent("chen")
    csrf = await sign_in(client, "chen")
    headers = {"X-CSRF-Token": csrf, "HX-Request": "true"}
    answer = await client.post("/signout", headers=headers)
    assert (answer.status, answer.headers["HX-Redirect"]) == (204, "/signin")


async def test_the_one_time_password_lets_nobody_further_than_a_new_one(
    house: House, client: ClientSession
) -> None:
    await house.agent("admin", Role.ADMIN, must_change=True)
    csrf = await sign_in(client, "admin")
    for path in ("/", "/queues", "/people"):
        answer = await client.get(path, allow_redirects=False)
        assert (answer.status, answer.headers["Location"]) == (303, "/password")
    assert (await client.get("/api/v1/me")).status == 403
    new = "an even longer password"
    given = {"csrf": csrf, "current": PASSWORD, "new": new, "again": new}
    assert (await client.post("/password", data=given, allow_redirects=False)).status == 303
    assert (await client.get("/api/v1/me")).status == 200


async def test_a_new_password_must_be_new_long_enough_and_meant(
    house: House, client: ClientSession
) -> None:
    await house.agent("chen")
    csrf = await sign_in(client, "chen")
    for current, new, again in (
        ("wrong", "a brand new password", "a brand new password"),
        (PASSWORD, "short", "short"),
        (PASSWORD, PASSWORD, PASSWORD),
        (PASSWORD, "a brand new password", "a brand old password"),
    ):
        given = {"csrf": csrf, "current": current, "new": new, "again": again}
        answer = await client.post("/password", data=given, allow_redirects=False)
        assert answer.status == 409


async def test_a_changed_password_ends_every_other_session(
    house: House, client: ClientSession
) -> None:
    await house.agent("chen")
    csrf = await sign_in(client, "chen")
    async with house.browser() as elsewhere:
        await sign_in(elsewhere, "chen")
        new = "an even longer password"
        given = {"csrf": csrf, "current": PASSWORD, "new": new, "again": new}
        await client.post("/password", data=given, allow_redirects=False)
        assert (await client.get("/me", allow_redirects=False)).status == 200
        assert (await elsewhere.get("/me", allow_redirects=False)).status == 303


async def test_who_is_let_go_is_out_at_once_and_their_work_goes_back_in_line(
    house: House, client: ClientSession
) -> None:
    boss = await house.agent("boss", Role.ADMIN)
    chen = await house.agent("chen")
    await sign_in(client, "chen")
    conversation = await house.wechat_says(client, "桌子坏了")
    await house.give(conversation, chen)
    case = await house.complaint(conversation, chen, "桌子坏了")
    await house.store.transact(
        people.edit_agent,
        agent=chen.id,
        name=chen.name,
        role=chen.role,
        skills={},
        families=frozenset(),
        languages=frozenset(),
        capacity=1.0,
        active=False,
        by=boss.id,
        policy=house.deps.policy,
        at=house.clock.now(),
    )
    assert (await client.get("/me", allow_redirects=False)).status == 303
    (held,) = await house.open()
    assert type(held.state).__name__ == "Queued"
    headers = await house.token(boss)
    shown = await (await client.get(f"/api/v1/cases/{case}", headers=headers)).json()
    assert shown["story"]["card"]["case"]["owner"] is None
    assert shown["story"]["card"]["case"]["queue"] == house.deps.policy.case_queue


async def test_an_agent_sees_no_page_of_supervisors(house: House, client: ClientSession) -> None:
    await house.agent("chen")
    await sign_in(client, "chen")
    for path in ("/queues", "/people", "/trouble"):
        assert (await client.get(path)).status == 403


async def test_the_door_speaks_the_readers_language(client: ClientSession) -> None:
    for header, words in (("zh-CN,zh;q=0.9,en;q=0.8", "zh-CN"), ("en-GB,en;q=0.9", "en")):
        page = await (await client.get("/signin", headers={"Accept-Language": header})).text()
        assert f'<html lang="{words}"' in page


async def test_every_answer_carries_the_headers_that_keep_a_browser_safe(
    client: ClientSession,
) -> None:
    for path in ("/signin", "/nowhere", "/static/app.css"):
        answer = await client.get(path)
        policy = answer.headers["Content-Security-Policy"]
        assert "script-src 'self'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    widget = await client.get("/static/chat/widget.js")
    assert widget.headers["Access-Control-Allow-Origin"] == "*"
    assert "frame-ancestors" not in widget.headers["Content-Security-Policy"]
