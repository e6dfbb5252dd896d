"""Deliveries in: verify, decode, one transaction, and only then the platform's answer."""

import asyncio
import hmac
from collections.abc import Mapping
from time import perf_counter
from typing import Final

import structlog
from aiohttp import web

from router.channel.accounts import Account
from router.channel.captured import read_query
from router.channel.contract import (
    Decoded,
    Malformed,
    Moment,
    Request,
    Response,
    Trusted,
    Unverified,
)
from router.domain.errors import Invalid
from router.domain.ids import AccountName
from router.service.accept import Busy
from router.service.arrivals import Delivery, TakenIn, source_of
from router.service.enclosed import keep_enclosed
from router.service.ports import Conflict, StoreUnavailable
from router.service.records import MediaRow, RawDelivery
from router.service.replay import HIDDEN, reread, take_again
from router.service.unit import Unit
from router.web.deps import DEPS, Deps
from router.web.errors import Denied

log = structlog.get_logger()
routes = web.RouteTableDef()

#: How deliveries of these accounts arrive at ``/hooks/ACCOUNT``.
_HOOKED: Final = frozenset({"webhook", "pull"})
#: Headers that hold somebody's key; they are not kept with a raw delivery.
_KEYS: Final = frozenset({"authorization", "cookie", "proxy-authorization", "x-api-key"})
#: Seconds for a delivery to arrive as a whole.
READ_WITHIN: Final = 30.0


@routes.get("/hooks/{account}", allow_head=False)
@routes.post("/hooks/{account}")
@routes.get("/hooks/{account}/{path_secret}", allow_head=False)
@routes.post("/hooks/{account}/{path_secret}")
async def hook(request: web.Request) -> web.Response:
    """Take a platform's delivery."""
    deps = request.app[DEPS]
    account = deps.accounts.get(AccountName(request.match_info["account"]))
    if account is None or account.channel.transport not in _HOOKED:
        return web.Response(status=404, text="there is no such account\n")
    given = request.match_info.get("path_secret", "")
    if not hmac.compare_digest(given.encode("utf-8", "replace"), account.path_secret.encode()):
        return _unverified(deps, account, "path secret")
    deps.intake.check_room()
    taken_in = await read_request(deps, request)
    try:
        trusted = account.adapter.verify(taken_in)
    except Unverified as error:
        return _unverified(deps, account, str(error))
    return await deliver(deps, account, trusted)


@routes.post("/v1/transcripts")
async def transcripts(request: web.Request) -> web.Response:
    """Take a call's transcript; the API key says whose it is."""
    deps = request.app[DEPS]
    wished = request.query.get("account")
    accounts = [
        account
        for account in deps.accounts.values()
        if account.channel.transport == "upload" and wished in {None, account.name}
    ]
    if not accounts:
        raise Denied("not_found", 404)
    given = await read_request(deps, request)
    trusted = [(each, found) for each in accounts if (found := _proven(each, given)) is not None]
    if not trusted:
        for account in accounts:
            deps.metrics.deliveries.labels(account=account.name, outcome="unverified").inc()
        raise Denied("unverified", 401)
    if len(trusted) > 1:
        detail = "this key belongs to several accounts; name one with ?account="
        raise Denied("bad_request", 400, detail=detail, field="account")
    return await deliver(deps, *trusted[0])


def _proven(account: Account, request: Request) -> Trusted | None:
    try:
        proven: Trusted = account.adapter.verify(request)
    except Unverified:
        return None
    return proven


def _unverified(deps: Deps, account: Account, why: str) -> web.Response:
    deps.metrics.deliveries.labels(account=account.name, outcome="unverified").inc()
    log.warning("delivery_unverified", account=account.name, why=why)
    return web.Response(status=401, text="unverified\n")


async def deliver(deps: Deps, account: Account, trusted: Trusted) -> web.Response:
    """Take in what a proven request says and answer as the platform expects."""
    began = perf_counter()
    greeting = account.adapter.handshake(trusted)
    if greeting is not None:
        deps.metrics.deliveries.labels(account=account.name, outcome="handshake").inc()
        log.info("address_checked", account=account.name)
        return as_answer(greeting)
    raw = raw_of(deps, account, trusted.request) if deps.policy.raw_kept else None
    try:
        decoded = account.adapter.decode(trusted)
        taken = await take_in(deps, account, decoded, raw=raw)
    except Malformed as error:
        await _keep_unreadable(deps, account, trusted.request, error)
        return as_answer(error.answer or Response())
    except (Busy, StoreUnavailable):
        raise
    except Exception as error:
        await _keep_unreadable(deps, account, trusted.request, error)
        raise  # a bug: the platform tries again, and an operator can once it is mended
    log.info(
        "delivery_taken_in",
        account=account.name,
        new=len(taken.added),
        known=taken.known,
        ignored=taken.ignored,
        took_ms=round((perf_counter() - began) * 1000, 1),
    )
    return as_answer(decoded.response)


