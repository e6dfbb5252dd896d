"""Web chat: hello, say, be answered, come back; over a real socket and the real adapter."""

from datetime import timedelta

from aiohttp import ClientSession

from router.channel.contract import Outbound, Speaker
from router.domain.content import Text
from router.domain.ids import AccountName, ConversationId
from router.service import delivery, desk
from router.service.records import OutboxState
from router.service.reply import note, reply
from router.web.live import HUB
from router.web.sockets import SOCKETS
from tests.web.house import House, Talking, listening, sign_in

CHAT = AccountName("chat")


async def _said(visitor: Talking, words: str, key: str = "m1") -> dict[str, object]:
    await visitor.say("send", id=f"f-{key}", client_msg_id=key, type="text", text=words)
    return await visitor.hear_op("ack")


def _member(house: House, member: str = "crm-1", phone: str = "+8613800138000") -> str:
    adapter = house.deps.accounts[CHAT].adapter
    token: str = adapter.issue(
        member=member, name="王小明", phone=phone, at=house.clock.now(), lasts=timedelta(hours=1)
    )
    return token


async def _push(house: House, conversation: ConversationId, words: str) -> None:
    """Do what the sender does with an answer."""
    (said,) = [each for each in await house.said(conversation) if each.content == Text(text=words)]
    held = next(each for each in await house.open() if each.id == conversation)
    message = Outbound(
        id=said.id,
        recipient=held.external_id,
        content=said.content,
        at=said.at,
        by=Speaker.AGENT,
        speaker_name=said.author_name,
        conversation=conversation,
        seq=said.seq,
    )
    for call in house.deps.accounts[CHAT].adapter.encode(message):
        assert (await house.app[SOCKETS].push(CHAT, call)).status == 202


async def _answer(house: House, words: str) -> ConversationId:
    """Let an agent take the only conversation and answer in it."""
    (held,) = await house.open()
    agent = await house.agent("chen")
    await house.give(held.id, agent)
    await house.store.transact(
        reply,
        conversation=held.id,
        by=agent.id,
        content=Text(text=words),
        capabilities=house.deps.able(CHAT),
        at=house.clock.now(),
    )
    return held.id


async def test_a_visitor_is_welcomed_and_what_they_say_is_acknowledged_after_the_commit(
    house: House, client: ClientSession
) -> None:
    async with house.visitor(client) as visitor:
        welcome = await visitor.hello()
        assert (welcome["op"], welcome["verified"]) == ("welcome", False)
        ack = await _said(visitor, "椅子坏了")
    (held,) = await house.open()
    (said,) = await house.said(held.id)
    assert (ack["message_id"], ack["seq"], ack["re"]) == (said.id, 1, "f-m1")


async def test_a_message_sent_again_is_one_message_with_the_same_acknowledgement(
    house: House, client: ClientSession
) -> None:
    async with house.visitor(client) as visitor:
        await visitor.hello()
        first = await _said(visitor, "椅子坏了")
        again = await _said(visitor, "椅子坏了")
    assert (first["message_id"], first["seq"]) == (again["message_id"], again["seq"])
    (held,) = await house.open()
    assert len(await house.said(held.id)) == 1


async def test_the_visitors_cookie_is_out_of_scripts_reach_and_finds_the_conversation_again(
    house: House, client: ClientSession
) -> None:
    async with house.visitor(client) as visitor:
        await visitor.hello()
        await _said(visitor, "椅子坏了")
    cookie = next(each for each in client.cookie_jar if each.key == "mainstem_visitor")
    assert (cookie["httponly"], cookie["path"]) == (True, "/ws/")
    async with house.visitor(client) as visitor:
        welcome = await visitor.hello()
        assert welcome["conversation_id"]
        history = await visitor.hear()
    assert (history["op"], history["text"], history["client_msg_id"]) == (
        "message",
        "椅子坏了",
        "m1",
    )


async def test_an_answer_reaches_the_open_socket_and_who_answers_is_said(
    house: House, client: ClientSession
) -> None:
    async with house.visitor(client) as visitor:
        await visitor.hello()
        await _said(visitor, "椅子坏了")
        conversation = await _answer(house, "马上为您换新")
        assert (await visitor.hear_op("assigned"))["from"]["name"] == "Chen"
        await _push(house, conversation, "马上为您换新")
        message = await visitor.hear_op("message")
    assert (message["text"], message["from"]["role"], message["seq"]) == (
        "马上为您换新",
        "agent",
        2,
    )


