"""The supervisor's wall: queues, waiting and in hand, complaints, agents; and what can be done."""

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from router.domain.case import LEVELS
from router.domain.ids import AgentId, ConversationId, QueueName
from router.domain.workforce import Agent, Role
from router.service import leave, supervise
from router.service.board import Board, board
from router.service.cards import Card
from router.service.desktop import OpenConversation, open_conversation
from router.service.unit import Unit
from router.web.auth import require
from router.web.console.show import N_, done, field, fields, seen, show, whole
from router.web.deps import DEPS, Deps
from router.web.me import language_of, me_of
from router.web.pages import PAGES, back

TABS = ("waiting", "hand", "bot")


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """What the supervisor wants to see; it stands in the page's address."""

    tab: str = "waiting"
    queue: str = ""
    channel: str = ""
    words: str = ""
    open: str = ""

    @property
    def narrow(self) -> bool:
        """Return whether something is left out."""
        return bool(self.queue or self.channel or self.words)

    def address(self, **changes: str) -> str:
        """Return the query of a page's address, with changes."""
        kept = {name: value for name, value in asdict(replace(self, **changes)).items() if value}
        return urlencode(kept)

    def takes(self, card: Card) -> bool:
        """Return whether a conversation is to be shown."""
        held = card.conversation
        if self.queue and held.queue != self.queue:
            return False
        if self.channel and held.channel != self.channel:
            return False
        text = (card.contact_name, card.last, card.agent_name, held.external_id)
        complaints = (each.case.summary for each in card.cases)
        wanted = self.words.casefold()
        return not wanted or any(wanted in each.casefold() for each in (*text, *complaints))


