"""The shop's products: what is coming, on sale, discontinued or recalled."""

from collections.abc import Iterable

from aiohttp import web

from router.domain.ids import ProductId
from router.domain.product import LANGUAGES, NEXT, Product
from router.domain.workforce import Role
from router.service.products import STATES, products, state_of, write
from router.service.unit import Unit
from router.web.auth import require
from router.web.console.show import field, fields, show, whole
from router.web.deps import DEPS, Deps
from router.web.me import me_of
from router.web.pages import back

routes_ = web.RouteTableDef()


def routes(_deps: Deps) -> Iterable[web.AbstractRouteDef]:
    """Return the routes of products."""
    return routes_


@routes_.get("/products")
async def page(request: web.Request) -> web.Response:
    """List the products by where they stand in their life."""
    held = await request.app[DEPS].store.read(products)
    order = {state: place for place, state in enumerate(reversed(STATES))}
    shown = tuple(sorted(held, key=lambda each: (order[each.state], each.id)))
    return show(request, "products/page.html", products=shown)


@routes_.get("/products/new")
@require(Role.SUPERVISOR)
async def blank(request: web.Request) -> web.Response:
    """Show the form for a new product."""
    held = await request.app[DEPS].store.read(products)
    return show(request, "products/one.html", product=None, products=held, states=STATES)


@routes_.get("/products/{product}")
async def opened(request: web.Request) -> web.Response:
    """Show a product."""
    held = await request.app[DEPS].store.read(products)
    wanted = await request.app[DEPS].store.read(_product, request.match_info["product"])
    states = tuple(each for each in STATES if each in {wanted.state, *NEXT[wanted.state]})
    return show(request, "products/one.html", product=wanted, products=held, states=states)


def _product(unit: Unit, wanted: str) -> Product:
    return unit.knowledge.product(ProductId(wanted))


@routes_.post("/products/new")
@require(Role.SUPERVISOR)
async def create(request: web.Request) -> web.Response:
    """Add a product."""
    return await _write(request, field(await fields(request), "id"), version=0)


@routes_.post("/products/{product}")
@require(Role.SUPERVISOR)
async def change(request: web.Request) -> web.Response:
    """Change a product; a change that somebody else made meanwhile is not overwritten."""
    given = await fields(request)
    return await _write(request, request.match_info["product"], version=whole(given, "version"))


async def _write(request: web.Request, name: str, *, version: int) -> web.Response:
    deps, given, me = request.app[DEPS], await fields(request), me_of(request).agent.id
    now, successor = deps.clock.now(), given.get("successor", "")
    product = Product(
        id=ProductId(name),
        state=state_of(field(given, "state")),
        title={lang: given.get(f"title.{lang}", "") for lang in LANGUAGES},
        words=tuple(given.get("words", "").splitlines()),
        since=now,
        updated_by=me,
        successor=ProductId(successor) if successor else None,
        notice={lang: given.get(f"notice.{lang}", "") for lang in LANGUAGES},
        version=version,
    )
    await deps.store.transact(write, product=product, by=me, at=now)
    return back(request, "/products")
