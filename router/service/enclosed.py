"""Files that came inside a delivery: written down before the commit, named by what they hold.

What a file is says its own beginning, never who sent it; the limits are those of every other file.
"""

import asyncio
import os
import tempfile
from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Final

from router.channel.contract import Enclosed
from router.domain.ids import AccountName, MediaId
from router.service.media import REFUSED, STORED, sniff, stored_at
from router.service.records import MediaRow

#: Bytes of the largest file that is kept.
MOST_MEDIA: Final = 20 * 1024 * 1024


async def keep_enclosed(
    files: Sequence[Enclosed],
    *,
    account: AccountName,
    folder: Path,
    at: datetime,
    most: int = MOST_MEDIA,
) -> Mapping[str, MediaRow]:
    """Return the row of each file by its ref; those that we keep lie in ``folder`` then.

    ``most`` is the largest in bytes.
    """
    rows: dict[str, MediaRow] = {}
    for each in files:
        row = _row(each, account, most=most, at=at)
        if row.state == STORED:
            await asyncio.to_thread(_write, stored_at(folder, row.id), each.data)
        rows[each.ref] = row
    return rows


def _row(file: Enclosed, account: AccountName, *, most: int, at: datetime) -> MediaRow:
    digest, mime = sha256(file.data).hexdigest(), sniff(file.data)
    why = "" if mime is not None else "its type is none that we keep"
    if len(file.data) > most:
        why = f"it has {len(file.data)} bytes; the most is {most}"
    return MediaRow(
        id=MediaId(sha256(f"{account}:{digest}".encode()).hexdigest()[:32]),
        account=account,
        interaction=None,
        state=REFUSED if why else STORED,
        content=None,
        mime=mime or "",
        name=file.name[:200],
        size=len(file.data),
        sha256=digest,
        attempts=0,
        next_at=at,
        why=why,
    )


def _write(path: Path, data: bytes) -> None:
    """Write a file so that it is there whole or not at all; one that is there is the same. Blocks.

    Raises OSError, and then the delivery is not taken: the platform comes again.
    """
    if path.exists():
        return
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
