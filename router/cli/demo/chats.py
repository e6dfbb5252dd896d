"""Customers at the web chat: a WebSocket each, with the frames that the widget sends."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from router.cli.demo.messages import PATIENCE, STAYS, WRITING, thanks
from router.cli.demo.pictures import picture
from router.cli.demo.scripts import Customer, Said, language_of
from router.cli.demo.signing import member_token
from router.cli.demo.stage import Refusal, Stage

_SOON = 10.0


class Visitor:
    """One browser with the widget open."""

    def __init__(self, stage: Stage, customer: Customer, socket: Any) -> None:
        self._stage, self._customer, self._socket = stage, customer, socket
        self._waiting: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._last_sent = ""
        self.inbox: asyncio.Queue[str] = asyncio.Queue()

    async def listen(self) -> None:
        """Take in the server's frames until the socket ends."""
        async for message in self._socket:
            if message.type is not aiohttp.WSMsgType.TEXT:
                continue
            frame = json.loads(message.data)
            expected = self._waiting.pop(str(frame.get("re", "")), None)
            if expected is not None and not expected.done():
                expected.set_result(frame)
            elif frame["op"] == "message" and frame["from"]["role"] in ("agent", "bot"):
                await self._tell("read", seq=frame["seq"], ts=frame["ts"])
                self.inbox.put_nowait(str(frame.get("text", "")))

    async def hello(self) -> None:
        """Say who is there: a member with the shop's signature, or a stranger."""
        customer, settings = self._customer, self._stage.account("web-chat").settings
        identity: dict[str, Any] = {"mode": "anonymous", "name": customer.name}
        if customer.member:
            token = member_token(
                member=customer.member,
                name=customer.name,
                number=customer.number,
                issuer=settings.issuer,
                secret=settings.secret,
                now=self._stage.clock.now(),
            )
            identity = {"mode": "jwt", "token": token}
        language = language_of(customer.says[0].text or customer.name)
        await self._ask("hello", "welcome", identity=identity, locale=language, device="demo")

    async def say(self, said: Said) -> None:
        """Send words or a picture, or take back what was sent last."""
        if said.recall:
            await self._tell("recall", client_msg_id=self._last_sent)
            return
        await self._tell("typing")
        await self._stage.wait(1)
        self._last_sent = self._stage.ids.new()
        content: dict[str, Any] = {"type": "text", "text": said.text}
        if said.image:
            content = {"type": "image", "text": said.text, "attachment": await self._upload(said)}
        await self._ask("send", "ack", client_msg_id=self._last_sent, **content)

    async def _upload(self, said: Said) -> dict[str, Any]:
        body = await asyncio.to_thread(picture, said.image)
        file = {"name": f"{said.image}.png", "mime": "image/png", "size": len(body)}
        where = await self._ask("upload_request", "upload", **file)
        url = str(where["url"])
        if url.startswith("/"):
            url = self._stage.address(url)
        answer = await self._stage.bring(url, data=body, headers={"Content-Type": "image/png"})
        return {**file, "ref": json.loads(answer)["ref"]}

    async def _ask(self, op: str, answer: str, **fields: Any) -> dict[str, Any]:
        """Send a frame and return the frame that answers it, which must be an ``answer``."""
        name = f"f{next(self._stage.numbers)}"
        waiting = asyncio.get_running_loop().create_future()
        self._waiting[name] = waiting
        await self._tell(op, id=name, **fields)
        async with asyncio.timeout(_SOON):
            frame: dict[str, Any] = await waiting
        if frame["op"] != answer:
            raise Refusal(f"{op} was answered with {frame}")
        return frame

    async def _tell(self, op: str, **fields: Any) -> None:
        await self._socket.send_str(json.dumps({"v": 1, "op": op, **fields}, ensure_ascii=False))


async def on_webchat(stage: Stage, customer: Customer) -> None:
    """Play a visitor of the shop's page from hello to thanks."""
    async with _browser(stage, customer) as visitor:
        await visitor.hello()
        for said in customer.says:
            await visitor.say(said)
            if not said.recall:
                await _answered(stage, visitor, 2 if _recalls_next(customer, said) else PATIENCE)
            await stage.wait(WRITING)
        if await _answered(stage, visitor, STAYS):
            await stage.wait(2 * WRITING)
            await visitor.say(Said(text=thanks(stage, customer)))
            await stage.wait(STAYS)


def _recalls_next(customer: Customer, said: Said) -> bool:
    place = customer.says.index(said) + 1
    return place < len(customer.says) and customer.says[place].recall


async def _answered(stage: Stage, visitor: Visitor, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds / stage.pace):
            await visitor.inbox.get()
    except TimeoutError:
        return False
    return True


@asynccontextmanager
async def _browser(stage: Stage, customer: Customer) -> AsyncIterator[Visitor]:
    """Open the widget's socket as the demo shop's page does."""
    site = stage.account("web-chat").settings.site
    url = stage.address(f"/ws/v1?site={site}&fresh=1").replace("http", "ws", 1)
    origin = stage.settings.public_url
    async with (
        stage.http.ws_connect(url, protocols=("pam.v1",), origin=origin) as socket,
        asyncio.TaskGroup() as tasks,
    ):
        visitor = Visitor(stage, customer, socket)
        listening = tasks.create_task(visitor.listen(), name=f"visitor {customer.key}")
        try:
            yield visitor
        finally:
            listening.cancel()
