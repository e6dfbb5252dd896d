"""The guarantees, re-derived from the stored history: what the last run found, and a new one."""

from collections.abc import Iterable

from aiohttp import web

from router.domain.workforce import Role
from router.service.proof import last_proof, prove
from router.web.auth import require
from router.web.console.show import seen, show
from router.web.deps import DEPS, Deps
from router.web.pages import back

routes_ = web.RouteTableDef()


def routes(_deps: Deps) -> Iterable[web.AbstractRouteDef]:
    """Return the routes of the page."""
    return routes_


@routes_.get("/audit")
@require(Role.SUPERVISOR)
async def page(request: web.Request) -> web.Response:
    """Show what the last run found."""
    seq, proof = await request.app[DEPS].store.read(seen, last_proof)
    return show(request, "audit/page.html", seq=seq, proof=proof)


@routes_.post("/audit")
@require(Role.SUPERVISOR)
async def run(request: web.Request) -> web.Response:
    """Run the audit now; it ends by itself after a minute and says how far it came."""
    deps = request.app[DEPS]
    await prove(deps.store, clock=deps.clock, holder=deps.ids.new())
    return back(request, "/audit")
