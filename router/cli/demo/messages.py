"""Customers who write on WeChat and on Weibo, as those platforms push it to us."""

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable
from xml.sax.saxutils import escape

from router.cli.demo.scripts import Customer, Said, language_of
from router.cli.demo.signing import sealed, sha1_of
from router.cli.demo.stage import Stage

#: Seconds that a customer waits for an answer before the next words, and takes to write them.
PATIENCE = 12.0
WRITING = 3.0
#: Seconds until a customer who was answered says thanks, or leaves without.
STAYS = 600.0
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

Push = Callable[[Stage, str, Said], Awaitable[None]]


async def on_wechat(stage: Stage, customer: Customer) -> None:
    """Play a customer of the official account."""
    openid = "oDemo" + hashlib.sha256(customer.key.encode()).hexdigest()[:23]
    await _converse(stage, customer, openid, _push_wechat)


async def on_weibo(stage: Stage, customer: Customer) -> None:
    """Play a customer who writes to the shop's Weibo account."""
    digest = hashlib.sha256(customer.key.encode()).digest()
    sender = str(2_000_000_000 + int.from_bytes(digest[:4], "big") % 1_000_000_000)
    await _converse(stage, customer, sender, _push_weibo)


async def _converse(stage: Stage, customer: Customer, person: str, push: Push) -> None:
    """Say everything, wait a while for an answer each time, and say thanks in the end."""
    known = stage.platforms.people[person]
    known.name = customer.name
    for said in customer.says:
        await push(stage, person, said)
        await _answered(stage, known.inbox, PATIENCE)
        await stage.wait(WRITING)
    if await _answered(stage, known.inbox, STAYS):
        await stage.wait(2 * WRITING)
        await push(stage, person, Said(text=thanks(stage, customer)))


async def _answered(stage: Stage, inbox: "asyncio.Queue[str]", seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds / stage.pace):
            await inbox.get()
    except TimeoutError:
        return False
    return True


def thanks(stage: Stage, customer: Customer) -> str:
    """Return how a customer says goodbye, in the language of what was said before."""
    said = stage.scripts.thanks[language_of(customer.says[0].text or customer.name)]
    return said[len(customer.key) % len(said)]


# ----- WeChat ------------------------------------------------------------------------------------


async def _push_wechat(stage: Stage, openid: str, said: Said) -> None:
    if said.image:
        await _deliver_wechat(stage, openid, {"MsgType": "image", "MediaId": f"pic-{said.image}"})
    if said.text:
        await _deliver_wechat(stage, openid, {"MsgType": "text", "Content": said.text})


async def _deliver_wechat(stage: Stage, openid: str, fields: dict[str, str]) -> None:
    settings = stage.account("wechat").settings
    now = int(stage.clock.now().timestamp())
    fields = {
        "ToUserName": settings.raw_id,
        "FromUserName": openid,
        "CreateTime": str(now),
        **fields,
        "MsgId": str(now * 100_000 + next(stage.numbers)),
    }
    message = sealed(
        _xml(fields),
        aes_key=settings.encoding_aes_key,
        receiver=settings.appid,
        entropy=stage.ids.entropy(16),
    )
    timestamp, nonce = str(now), stage.ids.entropy(5).hex()
    query = {
        "signature": sha1_of(settings.token, timestamp, nonce),
        "timestamp": timestamp,
        "nonce": nonce,
        "openid": openid,
        "encrypt_type": "aes",
        "msg_signature": sha1_of(settings.token, timestamp, nonce, message),
    }
    body = _xml({"ToUserName": settings.raw_id, "Encrypt": message}).encode()
    headers = {"Content-Type": "text/xml"}
    await stage.bring(stage.hook("wechat"), params=query, data=body, headers=headers)


def _xml(fields: dict[str, str]) -> str:
    inside = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in fields.items())
    return f"<xml>{inside}</xml>"


# ----- Weibo -------------------------------------------------------------------------------------


async def _push_weibo(stage: Stage, sender: str, said: Said) -> None:
    settings = stage.account("weibo").settings
    now = stage.clock.now()
    date = (
        f"{_WEEKDAYS[now.weekday()]} {_MONTHS[now.month - 1]} {now.day:02d} "
        f"{now:%H:%M:%S} +0000 {now.year}"
    )
    picture = f"pic-{said.image}" if said.image else ""
    push = {
        "type": "image" if picture else "text",
        "receiver_id": settings.receiver_id,
        "sender_id": sender,
        "created_at": date,
        "text": said.text or "发了一张图片",
        "data": {"vfid": picture, "tovfid": picture} if picture else {},
    }
    timestamp, nonce = str(int(now.timestamp())), stage.ids.entropy(5).hex()
    query = {
        "signature": sha1_of(settings.app_secret, timestamp, nonce),
        "timestamp": timestamp,
        "nonce": nonce,
    }
    body = json.dumps(push, ensure_ascii=False).encode()
    headers = {"Content-Type": "application/json"}
    await stage.bring(stage.hook("weibo"), params=query, data=body, headers=headers)
