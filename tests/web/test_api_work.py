"""A shop's whole work, done through the API."""

import asyncio

from aiohttp import ClientSession

from router.domain.ids import QueueName
from router.domain.reading import Entity, EntityKind
from router.domain.workforce import Role
from router.service.cases import open_by_hand
from router.service.suspect import learn_from_words
from tests.builders import a_reading
from tests.web.house import PASSWORD, House
from tests.web.program import Program

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 64


async def test_a_conversation_is_found_taken_answered_and_wrapped_up(
    house: House, boss: Program
) -> None:
    conversation = await house.wechat_says(boss.client, "桌子坏了")
    found = await boss.get("/conversations?words=桌子&state=Queued")
    assert [each["conversation"]["id"] for each in found["conversations"]] == [conversation]
    path = f"/conversations/{conversation}"
    refused = await boss.post(f"{path}/replies", json={"text": "您好"}, status=409)
    assert refused["error"]["code"] == "not_yours"
    taken = await boss.post(f"{path}/take-over")
    assert taken["state"]["kind"] == "WithAgent"
    said = await boss.post(f"{path}/replies", json={"text": "马上处理"}, status=201)
    assert said["interaction"]["sending"] == "queued"
    await boss.post(f"{path}/notes", json={"text": "仓库缺货"}, status=201)
    assert (await boss.post(f"{path}/park", json={"minutes": 15}))["state"]["kind"] == "Parked"
    assert (await boss.post(f"{path}/resume"))["state"]["kind"] == "WithAgent"
    assert (await boss.post(f"{path}/finish"))["state"]["kind"] == "WrapUp"
    closed = await boss.post(f"{path}/wrap-up", json={"disposition": "answered"})
    assert closed["state"]["kind"] == "Closed"
    opened = await boss.get(path)
    assert [each["content"]["text"] for each in opened["said"]] == [
        "桌子坏了",
        "马上处理",
        "仓库缺货",
    ]
    assert [each["kind"] for each in opened["decisions"]] == ["by_hand"]


async def test_a_reply_that_is_sent_twice_with_one_key_is_one_reply(
    house: House, boss: Program
) -> None:
    conversation = await house.wechat_says(boss.client, "桌子坏了")
    path = f"/conversations/{conversation}"
    await boss.post(f"{path}/take-over")
    answers = await asyncio.gather(
        *(
            boss.post(f"{path}/replies", json={"text": "好"}, key="k-1", status=201)
            for _ in range(3)
        )
    )
    assert len({each["interaction"]["id"] for each in answers}) == 1
    await boss.post(f"{path}/replies", json={"text": "好"}, key="k-2", status=201)
    assert len(await house.said(conversation)) == 3


async def test_a_posted_file_is_sent_and_can_be_seen_with_the_same_token(
    house: House, boss: Program
) -> None:
    conversation = await house.wechat_says(boss.client, "说明书有吗")
    path = f"/conversations/{conversation}"
    await boss.post(f"{path}/take-over")
    file = await boss.post("/media?name=manual.png", data=PNG, status=201)
    body = {"media": file["media"], "text": "请看"}
    said = await boss.post(f"{path}/replies", json=body, status=201)
    content = said["interaction"]["content"]
    assert (content["kind"], content["media_kind"], content["text"]) == ("media", "image", "请看")
    seen = await boss.client.get(f"/media/{content['media']}", headers=boss.headers)
    assert (seen.status, await seen.read()) == (200, PNG)
    missing = await boss.post(f"{path}/replies", json={"media": "none"}, status=409)
    assert missing["error"]["field"] == "media"


async def test_a_supervisor_moves_raises_assigns_and_closes(
    house: House, boss: Program, chen: Program
) -> None:
    conversation = await house.wechat_says(boss.client, "桌子坏了")
    path = f"/conversations/{conversation}"
    assert (await boss.put(f"{path}/priority", json={"priority": 2}))["priority"] == 2
    queue = next(name for name in house.deps.policy.queues if name != "general")
    assert (await boss.post(f"{path}/requeue", json={"queue": queue}))["queue"] == queue
    me = (await chen.get("/me"))["agent"]["id"]
    given = await boss.post(f"{path}/assign", json={"agent": me})
    assert given["state"]["agent"] == me
    assert [each["conversation"]["id"] for each in (await chen.get("/desk"))["mine"]] == [
        conversation
    ]
    body = {"queue": "general", "why": "换人"}
    moved = await chen.post(f"{path}/transfer", json=body)
    assert moved["state"]["kind"] == "Queued"
    assert (await boss.post(f"{path}/close", json={"why": "广告"}))["state"]["kind"] == "Closed"


