"""Web chat: one WebSocket a visitor at ``/ws/v1?site=KEY``, sub-protocol ``pam.v1``.

Here the socket is opened and closed; `router.web.talk` is what happens on it.
"""

import asyncio
from hashlib import sha256
from typing import Final

import structlog
from aiohttp import web

from router.channel.accounts import Account
from router.channel.connection import Connects
from router.web.deps import DEPS, Deps
from router.web.pages import render
from router.web.talk import Talk

log = structlog.get_logger()
routes = web.RouteTableDef()

PROTOCOL: Final = "pam.v1"
COOKIE: Final = "mainstem_visitor"
COOKIE_SECONDS: Final = 365 * 24 * 60 * 60
#: Seconds: between heartbeats, and to say goodbye.
HEARTBEAT: Final = 25.0
GOODBYE: Final = 3.0
MOST_FRAME: Final = 64 * 1024


def site_account(deps: Deps, site: str) -> Account | None:
    """Return the web-chat account of a site key: its ``site`` setting, or its name."""
    for account in deps.accounts.values():
        if account.channel.transport != "socket":
            continue
        if site == (getattr(account.settings, "site", "") or account.name):
            return account
    return None


@routes.get("/ws/v1", allow_head=False)
async def chat(request: web.Request) -> web.StreamResponse:
    """Open a visitor's socket and stay with it to its end."""
    deps = request.app[DEPS]
    account = site_account(deps, request.query.get("site", ""))
    if account is None or not isinstance(account.adapter, Connects):
        return web.Response(status=404, text="there is no such site\n")
    if request.headers.get("Upgrade", "").lower() != "websocket":
        return web.Response(status=426, headers={"Upgrade": "websocket"}, text="a socket\n")
    socket = web.WebSocketResponse(
        protocols=(PROTOCOL,), heartbeat=HEARTBEAT, max_msg_size=MOST_FRAME, decode_text=False
    )
    visitor = _visitor(request, socket)
    await socket.prepare(request)
    talk = Talk(request, account, visitor)
    code = await talk.run(socket)
    await _goodbye(request, socket, code)
    return socket


def _visitor(request: web.Request, socket: web.WebSocketResponse) -> str:
    """Return the id of this browser; the cookie itself stays between the browser and us."""
    deps = request.app[DEPS]
    kept = request.cookies.get(COOKIE, "")
    if "fresh" in request.query or not 32 <= len(kept) <= 64 or not kept.isalnum():  # noqa: PLR2004
        kept = deps.ids.entropy(24).hex()
        secure = deps.settings.secure_cookies
        socket.set_cookie(
            COOKIE,
            kept,
            max_age=COOKIE_SECONDS,
            path="/ws/",
            httponly=True,
            secure=secure,
            samesite="None" if secure else "Lax",  # the shop's page lives elsewhere
        )
    return sha256(f"visitor:{kept}".encode()).hexdigest()[:32]


async def _goodbye(request: web.Request, socket: web.WebSocketResponse, code: int) -> None:
    try:
        async with asyncio.timeout(GOODBYE):
            await socket.close(code=code)
    except (TimeoutError, ConnectionError, RuntimeError):
        if request.transport is not None:
            request.transport.abort()  # it does not even read that we leave


# ----- the demo shop ------------------------------------------------------------------------------


@routes.get("/shop")
async def shop(request: web.Request) -> web.Response:
    """Show the demo shop with the widget on its page; only in a demonstration."""
    deps = request.app[DEPS]
    account = next(
        (each for each in deps.accounts.values() if each.channel.transport == "socket"), None
    )
    if not deps.settings.demo or account is None:
        raise web.HTTPNotFound
    site = getattr(account.settings, "site", "") or account.name
    members = deps.demo_members()
    return render(request, "shop/demo.html", site=site, members=members)
