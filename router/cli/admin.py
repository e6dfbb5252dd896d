"""What the commands do on the database directly: show what is in force, import, replay."""

import asyncio
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from argon2 import PasswordHasher

from router.channel.accounts import shown_settings
from router.cli.imports import AgentRow
from router.daemon import SystemClock, SystemIds
from router.domain.errors import DomainError
from router.domain.ids import AgentId, Skill
from router.domain.workforce import Role
from router.service import people
from router.service.arrivals import source_of
from router.service.enclosed import keep_enclosed
from router.service.files import KINDS
from router.service.ports import NotFound
from router.service.proof import Proof, run_through
from router.service.records import RawDelivery
from router.service.replay import reread, take_again
from router.service.unit import Unit
from router.settings.load import Settings
from router.store.engine import SqlStore, open_store
from router.store.migrate import upgrade

_COMMAND = AgentId("command-line")


def in_force(settings: Settings) -> dict[str, Any]:
    """Return the configuration that is in force as plain data, secrets hidden."""
    policy = settings.policy
    return {
        "listen": f"{settings.host}:{settings.port}",
        "public_url": settings.public_url,
        "database": settings.database_url.split("://", 1)[0],
        "data": str(settings.data),
        "mqtt": bool(settings.mqtt_url),
        "queues": {
            name: {
                "title": dict(queue.title),
                "needs": {need.skill: need.least for need in sorted(queue.needs)},
                "answer_within_s": queue.answer_within.total_seconds(),
                "share": queue.share,
            }
            for name, queue in policy.queues.items()
        },
        "routing": policy.version,
        "accounts": {
            name: {
                "channel": account.channel.name,
                "queue": account.queue,
                "settings": _plain(shown_settings(account)),
            }
            for name, account in settings.accounts.items()
        },
    }


def _plain(values: Any) -> Any:
    if isinstance(values, dict):
        return {str(key): _plain(value) for key, value in values.items()}
    if isinstance(values, list | tuple | set | frozenset):
        return sorted(str(value) for value in values)
    return values if isinstance(values, str | int | float | bool | None) else str(values)


async def opened(settings: Settings) -> SqlStore:
    """Return the store of the configured database, brought up to date."""
    settings.data.mkdir(parents=True, exist_ok=True)
    await upgrade(settings.database_url)
    return open_store(settings.database_url, clock=SystemClock(), ids=SystemIds())


async def import_agents(settings: Settings, rows: Sequence[AgentRow]) -> list[str]:
    """Add or change people; return a line for each, with the one-time password of new ones."""
    store = await opened(settings)
    lines = []
    try:
        for row in rows:
            password = row.password or secrets.token_urlsafe(9)
            hashed = await asyncio.to_thread(PasswordHasher().hash, password)
            try:
                made = await store.transact(_agent, row, hashed, settings)
            except (DomainError, ValueError) as error:
                lines.append(f"{row.login}: not imported: {error}")
                continue
            shown = "as given" if row.password else password
            lines.append(
                f"{row.login}: added, one-time password {shown}"
                if made
                else f"{row.login}: changed"
            )
    finally:
        await store.close()
    return lines


def _agent(unit: Unit, row: AgentRow, hashed: str, settings: Settings) -> bool:
    """Write one person; return whether they are new."""
    at = SystemClock().now()
    known = unit.workforce.by_login(row.login)
    fields: dict[str, Any] = {
        "name": row.name,
        "role": Role(row.role),
        "skills": {Skill(skill): level for skill, level in row.skills.items()},
        "families": frozenset(row.families),
        "languages": frozenset(row.languages),
        "groups": frozenset(row.groups),
        "capacity": row.capacity,
        "policy": settings.policy,
        "by": _COMMAND,
        "at": at,
    }
    if known is None:
        people.create_agent(unit, login=row.login, password_hash=hashed, **fields)
        return True
    people.edit_agent(unit, agent=known.id, active=True, **fields)
    return False


async def import_written(settings: Settings, rows: Sequence[Any], *, kind: str) -> list[str]:
    """Add or change articles, products or scripts, all of them or none; return what was done."""
    store = await opened(settings)
    try:
        changed = await store.transact(
            KINDS[kind].take_in,
            rows=rows,
            by=_COMMAND,
            four_eyes=settings.policy.knowledge.four_eyes,
            at=SystemClock().now(),
        )
    except DomainError as error:
        return [f"nothing was imported: {error}"]
    finally:
        await store.close()
    return [f"{len(rows)} {kind} are written, {changed} of them new or different"]


async def export_written(settings: Settings, form: str, *, kind: str) -> str:
    """Return every article, product or script as a file."""
    store = await opened(settings)
    try:
        return await store.read(KINDS[kind].written, form)
    finally:
        await store.close()


async def replay(settings: Settings, delivery: str | None) -> list[str]:
    """Read kept deliveries again that nobody could read; return a line for each."""
    store = await opened(settings)
    try:
        kept = await store.read(_unreadable, delivery)
        return [await _again(store, settings, each) for each in kept]
    finally:
        await store.close()


def _unreadable(unit: Unit, delivery: str | None) -> tuple[RawDelivery, ...]:
    if delivery is not None:
        return (unit.journal.delivery(delivery),)
    return unit.journal.deliveries(state="unreadable", limit=1000)


async def _again(store: SqlStore, settings: Settings, raw: RawDelivery) -> str:
    account = settings.accounts.get(raw.account)
    if account is None:
        return f"{raw.id}: account {raw.account} is no longer configured"
    try:
        decoded = reread(raw, account, entropy=SystemIds().entropy(16))
        at = SystemClock().now()
        files = await keep_enclosed(
            decoded.files, account=account.name, folder=settings.media, at=at
        )
        taken = await store.transact(
            take_again,
            raw,
            decoded,
            source=source_of(account),
            policy=settings.policy,
            at=at,
            files=files,
        )
    except DomainError as error:
        return f"{raw.id}: {error}"
    return f"{raw.id}: read, {len(taken.added)} new, {taken.known} known"


async def audit_all(settings: Settings) -> tuple[Proof, list[dict[str, Any]]]:
    """Return what a run found, and every violation as plain data; the page shows when this was."""
    store = await opened(settings)
    try:
        proof, found = await run_through(store, clock=SystemClock())
    finally:
        await store.close()
    return proof, [msgspec.to_builtins(each) for each in found]


def summed_up(proof: Proof) -> str:
    """Return a run of the audit as one line: how much was looked at, how long, what was found."""
    took = proof.took.total_seconds()
    return f"{proof.total} violations in {proof.seq} events, looked at in {took:.1f} s"


def told(violation: Mapping[str, Any]) -> str:
    """Return a violation as one line."""
    where = " ".join(
        f"{name}={violation[name]}" for name in ("conversation", "case") if violation[name]
    )
    return f"{violation['guarantee']} event {violation['seq']} {violation['what']} {where}".strip()


async def make_token(settings: Settings, login: str, name: str) -> str:
    """Make a token for a person; raises NotFound if there is no such login."""
    store = await opened(settings)
    made, digest = people.new_token()
    try:
        await store.transact(_token, login, name, digest)
    finally:
        await store.close()
    return made


def _token(unit: Unit, login: str, name: str, digest: str) -> None:
    person = unit.workforce.by_login(login)
    if person is None:
        raise NotFound(f"nobody signs in as {login}")
    at = SystemClock().now()
    people.create_token(unit, agent=person.id, name=name, sha256=digest, at=at)
