"""The public page of a publication: the text word for word, and whether it holds still."""

import io

import segno
from aiohttp import web

from router.domain.article import Publication
from router.domain.ids import PublicationId
from router.service.knowledge import publication
from router.web.deps import DEPS, Deps
from router.web.pages import render

routes = web.RouteTableDef()
#: How many pixels a module of the code takes, and how many modules of quiet surround it.
_SCALE, _BORDER = 4, 2


def address_of(deps: Deps, wanted: PublicationId) -> str:
    """Return the address at which anybody can read a publication."""
    return f"{deps.settings.public_url}/k/{wanted}"


@routes.get("/k/{publication}")
async def page(request: web.Request) -> web.Response:
    """Show a publication, also one that holds no more: then it says so."""
    deps = request.app[DEPS]
    held, newer = await deps.store.read(publication, request.match_info["publication"])
    at = deps.clock.now()
    return render(
        request,
        "knowledge/published.html",
        held=held,
        newer=newer,
        standing=standing_of(held, holds=held.holds(at), begun=held.begins_at <= at),
        address=address_of(deps, held.id),
    )


def standing_of(held: Publication, *, holds: bool, begun: bool) -> str:
    """Return in a code how a publication stands now."""
    if holds:
        return "holds"
    if held.ending is not None:
        return held.ending.value
    return "expired" if begun else "coming"


@routes.get("/k/{publication}/qr.svg")
async def code(request: web.Request) -> web.Response:
    """Return the QR code of a publication's address."""
    deps = request.app[DEPS]
    held, _newer = await deps.store.read(publication, request.match_info["publication"])
    drawn = io.BytesIO()
    made = segno.make_qr(address_of(deps, held.id), error="m")
    made.save(drawn, kind="svg", scale=_SCALE, border=_BORDER, light="#fff", xmldecl=False)
    return web.Response(body=drawn.getvalue(), content_type="image/svg+xml")
