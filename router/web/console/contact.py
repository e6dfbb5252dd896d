"""A customer over every channel: identities, claims, complaints, timeline, merge and split."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from router.domain.errors import Invalid
from router.domain.evidence import Proposal
from router.domain.ids import AgentId, ContactId, InteractionId
from router.domain.reading import Intent
from router.domain.remembered import Remembered
from router.domain.timeline import Interaction
from router.domain.workforce import Agent
from router.service import contacts as verbs
from router.service.cases import open_by_hand
from router.service.contacts import Person, person
from router.service.probable import suspected
from router.service.remember import amend, remember, remembered_of, unremember
from router.service.stories import CaseStory, stories
from router.service.suspect import accept_proposal, reject_proposal
from router.service.unit import Unit
from router.web.console.show import N_, done, field, fields, seen, show, whole
from router.web.deps import DEPS, Deps
from router.web.me import me_of
from router.web.pages import back, is_fragment

#: Interactions on a page of the timeline, and contacts in a list.
PAGE = 50
MOST_FOUND = 30

Key = tuple[datetime, InteractionId]


def names_of(agents: Iterable[Agent]) -> dict[AgentId, str]:
    """Return the names of agents by id."""
    return {agent.id: agent.name for agent in agents}


def older_than(contact: ContactId, timeline: tuple[Interaction, ...], *, words: str) -> str:
    """Return the address of the next older page of a timeline; empty if this is the last."""
    if len(timeline) < PAGE:
        return ""
    last = timeline[-1]
    query = {"before": f"{last.at.isoformat()}~{last.id}"} | ({"words": words} if words else {})
    return f"/contacts/{contact}/timeline?{urlencode(query)}"


def before_in(request: web.Request) -> Key | None:
    """Return the key that a page of the timeline starts before; raises `Invalid`."""
    given = request.query.get("before", "")
    if not given:
        return None
    at, _tilde, interaction = given.partition("~")
    try:
        moment = datetime.fromisoformat(at)
    except ValueError as error:
        raise Invalid("before: is not a place on the timeline") from error
    if moment.tzinfo is None or not interaction:
        raise Invalid("before: is not a place on the timeline")
    return moment, InteractionId(interaction)


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A person with the page of the timeline that is shown, and whom they might be merged with."""

    person: Person
    stories: tuple[CaseStory, ...]
    timeline: tuple[Interaction, ...]
    names: Mapping[AgentId, str]
    others: tuple[Person, ...]
    suspects: tuple[tuple[Proposal, Person], ...]
    notes: tuple[Remembered, ...]


def view(
    unit: Unit,
    *,
    contact: ContactId,
    before: Key | None,
    words: str,
    merge_with: str,
    at: datetime,
) -> View:
    """Return a person with history; raises NotFound."""
    held = person(unit, contact)
    names = unit.workforce.names()
    others = unit.contacts.search(merge_with, limit=8) if merge_with else ()
    return View(
        person=held,
        stories=stories(unit, held.contact.id, at=at),
        timeline=unit.conversations.timeline(held.members, before=before, limit=PAGE, words=words),
        names=names,
        others=tuple(person(unit, each.id) for each in others if each.id != held.contact.id),
        suspects=tuple(
            (proposal, person(unit, other)) for proposal, other in suspected(unit, contact)
        ),
        notes=remembered_of(unit, contact),
    )


def found(unit: Unit, words: str) -> tuple[Person, ...]:
    """Return the persons whose name, claims or identities hold ``words``."""
    return tuple(person(unit, each.id) for each in unit.contacts.search(words, limit=MOST_FOUND))


routes_ = web.RouteTableDef()


def routes(_deps: Deps) -> Iterable[web.AbstractRouteDef]:
    """Return the routes of contacts."""
    return routes_


@routes_.get("/contacts")
async def search(request: web.Request) -> web.Response:
    """Find customers by name, number or platform id."""
    words = request.query.get("words", "").strip()[:200]
    people = await request.app[DEPS].store.read(found, words)
    return show(request, "contacts/page.html", people=people, words=words)


async def _context(request: web.Request) -> dict[str, Any]:
    deps, contact = request.app[DEPS], ContactId(request.match_info["contact"])
    words = request.query.get("words", "").strip()[:200]
    merge_with = request.query.get("merge", "").strip()[:200]
    seq, held = await deps.store.read(
        seen,
        view,
        contact=contact,
        before=before_in(request),
        words=words,
        merge_with=merge_with,
        at=deps.clock.now(),
    )
    root = held.person.contact.id
    return {
        "seq": seq,
        "person": held.person,
        "stories": held.stories,
        "timeline": held.timeline,
        "older": older_than(root, held.timeline, words=words),
        "names": held.names,
        "others": held.others,
        "suspects": held.suspects,
        "notes": held.notes,
        "merge_with": merge_with,
        "words": words,
        "fresh_timeline": not (words or request.query.get("before")),
        "topics_known": tuple(Intent),
        "shops": tuple(sorted(request.app[DEPS].accounts)),
    }


@routes_.get("/contacts/{contact}")
async def page(request: web.Request) -> web.Response:
    """Show a customer."""
    return show(request, "contacts/one.html", **await _context(request))


