"""Puts our stored files where a platform wants them, before a message speaks of them."""

import asyncio
from dataclasses import replace

from router.channel.accounts import Account
from router.channel.contract import Accepted, Deferred, Outbound, Reason, Refused, UploadsMedia
from router.domain.content import Media
from router.domain.ids import MediaId
from router.service.media import STORED, stored_at
from router.service.ports import NotFound, Store
from router.service.records import MediaRow
from router.service.unit import Unit
from router.transport.asker import Asker
from router.transport.settings import TransportSettings


class Uploads:
    """Uploads what a message carries; a file that a channel cannot show is left to its words."""

    def __init__(self, *, store: Store, asker: Asker, settings: TransportSettings) -> None:
        self._store, self._asker, self._settings = store, asker, settings

    async def uploaded(self, account: Account, message: Outbound) -> Outbound | Deferred | Refused:
        """Return ``message`` with the platform's id of its file, if it has one to upload."""
        content, adapter = message.content, account.adapter
        if not (isinstance(content, Media) and content.stored and not content.ref):
            return message
        shown = content.kind in account.channel.capabilities.media_out
        if not (shown and isinstance(adapter, UploadsMedia)):
            return message
        data = await self._file(MediaId(content.stored))
        if data is None:
            return Refused(reason=Reason.CONTENT, why="the file is no longer here")
        call = adapter.upload_call(content, data, moment=self._asker.moment())
        found = await self._asker.ask(account, call, adapter.read_upload)
        if isinstance(found, str):
            return replace(message, content=replace(content, ref=found))
        if isinstance(found, Accepted):
            return Refused(reason=Reason.UNKNOWN, why="the platform gave the file no id")
        return found

    async def _file(self, media: MediaId) -> bytes | None:
        try:
            row = await self._store.read(_media, media)
        except NotFound:
            return None
        if row.state != STORED:
            return None
        path = stored_at(self._settings.media, row.id)
        try:
            return await asyncio.to_thread(path.read_bytes)
        except FileNotFoundError:
            return None


def _media(unit: Unit, media: MediaId) -> MediaRow:
    return unit.journal.media(media)
