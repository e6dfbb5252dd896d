"""Agents for a benchmark: brought into the database at work, each signed in on a page."""

import asyncio
import json
import time
from collections.abc import Mapping

from cryptography.fernet import Fernet

from router.daemon import SystemClock, SystemIds, cookie_key
from router.domain.ids import AgentId
from router.domain.workforce import Presence, Role
from router.service import people
from router.service.desk import set_presence
from router.service.unit import Unit
from router.settings.load import load
from router.store.engine import open_store
from router.web.auth import COOKIE, CSRF_FIELD, CSRF_HEADER

_BY = AgentId("command line")
#: The most that anybody may have: a dozen chats each.
_CAPACITY = 4.0
_CSRF = "bench"


def staffed(url: str, env: Mapping[str, str], count: int) -> list[dict[str, str]]:
    """Bring ``count`` people to work; return the headers that each one's page sends."""
    return asyncio.run(_staffed(url, env, count))


async def _staffed(url: str, env: Mapping[str, str], count: int) -> list[dict[str, str]]:
    settings = load(environ=env)
    seal = Fernet(cookie_key(settings))
    store = open_store(url, clock=SystemClock(), ids=SystemIds())

    def add(unit: Unit, login: str) -> AgentId:
        at = SystemClock().now()
        agent = people.create_agent(
            unit,
            login=login,
            password_hash="!",  # noqa: S106  nobody can sign in with it
            name=login,
            role=Role.AGENT,
            skills={},
            families=frozenset(),
            languages=frozenset(),
            capacity=_CAPACITY,
            policy=settings.policy,
            by=_BY,
            at=at,
        )
        unit.workforce.set_password(agent.id, "!", must_change=False, end_sessions=False)
        set_presence(unit, agent=agent.id, presence=Presence.AVAILABLE, by=agent.id, at=at)
        return agent.id

    try:
        return [
            _headers(seal, await store.transact(add, f"agent-{number}")) for number in range(count)
        ]
    finally:
        await store.close()


def _headers(seal: Fernet, agent: AgentId) -> dict[str, str]:
    """Return the cookie of a signed-in page, sealed as the daemon seals it."""
    session = {"agent": agent, "epoch": 0, CSRF_FIELD: _CSRF}
    held = json.dumps({"created": int(time.time()), "session": session}).encode()
    return {"Cookie": f"{COOKIE}={seal.encrypt(held).decode()}", CSRF_HEADER: _CSRF}
