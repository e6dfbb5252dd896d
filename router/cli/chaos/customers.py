"""Customers who write whatever happens: each says one thing after the other, until it was taken.

As a platform does: what was not answered comes again, byte for byte, to whichever daemon answers.
Some things come twice although they were answered, some twice at once, some in the wrong order.
"""

import asyncio
import base64
import hashlib
import hmac
import json
import random
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import aiohttp

from router.cli.bench.wechat import COMPLAINT, address, message
from router.cli.chaos.gate import LOOPBACK
from router.cli.chaos.platforms import GATEWAY, WECHAT
from router.cli.ledger.book import Book, Delivered

_OK, _BUSY = 200, 503
_PATIENCE = aiohttp.ClientTimeout(total=20)
_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 1.0
#: How often things come again, twice at once, and in the wrong order.
_AGAIN, _AT_ONCE, _SWAPPED = 0.08, 0.05, 0.05
_COMPLAINS = 0.03
_HOOK = "/hooks/gateway/path-secret-of-the-chaos"
KEY = b"a-key-of-the-chaos-gateway-32-by"
GATEWAY_ACCOUNT = f"""
channel = "standard"
account = "gateway"
queue = "general"
path_secret = "path-secret-of-the-chaos"
[settings]
secret = "whsec_{base64.b64encode(KEY).decode()}"
reply_url = "{{url}}/gateway"
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """One delivery as it goes over the line, however often."""

    noted: Delivered
    path: str
    body: bytes
    headers: Mapping[str, str]


@dataclass(slots=True)
class Crowd:
    """What all customers share: where the daemons are, chance, the ledger, and the numbers."""

    http: aiohttp.ClientSession
    ports: Sequence[int]
    chance: random.Random
    book: Book
    pause_s: float = 0.3
    over: asyncio.Event = field(default_factory=asyncio.Event)
    hopeless: bool = False
    statuses: Counter[str] = field(default_factory=Counter)
    waits: list[float] = field(default_factory=list)
    answered: int = 0
    last: int = 0
    taken: asyncio.Event = field(default_factory=asyncio.Event)
    replied: asyncio.Event = field(default_factory=asyncio.Event)

    def next_number(self) -> int:
        """Return a number that nothing else has."""
        self.last += 1
        return self.last

    def url(self) -> str:
        """Return the address of any daemon."""
        return f"http://{LOOPBACK}:{self.chance.choice(self.ports)}"

    async def post(self, post: Post) -> bool:
        """Deliver once; return whether it was answered with a yes."""
        self.book.note(post.noted)
        try:
            async with self.http.post(
                self.url() + post.path, data=post.body, headers=post.headers, timeout=_PATIENCE
            ) as answer:
                await answer.read()
                status, patient = answer.status, "Retry-After" in answer.headers
        except (aiohttp.ClientError, OSError, TimeoutError):
            self.statuses["nobody"] += 1
            return False
        polite = status != _BUSY or patient
        self.statuses[str(status) if polite else f"{status} without Retry-After"] += 1
        if status != _OK:
            return False
        self.book.note(_answered(post.noted))
        self.answered += 1
        self.taken.set()
        return True

    async def insist(self, post: Post) -> None:
        """Deliver until it was taken, or the chaos has given up."""
        began, pause = time.monotonic(), _PAUSE_S
        while not self.hopeless and not await self.post(post):
            await asyncio.sleep(pause)
            pause = min(_LONGEST_PAUSE_S, pause * 1.5)
        self.waits.append(time.monotonic() - began)


def _answered(noted: Delivered) -> Delivered:
    return Delivered(
        account=noted.account, id=noted.id, sender=noted.sender, place=noted.place, answered=True
    )


class Customer:
    """One person on one platform."""

    def __init__(self, crowd: Crowd, number: int) -> None:
        self._crowd = crowd
        self._account = GATEWAY if number % 3 == 0 else WECHAT
        self._name = f"customer-{number}"
        self._place, self._second = 0, 0

    async def write(self) -> None:
        """Say one thing after the other until it is over."""
        chance, crowd = self._crowd.chance, self._crowd
        while not crowd.over.is_set():
            post = self._says()
            dice = chance.random()
            if dice < _SWAPPED:
                self._second += 1
                later = self._says()
                await crowd.insist(later)
                await crowd.insist(post)
            elif dice < _SWAPPED + _AT_ONCE:
                await asyncio.gather(crowd.insist(post), crowd.insist(post))
            else:
                await crowd.insist(post)
            if chance.random() < _AGAIN:
                await crowd.post(post)
            await asyncio.sleep(chance.random() * 2 * crowd.pause_s)

    def _says(self) -> Post:
        crowd, number = self._crowd, self._crowd.next_number()
        self._place += 1
        self._second = max(self._second, int(time.time()))
        words = COMPLAINT if crowd.chance.random() < _COMPLAINS else "转人工，我有个问题"
        noted = Delivered(
            account=self._account,
            id=f"{'c-' if self._account == GATEWAY else ''}{number}",
            sender=self._name,
            place=self._place,
            answered=False,
        )
        if self._account == GATEWAY:
            return _through_gateway(noted, words, at=self._second)
        raw = message(self._name, words, number=number, host="chaos", at=self._second)
        path, body = address(raw)
        return Post(noted=noted, path=path, body=body, headers={"Content-Type": "text/xml"})


def _through_gateway(noted: Delivered, words: str, *, at: int) -> Post:
    """Return an event of the shop's gateway, signed as Standard Webhooks says."""
    data = {"id": noted.id, "customer": {"id": noted.sender}, "text": words}
    body = json.dumps({"type": "message.created", "timestamp": at, "data": data}).encode()
    stamp = str(int(time.time()))
    proof = hmac.digest(KEY, f"{noted.id}.{stamp}.".encode() + body, hashlib.sha256)
    headers = {
        "Content-Type": "application/json",
        "webhook-id": noted.id,
        "webhook-timestamp": stamp,
        "webhook-signature": f"v1,{base64.b64encode(proof).decode()}",
    }
    return Post(noted=noted, path=_HOOK, body=body, headers=headers)
