"""Crises: what many complain of, the statement about it, and the conversations on it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aiohttp import web

from router.channel.contract import Family
from router.domain.conversation import Conversation
from router.domain.crisis import ANY, LANGUAGES, Crisis, subject_of
from router.domain.errors import Invalid
from router.domain.ids import AgentId, ConversationId, QueueName
from router.domain.policy import ShopPolicy
from router.domain.workforce import Role
from router.service import crisis as verbs
from router.service.cards import Card, cards_of
from router.service.statement import Together, about, is_said, route_together, state_together
from router.service.unit import Unit
from router.web.auth import require
from router.web.console.show import field, fields, seen, show
from router.web.deps import DEPS, Deps
from router.web.me import me_of
from router.web.pages import back

#: How many conversations of one crisis are listed; the rest is counted.
MOST = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A crisis with the open conversations on it; ``said`` are those that had the statement."""

    crisis: Crisis
    cards: tuple[Card, ...]
    total: int
    said: frozenset[ConversationId]


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """The crises that stand, and those that are over."""

    live: tuple[Listed, ...]
    ended: tuple[Crisis, ...]
    names: Mapping[AgentId, str]


def view(unit: Unit, *, policy: ShopPolicy, at: datetime) -> View:
    """Return all that the page shows."""
    return View(
        live=tuple(_listed(unit, each, policy=policy, at=at) for each in unit.crises.live()),
        ended=unit.crises.ended(limit=20),
        names=unit.workforce.names(),
    )


def _listed(unit: Unit, crisis: Crisis, *, policy: ShopPolicy, at: datetime) -> Listed:
    held = about(unit, crisis, policy=policy)
    shown: tuple[Conversation, ...] = held[:MOST]
    return Listed(
        crisis=crisis,
        cards=cards_of(unit, shown, policy=policy, at=at),
        total=len(held),
        said=frozenset(each.id for each in shown if is_said(unit, crisis.id, each)),
    )


routes_ = web.RouteTableDef()


def routes(_deps: Deps) -> Iterable[web.AbstractRouteDef]:
    """Return the routes of the page."""
    return routes_


async def _context(request: web.Request) -> dict[str, Any]:
    deps = request.app[DEPS]
    seq, held = await deps.store.read(seen, view, policy=deps.policy, at=deps.clock.now())
    served = {each.channel.family for each in deps.accounts.values()}
    return {
        "seq": seq,
        "live": held.live,
        "ended": held.ended,
        "names": held.names,
        "any_family": ANY,
        "families": tuple(each for each in Family if each in served),
        "tongues": LANGUAGES,
        "topics_known": verbs.TOPICS,
        "products": tuple(deps.policy.crisis.products),
        "done": request.query.get("done", ""),
        "left_out": request.query.get("left", ""),
    }


@routes_.get("/crises")
@require(Role.SUPERVISOR)
async def page(request: web.Request) -> web.Response:
    """Show the crises, their statements and their conversations."""
    return show(request, "crises/page.html", **await _context(request))


@routes_.get("/crises/part")
@require(Role.SUPERVISOR)
async def part(request: web.Request) -> web.Response:
    """Return how the conversations of the crises ``shown`` stand, and whether there are others."""
    shown = request.query.get("shown", "").split(",")
    return show(request, "crises/_news.html", shown=shown, **await _context(request))


@routes_.post("/crises")
@require(Role.SUPERVISOR)
async def declare(request: web.Request) -> web.Response:
    """Raise a crisis by hand."""
    deps, given = request.app[DEPS], await fields(request)
    raised = await deps.store.transact(
        verbs.declare,
        subject=subject_of(field(given, "subject")),
        by=me_of(request).agent.id,
        policy=deps.policy,
        at=deps.clock.now(),
    )
    return back(request, f"/crises#{raised.id}")


@routes_.post("/crises/{crisis}/statement")
@require(Role.SUPERVISOR)
async def draft(request: web.Request) -> web.Response:
    """Keep a draft; fields are named ``FAMILY.LANGUAGE``."""
    deps, given, this = request.app[DEPS], await fields(request), request.match_info["crisis"]
    wordings: dict[str, dict[str, str]] = {}
    for name, text in given.items():
        family, dot, lang = name.partition(".")
        if dot and lang in LANGUAGES:
            wordings.setdefault(family, {})[lang] = text
    await deps.store.transact(
        verbs.draft,
        crisis=this,
        wordings=wordings,
        by=me_of(request).agent.id,
        at=deps.clock.now(),
    )
    return back(request, f"/crises#{this}")


_STEPS = {"approve": verbs.approve, "pin": verbs.pin, "end": verbs.end}


@routes_.post("/crises/{crisis}/step")
@require(Role.SUPERVISOR)
async def step(request: web.Request) -> web.Response:
    """Approve the draft, pin what was approved, or end the crisis; ``do`` says which."""
    deps, given, this = request.app[DEPS], await fields(request), request.match_info["crisis"]
    what = field(given, "do")
    if what not in _STEPS:
        raise Invalid(f"do: is not one of {', '.join(_STEPS)}")
    await deps.store.transact(
        _STEPS[what], crisis=this, by=me_of(request).agent.id, at=deps.clock.now()
    )
    return back(request, f"/crises#{this}")


@routes_.post("/crises/{crisis}/together")
@require(Role.SUPERVISOR)
async def together(request: web.Request) -> web.Response:
    """Say the statement in the chosen conversations, or put them in one queue."""
    deps, form, this = request.app[DEPS], await request.post(), request.match_info["crisis"]
    given, me = await fields(request), me_of(request).agent.id
    names = tuple(ConversationId(str(each)) for each in form.getall("conversation", []))
    if not names or len(names) > MOST:
        raise Invalid(f"conversation: choose 1 to {MOST}")
    chosen: dict[str, Any] = {"conversations": names, "by": me, "at": deps.clock.now()}
    done: Together
    if field(given, "do") == "state":
        done = await deps.store.transact(
            state_together,
            crisis=this,
            families=deps.families,
            capabilities=deps.capabilities,
            **chosen,
        )
    elif given["do"] == "route":
        queue = QueueName(field(given, "queue"))
        done = await deps.store.transact(route_together, queue=queue, policy=deps.policy, **chosen)
    else:
        raise Invalid("do: is not one of state, route")
    counted = f"done={len(done.done)}&left={len(done.left_out)}"
    return back(request, f"/crises?{counted}#{this}")