async def test_what_was_missed_is_replayed_and_what_was_shown_is_not(
    house: House, client: ClientSession
) -> None:
    async with house.visitor(client) as visitor:
        await visitor.hello()
        await _said(visitor, "椅子坏了")
    conversation = await _answer(house, "马上为您换新")
    async with house.visitor(client) as visitor:
        welcome = await visitor.hello(conversation_id=conversation, last_seq=1)
        assert welcome["seq"] == 2
        missed = await visitor.hear()
        assert (missed["op"], missed["text"]) == ("message", "马上为您换新")
        ack = await _said(visitor, "谢谢", "m2")
    assert ack["seq"] == 3


async def test_notes_between_colleagues_never_reach_the_visitor(
    house: House, client: ClientSession
) -> None:
    async with house.visitor(client) as visitor:
        await visitor.hello()
        await _said(visitor, "椅子坏了")
    conversation = await _answer(house, "马上为您换新")
    (agent,) = await house.store.read(lambda unit: unit.workforce.all())
    await house.store.transact(
        note,
        conversation=conversation,
        by=agent.id,
        text="难缠的客人",
        at=house.clock.now(),
    )
    async with house.visitor(client) as visitor:
        await visitor.hello()
        heard = [await visitor.hear() for _ in range(2)]
        ack = await _said(visitor, "在吗", "m2")
    assert [frame["text"] for frame in heard] == ["椅子坏了", "马上为您换新"]
    assert ack["seq"] == 4


async def test_somebody_elses_conversation_is_not_replayed(house: House) -> None:
    async with house.browser() as one, house.visitor(one) as visitor:
        await visitor.hello()
        await _said(visitor, "我的秘密")
    (held,) = await house.open()
    async with house.browser() as other, house.visitor(other) as visitor:
        welcome = await visitor.hello(conversation_id=held.id, last_seq=0)
        assert (welcome["conversation_id"], welcome["seq"]) == ("", 0)
        assert (await _said(visitor, "你好"))["seq"] == 1


async def test_a_signed_identity_is_welcomed_by_name_and_a_forged_one_is_shown_the_door(
    house: House, client: ClientSession
) -> None:
    token = _member(house)
    async with house.visitor(client) as visitor:
        await visitor.say("hello", identity={"mode": "jwt", "token": token})
        welcome = await visitor.hear()
        assert (welcome["verified"], welcome["name"]) == (True, "王小明")
    async with house.visitor(client) as visitor:
        await visitor.say("hello", identity={"mode": "jwt", "token": token[:-4] + "AAAA"})
        assert await visitor.closed_with() == 1008


async def test_what_was_said_before_signing_in_is_not_shown_to_the_next_one_at_the_computer(
    house: House, client: ClientSession
) -> None:
    async with house.visitor(client) as visitor:
        await visitor.hello()
        await _said(visitor, "我的秘密")
    async with house.visitor(client) as visitor:
        await visitor.say("hello", identity={"mode": "jwt", "token": _member(house)})
        welcome = await visitor.hear_op("welcome")
    assert (welcome["conversation_id"], welcome["seq"]) == ("", 0)


async def test_who_signs_in_goes_on_in_the_conversation_that_began_before(
    house: House, client: ClientSession
) -> None:
    async with house.visitor(client) as visitor:
        await visitor.hello()
        await _said(visitor, "椅子坏了")
        identity = {"mode": "jwt", "token": _member(house)}
        await visitor.say("hello", identity=identity)
        assert (await visitor.hear_op("welcome"))["verified"]
    async with house.visitor(client) as visitor:  # the next page of the shop
        await visitor.say("hello", identity=identity)
        welcome = await visitor.hear_op("welcome")
        assert welcome["verified"]
        assert (await visitor.hear_op("message"))["text"] == "椅子坏了"
        ack = await _said(visitor, "是我", "m2")
    (held,) = await house.open()
    assert (welcome["conversation_id"], ack["seq"]) == (held.id, 2)
    claims = await house.store.read(
        lambda unit: unit.contacts.claims(unit.contacts.members(held.contact))
    )
    assert "crm-1" in {known.claim.value for known in claims}


