"""The application: every route, and what stands around each of them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from importlib import import_module
from typing import Final

import structlog
from aiohttp import web

from router.web import chat, health, live, published, signin, uploads, webhooks
from router.web.api.document import add_to as add_api
from router.web.around import dress, observe
from router.web.auth import STORAGE, guard, session_storage, sessions
from router.web.deps import DEPS, Deps
from router.web.errors import errors
from router.web.i18n import read_words
from router.web.live import HUB, Hub
from router.web.pages import HERE, PAGES, Pages
from router.web.signin import DOOR, Door
from router.web.sockets import SOCKETS, Sockets

log = structlog.get_logger()

#: The pages, one module each under `router.web.console`; each has ``routes(deps)``.
CONSOLE: Final = (
    "desk",
    "aids",
    "queues",
    "contact",
    "reading",
    "case",
    "crisis",
    "people",
    "trouble",
    "audit",
    "figures",
    "gaps",
    "knowledge",
    "plans",
    "products",
    "scripts",
    "trials",
    "me",
)


def build_app(deps: Deps) -> web.Application:
    """Return the application; it hears of commits from the moment it is built."""
    app = web.Application(
        middlewares=[observe, errors, sessions, guard],
        client_max_size=deps.settings.most_body,
    )
    hub = Hub(deps.store)
    sockets = Sockets(deps)
    app[DEPS], app[HUB], app[SOCKETS], app[DOOR] = deps, hub, sockets, Door()
    app[STORAGE] = session_storage(deps.settings)
    app[PAGES] = Pages(read_words(HERE / "locale"), timezone=deps.settings.timezone)
    deps.listens.listen(hub.committed)
    deps.listens.listen(deps.metrics.notice)
    hub.also_tell(sockets.notice, present=lambda: len(sockets) > 0)
    for routes in (signin, live, webhooks, chat, published, uploads, health):
        app.add_routes(routes.routes)
    add_api(app)
    for name in CONSOLE:
        app.add_routes(import_module(f"router.web.console.{name}").routes(deps))
    app.router.add_static("/static/", HERE / "static")
    app.on_response_prepare.append(dress)
    app.cleanup_ctx.append(_background)
    app.on_shutdown.append(_say_goodbye)
    return app


async def _background(app: web.Application) -> AsyncIterator[None]:
    """Run the hub as long as the application stands."""
    running = asyncio.create_task(app[HUB].run(), name="live")
    yield
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


async def _say_goodbye(app: web.Application) -> None:
    app[HUB].stop()
    app[SOCKETS].close_all()