async def test_lists_are_paged_by_key(house: House, boss: Program) -> None:
    for number in range(5):
        await house.wechat_says(boss.client, "你好", number, f"o-{number}")
    seen: list[str] = []
    after = ""
    while True:
        page = await boss.get(f"/conversations?limit=2&after={after}")
        seen += [each["conversation"]["external_id"] for each in page["conversations"]]
        after = page["next"]
        if not after:
            break
    assert seen == [f"o-{number}" for number in range(5)]


async def test_a_timeline_is_read_back_page_by_page(house: House, boss: Program) -> None:
    for number in range(5):
        conversation = await house.wechat_says(boss.client, f"第{number}句", number)
    contact = (await boss.get(f"/conversations/{conversation}"))["card"]["contact"]
    seen: list[str] = []
    before = ""
    while True:
        options = {"params": {"limit": 2, "before": before}}
        page = await boss.get(f"/contacts/{contact}/timeline", **options)
        seen += [each["content"]["text"] for each in page["interactions"]]
        before = page["next"]
        if not before:
            break
    assert seen == [f"第{number}句" for number in reversed(range(5))]
    found = await boss.get(f"/contacts/{contact}/timeline?words=第3")
    assert [each["content"]["text"] for each in found["interactions"]] == ["第3句"]


async def test_two_contacts_are_made_one_and_two_again(house: House, boss: Program) -> None:
    one = await house.wechat_says(boss.client, "我是小王", 1, "o-one")
    two = await house.wechat_says(boss.client, "还是小王", 2, "o-two")
    keep, fold = [
        (await boss.get(f"/conversations/{each}"))["card"]["contact"] for each in (one, two)
    ]
    merge = await boss.post(f"/contacts/{keep}/merge", json={"contact": fold, "why": "同一电话"})
    person = await boss.get(f"/contacts/{fold}")
    assert set(person["members"]) == {keep, fold}
    assert len(person["conversations"]) == 2
    undone = await boss.post(f"/merges/{merge['id']}/split")
    assert undone["undone_at"]
    assert (await boss.get(f"/contacts/{fold}"))["members"] == [fold]
    again = await boss.post(f"/merges/{merge['id']}/split", status=409)
    assert again["error"]["code"] == "cannot_split"


async def test_who_is_probably_the_same_person_is_decided_by_a_colleague(
    house: House, boss: Program
) -> None:
    contacts = []
    for number, sender in enumerate(("o-one", "o-two")):
        conversation = await house.wechat_says(boss.client, "你好", number, sender)
        contact = (await boss.get(f"/conversations/{conversation}"))["card"]["contact"]
        contacts.append(contact)
        await house.store.transact(
            learn_from_words,
            (await house.said(conversation))[0],
            a_reading(entities=(Entity(kind=EntityKind.PHONE, value="+8613800138000"),)),
            external_id=sender,
            policy=house.deps.policy,
            at=house.clock.now(),
        )
    (proposal,) = await boss.get(f"/contacts/{contacts[0]}/proposals")
    assert (proposal["contact"], proposal["evidence"]) == (contacts[1], "phone")
    await boss.post(f"/proposals/{proposal['id']}/accept", status=204)
    assert set((await boss.get(f"/contacts/{contacts[0]}"))["members"]) == set(contacts)
    late = await boss.post(f"/proposals/{proposal['id']}/reject", status=409)
    assert late["error"]["code"] == "illegal_step"


async def test_a_contact_is_corrected_and_found(house: House, boss: Program) -> None:
    conversation = await house.wechat_says(boss.client, "你好")
    contact = (await boss.get(f"/conversations/{conversation}"))["card"]["contact"]
    await boss.ask("PATCH", f"/contacts/{contact}", json={"name": "王小明"})
    changed = await boss.ask("PATCH", f"/contacts/{contact}", json={"vip": True})
    assert (changed["name"], changed["vip"]) == ("王小明", True)
    claim = {
        "account": "wechat",
        "external_id": "o-lin",
        "kind": "phone",
        "value": "+8613800138000",
    }
    await boss.post(f"/contacts/{contact}/claims", json=claim)
    assert [each["id"] for each in await boss.get("/contacts?words=13800138000")] == [contact]
    stranger = claim | {"external_id": "o-nobody"}
    await boss.post(f"/contacts/{contact}/claims", json=stranger, status=404)


