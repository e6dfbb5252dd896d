"""Scripts: what agents say often, worded for each kind of channel, approved by supervisors."""

from collections.abc import Iterable

from aiohttp import web

from router.domain.ids import ScriptId
from router.domain.script import ANY, LANGUAGES, VARIABLES, Script, ScriptState
from router.domain.trial import FEWEST, Trial
from router.domain.workforce import Role
from router.service.scripts import script, scripts, set_state, state_of, write
from router.service.trials import MEASURES
from router.service.unit import Unit
from router.web.auth import require
from router.web.console.show import field, fields, show, whole
from router.web.deps import DEPS, Deps
from router.web.me import me_of
from router.web.pages import back

routes_ = web.RouteTableDef()


def routes(_deps: Deps) -> Iterable[web.AbstractRouteDef]:
    """Return the routes of scripts."""
    return routes_


def places_of(deps: Deps) -> tuple[str, ...]:
    """Return where a wording can be of its own: everywhere, a family in use, a channel in use."""
    families = dict.fromkeys(str(held.channel.family) for held in deps.accounts.values())
    channels = dict.fromkeys(held.channel.name for held in deps.accounts.values())
    return tuple(dict.fromkeys((ANY, *families, *channels)))


@routes_.get("/scripts")
async def page(request: web.Request) -> web.Response:
    """List the scripts."""
    held, uses = await request.app[DEPS].store.read(_listed)
    return show(request, "scripts/page.html", scripts=held, uses=uses)


def _listed(unit: Unit) -> tuple[tuple[Script, ...], dict[ScriptId, int]]:
    held = scripts(unit)
    return held, {each.id: unit.scripts.count_uses(each.id) for each in held}


@routes_.get("/scripts/new")
@require(Role.SUPERVISOR)
async def blank(request: web.Request) -> web.Response:
    """Show the form for a new script."""
    return _form(request, None)


@routes_.get("/scripts/{script}")
async def opened(request: web.Request) -> web.Response:
    """Show a script with its wordings."""
    held, tried = await request.app[DEPS].store.read(_opened, request.match_info["script"])
    return _form(request, held, tried)


def _opened(unit: Unit, wanted: str) -> tuple[Script, tuple[Trial, ...]]:
    held = script(unit, wanted)
    return held, unit.scripts.trials(held.id)


def _form(request: web.Request, held: Script | None, tried: tuple[Trial, ...] = ()) -> web.Response:
    deps = request.app[DEPS]
    places = places_of(deps)
    more = tuple(each for each in (held.wordings if held else ()) if each not in places)
    four_eyes = deps.policy.knowledge.four_eyes
    return show(
        request,
        "scripts/one.html",
        script=held,
        places=(*places, *more),
        any=ANY,
        families={str(each.channel.family) for each in deps.accounts.values()},
        tongues=LANGUAGES,
        variables=VARIABLES,
        steps=steps_of(held, four_eyes=four_eyes),
        trials=tried,
        measures=MEASURES,
        fewest=FEWEST,
    )


def steps_of(held: Script | None, *, four_eyes: bool) -> tuple[ScriptState, ...]:
    """Return the states that a script can be brought into now."""
    if held is None:
        return ()
    withdraw = (ScriptState.WITHDRAWN,) if held.approved else ()
    match held.state:
        case ScriptState.DRAFT | ScriptState.WITHDRAWN:
            approve = () if four_eyes else (ScriptState.APPROVED,)
            return (ScriptState.IN_REVIEW, *approve, *withdraw)
        case ScriptState.IN_REVIEW:
            return (ScriptState.DRAFT, ScriptState.APPROVED, *withdraw)
        case ScriptState.APPROVED:
            return withdraw


@routes_.post("/scripts/new")
@require(Role.SUPERVISOR)
async def create(request: web.Request) -> web.Response:
    """Write a new script."""
    return await _write(request, request.app[DEPS].ids.new(), version=0)


@routes_.post("/scripts/{script}")
@require(Role.SUPERVISOR)
async def change(request: web.Request) -> web.Response:
    """Change a script; a change that somebody else made meanwhile is not overwritten."""
    given = await fields(request)
    return await _write(request, request.match_info["script"], version=whole(given, "version"))


async def _write(request: web.Request, name: str, *, version: int) -> web.Response:
    deps, form, given = request.app[DEPS], await request.post(), await fields(request)
    now, me = deps.clock.now(), me_of(request).agent.id
    wordings: dict[str, dict[str, str]] = {}
    for key, text in given.items():
        kind, _dot, rest = key.partition(".")
        place, _dot, language = rest.rpartition(".")
        if kind == "wording" and place:
            wordings.setdefault(place, {})[language] = text
    held = Script(
        id=ScriptId(name),
        state=ScriptState.DRAFT,
        title=field(given, "title"),
        shortcut=given.get("shortcut", ""),
        category=given.get("category", ""),
        meaning=given.get("meaning", ""),
        wordings=wordings,
        promotional="promotional" in form,
        updated_at=now,
        updated_by=me,
        version=version,
    )
    await deps.store.transact(write, script=held, by=me, at=now)
    return back(request, f"/scripts/{name}")


@routes_.post("/scripts/{script}/state")
@require(Role.SUPERVISOR)
async def move(request: web.Request) -> web.Response:
    """Send a script into review or back, approve it or take it back."""
    deps, me, name = request.app[DEPS], me_of(request).agent.id, request.match_info["script"]
    await deps.store.transact(
        set_state,
        script=name,
        state=state_of(field(await fields(request), "state")),
        by=me,
        four_eyes=deps.policy.knowledge.four_eyes,
        at=deps.clock.now(),
    )
    return back(request, f"/scripts/{name}")