async def take_in(
    deps: Deps, account: Account, decoded: Decoded, *, raw: RawDelivery | None = None
) -> TakenIn:
    """Return what became of a delivery once it is committed; then let wanted calls be made.

    Raises Busy or StoreUnavailable, and then nothing was promised; a race that was lost twice is
    Busy too, because whoever delivered it must come again.
    """
    delivery = Delivery(
        source=source_of(account),
        events=decoded.events,
        received_at=deps.clock.now(),
        raw=raw,
        files=await _kept_files(deps, account, decoded),
    )
    counted = deps.metrics.deliveries
    try:
        taken = await deps.intake.accept(delivery)
    except (Busy, StoreUnavailable):
        counted.labels(account=account.name, outcome="not_taken").inc()
        raise
    except Conflict as error:
        counted.labels(account=account.name, outcome="not_taken").inc()
        raise Busy("somebody else wrote the same at once") from error
    counted.labels(account=account.name, outcome="taken" if taken.added else "nothing_new").inc()
    if decoded.calls:
        deps.after(account.name, decoded.calls)
    return taken


async def _kept_files(deps: Deps, account: Account, decoded: Decoded) -> Mapping[str, MediaRow]:
    return await keep_enclosed(
        decoded.files,
        account=account.name,
        folder=deps.settings.media,
        at=deps.clock.now(),
        most=deps.settings.most_media,
    )


# ----- what came, byte for byte ------------------------------------------------------------------


async def read_request(deps: Deps, request: web.Request) -> Request:
    """Return the request as adapters see it: the public address with the raw query.

    What says that it is too large is refused before it is read.
    """
    if (request.content_length or 0) > deps.settings.most_body:
        raise Denied("too_large", 413)
    _, mark, query = request.raw_path.partition("?")
    address = deps.settings.public_url + request.rel_url.raw_path
    return Request(
        method=request.method,
        url=f"{address}{mark}{query}",
        headers=headers_of(request),
        body=await _body(request),
        moment=Moment(now=deps.clock.now(), entropy=deps.ids.entropy(16)),
        query=read_query(query),
    )


async def _body(request: web.Request) -> bytes:
    if request.content.is_eof():
        return await request.read()  # it came with the headers: nothing to wait for
    try:
        async with asyncio.timeout(READ_WITHIN):
            return await request.read()
    except TimeoutError as error:
        raise Denied("too_slow", 408) from error


def headers_of(request: web.Request) -> Mapping[str, str]:
    """Return the headers with lower-case names; one that came twice is joined with a comma."""
    headers: dict[str, str] = {}
    for name, value in request.headers.items():
        key = name.lower()
        headers[key] = f"{headers[key]}, {value}" if key in headers else value
    return headers


def raw_of(
    deps: Deps, account: Account, request: Request, *, state: str = "taken", why: str = ""
) -> RawDelivery:
    """Return a delivery as it came, without anybody's key and without the path's secret."""
    url = request.url
    if account.path_secret:
        url = url.replace(f"/{account.path_secret}", "", 1)
    headers = {name: HIDDEN if name in _KEYS else value for name, value in request.headers.items()}
    return RawDelivery(
        id=deps.ids.new(),
        account=account.name,
        at=request.moment.now,
        state=state,
        method=request.method,
        url=url,
        headers=headers,
        body=request.body,
        why=why,
    )


async def _keep_unreadable(
    deps: Deps, account: Account, request: Request, error: Exception
) -> None:
    why = str(error) if isinstance(error, Malformed) else f"our fault: {type(error).__name__}"
    raw = raw_of(deps, account, request, state="unreadable", why=why[:500])
    await deps.store.transact(_keep, raw)
    deps.metrics.deliveries.labels(account=account.name, outcome="unreadable").inc()
    log.warning("delivery_unreadable", account=account.name, delivery=raw.id)


def _keep(unit: Unit, raw: RawDelivery) -> None:
    unit.journal.keep_delivery(raw)
    unit.journal.count(raw.account, "unreadable")


async def replay(deps: Deps, delivery: str) -> TakenIn:
    """Read a kept delivery once more, with the adapter as it is now, and take it in.

    Raises NotFound; Invalid if the account is gone, its key was not kept, or it is still
    unreadable (the message says why).
    """
    raw = await deps.store.read(_kept, delivery)
    account = deps.accounts.get(raw.account)
    if account is None:
        raise Invalid(f"account: {raw.account} is no longer configured")
    decoded = reread(raw, account, entropy=deps.ids.entropy(16))
    taken = await deps.store.transact(
        take_again,
        raw,
        decoded,
        source=source_of(account),
        policy=deps.policy,
        at=deps.clock.now(),
        files=await _kept_files(deps, account, decoded),
    )
    if decoded.calls:
        deps.after(account.name, decoded.calls)
    log.info("delivery_replayed", account=raw.account, delivery=raw.id, new=len(taken.added))
    return taken


def _kept(unit: Unit, delivery: str) -> RawDelivery:
    return unit.journal.delivery(delivery)


def as_answer(response: Response) -> web.Response:
    """Return what the platform is answered, as HTTP."""
    return web.Response(
        status=response.status,
        body=response.body,
        headers={"Content-Type": response.content_type},
    )
