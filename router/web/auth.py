"""The guard: sessions and tokens, roles, and the proof that a form came from our own page.

Everything is behind it except what `PUBLIC` names. Behind it, ``me_of(request)`` is the agent, and
``@require(Role.SUPERVISOR)`` on a handler asks for more. A form posts the field ``csrf`` (every
template has it); htmx sends it as the header ``X-CSRF-Token``.
"""

from collections.abc import Awaitable, Callable
from functools import wraps
from hashlib import sha256
from hmac import compare_digest
from typing import Final
from urllib.parse import quote

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler
from aiohttp_session import Session
from aiohttp_session.cookie_storage import EncryptedCookieStorage
from cryptography.fernet import Fernet

from router.domain.ids import AgentId
from router.domain.workforce import Agent, Role
from router.service.people import identified_by_token, signed_in, use_token
from router.service.records import Credentials
from router.web.deps import DEPS, Deps, WebSettings
from router.web.errors import Denied
from router.web.me import ME, Me, me_of
from router.web.pages import is_fragment

__all__ = ["STORAGE", "Me", "guard", "me_of", "require", "sessions", "start_session"]

COOKIE: Final = "mainstem_session"
CSRF_FIELD: Final = "csrf"
CSRF_HEADER: Final = "X-CSRF-Token"
#: A session ends so long after the sign-in.
SESSION_SECONDS: Final = 12 * 60 * 60
#: What anybody may ask for; a name that ends in a slash stands for all below it.
PUBLIC: Final = (
    *("/signin", "/static/", "/favicon.ico", "/shop", "/k/"),
    *("/hooks/", "/v1/", "/ws/"),
    *("/healthz", "/readyz", "/metrics"),
    *("/api/v1/openapi.json", "/api/v1/docs"),
    "/media/",  # asks by itself: an agent's session or a visitor's signed address
)
#: Where one who must choose a password may go.
_UNTIL_CHANGED: Final = ("/password", "/signout", "/language")
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_RANK: Final = {Role.AGENT: 0, Role.SUPERVISOR: 1, Role.ADMIN: 2}


STORAGE = web.AppKey("STORAGE", EncryptedCookieStorage)
_SESSION: Final = web.RequestKey("SESSION", Session)


def session_storage(settings: WebSettings) -> EncryptedCookieStorage:
    """Return what opens and seals the session cookie."""
    return EncryptedCookieStorage(
        Fernet(settings.cookie_key),
        cookie_name=COOKIE,
        max_age=SESSION_SECONDS,
        secure=settings.secure_cookies,
        httponly=True,
        samesite="Lax",
    )


@web.middleware
async def sessions(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Write the session back once a handler has changed it.

    Stands for the library's own middleware, whose untyped request keys aiohttp warns of.
    """
    response = await handler(request)
    session = request.get(_SESSION)
    if session is not None and session._changed and not response.prepared:  # noqa: SLF001
        await request.app[STORAGE].save_session(request, response, session)
    return response


async def session_of(request: web.Request) -> Session:
    """Return the session of a request; an empty one if there is none."""
    known = request.get(_SESSION)
    if known is None:
        known = await request.app[STORAGE].load_session(request)
        request[_SESSION] = known
    return known


async def start_session(request: web.Request, agent: AgentId, epoch: int) -> None:
    """Begin a new session, also where one was: what was known before sign-in is worth nothing."""
    session = await request.app[STORAGE].new_session()
    session["agent"] = agent
    session["epoch"] = epoch
    session[CSRF_FIELD] = request.app[DEPS].ids.entropy(24).hex()
    request[_SESSION] = session


async def end_session(request: web.Request) -> None:
    """Forget who was signed in here."""
    session = await session_of(request)
    session.invalidate()


@web.middleware
async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Let in who is signed in or brings a token, and only forms of our own pages."""
    if is_public(request.path):
        return await handler(request)
    me = await identify(request)
    if me is None:
        return _to_sign_in(request)
    if not me.by_token:
        if request.method not in _SAFE:
            await _check_csrf(request, me)
        if me.credentials.must_change_password and request.path not in _UNTIL_CHANGED:
            if request.path.startswith("/api/") or is_fragment(request):
                raise Denied("must_change_password", 403)
            return web.Response(status=303, headers={"Location": "/password"})
    request[ME] = me
    structlog.contextvars.bind_contextvars(agent=me.agent.id)
    return await handler(request)


def is_public(path: str) -> bool:
    """Say whether anybody may ask for ``path``."""
    return any(path == each or (each.endswith("/") and path.startswith(each)) for each in PUBLIC)


async def identify(request: web.Request) -> Me | None:
    """Return who asks, by the bearer token (the API and its files) or by the session."""
    header = request.headers.get("Authorization", "")
    if header and request.path.startswith(("/api/", "/media/")):
        return await _by_token(request, header)
    session = await session_of(request)
    found = await _known(request.app[DEPS], session)
    if found is None:
        return None
    agent, credentials = found
    return Me(agent=agent, credentials=credentials, csrf=str(session.get(CSRF_FIELD, "")))


async def _known(deps: Deps, session: Session) -> tuple[Agent, Credentials] | None:
    agent = session.get("agent")
    if not isinstance(agent, str):
        return None
    return await deps.store.read(signed_in, AgentId(agent), epoch=int(session.get("epoch", -1)))


async def _by_token(request: web.Request, header: str) -> Me | None:
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Denied("unauthenticated", 401)
    deps = request.app[DEPS]
    digest = sha256(token.strip().encode("utf-8", "surrogatepass")).hexdigest()
    found, now = await deps.store.read(identified_by_token, digest), deps.clock.now()
    if found is None:
        raise Denied("unauthenticated", 401)
    if found.was_used(now):
        await deps.store.transact(use_token, found.token.id, at=now)
    return Me(agent=found.agent, credentials=found.credentials, csrf="", by_token=True)


async def _check_csrf(request: web.Request, me: Me) -> None:
    given = request.headers.get(CSRF_HEADER, "")
    if not given and request.content_type in {
        "application/x-www-form-urlencoded",
        "multipart/form-data",
    }:
        field = (await request.post()).get(CSRF_FIELD, "")
        given = field if isinstance(field, str) else ""
    if not me.csrf or not compare_digest(given.encode(), me.csrf.encode()):
        raise Denied("csrf", 403)


def _to_sign_in(request: web.Request) -> web.Response:
    wants_page = request.method in _SAFE and not request.path.startswith(("/api/", "/live"))
    if is_fragment(request):
        return web.Response(status=401, headers={"HX-Redirect": "/signin"})
    if not wants_page:
        raise Denied("unauthenticated", 401)
    to = "/signin" if request.path == "/" else f"/signin?next={quote(request.path_qs, safe='')}"
    return web.Response(status=303, headers={"Location": to})


PageHandler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def require(role: Role) -> Callable[[PageHandler], PageHandler]:
    """Return a decorator that lets in only people with ``role`` or more."""

    def decorate(handler: PageHandler) -> PageHandler:
        @wraps(handler)
        async def checked(request: web.Request) -> web.StreamResponse:
            check_role(me_of(request), role)
            return await handler(request)

        return checked

    return decorate


def check_role(me: Me, role: Role) -> None:
    """Raise `Denied` (403) unless this person has ``role`` or more."""
    if _RANK[me.agent.role] < _RANK[role]:
        raise Denied("forbidden", 403)
