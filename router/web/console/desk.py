"""The agent's desk: offers with their complaints, conversations, and what is done in them."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from aiohttp import web

from router.channel.contract import Audience
from router.domain.article import Publication
from router.domain.coach import Hint, Rule
from router.domain.content import Content, Text
from router.domain.errors import Invalid
from router.domain.ids import (
    AgentId,
    ConversationId,
    MediaId,
    PublicationId,
    QueueName,
    ReservationId,
)
from router.domain.workforce import Agent, Presence
from router.service import desk as verbs
from router.service.coaching import coached_reply
from router.service.desktop import Desk, OpenConversation, desk, open_conversation
from router.service.leave import wish_presence
from router.service.reply import note
from router.service.scripts import Used
from router.service.statement import Statement, state, statements_for
from router.service.unit import Unit
from router.web import uploads
from router.web.advice import advice, rules_in, sure_articles
from router.web.aid import sources_in, used_in
from router.web.console.contact import names_of, older_than
from router.web.console.queues import explained
from router.web.console.show import N_, done, field, fields, seen, show, whole
from router.web.deps import DEPS, Deps
from router.web.live import look_up
from router.web.me import me_of
from router.web.pages import back, is_fragment
from router.web.sockets import SOCKETS

#: For how many minutes a conversation can be put aside.
PARKINGS = (15, 60, 4 * 60, 24 * 60, 3 * 24 * 60)
#: Bytes of an attached file that are read at once.
_CHUNK = 256 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """The desk, and the conversation that lies open on it."""

    desk: Desk
    agents: tuple[Agent, ...]
    open: OpenConversation | None
    statements: tuple[Statement, ...]


def view(unit: Unit, *, opened: str, me: AgentId, deps: Deps) -> View:
    """Return all that the page shows; raises NotFound for an unknown conversation."""
    at = deps.clock.now()
    return View(
        desk=desk(unit, me=me, policy=deps.policy, at=at),
        agents=unit.workforce.all(),
        open=open_conversation(
            unit,
            conversation=ConversationId(opened),
            policy=deps.policy,
            capabilities=deps.capabilities,
            at=at,
        )
        if opened
        else None,
        statements=_statements(unit, ConversationId(opened), deps) if opened else (),
    )


def _statements(unit: Unit, opened: ConversationId, deps: Deps) -> tuple[Statement, ...]:
    held = unit.conversations.get(opened)
    return statements_for(unit, held, policy=deps.policy, families=deps.families)


async def _context(request: web.Request, opened: str) -> dict[str, Any]:
    deps, me = request.app[DEPS], me_of(request).agent.id
    seq, held = await deps.store.read(seen, view, opened=opened, me=me, deps=deps)
    context = {
        "seq": seq,
        "desk": held.desk,
        "open": held.open,
        "chosen": opened,
        "names": names_of(held.agents),
        "agents": tuple(agent for agent in held.agents if agent.active),
        "dispositions": verbs.DISPOSITIONS,
        "parkings": tuple((minutes, timedelta(minutes=minutes)) for minutes in PARKINGS),
        "key": deps.ids.new(),
        "hints": (),
        "went": False,
        "coach": deps.policy.coach,
    }
    if held.open is None:
        return context
    timeline = held.open.timeline
    return {
        **context,
        "able": deps.able(held.open.card.conversation.account),
        "statements": held.statements,
        "timeline": timeline,
        "older": older_than(held.open.card.contact, timeline, words=""),
        "fresh_timeline": True,
        **explained(request, held.open),
    }


routes_ = web.RouteTableDef()


def routes(_deps: Deps) -> Iterable[web.AbstractRouteDef]:
    """Return the routes of the desk."""
    return routes_


@routes_.get("/desk")
async def page(request: web.Request) -> web.Response:
    """Show the desk with no conversation open."""
    return show(request, "desk/page.html", **await _context(request, ""))


@routes_.get("/desk/part")
async def part(request: web.Request) -> web.Response:
    """Return offers, alerts and the list of conversations, for the stream."""
    deps, me = request.app[DEPS], me_of(request).agent.id
    held = await deps.store.read(view, opened="", me=me, deps=deps)
    return show(
        request,
        "desk/_news.html",
        desk=held.desk,
        names=names_of(held.agents),
        chosen=request.query.get("open", ""),
    )


@routes_.get("/desk/{conversation}")
async def opened(request: web.Request) -> web.Response:
    """Show the desk with a conversation open."""
    return show(request, "desk/page.html", **await _context(request, _this(request)))


@routes_.get("/desk/{conversation}/part")
async def talk(request: web.Request) -> web.Response:
    """Return the sections of the open conversation, for the stream."""
    return show(request, "desk/_talk.html", **await _context(request, _this(request)))


@routes_.post("/desk/presence")
async def presence(request: web.Request) -> web.Response:
    """Say whether one takes work."""
    deps, me = request.app[DEPS], me_of(request).agent.id
    given = await fields(request)
    wished = presence_in(given)
    now = await deps.store.transact(
        wish_presence,
        agent=me,
        presence=wished,
        why=given.get("why", ""),
        policy=deps.policy,
        at=deps.clock.now(),
    )
    if now.presence is not wished:
        return done(request, "/desk", N_("A supervisor was asked; until then you take work."))
    return done(request, "/desk", N_("Presence changed."))


def presence_in(given: dict[str, str]) -> Presence:
    """Return the presence that a form asks for; raises `Invalid`."""
    try:
        wished = Presence(field(given, "presence"))
    except ValueError as error:
        raise Invalid("presence: is not one of available, busy, away, offline") from error
    if wished is Presence.LAPSED:
        raise Invalid("presence: is set by the router alone")
    return wished


@routes_.post("/desk/offers/{reservation}/accept")
async def accept(request: web.Request) -> web.Response:
    """Take what was offered and open it."""
    deps, me = request.app[DEPS], me_of(request).agent.id
    held = await deps.store.transact(
        verbs.accept,
        reservation=ReservationId(request.match_info["reservation"]),
        by=me,
        at=deps.clock.now(),
    )
    return back(request, f"/desk/{held.id}")


@routes_.post("/desk/offers/{reservation}/decline")
async def decline(request: web.Request) -> web.Response:
    """Refuse an offer."""
    deps, me = request.app[DEPS], me_of(request).agent.id
    given = await fields(request)
    await deps.store.transact(
        verbs.decline,
        reservation=ReservationId(request.match_info["reservation"]),
        by=me,
        why=given.get("why", ""),
        at=deps.clock.now(),
    )
    return done(request, "/desk", N_("Declined. It goes to somebody else."))


def _this(request: web.Request) -> ConversationId:
    return ConversationId(request.match_info["conversation"])


def _there(request: web.Request) -> str:
    return f"/desk/{_this(request)}"


async def _said(
    request: web.Request, *, hints: tuple[Hint, ...] = (), went: bool = False
) -> web.Response:
    """Return the conversation after something was added to it; ``hints`` are on what went."""
    if not is_fragment(request):
        return back(request, _there(request))
    context = await _context(request, _this(request))
    return show(request, "desk/_said.html", **{**context, "hints": hints, "went": went})


@routes_.post("/desk/{conversation}/reply")
async def answer(request: web.Request) -> web.Response:
    """Queue an answer; the same ``key`` twice is one answer."""
    deps, me = request.app[DEPS], me_of(request).agent.id
    given = await fields(request)
    hints = await deps.store.transact(
        _reply,
        deps,
        conversation=_this(request),
        by=me,
        content=await _content(request, given.get("text", "")),
        key=f"{me}:{given['key']}" if given.get("key") else "",
        audience=audience_in(given),
        sources=await sources_in(request),
        script=used_in(given.get("script", "")),
        articles=await sure_articles(deps, _this(request)),
        shown=rules_in(given.get("hinted", "").split()),
    )
    return await _said(request, hints=hints, went=True)


@routes_.post("/desk/{conversation}/coach")
async def coach(request: web.Request) -> web.Response:
    """Show what the coach says of the draft."""
    deps, given = request.app[DEPS], await fields(request)
    hints = await advice(deps, _this(request), given.get("text", ""))
    return show(request, "desk/_coach.html", hints=hints, went=False, coach=deps.policy.coach)


def audience_in(given: dict[str, str]) -> Audience | None:
    """Return who may read an answer, if a form says so; raises `Invalid`."""
    wished = given.get("audience", "")
    try:
        return Audience(wished) if wished else None
    except ValueError as error:
        raise Invalid("audience: is not one of public, private") from error


async def _content(request: web.Request, text: str) -> Content:
    """Return what is to be said: words, or a file with words under it."""
    deps, file = request.app[DEPS], (await request.post()).get("file")
    if not isinstance(file, web.FileField) or not file.filename:
        return Text(text=text)
    account = (await deps.store.read(look_up, (_this(request),), ())).places[_this(request)].account
    row = await uploads.keep_file(
        deps,
        _chunks(file),
        media=MediaId(deps.ids.new()),
        account=account,
        name=file.filename,
    )
    link = uploads.look_address(deps, row.id)
    return uploads.as_content(row, caption=text, link=link)


async def _chunks(file: web.FileField) -> AsyncIterator[bytes]:
    while data := await asyncio.to_thread(file.file.read, _CHUNK):
        yield data


def _reply(
    unit: Unit,
    deps: Deps,
    *,
    conversation: ConversationId,
    by: AgentId,
    content: Content,
    key: str,
    audience: Audience | None,
    sources: tuple[PublicationId, ...],
    script: Used | None,
    articles: tuple[Publication, ...],
    shown: tuple[Rule, ...],
) -> tuple[Hint, ...]:
    held = unit.conversations.get(conversation)
    return coached_reply(
        unit,
        conversation=conversation,
        by=by,
        content=content,
        capabilities=deps.able(held.account),
        at=deps.clock.now(),
        policy=deps.policy.coach,
        key=key,
        audience=audience,
        sources=sources,
        script=script,
        articles=articles,
        products=tuple(deps.knows.products().values()),
        shown=shown,
    ).hints


@routes_.post("/desk/{conversation}/statement")
async def say_statement(request: web.Request) -> web.Response:
    """Say a crisis's pinned statement, in the tone of the channel; twice is once."""
    deps, me = request.app[DEPS], me_of(request).agent.id
    given = await fields(request)
    await deps.store.transact(
        _state, deps, conversation=_this(request), by=me, crisis=field(given, "crisis")
    )
    return back(request, _there(request))


