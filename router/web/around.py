"""What stands around every request: its id in the logs, its duration, its headers."""

from time import perf_counter
from typing import Final

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from router.web.deps import DEPS

_POLICY: Final = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "connect-src 'self' ws: wss:; object-src 'none'; base-uri 'self'; form-action 'self'"
)
#: A file that a customer sent can do nothing, wherever it is opened.
FILE_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
#: What the shop's own pages load from us: the widget is there to be embedded.
_EMBEDDED: Final = ("/static/chat/", "/shop", "/static/shop/")
_VENDOR: Final = "/static/vendor/"


@web.middleware
async def observe(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Name the request for the logs and time it."""
    deps = request.app[DEPS]
    structlog.contextvars.clear_contextvars()  # the connection's last request left its own
    name = deps.ids.new()
    began, status = perf_counter(), 500
    with structlog.contextvars.bound_contextvars(request=name):
        try:
            response = await handler(request)
            status = response.status
        except web.HTTPException as redirect:
            status = redirect.status
            raise
        finally:
            resource = request.match_info.route.resource
            deps.metrics.requests.labels(
                method=request.method if request.method in _METHODS else "other",
                route=resource.canonical if resource is not None else "none",
                status=str(status),
            ).observe(perf_counter() - began)
    return response


_METHODS: Final = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})


async def dress(request: web.Request, response: web.StreamResponse) -> None:
    """Put the security headers on an answer, just before it leaves."""
    headers, path = response.headers, request.path
    embedded = path.startswith(_EMBEDDED)
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("Referrer-Policy", "same-origin")
    framing = "" if embedded else "; frame-ancestors 'none'"
    headers.setdefault("Content-Security-Policy", _POLICY + framing)
    if not embedded:
        headers.setdefault("X-Frame-Options", "DENY")
    if path.startswith("/static/chat/"):
        headers["Access-Control-Allow-Origin"] = "*"
        headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    if path.startswith("/static/"):
        fresh = "max-age=86400" if path.startswith(_VENDOR) else "no-cache"
        headers.setdefault("Cache-Control", f"public, {fresh}")
    else:
        headers.setdefault("Cache-Control", "no-store")
    if request.app[DEPS].settings.public_url.startswith("https://"):
        headers.setdefault("Strict-Transport-Security", "max-age=31536000")
