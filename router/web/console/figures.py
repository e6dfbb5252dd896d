"""Service in figures, for supervisors: by day, channel, queue or topic."""

from collections.abc import Iterable
from datetime import timedelta

from aiohttp import web

from router.domain.workforce import Role
from router.service.botcounts import bot_counts
from router.service.figures import GROUPS, figures
from router.web.auth import require
from router.web.console.show import seen, show
from router.web.deps import DEPS, Deps

#: Over how many days figures are shown; the first is what one sees at once.
SPANS = (30, 7, 90)

routes_ = web.RouteTableDef()


def routes(_deps: Deps) -> Iterable[web.AbstractRouteDef]:
    """Return the routes of the page."""
    return routes_


@routes_.get("/figures")
@require(Role.SUPERVISOR)
async def page(request: web.Request) -> web.Response:
    """Show the figures of the last days; what the address leaves open, or gets wrong, is usual."""
    deps, at = request.app[DEPS], request.app[DEPS].clock.now()
    by, days = request.query.get("by", ""), _days(request)
    by = by if by in GROUPS else "day"
    seq, found = await deps.store.read(
        seen, figures, since=at - timedelta(days=days), until=at, policy=deps.policy, by=by
    )
    return show(
        request,
        "figures/page.html",
        seq=seq,
        figures=found,
        by=by,
        days=days,
        spans=sorted(SPANS),
        groups=tuple(GROUPS),
        reopen_within=deps.policy.reopen_within,
    )


def _days(request: web.Request) -> int:
    wished = request.query.get("days", "")
    return next((each for each in SPANS if str(each) == wished), SPANS[0])


@routes_.get("/figures/bots")
@require(Role.SUPERVISOR)
async def bots(request: web.Request) -> web.Response:
    """Show what bots answered, asked back and handed over, why, and what that cost."""
    deps, at = request.app[DEPS], request.app[DEPS].clock.now()
    days = _days(request)
    since = at - timedelta(days=days)
    seq, found = await deps.store.read(seen, bot_counts, since=since, until=at, policy=deps.policy)
    return show(request, "figures/bots.html", seq=seq, counts=found, days=days, spans=sorted(SPANS))
