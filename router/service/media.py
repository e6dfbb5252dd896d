"""Files that came or go with messages: where a stored one lies, and the rows that say so."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from router.domain.content import Media
from router.domain.events import Happened
from router.domain.ids import MediaId
from router.service.records import MediaRow
from router.service.unit import Unit

WANTED, STORED, REFUSED = "wanted", "stored", "refused"

_ISO_BRANDS: Mapping[bytes, str] = {
    b"M4A ": "audio/mp4",
    b"M4B ": "audio/mp4",
    b"qt  ": "video/quicktime",
    b"heic": "image/heic",
    b"mif1": "image/heic",
    b"avif": "image/avif",
}
#: How files of the types that we keep begin.
_BEGINNINGS: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"#!AMR", "audio/amr"),
    (b"\x02#!SILK_V3", "audio/silk"),
    (b"#!SILK_V3", "audio/silk"),
    (b"OggS", "audio/ogg"),
    (b"ID3", "audio/mpeg"),
    (b"\xff\xfb", "audio/mpeg"),
    (b"\xff\xf3", "audio/mpeg"),
    (b"\xff\xf2", "audio/mpeg"),
    (b"\xff\xf1", "audio/aac"),
    (b"\xff\xf9", "audio/aac"),
    (b"\x1aE\xdf\xa3", "video/webm"),
    (b"%PDF-", "application/pdf"),
    (b"PK\x03\x04", "application/zip"),  # and every office document of today
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),  # and those of yesterday
)
_RIFF: Mapping[bytes, str] = {
    b"WEBP": "image/webp",
    b"WAVE": "audio/wav",
    b"AVI ": "video/x-msvideo",
}


def sniff(data: bytes) -> str | None:
    """Return the type of a file by how it begins; None if it is of none that we keep.

    What a sender says about a file is not believed: a page of HTML named ``photo.jpg`` stays out.
    """
    if data[:4] == b"RIFF":
        return _RIFF.get(data[8:12])
    if data[4:8] == b"ftyp":
        return _ISO_BRANDS.get(data[8:12], "video/mp4")
    return next((mime for begins, mime in _BEGINNINGS if data.startswith(begins)), None)


def stored_at(folder: Path, media: MediaId) -> Path:
    """Return where a stored file lies."""
    return folder / media


def wanted(unit: Unit, *, now: datetime, limit: int) -> tuple[MediaRow, ...]:
    """Return files that are to be fetched now, the longest waiting first."""
    return unit.journal.wanted_media(now=now, limit=limit)


def fetched(unit: Unit, media: MediaId, *, mime: str, size: int, sha256: str, at: datetime) -> None:
    """The file lies in its folder: say so in its row and in what was said with it."""
    row = unit.journal.media(media)
    unit.journal.save_media(replace(row, state=STORED, mime=mime, size=size, sha256=sha256, why=""))
    _show(unit, row, mime=mime, size=size, at=at)


def not_fetched(unit: Unit, media: MediaId, *, next_at: datetime, why: str) -> None:
    """It did not work this time; try again at ``next_at``."""
    row = unit.journal.media(media)
    unit.journal.save_media(replace(row, attempts=row.attempts + 1, next_at=next_at, why=why))


def unfetchable(unit: Unit, media: MediaId, *, why: str, at: datetime) -> None:
    """It will not be had; the message stays, and says why its file is not there."""
    row = unit.journal.media(media)
    unit.journal.save_media(replace(row, state=REFUSED, attempts=row.attempts + 1, why=why))
    _say_changed(unit, row, at=at)


def _show(unit: Unit, row: MediaRow, *, mime: str, size: int, at: datetime) -> None:
    if row.interaction is None:
        return
    content = unit.conversations.interaction(row.interaction).content
    if isinstance(content, Media):
        kept = replace(content, stored=row.id, mime=mime, size=size)
        unit.conversations.store_media(row.interaction, kept)
    _say_changed(unit, row, at=at)


def _say_changed(unit: Unit, row: MediaRow, *, at: datetime) -> None:
    if row.interaction is None:
        return
    said = unit.conversations.interaction(row.interaction)
    unit.record(
        Happened(
            kind="interaction_changed",
            contact=said.contact,
            conversation=said.conversation,
            facts={"interaction": said.id, "media": row.id},
        ),
        at=at,
    )
