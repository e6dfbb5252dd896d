"""What an operator must look at: answers stuck, deliveries nobody could read, accounts' health."""

import json
from collections.abc import Iterable, Mapping, Sized
from dataclasses import dataclass
from datetime import timedelta

from aiohttp import web

from router.channel.accounts import Account, shown_settings
from router.domain.errors import Invalid
from router.domain.ids import AgentId, OutboxId
from router.domain.workforce import Role
from router.service import delivery as verbs
from router.service.board import Trouble, trouble
from router.service.records import OutboxState, RawDelivery
from router.service.unit import Unit
from router.web.addresses import address_of, we_connect
from router.web.auth import require
from router.web.console.show import N_, done, field, fields, seen, show
from router.web.deps import DEPS, Deps
from router.web.me import me_of
from router.web.pages import back
from router.web.webhooks import replay

_VERBS = {"requeue": verbs.requeue, "drop": verbs.drop, "confirm": verbs.confirm}
_SAID = {
    "requeue": N_("It is tried again."),
    "drop": N_("Dropped. The customer does not get it."),
    "confirm": N_("Noted as sent."),
}
#: How much of a delivery's body is shown.
_MOST_SHOWN = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """The trouble there is, and who answers for what is stuck."""

    trouble: Trouble
    names: Mapping[AgentId, str]


def view(unit: Unit) -> View:
    """Return what did not go out and what could not be read."""
    return View(trouble=trouble(unit), names=unit.workforce.names())


def raw(unit: Unit, delivery: str) -> RawDelivery:
    """Return a delivery as it came; raises NotFound."""
    return unit.journal.delivery(delivery)


routes_ = web.RouteTableDef()


def routes(_deps: Deps) -> Iterable[web.AbstractRouteDef]:
    """Return the routes of the operator's page."""
    return routes_


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountLine:
    """An account as the operator sees it; secrets are hidden."""

    account: Account
    hook: str
    dials: bool
    settings: Mapping[str, str]
    health: str


def as_written(value: object) -> str:
    """Return a setting as it is written in the account's file; a dash where nothing is set."""
    if value is None or value == "" or (isinstance(value, Sized) and not value):
        return "–"
    return value if isinstance(value, str) else _toml(value)


def _toml(value: object) -> str:
    shown = json.dumps(str(value), ensure_ascii=False)
    match value:
        case bool() | int() | float():
            shown = json.dumps(value)
        case timedelta():
            shown = f"{value.total_seconds():g} s"
        case Mapping():
            pairs = ", ".join(f"{key} = {_toml(each)}" for key, each in value.items())
            shown = f"{{ {pairs} }}"
        case set() | frozenset() | list() | tuple():
            each = sorted(value, key=str) if isinstance(value, set | frozenset) else value
            shown = f"[{', '.join(map(_toml, each))}]"
    return shown


async def _accounts(deps: Deps) -> tuple[AccountLine, ...]:
    lines = []
    for name, held in deps.accounts.items():
        check = deps.health.get(f"account:{name}")
        lines.append(
            AccountLine(
                account=held,
                hook=address_of(held, deps.settings.public_url),
                dials=we_connect(held),
                settings={name: as_written(value) for name, value in shown_settings(held).items()},
                health=(await check() or "") if check else "",
            )
        )
    return tuple(lines)


@routes_.get("/trouble")
@require(Role.SUPERVISOR)
async def page(request: web.Request) -> web.Response:
    """Show what is stuck, what was unreadable, and the accounts."""
    deps = request.app[DEPS]
    seq, held = await deps.store.read(seen, view)
    general = {name: await check() for name, check in deps.health.items() if ":" not in name}
    stuck = tuple(row for row in held.trouble.outbox if row.state is not OutboxState.QUEUED)
    return show(
        request,
        "trouble/page.html",
        seq=seq,
        stuck=stuck,
        queued=len(held.trouble.outbox) - len(stuck),
        unreadable=held.trouble.unreadable,
        ignored=sorted(held.trouble.ignored.items()),
        accounts=await _accounts(deps),
        health=general,
        names=held.names,
    )


@routes_.get("/trouble/deliveries/{delivery}")
@require(Role.SUPERVISOR)
async def delivery(request: web.Request) -> web.Response:
    """Show a delivery as it came."""
    held = await request.app[DEPS].store.read(raw, request.match_info["delivery"])
    body = held.body[:_MOST_SHOWN].decode("utf-8", "replace")
    return show(request, "trouble/delivery.html", delivery=held, body=body)


@routes_.post("/trouble/outbox/{row}")
@require(Role.SUPERVISOR)
async def settle(request: web.Request) -> web.Response:
    """Try a stuck answer again, drop it, or note that it was sent."""
    deps, given = request.app[DEPS], await fields(request)
    what = field(given, "do")
    if what not in _VERBS:
        raise Invalid("do: is not one of requeue, drop, confirm")
    await deps.store.transact(
        _VERBS[what],
        OutboxId(request.match_info["row"]),
        by=me_of(request).agent.id,
        at=deps.clock.now(),
    )
    return done(request, "/trouble", _SAID[what])


@routes_.post("/trouble/deliveries/{delivery}/replay")
@require(Role.SUPERVISOR)
async def again(request: web.Request) -> web.Response:
    """Read a kept delivery once more, with the adapter as it is now."""
    await replay(request.app[DEPS], request.match_info["delivery"])
    return back(request, "/trouble")
