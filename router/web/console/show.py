"""What every page shares: it is shown with the shop's names, and answers a form in two ways."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Concatenate, ParamSpec, TypeVar

from aiohttp import web

from router.domain.errors import Invalid
from router.domain.reading import Intent
from router.domain.why import difference, reason
from router.service.unit import Unit
from router.web.console.titles import Titles
from router.web.deps import DEPS, Deps
from router.web.me import language_of
from router.web.pages import PAGES, back, is_fragment, render

P = ParamSpec("P")
T = TypeVar("T")

#: The longest text that a field of a form may hold; longer replies are refused by their service.
LONGEST_FIELD = 20_000


def titles_for(deps: Deps, lang: str) -> Titles:
    """Return the shop's own names in ``lang``."""
    channels = {held.channel.name: held.channel for held in deps.accounts.values()}
    return Titles(lang=lang, policy=deps.policy, channels=channels)


def show(request: web.Request, template: str, *, status: int = 200, **context: Any) -> web.Response:
    """Return a page, or a part of one, in the reader's language."""
    deps = request.app[DEPS]
    given = {
        "titles": titles_for(deps, language_of(request)),
        "queues": tuple(deps.policy.queues),
        "intents": tuple(Intent),
        "seconds": lambda value: timedelta(seconds=value),
        "why_chosen": reason,
        "why_not": difference,
        "leave": sorted(deps.policy.routing.approve_presence),
        "names": {},
        "words": "",
        **context,
    }
    answer = render(request, template, status=status, **given)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def done(request: web.Request, to: str, said: str) -> web.Response:
    """Answer a form that was taken: with ``said`` to htmx, which renews the page, or by ``to``.

    ``said`` is a sentence in English, marked for translation where it is written.
    """
    if not is_fragment(request):
        return back(request, to)
    words = request.app[PAGES].words.say(said, language_of(request))
    return web.Response(status=204, headers={"HX-Trigger": json.dumps({"said": words})})


def seen(
    unit: Unit, question: Callable[Concatenate[Unit, P], T], *args: P.args, **kwargs: P.kwargs
) -> tuple[int, T]:
    """Answer ``question`` together with the last event that the answer has seen."""
    return unit.journal.seq(), question(unit, *args, **kwargs)


async def fields(request: web.Request) -> dict[str, str]:
    """Return the fields of a form, without surrounding space; files are left out."""
    form = await request.post()
    given = {name: value.strip() for name, value in form.items() if isinstance(value, str)}
    for name, value in given.items():
        if len(value) > LONGEST_FIELD:
            raise Invalid(f"{name}: has {len(value)} characters; the most is {LONGEST_FIELD}")
    return given


def field(given: dict[str, str], name: str) -> str:
    """Return a field that must be filled in; raises `Invalid`."""
    value = given.get(name, "")
    if not value:
        raise Invalid(f"{name}: is missing")
    return value


def whole(given: dict[str, str], name: str) -> int:
    """Return a field that holds a whole number; raises `Invalid`."""
    value = field(given, name)
    try:
        return int(value)
    except ValueError as error:
        raise Invalid(f"{name}: must be a whole number") from error


def N_(text: str) -> str:  # noqa: N802  gettext's own name for "translated elsewhere"
    """Mark a sentence for translation and return it as it is."""
    return text
