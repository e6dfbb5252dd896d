"""Fetches what customers sent, before the platform's links run out, and keeps the files."""

import asyncio
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import structlog

from router.channel.accounts import Account
from router.channel.contract import (
    Accepted,
    Deferred,
    Elsewhere,
    FetchesMedia,
    HttpCall,
    Outcome,
    Reason,
    Refused,
    Reply,
)
from router.domain.content import Media
from router.domain.events import Logged
from router.domain.ids import AccountName
from router.service import media
from router.service.ports import Clock, Ids, Store
from router.service.records import MediaRow
from router.transport.asker import Asker
from router.transport.http import Doubtful, NotSent
from router.transport.links import Forbidden, Links
from router.transport.settings import TransportSettings
from router.transport.waits import backoff

log = structlog.get_logger()

_OK = 200
_GONE = frozenset({400, 401, 403, 404, 405, 410, 451})
_BATCH = 32


@dataclass(frozen=True, slots=True)
class File:
    """The bytes of a file as they came."""

    data: bytes


def wakes(event: Logged) -> bool:
    """Return whether ``event`` may have brought a file to fetch."""
    return event.event.kind in {"interaction_taken", "interaction_changed"}


class MediaFetcher:
    """The work of the duty ``media``."""

    def __init__(
        self,
        *,
        store: Store,
        accounts: Mapping[AccountName, Account],
        asker: Asker,
        links: Links,
        clock: Clock,
        ids: Ids,
        settings: TransportSettings,
    ) -> None:
        self._store, self._accounts, self._asker = store, accounts, asker
        self._links, self._clock, self._ids = links, clock, ids
        self._settings = settings

    async def work(self) -> timedelta:
        """Fetch what is wanted now; return how long there is nothing to do, at the most."""
        rows = await self._store.read(media.wanted, now=self._clock.now(), limit=_BATCH)
        room = asyncio.Semaphore(self._settings.chores_at_once)
        async with asyncio.TaskGroup() as tasks:
            for row in rows:
                tasks.create_task(self._one(row, room), name=f"media {row.id}")
        return timedelta(0) if len(rows) == _BATCH else self._settings.poll

    async def _one(self, row: MediaRow, room: asyncio.Semaphore) -> None:
        async with room:
            try:
                got = await self._fetch(row)
            except Exception as error:  # one file's trouble is its own
                log.exception("media_failed", account=row.account, media=row.id)
                got = Deferred(why=type(error).__name__)
            match got:
                case File(data=data) if (mime := media.sniff(data)) is not None:
                    await self._keep(row, data, mime)
                case File():
                    await self._give_up(row, "its type is none that we keep")
                case Refused(why=why):
                    await self._give_up(row, why)
                case Deferred():
                    await self._defer(row, got)

    async def _fetch(self, row: MediaRow) -> File | Deferred | Refused:
        content, account = row.content, self._accounts.get(row.account)
        if content is None or not isinstance(content, Media) or account is None:
            return Refused(reason=Reason.UNKNOWN, why="nobody knows where it is")
        adapter = account.adapter
        call = adapter.fetch_call(content) if isinstance(adapter, FetchesMedia) else None
        if call is None:
            return await self._open(content.link)

        def read(reply: Reply) -> File | Elsewhere | Outcome:
            found: Outcome | Elsewhere = adapter.read_fetch(reply)
            return File(reply.body) if isinstance(found, Accepted) else found

        found: File | Elsewhere | Accepted | Deferred | Refused = await self._asker.ask(
            account, call, read, most=self._settings.most_media
        )
        match found:
            case Elsewhere(link=link, signed=True):
                return await self._open_signed(account, link)
            case Elsewhere(link=link):
                return await self._open(link)
            case Accepted():
                raise AssertionError("an accepted download is a file")
            case Refused() if content.link:
                return await self._open(content.link)
            case File() | Deferred() | Refused():
                return found

    async def _open_signed(self, account: Account, link: str) -> File | Deferred | Refused:
        """Open an address that the platform itself named and that wants our credential."""
        call = HttpCall(method="GET", url=link)
        found = await self._asker.ask(account, call, _file, most=self._settings.most_media)
        match found:
            case Accepted():
                raise AssertionError("an accepted download is a file")
            case File() | Deferred() | Refused():
                return found

    async def _open(self, link: str) -> File | Deferred | Refused:
        if not link:
            return Refused(reason=Reason.UNKNOWN, why="the platform lets nobody fetch it")
        try:
            reply = await self._links.open(link, most=self._settings.most_media)
        except Forbidden as error:
            return Refused(reason=Reason.CONTENT, why=str(error))
        except (NotSent, Doubtful) as error:
            return Deferred(why=str(error))
        return _file(reply)

    async def _keep(self, row: MediaRow, data: bytes, mime: str) -> None:
        path = media.stored_at(self._settings.media, row.id)
        await asyncio.to_thread(keep_file, path, data)
        await self._store.transact(
            media.fetched,
            row.id,
            mime=mime,
            size=len(data),
            sha256=sha256(data).hexdigest(),
            at=self._clock.now(),
        )
        log.info("media_stored", account=row.account, media=row.id, size=len(data))

    async def _give_up(self, row: MediaRow, why: str) -> None:
        await self._store.transact(media.unfetchable, row.id, why=why, at=self._clock.now())
        log.warning("media_refused", account=row.account, media=row.id, why=why)

    async def _defer(self, row: MediaRow, outcome: Deferred) -> None:
        if row.attempts + 1 >= self._settings.chore_attempts:
            await self._give_up(row, outcome.why)
            return
        wait = backoff(
            row.attempts,
            first=self._settings.first_wait,
            longest=self._settings.longest_wait,
            chance=self._ids.entropy(4),
        )
        until = self._clock.now() + (outcome.retry_after or wait)
        await self._store.transact(media.not_fetched, row.id, next_at=until, why=outcome.why)
        log.info("media_deferred", account=row.account, media=row.id, why=outcome.why)


def _file(reply: Reply) -> File | Deferred | Refused:
    """Return the file in an answer, or what its status says."""
    if reply.status in _GONE:
        return Refused(reason=Reason.UNKNOWN, why=f"HTTP {reply.status}")
    return File(reply.body) if reply.status == _OK else Deferred(why=f"HTTP {reply.status}")


def keep_file(path: Path, data: bytes) -> None:
    """Write a file so that it is there whole or not at all, also after a crash. Blocks."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".part-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise
