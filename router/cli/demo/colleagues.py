"""The simulated agents and their supervisor, who work through the REST API like anybody else.

They keep the shop lively rather than empty: nobody finishes while few are waiting, so that there is
always a line to look at, and some complaints are left for whoever watches.
"""

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import quote

from router.cli.demo.scripts import Customer, language_of
from router.cli.demo.stage import Refusal, Stage, survive

#: With fewer waiting than this, agents stay with the customers whom they have.
FEW_WAITING = 8
#: Seconds at pace 1: between two looks at the desk; to read before accepting; to write an answer;
#: that an answered customer is kept; until a complaint is acknowledged.
LOOK, READ, WRITE, STAY, THINK = 2.0, 3.0, 5.0, 25.0, 15.0
#: Every so many complaints one is left for the newcomer to acknowledge.
LEFT_OVER = 3
_FOUND = 300
#: What a colleague may meet because somebody else was faster.
_OVERTAKEN = frozenset({404, 409})


class Api:
    """The REST API with one agent's token."""

    def __init__(self, stage: Stage, token: str) -> None:
        self._stage = stage
        self._headers = {"Authorization": f"Bearer {token}"}

    async def call(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, *, key: str = ""
    ) -> Any:
        """Return the answer; None if somebody else was faster. Raises `Refusal` otherwise."""
        headers = {**self._headers, **({"Idempotency-Key": key} if key else {})}
        url = self._stage.address(f"/api/v1{path}")
        async with self._stage.http.request(method, url, json=body, headers=headers) as answer:
            if answer.status in _OVERTAKEN:
                return None
            if answer.status >= _FOUND:
                said = await answer.text()
                raise Refusal(f"{method} {path}: {answer.status}: {said[:200]}")
            return await answer.json() if answer.content_type == "application/json" else None


class Colleague:
    """One simulated agent."""

    def __init__(self, stage: Stage, login: str, token: str) -> None:
        self._stage, self._login = stage, login
        self._api = Api(stage, token)
        self._answered: dict[str, str] = {}
        self._seen: set[str] = set()

    async def work(self) -> None:
        """Be available and work until cancelled; a breath between two looks at the desk."""
        await self._api.call("PUT", "/me/presence", {"presence": "available"})
        while True:
            await survive(self._login, self._once)
            await self._stage.wait(LOOK)

    async def _once(self) -> None:
        desk = await self._api.call("GET", "/desk")
        if desk is None:
            return
        if desk["me"]["presence"] == "lapsed":
            await self._api.call("PUT", "/me/presence", {"presence": "available"})
        for offer in desk["offers"]:
            await self._stage.wait(READ)
            await self._api.call("POST", f"/offers/{offer['reservation']}/accept")
        for card in desk["mine"]:
            await self._care_for(card["conversation"])
        for alert in desk["alerts"]:
            await self._api.call("POST", f"/alerts/{alert['id']}/seen")
        for card in desk["cases"]:
            await self._acknowledge(card["case"])

    async def _care_for(self, conversation: Mapping[str, Any]) -> None:
        state, name = conversation["state"]["kind"], conversation["id"]
        if state == "WrapUp":
            body = {"disposition": "answered", "text": ""}
            await self._api.call("POST", f"/conversations/{name}/wrap-up", body)
        elif state == "WithAgent" and conversation["waiting_since"] is not None:
            await self._answer(name)
        elif state == "WithAgent" and self._may_finish(conversation):
            self._stage.mood.waiting -= 1  # whoever waits next takes the place
            await self._api.call("POST", f"/conversations/{name}/finish")

    async def _answer(self, conversation: str) -> None:
        said = await self._api.call("GET", f"/conversations/{conversation}/interactions")
        asked = [each for each in said or () if each["direction"] == "in"]
        if not asked or self._answered.get(conversation) == asked[-1]["id"]:
            return
        words = " ".join(each["content"]["text"] for each in asked[-3:])
        text = self._stage.scripts.answer_to(words, language=language_of(words))
        if conversation in self._answered:
            text = "不客气，祝您生活愉快！" if language_of(words) == "zh" else "You are welcome!"
        await self._api.call("POST", f"/conversations/{conversation}/typing")
        await self._stage.wait(WRITE)
        path = f"/conversations/{conversation}/replies"
        await self._api.call("POST", path, {"text": text}, key=asked[-1]["id"])
        self._answered[conversation] = asked[-1]["id"]

    def _may_finish(self, conversation: Mapping[str, Any]) -> bool:
        last = conversation["last_out_at"]
        if last is None or self._stage.mood.waiting < FEW_WAITING:
            return False
        quiet = self._stage.clock.now() - datetime.fromisoformat(last)
        return quiet > timedelta(seconds=STAY / self._stage.pace)

    async def _acknowledge(self, case: Mapping[str, Any]) -> None:
        """Tell the customer's complaint that it is seen; every third is left for the newcomer."""
        name, opened = case["id"], datetime.fromisoformat(case["opened_at"])
        old = self._stage.clock.now() - opened > timedelta(seconds=THINK / self._stage.pace)
        if case["acknowledged_at"] is not None or not old or name in self._seen:
            return
        self._seen.add(name)
        if next(self._stage.numbers) % LEFT_OVER:
            await self._api.call("POST", f"/cases/{name}/acknowledge")


class Supervisor:
    """Who watches the board, and joins a person whom evidence alone does not."""

    def __init__(self, stage: Stage, token: str) -> None:
        self._stage, self._api = stage, Api(stage, token)
        self._joined: set[str] = set()
        self._callers = [
            customer
            for customer in stage.scripts.customer
            if customer.channel == "phone" and customer.severity
        ]

    async def work(self) -> None:
        """Watch until cancelled."""
        while True:
            await survive("supervisor", self._look)
            await self._stage.wait(LOOK)

    async def _look(self) -> None:
        board = await self._api.call("GET", "/board")
        if board is None:
            return
        self._stage.mood.waiting = board["waiting_total"]
        for customer in self._callers:
            await self._join(customer)

    async def _join(self, customer: Customer) -> None:
        """Merge a caller with whoever wrote the same number elsewhere: a person's judgement."""
        if customer.number in self._joined:
            return
        found = await self._api.call("GET", f"/contacts?words={quote(customer.number)}")
        people = sorted(found or (), key=lambda each: str(each["created_at"]))
        if len(people) < 2:  # noqa: PLR2004  a caller, and nobody else yet
            return
        caller, other = people[:2]
        body = {"contact": other["id"], "why": "微博留言里写了与来电相同的号码"}
        await self._api.call("POST", f"/contacts/{caller['id']}/merge", body)
        await self._api.call("PATCH", f"/contacts/{caller['id']}", {"name": customer.name})
        self._joined.add(customer.number)


async def work(stage: Stage, tokens: Mapping[str, str], *, supervisor: str) -> None:
    """Let everybody of ``tokens`` (login → token) work until cancelled."""
    async with asyncio.TaskGroup() as tasks:
        for login, token in tokens.items():
            if login == supervisor:
                part = Supervisor(stage, token).work
            else:
                part = Colleague(stage, login, token).work
            tasks.create_task(survive(login, partial(part)), name=f"colleague {login}")
