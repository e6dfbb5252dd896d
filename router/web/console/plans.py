"""Planning: a recorded day played again with other staffing, and the staffing that it needed."""

import json
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from aiohttp import web

from router.channel.contract import Family
from router.domain.workforce import LEVELS, Role
from router.web.api.plans import found
from router.web.auth import require
from router.web.console.contact import names_of
from router.web.console.show import field, fields, show, whole
from router.web.deps import DEPS, Deps
from router.web.me import me_of
from router.web.pages import back
from router.web.plans import StaffingBody, WhatIfBody, begin, day_of, number_of

_PERCENT = 100.0
routes_ = web.RouteTableDef()


def routes(_deps: Deps) -> Iterable[web.AbstractRouteDef]:
    """Return the routes of the page."""
    return routes_


def _shown(request: web.Request, template: str, job_id: str, **more: Any) -> web.Response:
    deps = request.app[DEPS]
    job = found(deps.plans.find(job_id)) if job_id else None
    return show(request, template, job=job, curves=_curves(job.result) if job else "", **more)


def _curves(result: Any) -> str:
    """Return what the charts draw: times, and for each series mean waits, shares and agents."""
    if "changed" not in result:
        return ""
    series = {
        name: {
            "waited": [point["waited"] for point in result[name]["course"]],
            "in_time": [point["in_time"] * _PERCENT for point in result[name]["course"]],
            "agents": [point["agents"] for point in result[name]["course"]],
            "arrivals": [point["arrivals"] for point in result[name]["course"]],
        }
        for name in ("recorded", "same", "changed")
    }
    times = [point["begins"] for point in result["changed"]["course"]]
    return json.dumps({"times": times, **series})


@routes_.get("/plans")
@require(Role.SUPERVISOR)
async def page(request: web.Request) -> web.Response:
    """Show the forms, and the job that is looked at."""
    deps = request.app[DEPS]
    people = await deps.store.read(lambda unit: unit.workforce.all())
    yesterday = (deps.clock.now() - timedelta(days=1)).astimezone(deps.policy.hours.zone)
    return _shown(
        request,
        "plans/page.html",
        request.query.get("job", ""),
        latest=deps.plans.latest(),
        names=names_of(people),
        skills=tuple(deps.policy.skills),
        levels=tuple(LEVELS),
        families=tuple(Family),
        yesterday=yesterday.date().isoformat(),
    )


@routes_.get("/plans/part")
@require(Role.SUPERVISOR)
async def part(request: web.Request) -> web.Response:
    """Show how far a job is, or what came of it."""
    return _shown(request, "plans/_job.html", request.query.get("job", ""))


@routes_.post("/plans/whatif")
@require(Role.SUPERVISOR)
async def play(request: web.Request) -> web.Response:
    """Begin a what-if."""
    given = await fields(request)
    form = await request.post()
    levels = {
        name.removeprefix("skill."): whole(given, name)
        for name in given
        if name.startswith("skill.") and given[name]
    }
    body = WhatIfBody(
        day=day_of(field(given, "day")),
        agents=whole(given, "agents") if given.get("agents") else 0,
        skills=levels or None,
        families=tuple(str(each) for each in form.getall("family", [])),
        begins=given.get("begins", ""),
        ends=given.get("ends", ""),
        volume=number_of(given, "volume", _PERCENT) / _PERCENT,
        bot=number_of(given, "bot", 0.0) / _PERCENT,
        seeds=whole(given, "seeds") if given.get("seeds") else 3,
    )
    return await _begun(request, body)


@routes_.post("/plans/staffing")
@require(Role.SUPERVISOR)
async def search(request: web.Request) -> web.Response:
    """Begin a staffing search."""
    given = await fields(request)
    body = StaffingBody(
        day=day_of(field(given, "day")),
        share=number_of(given, "share", 90.0) / _PERCENT,
        within=number_of(given, "within", 30.0),
    )
    return await _begun(request, body)


async def _begun(request: web.Request, body: WhatIfBody | StaffingBody) -> web.Response:
    deps = request.app[DEPS]
    job = await begin(deps, body, by=me_of(request).agent.id, at=deps.clock.now())
    return back(request, f"/plans?job={job.id}")
