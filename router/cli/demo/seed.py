"""What stands in the database before the curtain rises: people, their tokens, and articles."""

import asyncio
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

import msgspec
from argon2 import PasswordHasher

from router.cli import admin
from router.cli.demo.scripts import DATA
from router.cli.demo.writings import read_writings, write_all
from router.cli.imports import read_agents, read_articles
from router.daemon import SystemClock, SystemIds
from router.domain.ids import AgentId
from router.service import people
from router.service.unit import Unit
from router.settings.load import Settings
from router.store.engine import open_store
from router.store.migrate import upgrade

#: Who is left to the newcomer (an administrator, and an agent whom nobody simulates), and who of
#: the simulated people watches the board.
ADMIN, AGENT, SUPERVISOR = "admin", "lin", "rong"
_TOKEN = "demo"  # noqa: S105  what the tokens are called


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """Who works here. ``passwords`` are the newcomer's, ``tokens`` those of the simulated."""

    passwords: Mapping[str, str]
    tokens: Mapping[str, str]


async def seed(settings: Settings, *, capacity: float | None = None) -> Cast:
    """Write people and articles, new or again, and give out this run's passwords and tokens.

    ``capacity`` is everybody's, instead of each one's own.
    """
    rows = read_agents(DATA / "agents.json")
    if capacity is not None:
        rows = tuple(msgspec.structs.replace(row, capacity=capacity) for row in rows)
    passwords = {login: secrets.token_urlsafe(9) for login in (ADMIN, AGENT)}
    tokens = {row.login: f"demo_{secrets.token_urlsafe(32)}" for row in rows if row.login != AGENT}
    hashes = {
        login: await asyncio.to_thread(PasswordHasher().hash, password)
        for login, password in passwords.items()
    }
    clock = SystemClock()
    await upgrade(settings.database_url)
    store = open_store(settings.database_url, clock=clock, ids=SystemIds())
    try:
        await store.transact(
            people.first_admin,
            login=ADMIN,
            name="管理员 Admin",
            password_hash=hashes[ADMIN],
            at=clock.now(),
        )
        _all_in(await admin.import_agents(settings, rows))
        await admin.import_written(
            settings, read_articles(DATA / "articles.jsonl"), kind="articles"
        )
        await store.transact(write_all, read_writings(), by=ADMIN, at=clock.now())
        await store.transact(_give_out, hashes, tokens, at=clock.now())
    finally:
        await store.close()
    return Cast(passwords=passwords, tokens=tokens)


def _all_in(lines: list[str]) -> None:
    refused = [line for line in lines if "not imported" in line]
    if refused:
        raise RuntimeError("; ".join(refused))


def _give_out(
    unit: Unit, hashes: Mapping[str, str], tokens: Mapping[str, str], *, at: datetime
) -> None:
    """Set the newcomer's passwords, and replace the simulated people's tokens of an earlier run."""
    for login, hashed in hashes.items():
        unit.workforce.set_password(
            _known(unit, login), hashed, must_change=False, end_sessions=True
        )
    for login, token in tokens.items():
        agent = _known(unit, login)
        for each in unit.workforce.tokens(agent):
            if each.name == _TOKEN and each.revoked_at is None:
                people.revoke_token(unit, agent=agent, token=each.id, at=at)
        digest = sha256(token.encode()).hexdigest()
        people.create_token(unit, agent=agent, name=_TOKEN, sha256=digest, at=at)


def _known(unit: Unit, login: str) -> AgentId:
    held = unit.workforce.by_login(login)
    if held is None:
        raise RuntimeError(f"{login} is not among the people of this database")
    return held.id