async def test_the_other_tabs_of_a_visitor_show_what_was_said_in_one(house: House) -> None:
    identity = {"mode": "jwt", "token": _member(house)}
    async with (
        house.browser() as client,
        house.visitor(client) as one,
        house.visitor(client) as two,
    ):
        for visitor in (one, two):
            await visitor.say("hello", identity=identity)
            await visitor.hear_op("welcome")
        await _said(one, "两个窗口")
        shown = await two.hear_op("message")
    assert (shown["text"], shown["from"]["role"]) == ("两个窗口", "customer")


async def test_a_recalled_message_is_taken_back_everywhere(
    house: House, client: ClientSession
) -> None:
    async with house.visitor(client) as visitor:
        await visitor.hello()
        await _said(visitor, "说错了")
        await visitor.say("recall", client_msg_id="m1")
        taken = await visitor.hear_op("recalled")
    assert taken["client_msg_id"] == "m1"
    (held,) = await house.open()
    (said,) = await house.said(held.id)
    assert said.recalled_at is not None


async def test_the_end_of_a_conversation_is_told(house: House, client: ClientSession) -> None:
    async with house.visitor(client) as visitor:
        await visitor.hello()
        await _said(visitor, "椅子坏了")
        conversation = await _answer(house, "好了")
        (agent,) = await house.store.read(lambda unit: unit.workforce.all())
        await house.store.transact(
            desk.wrap_up,
            conversation=conversation,
            by=agent.id,
            disposition="answered",
            text="",
            at=house.clock.now(),
        )
        ended = await visitor.hear_op("ended")
    assert ended["conversation_id"] == conversation


async def test_a_message_that_cannot_be_taken_now_is_asked_for_again(
    house: House, client: ClientSession
) -> None:
    async with house.visitor(client) as visitor:
        await visitor.hello()
        house.deps.intake.stop()
        await visitor.say("send", id="f", client_msg_id="m1", type="text", text="在吗")
        error = await visitor.hear_op("error")
    assert (error["code"], error["re"]) == ("busy", "f")
    assert error["retry_after"] > 0


async def test_typing_is_seen_on_both_sides(house: House, client: ClientSession) -> None:
    agent = await house.agent("li")
    headers = await house.token(agent)
    await sign_in(client, "li")
    async with house.visitor(client) as visitor:
        await visitor.hello()
        await _said(visitor, "在吗")
        (held,) = await house.open()
        await house.give(held.id, agent)
        async with listening(client, f"typing:{held.id}") as stream:
            await visitor.say("typing")
            await stream.until(f"typing:{held.id}")
        await client.post(f"/api/v1/conversations/{held.id}/typing", headers=headers)
        assert (await visitor.hear_op("typing"))["from"]["name"] == "Li"


async def test_what_another_daemon_sent_is_shown_by_the_daemon_that_has_the_socket(
    house: House, client: ClientSession
) -> None:
    async with house.visitor(client) as visitor:
        await visitor.hello()
        await _said(visitor, "椅子坏了")
        await _answer(house, "马上为您换新")
        await visitor.hear_op("assigned")
        (row,) = await house.store.read(lambda unit: unit.outbox.listed([OutboxState.QUEUED]))
        before = await house.store.read(lambda unit: unit.journal.seq())
        await house.store.transact(
            delivery.accepted, row.id, part=0, parts=1, platform_id="", at=house.clock.now()
        )
        events = await house.store.read(lambda unit: unit.journal.events_since(before))
        house.app[HUB].notice(events)
        message = await visitor.hear_op("message")
    assert (message["text"], message["from"]["role"]) == ("马上为您换新", "agent")


async def test_nobody_takes_back_what_somebody_else_said(house: House) -> None:
    async with house.browser() as one, house.visitor(one) as visitor:
        welcome = await visitor.hello()
        ack = await _said(visitor, "我的话")
    external_id = f"{welcome['visitor_id']}:m1"
    async with house.browser() as other, house.visitor(other) as visitor:
        await visitor.hello()
        for name in (ack["message_id"], external_id, "unheard-of"):
            await visitor.say("recall", id="r", message_id=name)
            assert (await visitor.hear_op("error"))["code"] == "not_found"
    (held,) = await house.open()
    (said,) = await house.said(held.id)
    assert said.recalled_at is None


async def test_a_message_can_be_taken_back_by_the_name_we_gave_it(
    house: House, client: ClientSession
) -> None:
    async with house.visitor(client) as visitor:
        await visitor.hello()
        ack = await _said(visitor, "说错了")
        await visitor.say("recall", message_id=ack["message_id"])
        assert (await visitor.hear_op("recalled"))["message_id"] == ack["message_id"]
