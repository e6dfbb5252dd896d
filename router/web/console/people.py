"""Colleagues: who they are, what they can do, how much they take, and whether they are here."""

import base64
from collections.abc import Iterable
from typing import Any

from aiohttp import web

from router.channel.contract import Family
from router.domain.errors import Invalid
from router.domain.ids import AgentId, Skill
from router.domain.workforce import LEVELS, Agent, Role
from router.service import people as verbs
from router.service.desk import set_presence
from router.service.unit import Unit
from router.web.auth import require
from router.web.console.desk import presence_in
from router.web.console.show import N_, done, field, fields, show
from router.web.deps import DEPS, Deps
from router.web.i18n import LANGUAGES
from router.web.me import me_of
from router.web.pages import back
from router.web.signin import DOOR

#: Random bytes in a one-time password; sixteen letters and digits to read out.
_PASSWORD_BYTES = 10


def everybody(unit: Unit) -> tuple[Agent, ...]:
    """Return all agents, those who have left last."""
    return tuple(sorted(unit.workforce.all(), key=lambda each: (not each.active, each.name)))


def one(unit: Unit, agent: AgentId) -> Agent:
    """Return an agent; raises NotFound."""
    return unit.workforce.get(agent)


routes_ = web.RouteTableDef()


def routes(_deps: Deps) -> Iterable[web.AbstractRouteDef]:
    """Return the routes of colleagues."""
    return routes_


def _choices(request: web.Request) -> dict[str, Any]:
    policy = request.app[DEPS].policy
    rank = me_of(request).agent.role
    roles = tuple(Role) if rank is Role.ADMIN else (Role.AGENT, Role.SUPERVISOR)
    return {
        "skills": tuple(policy.skills),
        "levels": tuple(LEVELS),
        "roles": roles,
        "families": tuple(Family),
        "tongues": tuple(LANGUAGES),
    }


@routes_.get("/people")
@require(Role.SUPERVISOR)
async def page(request: web.Request) -> web.Response:
    """Show everybody with their skills."""
    agents = await request.app[DEPS].store.read(everybody)
    return show(request, "people/page.html", agents=agents, **_choices(request))


@routes_.get("/people/new")
@require(Role.SUPERVISOR)
async def blank(request: web.Request) -> web.Response:
    """Show the form for a new colleague."""
    return show(request, "people/one.html", agent=None, **_choices(request))


@routes_.get("/people/{agent}")
@require(Role.SUPERVISOR)
async def opened(request: web.Request) -> web.Response:
    """Show one colleague."""
    agent = await request.app[DEPS].store.read(one, _this(request))
    return show(request, "people/one.html", agent=agent, **_choices(request))


def _this(request: web.Request) -> AgentId:
    return AgentId(request.match_info["agent"])


async def _read(request: web.Request) -> dict[str, Any]:
    """Return what the form says of a person; raises `Invalid`."""
    form, given = await request.post(), await fields(request)
    skills = {
        Skill(name): int(given[f"skill.{name}"])
        for name in request.app[DEPS].policy.skills
        if given.get(f"skill.{name}", "0").isdecimal() and given.get(f"skill.{name}", "0") != "0"
    }
    try:
        role, capacity = Role(field(given, "role")), float(field(given, "capacity"))
    except ValueError as error:
        raise Invalid("capacity: must be a number, and the role one that we know") from error
    return {
        "name": field(given, "name"),
        "role": role,
        "skills": skills,
        "families": frozenset(str(each) for each in form.getall("families", ())),
        "languages": frozenset(str(each) for each in form.getall("languages", ())),
        "groups": frozenset(given.get("groups", "").replace(",", " ").replace("，", " ").split()),
        "capacity": capacity / 100,
        "by": me_of(request).agent.id,
        "policy": request.app[DEPS].policy,
        "at": request.app[DEPS].clock.now(),
    }


def _one_time(deps: Deps) -> str:
    letters = base64.b32encode(deps.ids.entropy(_PASSWORD_BYTES)).decode().lower()
    return "-".join(letters[at : at + 4] for at in range(0, len(letters), 4))


@routes_.post("/people/new")
@require(Role.SUPERVISOR)
async def create(request: web.Request) -> web.Response:
    """Make a colleague; the one-time password is shown this once."""
    deps, given = request.app[DEPS], await _read(request)
    login, password = field(await fields(request), "login"), _one_time(deps)
    agent = await deps.store.transact(
        verbs.create_agent,
        login=login,
        password_hash=await request.app[DOOR].hash(password),
        **given,
    )
    return show(request, "people/once.html", agent=agent, password=password)


@routes_.post("/people/{agent}")
@require(Role.SUPERVISOR)
async def edit(request: web.Request) -> web.Response:
    """Change a colleague."""
    given, active = await _read(request), "active" in await fields(request)
    await request.app[DEPS].store.transact(
        verbs.edit_agent, agent=_this(request), active=active, **given
    )
    return back(request, "/people")


@routes_.post("/people/{agent}/password")
@require(Role.SUPERVISOR)
async def reset(request: web.Request) -> web.Response:
    """Give a colleague a new one-time password and sign them out everywhere."""
    deps, password = request.app[DEPS], _one_time(request.app[DEPS])
    agent = await deps.store.read(one, _this(request))
    await deps.store.transact(
        verbs.set_password,
        agent=agent.id,
        password_hash=await request.app[DOOR].hash(password),
        must_change=True,
        by=me_of(request).agent.id,
        at=deps.clock.now(),
    )
    return show(request, "people/once.html", agent=agent, password=password)


@routes_.post("/people/{agent}/presence")
@require(Role.SUPERVISOR)
async def presence(request: web.Request) -> web.Response:
    """Say for a colleague whether they take work."""
    deps, me = request.app[DEPS], me_of(request).agent.id
    wished = presence_in(await fields(request))
    await deps.store.transact(
        set_presence, agent=_this(request), presence=wished, by=me, at=deps.clock.now()
    )
    return done(request, "/queues", N_("Presence changed."))