def filter_of(request: web.Request) -> Filter:
    """Read what is wanted from the address."""
    query = request.query
    tab = query.get("tab", "")
    return Filter(
        tab=tab if tab in TABS else TABS[0],
        queue=query.get("queue", ""),
        channel=query.get("channel", ""),
        words=query.get("words", "").strip()[:200],
        open=query.get("open", ""),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Wall:
    """The board, and the conversation that stands open beside it."""

    board: Board
    agents: tuple[Agent, ...]
    open: OpenConversation | None


def wall(unit: Unit, *, opened: str, me: AgentId, deps: Deps) -> Wall:
    """Return all that the page shows; raises NotFound for an unknown conversation."""
    at = deps.clock.now()
    return Wall(
        board=board(unit, me=me, policy=deps.policy, weights=deps.weights, at=at),
        agents=tuple(agent for agent in unit.workforce.all() if agent.active),
        open=open_conversation(
            unit,
            conversation=ConversationId(opened),
            policy=deps.policy,
            capabilities=deps.capabilities,
            at=at,
        )
        if opened
        else None,
    )


async def _context(request: web.Request) -> dict[str, Any]:
    deps, wanted = request.app[DEPS], filter_of(request)
    me = me_of(request).agent.id
    seq, held = await deps.store.read(seen, wall, opened=wanted.open, me=me, deps=deps)
    lists = {
        "waiting": held.board.waiting,
        "hand": held.board.in_hand,
        "bot": held.board.with_bot,
    }
    cards = tuple(card for card in lists[wanted.tab] if wanted.takes(card))
    hidden = 0
    if wanted.tab == "waiting" and not wanted.narrow:
        hidden = held.board.waiting_total - len(held.board.waiting)
    say = request.app[PAGES].words.say
    lang = language_of(request)
    return {
        "seq": seq,
        "board": held.board,
        "open": held.open,
        "agents": held.agents,
        "cards": cards,
        "hidden": hidden,
        "filter": wanted,
        "query": wanted.address(),
        "chosen": wanted.open,
        "levels": LEVELS,
        "tabs": tuple(
            (tab, say(title, lang), sum(map(wanted.takes, lists[tab])))
            for tab, title in zip(
                TABS, (N_("Waiting"), N_("In hand"), N_("With the bot")), strict=True
            )
        ),
        **explained(request, held.open),
    }


def explained(request: web.Request, opened: OpenConversation | None) -> dict[str, Any]:
    """Return what the sentences about decisions need: how cases are called."""
    cases = {case.id: case for case in (opened.person.cases if opened else ())}
    pages, lang = request.app[PAGES], language_of(request)

    def case_title(case: str) -> str:
        known = cases.get(case)  # type: ignore[call-overload]  # ids come from JSON
        return pages.say("topic", known.topic, lang) if known else case

    return {"case_title": case_title}


routes_ = web.RouteTableDef()


def routes(_deps: Deps) -> Iterable[web.AbstractRouteDef]:
    """Return the routes of the supervisor's wall, and of alerts."""
    return routes_


@routes_.get("/")
async def first(request: web.Request) -> web.Response:
    """Send everybody to the page that is theirs."""
    return back(request, "/queues" if me_of(request).agent.supervises() else "/desk")


@routes_.get("/queues")
@require(Role.SUPERVISOR)
async def page(request: web.Request) -> web.Response:
    """Show the wall."""
    return show(request, "queues/page.html", **await _context(request))


@routes_.get("/queues/part")
@require(Role.SUPERVISOR)
async def part(request: web.Request) -> web.Response:
    """Return the sections of the wall, for the stream."""
    return show(request, "queues/_news.html", **await _context(request))


def _this(request: web.Request) -> ConversationId:
    return ConversationId(request.match_info["conversation"])


def _open(request: web.Request) -> str:
    return f"/queues?open={_this(request)}"


@routes_.post("/queues/{conversation}/take")
@require(Role.SUPERVISOR)
async def take(request: web.Request) -> web.Response:
    """Take a conversation into one's own hands and open it on the desk."""
    deps, me = request.app[DEPS], me_of(request).agent.id
    await deps.store.transact(_take, conversation=_this(request), by=me, at=deps.clock.now())
    return back(request, f"/desk/{_this(request)}")


def _take(unit: Unit, /, **given: Any) -> None:
    supervise.take_over(unit, seen_seq=unit.journal.seq(), **given)


@routes_.post("/queues/{conversation}/reassign")
@require(Role.SUPERVISOR)
async def reassign(request: web.Request) -> web.Response:
    """Give a conversation to an agent."""
    deps, me = request.app[DEPS], me_of(request).agent.id
    to = AgentId(field(await fields(request), "to"))
    await deps.store.transact(
        _reassign, conversation=_this(request), to=to, by=me, at=deps.clock.now()
    )
    return done(request, _open(request), N_("Reassigned."))


def _reassign(unit: Unit, /, **given: Any) -> None:
    supervise.reassign(unit, seen_seq=unit.journal.seq(), **given)


@routes_.post("/queues/{conversation}/requeue")
@require(Role.SUPERVISOR)
async def requeue(request: web.Request) -> web.Response:
    """Put a conversation in line in a queue."""
    deps, me = request.app[DEPS], me_of(request).agent.id
    queue = QueueName(field(await fields(request), "queue"))
    await deps.store.transact(
        supervise.requeue,
        conversation=_this(request),
        queue=queue,
        by=me,
        policy=deps.policy,
        at=deps.clock.now(),
    )
    return done(request, _open(request), N_("Moved to the queue."))


@routes_.post("/queues/{conversation}/priority")
@require(Role.SUPERVISOR)
async def priority(request: web.Request) -> web.Response:
    """Raise or lower a conversation in line."""
    deps, me = request.app[DEPS], me_of(request).agent.id
    steps = whole(await fields(request), "priority")
    await deps.store.transact(
        supervise.set_priority,
        conversation=_this(request),
        priority=steps,
        by=me,
        at=deps.clock.now(),
    )
    return done(request, _open(request), N_("Priority changed."))


@routes_.post("/queues/{conversation}/close")
@require(Role.SUPERVISOR)
async def close(request: web.Request) -> web.Response:
    """Close a conversation that nobody has to answer."""
    deps, me = request.app[DEPS], me_of(request).agent.id
    why = field(await fields(request), "why")
    await deps.store.transact(
        supervise.close, conversation=_this(request), by=me, why=why, at=deps.clock.now()
    )
    return back(request, "/queues")


@routes_.post("/alerts/{alert}/seen")
async def alert_seen(request: web.Request) -> web.Response:
    """Put an alert away."""
    deps, me = request.app[DEPS], me_of(request).agent
    await deps.store.transact(_see, request.match_info["alert"], by=me.id, at=deps.clock.now())
    return done(request, "/", N_("Put away."))


@routes_.post("/alerts/{alert}/approve")
@require(Role.SUPERVISOR)
async def approve_leave(request: web.Request) -> web.Response:
    """Say yes to an agent who asked for leave to stop taking work."""
    return await _answer_leave(request, leave.approve)


@routes_.post("/alerts/{alert}/decline")
@require(Role.SUPERVISOR)
async def decline_leave(request: web.Request) -> web.Response:
    """Say no; the agent is told."""
    return await _answer_leave(request, leave.decline)


async def _answer_leave(request: web.Request, verb: Callable[..., Agent]) -> web.Response:
    deps, me = request.app[DEPS], me_of(request).agent
    await deps.store.transact(
        verb, asked=request.match_info["alert"], by=me.id, at=deps.clock.now()
    )
    return done(request, "/queues", N_("The agent was told."))


def _see(unit: Unit, alert: str, *, by: AgentId, at: datetime) -> None:
    unit.journal.see_alert(alert, by=by, at=at)
