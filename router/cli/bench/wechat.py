"""Customers of an invented WeChat account, as bytes on the wire, signed as the platform signs."""

import hashlib
import time
from collections.abc import Iterator

TOKEN = "bench-token"  # noqa: S105  an invented platform's
PATH = "path-secret-of-the-bench"
ACCOUNT = f"""
channel = "wechat"
account = "wechat"
queue = "general"
path_secret = "{PATH}"
[settings]
token = "{TOKEN}"
appid = "wx0123456789abcdef"
app_secret = "bench-app-secret"
api_base = "http://127.0.0.1:9"
"""

#: What customers ask on an ordinary day; one in forty complains.
_WORDS = (
    "请问这个什么时候发货",
    "你好，在吗",
    "尺码偏大还是偏小",
    "可以开发票吗",
    "订单显示已签收但我没收到",
    "有没有优惠券可以用",
    "How long does delivery to Chengdu take?",
    "颜色和图片一样吗",
)
COMPLAINT = "我要投诉！东西用了一次就坏了，客服一直不理人，太过分了"
_EVERY = 40


def messages(
    count: int, *, customers: int, host: str, first: int = 1, sender: str = "openid"
) -> Iterator[bytes]:
    """Yield ``count`` signed requests; customers take turns, so that each one's stay in order."""
    for number in range(first, first + count):
        words = COMPLAINT if number % _EVERY == 0 else _WORDS[number % len(_WORDS)]
        yield message(f"{sender}-{number % customers}", words, number=number, host=host)


def message(sender: str, words: str, *, number: int, host: str, at: int | None = None) -> bytes:
    """Return one text message as WeChat's plain mode delivers it, said ``at`` a second or now."""
    now = int(time.time()) if at is None else at
    body = (
        f"<xml><ToUserName><![CDATA[gh_shop]]></ToUserName>"
        f"<FromUserName><![CDATA[{sender}]]></FromUserName>"
        f"<CreateTime>{now}</CreateTime><MsgType><![CDATA[text]]></MsgType>"
        f"<Content><![CDATA[{words}]]></Content><MsgId>{number}</MsgId></xml>"
    ).encode()
    stamp, nonce = str(now), str(number)
    parts = "".join(sorted((TOKEN, stamp, nonce)))
    signature = hashlib.sha1(parts.encode(), usedforsecurity=False).hexdigest()
    path = f"/hooks/wechat/{PATH}?signature={signature}&timestamp={stamp}&nonce={nonce}"
    return (
        f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: text/xml\r\n"
        f"User-Agent: Mozilla/4.0\r\nAccept: */*\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body


def address(request: bytes) -> tuple[str, bytes]:
    """Return the path and the body of a request, for a client that makes its own headers."""
    head, _, body = request.partition(b"\r\n\r\n")
    return head.split(b" ", 2)[1].decode(), body
