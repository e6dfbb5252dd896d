"""A program that speaks for one agent through the API."""

from typing import Any

from aiohttp import ClientSession

API = "/api/v1"


class Program:
    """A program that speaks for one agent."""

    def __init__(self, client: ClientSession, headers: dict[str, str]) -> None:
        self.client, self.headers = client, headers

    async def ask(
        self, method: str, path: str, *, status: int = 200, key: str = "", **options: Any
    ) -> Any:
        headers = self.headers | ({"Idempotency-Key": key} if key else {})
        async with self.client.request(method, API + path, headers=headers, **options) as answer:
            assert answer.status == status, await answer.text()
            return None if status == 204 else await answer.json()

    async def get(self, path: str, **options: Any) -> Any:
        return await self.ask("GET", path, **options)

    async def post(self, path: str, **options: Any) -> Any:
        return await self.ask("POST", path, **options)

    async def put(self, path: str, **options: Any) -> Any:
        return await self.ask("PUT", path, **options)
