"""Speaks to the daemon as the platforms do: signed deliveries, and their APIs on loopback."""

import hashlib
import time
from dataclasses import dataclass

import aiohttp

WECHAT = """
channel = "wechat"
account = "wechat"
queue = "general"
path_secret = "path-secret-of-wechat-1"
[settings]
token = "wechat-token"
appid = "wx0123456789abcdef"
app_secret = "wechat-app-secret"
api_base = "{api}"
"""
WEIBO = """
channel = "weibo"
account = "weibo"
queue = "general"
path_secret = "path-secret-of-weibo-1"
[settings]
app_secret = "weibo-app-secret"
access_token = "weibo-access-token"
api_base = "{api}"
"""


@dataclass(frozen=True, slots=True)
class Wechat:
    """The WeChat Official Account platform, plain mode."""

    url: str

    async def write(
        self, http: aiohttp.ClientSession, sender: str, words: str, *, number: int
    ) -> int:
        """Deliver one text message; return the status, 0 if nobody answered."""
        body = (
            f"<xml><ToUserName><![CDATA[gh_shop]]></ToUserName>"
            f"<FromUserName><![CDATA[{sender}]]></FromUserName>"
            f"<CreateTime>{int(time.time())}</CreateTime><MsgType><![CDATA[text]]></MsgType>"
            f"<Content><![CDATA[{words}]]></Content><MsgId>{number}</MsgId></xml>"
        )
        stamp, nonce = str(int(time.time())), str(number)
        signature = _sha1(sorted(["wechat-token", stamp, nonce]))
        address = f"{self.url}/hooks/wechat/path-secret-of-wechat-1"
        query = {"signature": signature, "timestamp": stamp, "nonce": nonce}
        return await _post(http, address, query, body, "text/xml")


@dataclass(frozen=True, slots=True)
class Weibo:
    """The Weibo fans service."""

    url: str

    async def write(self, http: aiohttp.ClientSession, sender: int, words: str) -> int:
        """Deliver one text message; return the status, 0 if nobody answered."""
        stamp, nonce = str(int(time.time() * 1000)), "40981726"
        when = time.strftime("%a %b %d %H:%M:%S +0000 %Y", time.gmtime())
        body = (
            f'{{"type":"text","receiver_id":1902538057,"sender_id":{sender},'
            f'"created_at":"{when}","text":"{words}","data":{{}}}}'
        )
        signature = _sha1(sorted(["weibo-app-secret", stamp, nonce]))
        address = f"{self.url}/hooks/weibo/path-secret-of-weibo-1"
        query = {"signature": signature, "timestamp": stamp, "nonce": nonce}
        return await _post(http, address, query, body, "application/json")


async def _post(
    http: aiohttp.ClientSession, address: str, query: dict[str, str], body: str, kind: str
) -> int:
    headers = {"content-type": kind}
    try:
        async with http.post(address, params=query, data=body.encode(), headers=headers) as answer:
            await answer.read()
            return answer.status
    except (aiohttp.ClientError, ConnectionError, TimeoutError):
        return 0


def _sha1(parts: list[str]) -> str:
    return hashlib.sha1("".join(parts).encode()).hexdigest()  # noqa: S324  the platform's choice
