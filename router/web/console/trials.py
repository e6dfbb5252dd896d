"""Trials of wordings: begun, looked at with what chance alone would do, ended with a winner."""

import asyncio
from collections.abc import Iterable

from aiohttp import web

from router.domain.ids import ScriptId, TrialId
from router.domain.script import LANGUAGES
from router.domain.trial import Measure, Variant
from router.domain.workforce import Role
from router.service.scripts import script
from router.service.significance import LEVEL, compare
from router.service.trials import MEASURES, Results, begin, end, measure_of, tallies
from router.web.auth import require
from router.web.console.show import field, fields, show, whole
from router.web.deps import DEPS, Deps
from router.web.me import me_of
from router.web.pages import back

routes_ = web.RouteTableDef()


def routes(_deps: Deps) -> Iterable[web.AbstractRouteDef]:
    """Return the routes of trials."""
    return routes_


async def results(deps: Deps, trial: str, measure: Measure | None = None) -> Results:
    """Return what came of a trial so far; raises NotFound."""
    held, counted = await deps.store.read(
        tallies, trial=trial, measure=measure, at=deps.clock.now()
    )
    compared = await asyncio.to_thread(compare, counted, measure or held.measure)
    return Results(trial=held, compared=compared)


@routes_.get("/trials/{trial}")
async def page(request: web.Request) -> web.Response:
    """Show a trial's variants and what came of each, by every measure."""
    deps, name = request.app[DEPS], request.match_info["trial"]
    found = await results(deps, name)
    wished = request.query.get("measure", "")
    measure = measure_of(wished) if wished else found.trial.measure
    shown = found if measure is found.trial.measure else await results(deps, name, measure)
    held = await deps.store.read(script, found.trial.script)
    return show(
        request,
        "scripts/trial.html",
        script=held,
        results=shown,
        trial=found.trial,
        measure=measure,
        measures=MEASURES,
        level=LEVEL,
    )


@routes_.post("/scripts/{script}/trials")
@require(Role.SUPERVISOR)
async def start(request: web.Request) -> web.Response:
    """Begin a trial of another wording beside the approved one."""
    deps, given = request.app[DEPS], await fields(request)
    wording = {lang: given[f"other.{lang}"] for lang in LANGUAGES if given.get(f"other.{lang}")}
    made = await deps.store.transact(
        begin,
        trial=TrialId(deps.ids.new()),
        script=ScriptId(request.match_info["script"]),
        place=field(given, "place"),
        others=(Variant(name="B", wording=wording),),
        measure=measure_of(field(given, "measure")),
        planned=whole(given, "planned"),
        by=me_of(request).agent.id,
        at=deps.clock.now(),
    )
    return back(request, f"/trials/{made.id}")


@routes_.post("/trials/{trial}/end")
@require(Role.SUPERVISOR)
async def stop(request: web.Request) -> web.Response:
    """End a trial, with the wording that goes on or without one."""
    deps, given = request.app[DEPS], await fields(request)
    over = await deps.store.transact(
        end,
        trial=request.match_info["trial"],
        winner=given.get("winner", ""),
        by=me_of(request).agent.id,
        at=deps.clock.now(),
    )
    return back(request, f"/trials/{over.id}")
