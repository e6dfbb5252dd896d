"""Who asks, and in which language: what the guard found out about a request."""

from dataclasses import dataclass

from aiohttp import web

from router.domain.workforce import Agent
from router.service.records import Credentials
from router.web.i18n import COOKIE, LANGUAGES, SOURCE, accepted


@dataclass(frozen=True, slots=True, kw_only=True)
class Me:
    """The signed-in agent. ``csrf`` goes into every form as the field ``csrf``."""

    agent: Agent
    credentials: Credentials
    csrf: str
    by_token: bool = False


ME = web.RequestKey("ME", Me)


def me_of(request: web.Request) -> Me:
    """Return who is signed in; only behind the guard, which lets nobody else through."""
    return request[ME]


def me_or_none(request: web.Request) -> Me | None:
    """Return who is signed in, if anybody."""
    return request.get(ME)


def language_of(request: web.Request) -> str:
    """Return the reader's language: asked for, the agent's own, the cookie's, the browser's."""
    wished = request.query.get("lang", "")
    if wished in LANGUAGES:
        return wished
    me = me_or_none(request)
    if me is not None and me.credentials.language in LANGUAGES:
        return me.credentials.language
    kept = request.cookies.get(COOKIE, "")
    if kept in LANGUAGES:
        return kept
    return accepted(request.headers.get("Accept-Language", "")) or SOURCE