async def test_a_case_is_opened_acknowledged_resolved_and_reopened(
    house: House, boss: Program
) -> None:
    conversation = await house.wechat_says(boss.client, "桌子坏了")
    contact = (await boss.get(f"/conversations/{conversation}"))["card"]["contact"]
    body = {"severity": 2, "topic": "logistics", "summary": "桌腿断了"}
    case = await boss.post(f"/contacts/{contact}/cases", json=body, status=201)
    path = f"/cases/{case['id']}"
    early = await boss.post(f"{path}/resolve", json={"resolution": "replaced"}, status=409)
    assert early["error"]["code"] == "case_still_open"
    assert (await boss.post(f"{path}/acknowledge"))["status"] == "acknowledged"
    corrected = {"severity": 3, "topic": "product", "order": "A1001"}
    assert (await boss.post(f"{path}/correct", json=corrected))["severity"] == 3
    await boss.post(f"{path}/enqueue", json={"queue": "nowhere"}, status=409)
    queue = QueueName(house.deps.policy.case_queue)
    assert (await boss.post(f"{path}/enqueue", json={"queue": queue}))["owner"] is None
    me = (await boss.get("/me"))["agent"]["id"]
    assert (await boss.post(f"{path}/own", json={"agent": me}))["owner"] == me
    assert [each["case"]["id"] for each in await boss.get(f"/cases?owner={me}")] == [case["id"]]
    resolved = await boss.post(f"{path}/resolve", json={"resolution": "replaced"})
    assert (resolved["status"], resolved["due_at"]) == ("resolved", None)
    assert (await boss.post(f"{path}/reopen"))["reopened"] == 1
    kinds = [each["kind"] for each in (await boss.get(path))["history"]]
    assert kinds[0] == "case_opened"
    assert kinds[-1] == "case_reopened"


async def test_a_case_says_which_shop_it_concerns_and_is_found_by_it(
    house: House, boss: Program
) -> None:
    said = "你们的沙发送来就是坏的，打了三次电话没人管，我要投诉！"
    conversation = await house.wechat_says(boss.client, said)
    card = (await boss.get(f"/conversations/{conversation}"))["card"]
    here = card["conversation"]["account"]
    body = {"severity": 2, "topic": "logistics", "summary": "桌腿断了"}
    path = f"/contacts/{card['contact']}/cases"
    written = await boss.post(path, json={**body, "shop": here}, status=201)
    assert written["shop"] == here
    unknown = await boss.post(path, json=body, status=201)
    assert unknown["shop"] == ""
    wrong = await boss.post(path, json={**body, "shop": "nowhere"}, status=409)
    assert wrong["error"]["field"] == "shop"

    found = await boss.get(f"/cases?shop={here}")
    assert [each["case"]["id"] for each in found] == [written["id"]]
    other = next(name for name in sorted(house.deps.accounts) if name != here)
    corrected = {"severity": 2, "topic": "logistics", "shop": other}
    path = f"/cases/{written['id']}/correct"
    assert (await boss.post(path, json=corrected))["shop"] == other
    assert (await boss.post(path, json={"severity": 2, "topic": "product"}))["shop"] == other
    assert await boss.get(f"/cases?shop={here}") == []


async def test_people_are_made_with_a_password_that_works_once(house: House, boss: Program) -> None:
    body = {"login": "li", "name": "李雷", "skills": {"complaint": 4}, "languages": ["zh"]}
    made = await boss.post("/agents", json=body, status=201)
    async with house.browser() as browser:
        password = made["one_time_password"]
        given = {"login": "li", "password": password}
        answer = await browser.post("/signin", data=given, allow_redirects=False)
        assert answer.headers["Location"] == "/password"
    taken = await boss.post("/agents", json=body, status=409)
    assert taken["error"]["code"] == "invalid"
    wrong = body | {"login": "x", "skills": {"juggling": 5}}
    assert (await boss.post("/agents", json=wrong, status=409))["error"]["field"] == "skills"
    path = f"/agents/{made['agent']['id']}"
    edited = await boss.put(path, json={"name": "李雷", "skills": {}, "capacity": 2.0})
    assert edited["capacity"] == 2.0
    assert (await boss.put(f"{path}/presence", json={"presence": "away"}))["presence"] == "away"
    reset = await boss.post(f"{path}/password")
    assert reset["one_time_password"] != password


async def test_only_an_administrator_makes_administrators(
    house: House, client: ClientSession
) -> None:
    wang = Program(client, await house.token(await house.agent("wang", Role.SUPERVISOR)))
    body = {"login": "x", "name": "X", "role": "admin"}
    refused = await wang.post("/agents", json=body, status=409)
    assert refused["error"]["field"] == "role"