@routes_.get("/contacts/{contact}/part")
async def part(request: web.Request) -> web.Response:
    """Return the sections of a customer's page, for the stream."""
    return show(request, "contacts/_news.html", **await _context(request))


@routes_.get("/contacts/{contact}/timeline")
async def timeline(request: web.Request) -> web.Response:
    """Return a page of the timeline: the part for htmx, else the whole page around it."""
    template = "contacts/_timeline.html" if is_fragment(request) else "contacts/one.html"
    return show(request, template, **await _context(request))


def _there(request: web.Request) -> str:
    return f"/contacts/{request.match_info['contact']}"


@routes_.post("/contacts/{contact}")
async def change(request: web.Request) -> web.Response:
    """Correct name, standing and note."""
    deps, given = request.app[DEPS], await fields(request)
    await deps.store.transact(
        verbs.change,
        contact=ContactId(request.match_info["contact"]),
        name=given.get("name", ""),
        vip="vip" in given,
        note=given.get("note", ""),
        by=me_of(request).agent.id,
        at=deps.clock.now(),
    )
    return done(request, _there(request), N_("Saved."))


@routes_.post("/contacts/{contact}/merge")
async def merge(request: web.Request) -> web.Response:
    """Make this contact and another one person; ``with`` is folded into this one."""
    deps, given = request.app[DEPS], await fields(request)
    await deps.store.transact(
        verbs.merge,
        keep=ContactId(request.match_info["contact"]),
        gone=ContactId(field(given, "with")),
        by=me_of(request).agent.id,
        why=field(given, "why"),
        policy=deps.policy,
        at=deps.clock.now(),
    )
    return back(request, _there(request))


@routes_.post("/contacts/{contact}/split")
async def split(request: web.Request) -> web.Response:
    """Take a merge back."""
    deps, given = request.app[DEPS], await fields(request)
    await deps.store.transact(
        verbs.split,
        merge_id=field(given, "merge"),
        by=me_of(request).agent.id,
        policy=deps.policy,
        at=deps.clock.now(),
    )
    return back(request, _there(request))


@routes_.post("/contacts/{contact}/remembered")
async def remember_this(request: web.Request) -> web.Response:
    """Write down something to remember."""
    deps, given = request.app[DEPS], await fields(request)
    await deps.store.transact(
        remember,
        contact=ContactId(request.match_info["contact"]),
        text=field(given, "text"),
        by=me_of(request).agent.id,
        at=deps.clock.now(),
    )
    return back(request, _inside(given))


@routes_.post("/remembered/{note}")
async def change_note(request: web.Request) -> web.Response:
    """Word a note on a customer anew."""
    deps, given = request.app[DEPS], await fields(request)
    await deps.store.transact(
        amend,
        noted=request.match_info["note"],
        text=field(given, "text"),
        by=me_of(request).agent.id,
        at=deps.clock.now(),
    )
    return done(request, _inside(given), N_("Saved."))


@routes_.post("/remembered/{note}/remove")
async def remove_note(request: web.Request) -> web.Response:
    """Take a note on a customer away."""
    deps, given = request.app[DEPS], await fields(request)
    await deps.store.transact(
        unremember,
        noted=request.match_info["note"],
        by=me_of(request).agent.id,
        at=deps.clock.now(),
    )
    return done(request, _inside(given), N_("Taken away."))


@routes_.post("/contacts/{contact}/cases")
async def open_case(request: web.Request) -> web.Response:
    """Write down a complaint that no channel heard."""
    deps, given = request.app[DEPS], await fields(request)
    deps.check_shop(given.get("shop", ""))
    case = await deps.store.transact(
        open_by_hand,
        contact=ContactId(request.match_info["contact"]),
        severity=whole(given, "severity"),
        topic=topic_in(given),
        summary=field(given, "summary"),
        shop=given.get("shop", ""),
        by=me_of(request).agent.id,
        policy=deps.policy,
        at=deps.clock.now(),
    )
    return back(request, f"/cases/{case.id}")


def topic_in(given: dict[str, str]) -> str:
    """Return the topic that a form names; raises `Invalid`."""
    try:
        return Intent(field(given, "topic")).value
    except ValueError as error:
        raise Invalid("topic: is not one that we know") from error


@routes_.post("/proposals/{proposal}/accept")
async def accept(request: web.Request) -> web.Response:
    """Make the two contacts of a proposal one person."""
    deps, given = request.app[DEPS], await fields(request)
    await deps.store.transact(
        accept_proposal,
        proposal=request.match_info["proposal"],
        by=me_of(request).agent.id,
        policy=deps.policy,
        at=deps.clock.now(),
    )
    return back(request, _inside(given))


@routes_.post("/proposals/{proposal}/reject")
async def reject(request: web.Request) -> web.Response:
    """Say that the two contacts of a proposal are different people."""
    deps, given = request.app[DEPS], await fields(request)
    await deps.store.transact(
        reject_proposal,
        proposal=request.match_info["proposal"],
        by=me_of(request).agent.id,
        at=deps.clock.now(),
    )
    return back(request, _inside(given))


def _inside(given: dict[str, str]) -> str:
    """Return the page to go back to: one of those that show proposals, or the list."""
    to = given.get("next", "").removesuffix("/part")
    shown = to == "/desk" or to.startswith(("/contacts/", "/desk/", "/cases/"))
    return to if shown else "/contacts"
