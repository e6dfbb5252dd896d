"""What helps to write an answer on the desk: scripts and articles, looked for or suggested."""

from collections.abc import Iterable
from dataclasses import replace

from aiohttp import web

from router.domain.ids import ConversationId
from router.web.aid import aid
from router.web.console.show import show
from router.web.deps import DEPS, Deps
from router.web.me import language_of, me_of

routes_ = web.RouteTableDef()
#: How many articles are suggested at once.
_MOST = 2


def routes(_deps: Deps) -> Iterable[web.AbstractRouteDef]:
    """Return the routes."""
    return routes_


@routes_.get("/desk/{conversation}/aid")
async def helps(request: web.Request) -> web.Response:
    """Return the scripts and articles that match, for whoever writes an answer."""
    words = request.query.get("words", "").strip().removeprefix("/")[:200]
    me, language = me_of(request).agent.id, language_of(request)
    found = await aid(
        request.app[DEPS],
        conversation=ConversationId(request.match_info["conversation"]),
        words=words,
        me=me,
        language=language,
    )
    return show(request, "desk/_aid.html", aid=found)


@routes_.get("/desk/{conversation}/suggested")
async def suggests(request: web.Request) -> web.Response:
    """Return the articles that probably answer what the contact said last, without being asked."""
    deps, me = request.app[DEPS], me_of(request).agent.id
    found = await aid(
        deps,
        conversation=ConversationId(request.match_info["conversation"]),
        words="",
        me=me,
        language=language_of(request),
        sure=deps.policy.bot.ask_at,
    )
    return show(
        request, "desk/_suggested.html", aid=replace(found, articles=found.articles[:_MOST])
    )