async def test_ones_own_password_is_changed_only_by_who_knows_it(chen: Program) -> None:
    new = "an even longer password"
    wrong = await chen.put("/me/password", json={"current": "x", "new": new}, status=409)
    assert wrong["error"]["code"] == "wrong_password"
    await chen.put("/me/password", json={"current": PASSWORD, "new": new}, status=204)
    await chen.put("/me/language", json={"language": "zh"}, status=204)
    assert (await chen.get("/me"))["language"] == "zh"


async def test_articles_are_written_published_and_refused_when_stale(boss: Program) -> None:
    body = {"questions": ["怎么退货"], "answer_zh": "七天内可退。"}
    made = await boss.post("/articles", json=body, status=201)
    path = f"/articles/{made['id']}"
    assert (await boss.put(f"{path}/state", json={"state": "published"}))["state"] == "published"
    stale = await boss.put(path, json=body | {"version": made["version"]}, status=409)
    assert stale["error"]["code"] == "conflict"
    assert [each["id"] for each in await boss.get("/articles?published=true&words=退货")] == [
        made["id"]
    ]


async def test_an_unreadable_delivery_can_be_looked_at_and_not_yet_read(boss: Program) -> None:
    path = "/hooks/wechat/0123456789abcdef?"
    query = "signature=218d6054833bff0f67d8a0628fde06cbff05891b&timestamp=1760000000"
    await boss.client.post(f"{path}{query}&nonce=1523490876", data=b"<xml><broken")
    (kept,) = await boss.get("/deliveries")
    raw = await boss.get(f"/deliveries/{kept['id']}")
    assert raw["body_b64"] == "PHhtbD48YnJva2Vu"
    refused = await boss.post(f"/deliveries/{kept['id']}/replay", status=409)
    assert "still not readable" in refused["error"]["message"]
    counts = await boss.get("/ignored")
    assert counts == [{"account": "wechat", "kind": "unreadable", "count": 1}]


async def test_alerts_are_listed_and_put_away(house: House, boss: Program) -> None:
    agent = await house.agent("li")
    conversation = await house.wechat_says(boss.client, "桌子坏了")
    await house.give(conversation, agent)
    li = Program(boss.client, await house.token(agent))
    contact = (await li.get(f"/conversations/{conversation}"))["card"]["contact"]
    await house.store.transact(
        open_by_hand,
        contact=contact,
        severity=2,
        topic="product",
        summary="桌腿断了",
        by=agent.id,
        policy=house.deps.policy,
        at=house.clock.now(),
    )
    for alert in await li.get("/alerts"):
        await li.post(f"/alerts/{alert['id']}/seen", status=204)
    assert await li.get("/alerts") == []


async def test_accounts_are_shown_without_their_secrets(boss: Program) -> None:
    text = str(await boss.get("/accounts"))
    assert "wxAppSecretDemo" not in text
    assert "pam-webchat-identity" not in text
    assert "/hooks/wechat" in text


async def test_the_policy_in_force_is_said(house: House, chen: Program) -> None:
    said = await chen.get("/policy")
    assert said["case_queue"] == house.deps.policy.case_queue
    assert set(said["clocks"]) == {"1", "2", "3"}


async def test_the_board_and_its_queues_agree(house: House, boss: Program) -> None:
    await house.wechat_says(boss.client, "桌子坏了")
    board = await boss.get("/board")
    assert board["waiting_total"] == 1
    assert await boss.get("/queues") == board["queues"]
    assert await boss.get("/outbox") == []


async def test_who_may_read_an_answer_can_be_chosen_where_there_is_a_choice(
    house: House, boss: Program
) -> None:
    conversation = await house.wechat_says(boss.client, "桌子坏了")
    path = f"/conversations/{conversation}"
    await boss.post(f"{path}/take-over")
    opened = await boss.get(path)
    assert [(each["audience"], each["room"]["allowed"]) for each in opened["ways"]] == [
        ("private", True)
    ]
    body = {"text": "马上处理", "audience": "public"}
    refused = await boss.post(f"{path}/replies", json=body, status=409)
    assert refused["error"]["field"] == "audience"
    said = await boss.post(f"{path}/replies", json={**body, "audience": "private"}, status=201)
    assert said["interaction"]["public"] is False


async def test_every_account_says_where_its_deliveries_arrive(boss: Program) -> None:
    where = {each["name"]: each["address"] for each in await boss.get("/accounts")}
    assert where == {
        "wechat": "https://mainstem.example/hooks/wechat/…",
        "chat": "https://mainstem.example/ws/v1",
        "phone": "https://mainstem.example/v1/transcripts",
    }
