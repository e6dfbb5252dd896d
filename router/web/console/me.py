"""One's own page: language, password, and tokens for the API."""

from collections.abc import Iterable
from hashlib import sha256

from aiohttp import web

from router.domain.ids import AgentId
from router.service import people as verbs
from router.service.records import ApiToken
from router.service.unit import Unit
from router.web.console.show import field, fields, show
from router.web.deps import DEPS, Deps
from router.web.me import me_of
from router.web.pages import back

#: Random bytes in a token.
_TOKEN_BYTES = 32


def tokens_of(unit: Unit, agent: AgentId) -> tuple[ApiToken, ...]:
    """Return a person's tokens that still work."""
    return tuple(each for each in unit.workforce.tokens(agent) if each.revoked_at is None)


routes_ = web.RouteTableDef()


def routes(_deps: Deps) -> Iterable[web.AbstractRouteDef]:
    """Return the routes of one's own page."""
    return routes_


@routes_.get("/me")
async def page(request: web.Request) -> web.Response:
    """Show one's own page."""
    tokens = await request.app[DEPS].store.read(tokens_of, me_of(request).agent.id)
    return show(request, "me/page.html", tokens=tokens, token="")


@routes_.post("/me/tokens")
async def create_token(request: web.Request) -> web.Response:
    """Make a token; it is shown this once."""
    deps, me = request.app[DEPS], me_of(request).agent.id
    name = field(await fields(request), "name")
    token = f"ms_{deps.ids.entropy(_TOKEN_BYTES).hex()}"
    await deps.store.transact(
        verbs.create_token,
        agent=me,
        name=name,
        sha256=sha256(token.encode()).hexdigest(),
        at=deps.clock.now(),
    )
    tokens = await deps.store.read(tokens_of, me)
    return show(request, "me/page.html", tokens=tokens, token=token)


@routes_.post("/me/tokens/{token}/revoke")
async def revoke_token(request: web.Request) -> web.Response:
    """Make a token useless."""
    deps, me = request.app[DEPS], me_of(request).agent.id
    token = request.match_info["token"]
    await deps.store.transact(verbs.revoke_token, agent=me, token=token, at=deps.clock.now())
    return back(request, "/me")
