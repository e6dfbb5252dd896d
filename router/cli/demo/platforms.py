"""The platforms that the demonstration's daemon calls: WeChat, Weibo and Twilio, on one port.

They answer like the real ones as far as the daemon asks, keep what was sent, and pass it on to the
invented person whom it was sent to.
"""

import asyncio
import json
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from router.cli.demo.pictures import picture

LOOPBACK = "127.0.0.1"
_TOKEN_SECONDS = 7200


@dataclass(slots=True)
class Person:
    """What a platform knows of one of its users; ``inbox`` is what reached this person."""

    name: str = ""
    number: str = ""
    inbox: asyncio.Queue[str] = field(default_factory=asyncio.Queue)


class Platforms:
    """All three platforms; ``sent`` counts the messages that each has delivered."""

    def __init__(self) -> None:
        self.people: defaultdict[str, Person] = defaultdict(Person)
        self.sent: Counter[str] = Counter()
        self._tokens = 0

    def add_to(self, app: web.Application) -> None:
        """Add every address that the daemon calls."""
        app.add_routes(
            [
                web.post("/cgi-bin/stable_token", self._wechat_token),
                web.post("/cgi-bin/message/custom/send", self._wechat_send),
                web.post("/cgi-bin/media/upload", self._wechat_upload),
                web.get("/cgi-bin/media/get", self._picture),
                web.get("/cgi-bin/user/info", self._wechat_user),
                web.post("/2/messages/reply.json", self._weibo_reply),
                web.get("/2/mss/msget", self._picture),
                web.get("/2010-04-01/Accounts/{account}/Calls/{call}.json", self._twilio_call),
            ]
        )

    # ----- WeChat --------------------------------------------------------------------------------

    async def _wechat_token(self, _request: web.Request) -> web.Response:
        self._tokens += 1
        token = f"demo-token-{self._tokens}"
        return web.json_response({"access_token": token, "expires_in": _TOKEN_SECONDS})

    async def _wechat_send(self, request: web.Request) -> web.Response:
        message = json.loads(await request.read())
        if not request.query.get("access_token"):
            return web.json_response({"errcode": 41001, "errmsg": "access_token missing"})
        self._deliver("wechat", str(message["touser"]), _words_of(message))
        return web.json_response({"errcode": 0, "errmsg": "ok"})

    async def _wechat_upload(self, request: web.Request) -> web.Response:
        await request.read()
        self.sent["wechat-media"] += 1
        media = f"demo-media-{self.sent['wechat-media']}"
        return web.json_response({"type": request.query.get("type", ""), "media_id": media})

    async def _wechat_user(self, request: web.Request) -> web.Response:
        openid = request.query.get("openid", "")
        name = self.people[openid].name
        return web.json_response({"subscribe": 1, "openid": openid, "remark": name})

    async def _picture(self, request: web.Request) -> web.Response:
        name = request.query.get("media_id") or request.query.get("fid", "")
        body = await asyncio.to_thread(picture, name)
        return web.Response(body=body, content_type="image/png")

    # ----- Weibo and Twilio ----------------------------------------------------------------------

    async def _weibo_reply(self, request: web.Request) -> web.Response:
        form = await request.post()
        if not form.get("access_token"):
            refused = {"error": "auth faild", "error_code": 21301}
            return web.json_response(refused, status=403)
        data = json.loads(str(form["data"]))
        self._deliver("weibo", str(form["receiver_id"]), str(data.get("text", "")))
        return web.json_response({"result": True, "receiver_id": str(form["receiver_id"])})

    async def _twilio_call(self, request: web.Request) -> web.Response:
        call = request.match_info["call"]
        known = self.people.get(call)
        if known is None:
            return web.json_response({"code": 20404, "status": 404}, status=404)
        return web.json_response(
            {"sid": call, "direction": "inbound", "from": known.number, "to": "+8657100000000"}
        )

    def _deliver(self, platform: str, recipient: str, words: str) -> None:
        self.sent[platform] += 1
        self.people[recipient].inbox.put_nowait(words)


def _words_of(message: Mapping[str, Any]) -> str:
    """Return the words of a customer-service message of WeChat."""
    kind = str(message.get("msgtype", ""))
    body = message.get(kind, {})
    words = body.get("content") or body.get("head_content") or f"[{kind}]"
    return str(words)


@asynccontextmanager
async def serving(platforms: Platforms) -> AsyncIterator[str]:
    """Serve the platforms on a free port of the loopback address, which is yielded."""
    app = web.Application()
    platforms.add_to(app)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, LOOPBACK, 0)
        await site.start()
        port = runner.addresses[0][1]
        yield f"http://{LOOPBACK}:{port}"
    finally:
        await runner.cleanup()
