"""Where every error meets HTTP: a status, a stable code, a sentence in the reader's language."""

import re
from typing import Any

import msgspec
import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from router.channel.contract import Unverified
from router.domain.errors import DomainError, Invalid
from router.service.accept import Busy
from router.service.ports import NotFound, StoreUnavailable
from router.web.me import language_of
from router.web.pages import PAGES, is_fragment, render

log = structlog.get_logger()

#: Seconds after which a platform or a page may come again.
RETRY_AFTER = 2
_HTTP_CODES = {
    400: "bad_request",
    401: "unauthenticated",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    408: "too_slow",
    413: "too_large",
    415: "unsupported_media",
}
_FIELD = re.compile(r"^([a-z][a-z0-9_.\[\]]*): (.+)$", re.DOTALL)
_JSON = ("/api/", "/v1/")
_PLAIN = ("/hooks/", "/ws/", "/healthz", "/readyz", "/metrics", "/static/", "/media/", "/live")


class Denied(Exception):
    """The web room itself says no; ``code`` is one of the phrases of the topic ``error``."""

    def __init__(self, code: str, status: int, *, detail: str = "", field: str = "") -> None:
        super().__init__(detail or code)
        self.code, self.status, self.detail, self.field = code, status, detail, field


@web.middleware
async def errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn what was raised into an answer; anything unknown is a bug and logged once."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        if error.status < 400:  # noqa: PLR2004  a redirect
            raise
        allow = error.headers.get("Allow")
        code = _HTTP_CODES.get(error.status, "bad_request")
        return problem(request, error.status, code, headers={"Allow": allow} if allow else {})
    except (Denied, Unverified, DomainError) as error:
        return _refused(request, error)
    except (Busy, StoreUnavailable) as error:
        code = "busy" if isinstance(error, Busy) else "unavailable"
        log.warning("not_taken", why=code, route=_route(request))
        return problem(request, 503, code, headers={"Retry-After": str(RETRY_AFTER)})
    except ConnectionError:
        raise  # the other end is gone; aiohttp closes
    except Exception:
        log.exception("request_failed", method=request.method, route=_route(request))
        return problem(request, 500, "server_error")


def _refused(request: web.Request, error: Denied | Unverified | DomainError) -> web.Response:
    match error:
        case Denied(status=status, code=code, detail=detail, field=field):
            return problem(request, status, code, detail=detail, field=field)
        case Unverified():
            return problem(request, 401, "unverified")
        case Invalid():
            field, detail = _split(str(error))
            return problem(request, 409, error.code, detail=detail, field=field)
        case NotFound():
            return problem(request, 404, error.code)
        case _:
            return problem(request, 409, error.code)


def problem(
    request: web.Request,
    status: int,
    code: str,
    *,
    detail: str = "",
    field: str = "",
    headers: dict[str, str] | None = None,
) -> web.Response:
    """Return the answer that says what went wrong, in the form that the asker reads."""
    lang = language_of(request)
    sentence = request.app[PAGES].say("error", code, lang)
    given = headers or {}
    if request.path.startswith(_JSON):
        answer = web.Response(
            body=error_body(code, detail or sentence, field),
            content_type="application/json",
            status=status,
        )
    elif request.path.startswith(_PLAIN):
        answer = web.Response(text=f"{code}\n", status=status)
    else:
        template = "_problem.html" if is_fragment(request) else "problem.html"
        answer = render(
            request,
            template,
            status=status,
            code=code,
            sentence=sentence,
            detail=detail,
            field=field,
            problem_status=status,
        )
    answer.headers.update(given)
    return answer


def error_body(code: str, message: str, field: str = "") -> bytes:
    """Return the body of every error of the API."""
    error: dict[str, Any] = {"code": code, "message": message}
    if field:
        error["field"] = field
    return msgspec.json.encode({"error": error})


def _split(message: str) -> tuple[str, str]:
    found = _FIELD.match(message)
    return (found[1], found[2]) if found else ("", message)


def _route(request: web.Request) -> str:
    """Return the route's pattern rather than the path, which may hold a platform's secret."""
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else ""