def _state(
    unit: Unit, deps: Deps, *, conversation: ConversationId, by: AgentId, crisis: str
) -> None:
    held = unit.conversations.get(conversation)
    state(
        unit,
        crisis=crisis,
        conversation=conversation,
        by=by,
        families=deps.families,
        capabilities=deps.able(held.account),
        at=deps.clock.now(),
    )


@routes_.post("/desk/{conversation}/typing")
async def typing(request: web.Request) -> web.Response:
    """Tell a web-chat visitor that one is writing; other channels are not told."""
    deps, me, this = request.app[DEPS], me_of(request).agent, _this(request)
    place = (await deps.store.read(look_up, (this,), ())).places.get(this)
    if place is not None and place.agent == me.id:
        request.app[SOCKETS].typing(place.account, place.external_id, name=me.name)
    return web.Response(status=204)


@routes_.post("/desk/{conversation}/note")
async def write_note(request: web.Request) -> web.Response:
    """Add a note that only colleagues see."""
    deps, me = request.app[DEPS], me_of(request).agent.id
    given = await fields(request)
    await deps.store.transact(
        note,
        conversation=_this(request),
        by=me,
        text=given.get("text", ""),
        at=deps.clock.now(),
    )
    return await _said(request)


@routes_.post("/desk/{conversation}/transfer")
async def transfer(request: web.Request) -> web.Response:
    """Hand it to a colleague or a queue; ``to`` is ``agent:ID`` or ``queue:NAME``."""
    deps, me = request.app[DEPS], me_of(request).agent.id
    given = await fields(request)
    kind, _colon, name = field(given, "to").partition(":")
    if kind not in {"agent", "queue"} or not name:
        raise Invalid("to: name a colleague or a queue")
    await deps.store.transact(
        _transfer,
        conversation=_this(request),
        by=me,
        to_agent=AgentId(name) if kind == "agent" else None,
        to_queue=QueueName(name) if kind == "queue" else None,
        why=field(given, "why"),
        policy=deps.policy,
        at=deps.clock.now(),
    )
    return back(request, "/desk")


