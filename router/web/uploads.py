"""Files: posted by visitors of the web chat, and given out to agents and to who may see them.

What a file is, and where it lies, says `router.service.media`: its own first bytes decide, never
what the sender says.
"""

import asyncio
import os
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Final
from urllib.parse import quote

import msgspec
import structlog
from aiohttp import web

from router.domain.content import Media, MediaKind
from router.domain.ids import AccountName, MediaId
from router.service.media import STORED, sniff, stored_at
from router.service.ports import NotFound
from router.service.records import MediaRow
from router.service.unit import Unit
from router.web.around import FILE_POLICY
from router.web.auth import identify
from router.web.deps import DEPS, Deps
from router.web.errors import Denied
from router.web.sealed import proof, proves

log = structlog.get_logger()
routes = web.RouteTableDef()

#: How long an address to post to, and an address to look at a file, are good for.
POST_WITHIN: Final = timedelta(minutes=10)
LOOK_WITHIN: Final = timedelta(days=7)
#: Seconds for a file to arrive as a whole.
POST_SECONDS: Final = 300.0
_CHUNK: Final = 256 * 1024
_HEAD: Final = 64
#: Pictures that a browser shows; all others are saved to disk. Never SVG, which can hold scripts.
_SHOWN: Final = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
_CORS: Final = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "POST",
    "Access-Control-Allow-Headers": "content-type",
    "Access-Control-Max-Age": "86400",
    "Cross-Origin-Resource-Policy": "cross-origin",
}


def kind_of(mime: str) -> MediaKind:
    """Return what a file is shown as."""
    kinds = {"image": MediaKind.IMAGE, "video": MediaKind.VIDEO, "audio": MediaKind.VOICE}
    return kinds.get(mime.partition("/")[0], MediaKind.FILE)


# ----- proofs ------------------------------------------------------------------------------------


def post_address(deps: Deps, account: AccountName, visitor: str, name: str) -> str:
    """Return where this visitor may post one file, for a while."""
    until = str(int((deps.clock.now() + POST_WITHIN).timestamp()))
    media = deps.ids.new()
    seal = proof(deps.settings.cookie_key, "upload", media, account, visitor, name, until)
    fields = {
        "media": media,
        "account": account,
        "visitor": visitor,
        "name": name,
        "until": until,
        "seal": seal,
    }
    query = "&".join(f"{key}={quote(value, safe='')}" for key, value in fields.items())
    return f"/ws/upload?{query}"


def reference(deps: Deps, media: str, account: AccountName, visitor: str) -> str:
    """Return what a visitor's message names a posted file by; nobody else can use it."""
    return f"{media}.{proof(deps.settings.cookie_key, 'media-ref', media, account, visitor)}"


def referenced(deps: Deps, ref: str, account: AccountName, visitor: str) -> MediaId | None:
    """Return the media id if this visitor posted it."""
    media, _, seal = ref.rpartition(".")
    right = proves(deps.settings.cookie_key, seal, "media-ref", media, account, visitor)
    return MediaId(media) if right else None


def look_address(deps: Deps, media: str) -> str:
    """Return an address at which a platform, or whoever is given it, can see a file for a while."""
    return deps.settings.public_url + look_path(deps, media)


def look_path(deps: Deps, media: str) -> str:
    """Return the path of such an address, for the visitor's own socket."""
    until = str(int((deps.clock.now() + LOOK_WITHIN).timestamp()))
    seal = proof(deps.settings.cookie_key, "media", media, until)
    return f"/media/{media}?until={until}&seal={seal}"


def _in_time(until: str, now: datetime) -> bool:
    return until.isdecimal() and len(until) < 12 and int(until) >= now.timestamp()  # noqa: PLR2004


# ----- in -----------------------------------------------------------------------------------------


@routes.options("/ws/upload")
async def allow(_request: web.Request) -> web.Response:
    """Let the shop's pages, which live elsewhere, post to us."""
    return web.Response(status=204, headers=_CORS)


@routes.post("/ws/upload")
async def upload(request: web.Request) -> web.Response:
    """Take one file at the address that the socket gave, and answer with its reference."""
    deps, given = request.app[DEPS], request.query
    account, visitor = AccountName(given.get("account", "")), given.get("visitor", "")
    name, until = given.get("name", ""), given.get("until", "")
    key, seal, media = deps.settings.cookie_key, given.get("seal", ""), given.get("media", "")
    right = proves(key, seal, "upload", media, account, visitor, name, until)
    if not right or not _in_time(until, deps.clock.now()):
        return web.Response(status=401, text="unverified\n", headers=_CORS)
    try:
        row = await keep_file(
            deps,
            _chunks(request),
            media=MediaId(media),
            account=account,
            name=name,
            declared=request.content_length,
        )
    except Denied as error:
        return web.Response(status=error.status, text=f"{error.code}\n", headers=_CORS)
    log.info("file_taken", account=account, media=row.id, size=row.size, mime=row.mime)
    answer = {
        "ref": reference(deps, row.id, account, visitor),
        "mime": row.mime,
        "size": row.size,
    }
    return web.Response(
        body=msgspec.json.encode(answer), content_type="application/json", headers=_CORS
    )


