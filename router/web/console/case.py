"""Complaints: the list by their clocks, and one complaint with all that can be done about it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aiohttp import web

from router.domain.case import LEVELS, Resolution
from router.domain.errors import Invalid
from router.domain.ids import AgentId, CaseId, QueueName
from router.domain.reading import Intent
from router.domain.workforce import Agent
from router.service import cases as verbs
from router.service.cards import CaseCard, open_cases
from router.service.stories import CaseFile, case_file
from router.service.unit import Unit
from router.web.console.contact import names_of, topic_in
from router.web.console.show import N_, done, field, fields, seen, show, whole
from router.web.deps import DEPS, Deps
from router.web.me import me_of

#: Which facts of an event are told beside it, and what each of them is.
TOLD: Mapping[str, str] = {
    "by": "agent",
    "owner": "agent",
    "queue": "queue",
    "severity": "severity",
    "level": "level",
    "resolution": "resolution",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A complaint laid open, and who could take it."""

    file: CaseFile
    agents: tuple[Agent, ...]


def view(unit: Unit, *, case: CaseId, at: datetime) -> View:
    """Return a complaint; raises NotFound."""
    return View(file=case_file(unit, case=case, at=at), agents=unit.workforce.all())


routes_ = web.RouteTableDef()


def routes(_deps: Deps) -> Iterable[web.AbstractRouteDef]:
    """Return the routes of complaints."""
    return routes_


@routes_.get("/cases")
async def listed(request: web.Request) -> web.Response:
    """Show open complaints, the next due first; ``whose`` and ``shop`` narrow."""
    deps, me = request.app[DEPS], me_of(request).agent.id
    seq, cards = await deps.store.read(seen, open_cases, at=deps.clock.now())
    whose, shop = request.query.get("whose", ""), request.query.get("shop", "")
    shown = tuple(
        card for card in cards if _is_of(card, whose, me) and shop in {"", card.case.shop}
    )
    return show(
        request,
        "cases/page.html",
        cards=shown,
        whose=whose,
        shop=shop,
        shops=sorted({*deps.accounts, *(card.case.shop for card in cards)} - {""}),
        levels=LEVELS,
        seq=seq,
    )


def _is_of(card: CaseCard, whose: str, me: AgentId) -> bool:
    match whose:
        case "mine":
            return card.case.owner == me
        case "nobody":
            return card.case.owner is None
        case "late":
            return card.late or card.case.level > 0
        case _:
            return True


async def _context(request: web.Request) -> dict[str, Any]:
    deps = request.app[DEPS]
    seq, held = await deps.store.read(seen, view, case=_this(request), at=deps.clock.now())
    return {
        "seq": seq,
        "file": held.file,
        "agents": tuple(agent for agent in held.agents if agent.active),
        "names": names_of(held.agents),
        "levels": LEVELS,
        "resolutions": tuple(Resolution),
        "topics_known": tuple(Intent),
        "shops": tuple(sorted(request.app[DEPS].accounts)),
        "told": TOLD,
    }


@routes_.get("/cases/{case}")
async def page(request: web.Request) -> web.Response:
    """Show a complaint."""
    return show(request, "cases/one.html", **await _context(request))


@routes_.get("/cases/{case}/part")
async def part(request: web.Request) -> web.Response:
    """Return the sections of a complaint's page, for the stream."""
    return show(request, "cases/_news.html", **await _context(request))


def _this(request: web.Request) -> CaseId:
    return CaseId(request.match_info["case"])


def _there(request: web.Request) -> str:
    return f"/cases/{_this(request)}"


def _by(request: web.Request) -> dict[str, Any]:
    return {
        "case": _this(request),
        "by": me_of(request).agent.id,
        "at": request.app[DEPS].clock.now(),
    }


@routes_.post("/cases/{case}/acknowledge")
async def acknowledge(request: web.Request) -> web.Response:
    """Note that the customer was told."""
    await request.app[DEPS].store.transact(verbs.acknowledge, **_by(request))
    return done(request, _there(request), N_("Acknowledged."))


@routes_.post("/cases/{case}/own")
async def own(request: web.Request) -> web.Response:
    """Give it to an agent."""
    owner = AgentId(field(await fields(request), "owner"))
    await request.app[DEPS].store.transact(verbs.own, owner=owner, **_by(request))
    return done(request, _there(request), N_("It has an owner."))


@routes_.post("/cases/{case}/enqueue")
async def enqueue(request: web.Request) -> web.Response:
    """Put it in a queue."""
    deps, queue = request.app[DEPS], QueueName(field(await fields(request), "queue"))
    if queue not in deps.policy.queues:
        raise Invalid("queue: is not a queue")
    await deps.store.transact(verbs.enqueue, queue=queue, **_by(request))
    return done(request, _there(request), N_("Moved to the queue."))


@routes_.post("/cases/{case}/correct")
async def correct(request: web.Request) -> web.Response:
    """Correct what was understood."""
    deps, given = request.app[DEPS], await fields(request)
    deps.check_shop(given.get("shop"))
    await deps.store.transact(
        verbs.correct,
        severity=whole(given, "severity"),
        topic=topic_in(given),
        order=given.get("order", ""),
        shop=given.get("shop"),
        policy=deps.policy,
        **_by(request),
    )
    return done(request, _there(request), N_("Saved."))


@routes_.post("/cases/{case}/resolve")
async def resolve(request: web.Request) -> web.Response:
    """Close it with a resolution and a note."""
    given = await fields(request)
    try:
        how = Resolution(field(given, "resolution"))
    except ValueError as error:
        raise Invalid("resolution: is not one that we know") from error
    await request.app[DEPS].store.transact(
        verbs.resolve, resolution=how, note=field(given, "note"), **_by(request)
    )
    return done(request, _there(request), N_("Resolved."))


@routes_.post("/cases/{case}/reopen")
async def reopen(request: web.Request) -> web.Response:
    """Open it again."""
    deps = request.app[DEPS]
    await deps.store.transact(verbs.reopen, policy=deps.policy, **_by(request))
    return done(request, _there(request), N_("Opened again."))