def _transfer(unit: Unit, /, **given: Any) -> None:
    verbs.transfer(unit, seen_seq=unit.journal.seq(), **given)


@routes_.post("/desk/{conversation}/park")
async def park(request: web.Request) -> web.Response:
    """Put it aside for so many ``minutes``."""
    deps, me = request.app[DEPS], me_of(request).agent.id
    minutes, at = whole(await fields(request), "minutes"), deps.clock.now()
    if minutes not in PARKINGS:
        raise Invalid(f"minutes: must be one of {', '.join(map(str, PARKINGS))}")
    await deps.store.transact(
        verbs.park,
        conversation=_this(request),
        by=me,
        until=at + timedelta(minutes=minutes),
        at=at,
    )
    return back(request, "/desk")


@routes_.post("/desk/{conversation}/resume")
async def resume(request: web.Request) -> web.Response:
    """Go on with it."""
    deps, me = request.app[DEPS], me_of(request).agent.id
    await deps.store.transact(verbs.resume, conversation=_this(request), by=me, at=deps.clock.now())
    return back(request, _there(request))


@routes_.post("/desk/{conversation}/finish")
async def finish(request: web.Request) -> web.Response:
    """End it; the outcome is recorded next."""
    deps, me = request.app[DEPS], me_of(request).agent.id
    await deps.store.transact(verbs.finish, conversation=_this(request), by=me, at=deps.clock.now())
    return back(request, _there(request))


@routes_.post("/desk/{conversation}/wrap-up")
async def wrap_up(request: web.Request) -> web.Response:
    """Record the outcome and close it."""
    deps, me = request.app[DEPS], me_of(request).agent.id
    given = await fields(request)
    await deps.store.transact(
        verbs.wrap_up,
        conversation=_this(request),
        by=me,
        disposition=field(given, "disposition"),
        text=given.get("text", ""),
        at=deps.clock.now(),
    )
    return back(request, "/desk")
