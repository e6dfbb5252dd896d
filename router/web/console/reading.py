"""A colleague corrects how a message was read, from the desk or a customer's page."""

from collections.abc import Iterable

from aiohttp import web

from router.domain.errors import Invalid
from router.domain.ids import InteractionId
from router.domain.reading import Intent, Labels
from router.service.correct import correct_reading
from router.web.console.contact import topic_in
from router.web.console.show import N_, done, field, fields, whole
from router.web.deps import DEPS, Deps
from router.web.me import me_of

_LANGUAGES = frozenset({"zh", "en"})

routes_ = web.RouteTableDef()


def routes(_deps: Deps) -> Iterable[web.AbstractRouteDef]:
    """Return the route of corrections."""
    return routes_


@routes_.post("/readings/{interaction}")
async def correct(request: web.Request) -> web.Response:
    """Read a message anew as the form says; ``severity`` 0 means that nobody complains."""
    deps, given = request.app[DEPS], await fields(request)
    severity, language = whole(given, "severity"), field(given, "language")
    if language not in _LANGUAGES:
        raise Invalid("language: must be zh or en")
    await deps.store.transact(
        correct_reading,
        interaction=InteractionId(request.match_info["interaction"]),
        labels=Labels(
            complaint=severity > 0,
            severity=severity,
            intent=Intent(topic_in(given)),
            language=language,
            wants_human="wants_human" in given,
        ),
        by=me_of(request).agent.id,
        policy=deps.policy,
        at=deps.clock.now(),
    )
    to = given.get("next", "")
    shown = to.startswith(("/contacts/", "/desk/"))
    return done(request, to if shown else "/desk", N_("Corrected. It is kept as an example."))
