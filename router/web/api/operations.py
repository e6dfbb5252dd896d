"""What an operation of the API is, and how a request becomes a call of one."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import msgspec
from aiohttp import web

from router.domain.workforce import Agent, Role
from router.web.auth import check_role
from router.web.deps import DEPS, Deps
from router.web.errors import Denied
from router.web.me import Me, me_of

ROOT: Final = "/api/v1"
_JSON: Final = "application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One call of an operation, as its handler sees it.

    ``body`` and ``query`` are instances of what the operation declares; ``at`` is the time of the
    call.
    """

    request: web.Request
    deps: Deps
    me: Me
    at: datetime
    body: Any
    query: Any

    def part(self, name: str) -> str:
        """Return a part of the path."""
        return self.request.match_info[name]

    @property
    def agent(self) -> Agent:
        """Return who asks."""
        return self.me.agent


Handler = Callable[[Asked], Awaitable[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One operation. ``answer`` is what its handler returns (None: an empty 204).

    ``upload`` is an operation whose body is a file and no JSON; ``keyed`` ones heed the header
    ``Idempotency-Key``. ``description`` is the handler's docstring.
    """

    name: str
    method: str
    path: str
    handler: Handler
    answer: Any
    body: type[msgspec.Struct] | None
    query: type[msgspec.Struct] | None
    role: Role
    tag: str
    upload: bool
    keyed: bool
    status: int

    @property
    def description(self) -> str:
        """Return what the operation does, in the handler's own words."""
        return (self.handler.__doc__ or "").strip()

    @property
    def summary(self) -> str:
        """Return the first line of the description, without a full stop."""
        return self.description.partition("\n")[0].rstrip(".")


class Operations:
    """The operations of one subject, in the order in which they are written down."""

    def __init__(self, tag: str) -> None:
        self.tag = tag
        self.all: list[Operation] = []

    def add(
        self,
        method: str,
        path: str,
        *,
        answer: Any = None,
        body: type[msgspec.Struct] | None = None,
        query: type[msgspec.Struct] | None = None,
        role: Role = Role.AGENT,
        upload: bool = False,
        keyed: bool = False,
        status: int | None = None,
    ) -> Callable[[Handler], Handler]:
        """Return a decorator that makes an operation of a handler, named as the handler is."""

        def decorate(handler: Handler) -> Handler:
            self.all.append(
                Operation(
                    name=handler.__name__,
                    method=method,
                    path=path,
                    handler=handler,
                    answer=answer,
                    body=body,
                    query=query,
                    role=role,
                    tag=self.tag,
                    upload=upload,
                    keyed=keyed,
                    status=status or (200 if answer is not None else 204),
                )
            )
            return handler

        return decorate


def route_of(operation: Operation) -> web.RouteDef:
    """Return the route that calls an operation."""

    async def call(request: web.Request) -> web.Response:
        me = me_of(request)
        check_role(me, operation.role)
        deps = request.app[DEPS]
        asked = Asked(
            request=request,
            deps=deps,
            me=me,
            at=deps.clock.now(),
            body=await _body(request, operation),
            query=_query(request, operation),
        )
        return answered(await operation.handler(asked), operation.status)

    return web.route(operation.method, ROOT + operation.path, call)


def answered(value: Any, status: int) -> web.Response:
    """Return what a handler made, as JSON."""
    if value is None:
        return web.Response(status=204)
    return web.Response(body=msgspec.json.encode(value), content_type=_JSON, status=status)


async def _body(request: web.Request, operation: Operation) -> Any:
    if operation.body is None or operation.upload:
        return None
    given = await request.read()
    if given and request.content_type != _JSON:
        raise Denied("unsupported_media", 415, detail="send application/json")
    try:
        return msgspec.json.decode(given or b"{}", type=operation.body)
    except msgspec.ValidationError as error:
        raise _invalid(error) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Denied("bad_request", 400, detail="the body is not readable JSON") from error


def _query(request: web.Request, operation: Operation) -> Any:
    if operation.query is None:
        return None
    given: Mapping[str, str] = {
        name: value for name, value in request.query.items() if name != "lang"
    }
    try:
        return msgspec.convert(given, operation.query, strict=False)
    except msgspec.ValidationError as error:
        raise _invalid(error) from error


def _invalid(error: msgspec.ValidationError) -> Denied:
    said, _, path = str(error).partition(" - at `$")
    field = path.strip("`.")
    if not field and "`" in said:
        field = said.split("`")[1]
    return Denied("invalid", 400, detail=said[:1].lower() + said[1:], field=field)