async def _chunks(request: web.Request) -> AsyncIterator[bytes]:
    async for chunk in request.content.iter_chunked(_CHUNK):
        yield chunk


async def keep_file(
    deps: Deps,
    chunks: AsyncIterator[bytes],
    *,
    media: MediaId,
    account: AccountName,
    name: str,
    declared: int | None = None,
) -> MediaRow:
    """Write a file down under a new id and return its media row.

    Raises Denied: ``too_large`` (413), ``unsupported_media`` (415), ``bad_request`` (empty),
    ``conflict`` (409) if the id has a file.
    """
    if declared is not None and declared > deps.settings.most_media:
        raise Denied("too_large", 413)
    folder = deps.settings.media
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    part = folder / f"{media}.{deps.ids.new()}.part"
    try:
        digest, size, mime = await _written(part, chunks, most=deps.settings.most_media)
        await asyncio.to_thread(_settle, part, stored_at(folder, media))
    except FileExistsError as error:
        raise Denied("conflict", 409) from error
    finally:
        await asyncio.to_thread(part.unlink, missing_ok=True)
    row = MediaRow(
        id=media,
        account=account,
        interaction=None,
        state=STORED,
        content=None,
        mime=mime,
        name=name[:200],
        size=size,
        sha256=digest,
        attempts=0,
        next_at=deps.clock.now(),
        why="",
    )
    await deps.store.transact(_kept, row)
    return row


async def _written(part: Path, chunks: AsyncIterator[bytes], *, most: int) -> tuple[str, int, str]:
    """Write what comes to ``part`` and return its digest, size and kind; it is on the disk then."""
    digest, size, mime, head = sha256(), 0, "", b""
    file = await asyncio.to_thread(part.open, "xb")
    try:
        async with asyncio.timeout(POST_SECONDS):
            async for chunk in chunks:
                size += len(chunk)
                if size > most:
                    raise Denied("too_large", 413)
                head = (head + chunk)[:_HEAD] if len(head) < _HEAD else head
                digest.update(chunk)
                await asyncio.to_thread(file.write, chunk)
        if not size:
            raise Denied("bad_request", 400)
        mime = sniff(head) or ""
        if not mime:
            raise Denied("unsupported_media", 415)
        await asyncio.to_thread(file.flush)
        await asyncio.to_thread(os.fsync, file.fileno())
    except TimeoutError as error:
        raise Denied("too_slow", 408) from error
    finally:
        await asyncio.to_thread(file.close)
    return digest.hexdigest(), size, mime


def _settle(part: Path, place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    os.link(part, place)  # unlike a rename it never replaces another's file
    folder = os.open(place.parent, os.O_RDONLY)  # the name, too, survives a power failure
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _kept(unit: Unit, row: MediaRow) -> None:
    unit.journal.want_media(row)


def as_content(row: MediaRow, *, caption: str = "", link: str = "") -> Media:
    """Return a stored file as something that is said."""
    return Media(
        kind=kind_of(row.mime),
        link=link,
        caption=caption,
        name=row.name,
        mime=row.mime,
        size=row.size,
        stored=row.id,
    )


# ----- out ----------------------------------------------------------------------------------------


@routes.get("/media/{media}")
async def look(request: web.Request) -> web.StreamResponse:
    """Give out a file to a signed-in agent, or to who brings an address that we sealed."""
    deps = request.app[DEPS]
    media = MediaId(request.match_info["media"])
    if not await _may_look(request, media):
        return web.Response(status=401, text="sign in first\n")
    try:
        row = await deps.store.read(media_row, media)
    except NotFound:
        return web.Response(status=404, text="there is no such file\n")
    path = stored_at(deps.settings.media, row.id)
    if row.state != STORED or not await asyncio.to_thread(path.is_file):
        return web.Response(status=404, text="this file was not fetched\n")
    shown = row.mime in _SHOWN or row.mime.startswith(("audio/", "video/"))
    name = quote(row.name or row.id, safe="")
    placing = "inline" if shown else "attachment"
    return web.FileResponse(
        path,
        headers={
            "Content-Type": row.mime if shown else "application/octet-stream",
            "Content-Disposition": f"{placing}; filename*=UTF-8''{name}",
            "Content-Security-Policy": FILE_POLICY,
            "Cache-Control": "private, max-age=3600",
            "Cross-Origin-Resource-Policy": "cross-origin",
        },
    )


def media_row(unit: Unit, media: MediaId) -> MediaRow:
    """Return a media row; raises NotFound."""
    return unit.journal.media(media)


async def _may_look(request: web.Request, media: MediaId) -> bool:
    deps, until = request.app[DEPS], request.query.get("until", "")
    if until:
        seal = request.query.get("seal", "")
        key = deps.settings.cookie_key
        return _in_time(until, deps.clock.now()) and proves(key, seal, "media", media, until)
    return await identify(request) is not None
