"""Agents who work through whichever daemon answers: take offers, reply, and close."""

import asyncio
from collections.abc import Mapping
from typing import Any

import aiohttp

from router.cli.chaos.customers import Crowd
from router.cli.ledger.book import Replied

_PATIENCE = aiohttp.ClientTimeout(total=20)
_SERVER_FAILED = 500
_GONE = frozenset({404, 409})
_REST_S = 0.1


class Worker:
    """One agent, with the headers of a signed-in page."""

    def __init__(self, crowd: Crowd, number: int, headers: Mapping[str, str]) -> None:
        self._crowd, self._number, self._headers = crowd, number, headers
        self._replies = 0

    async def work(self) -> None:
        """Work until it is over."""
        while not self._crowd.over.is_set():
            desk = await self._ask("GET", "/desk")
            if desk is None:
                await asyncio.sleep(_REST_S)
                continue
            if desk["me"]["presence"] != "available":
                await self._come_back()
            for offer in desk["offers"]:
                await self._ask("POST", f"/offers/{offer['reservation']}/accept")
            for card in desk["mine"]:
                await self._handle(card["conversation"]["id"])
            await asyncio.sleep(_REST_S * (0.5 + self._crowd.chance.random()))

    async def _come_back(self) -> None:
        """Be available again: whose offers lapsed while no daemon answered was set away."""
        await self._ask("PUT", "/me/presence", {"presence": "available"})

    async def _handle(self, conversation: str) -> None:
        chance = self._crowd.chance
        for _ in range(chance.choice((1, 1, 2))):
            await self._reply(conversation)
        if chance.random() < 0.7:  # noqa: PLR2004
            done = {"disposition": "answered", "text": ""}
            await self._ask("POST", f"/conversations/{conversation}/wrap-up", done)

    async def _reply(self, conversation: str) -> None:
        """Reply until it is certain what became of it, or the work is over."""
        self._replies += 1
        words = f"您好，第 {self._number}-{self._replies} 条回复"
        self._crowd.book.note(Replied(words=words, answered=False))
        path, key = f"/conversations/{conversation}/replies", f"{self._number}-{self._replies}"
        while not self._crowd.over.is_set():
            status, _ = await self._send("POST", path, {"text": words}, key=key)
            if status in _GONE:
                return
            if 0 < status < 300:  # noqa: PLR2004
                self._crowd.book.note(Replied(words=words, answered=True))
                self._crowd.replied.set()
                return
            await asyncio.sleep(_REST_S)

    async def _ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        status, answer = await self._send(method, path, body)
        return answer if 0 < status < 300 else None  # noqa: PLR2004

    async def _send(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, *, key: str = ""
    ) -> tuple[int, Any]:
        headers = {**self._headers, **({"Idempotency-Key": key} if key else {})}
        try:
            async with self._crowd.http.request(
                method,
                f"{self._crowd.url()}/api/v1{path}",
                json=body,
                headers=headers,
                timeout=_PATIENCE,
            ) as answer:
                found = await answer.json() if answer.content_type.endswith("json") else None
                status = answer.status
        except (aiohttp.ClientError, OSError, TimeoutError):
            return 0, None
        if status == _SERVER_FAILED:
            self._crowd.statuses["500 to an agent"] += 1
        return status, found
