"""What the bot may answer with: articles, written and published by supervisors."""

from collections.abc import Iterable

from aiohttp import web

from router.domain.errors import Invalid
from router.domain.workforce import Role
from router.service.knowledge import STATES, set_state, write
from router.service.records import Article
from router.service.unit import Unit
from router.web.auth import require
from router.web.console.show import field, fields, show, whole
from router.web.deps import DEPS, Deps
from router.web.me import me_of
from router.web.pages import back


def articles(unit: Unit) -> tuple[Article, ...]:
    """Return every article."""
    return unit.journal.articles(published_only=False)


def article(unit: Unit, wanted: str) -> Article:
    """Return an article; raises NotFound."""
    return unit.journal.article(wanted)


routes_ = web.RouteTableDef()


def routes(_deps: Deps) -> Iterable[web.AbstractRouteDef]:
    """Return the routes of knowledge."""
    return routes_


@routes_.get("/knowledge")
async def page(request: web.Request) -> web.Response:
    """List the articles; ``words`` and ``state`` narrow."""
    words = request.query.get("words", "").strip()[:200]
    state = request.query.get("state", "")
    held = await request.app[DEPS].store.read(articles)
    shown = tuple(each for each in held if _fits(each, words, state))
    return show(
        request, "knowledge/page.html", articles=shown, words=words, state=state, states=STATES
    )


def _fits(held: Article, words: str, state: str) -> bool:
    text = "\n".join((*held.questions, held.answer_zh, held.answer_en, held.category))
    return (not state or held.state == state) and words.casefold() in text.casefold()


@routes_.get("/knowledge/new")
@require(Role.SUPERVISOR)
async def blank(request: web.Request) -> web.Response:
    """Show the form for a new article."""
    return show(request, "knowledge/one.html", article=None, states=STATES)


@routes_.get("/knowledge/{article}")
async def opened(request: web.Request) -> web.Response:
    """Show an article."""
    held = await request.app[DEPS].store.read(article, request.match_info["article"])
    return show(request, "knowledge/one.html", article=held, states=STATES)


@routes_.post("/knowledge/new")
@require(Role.SUPERVISOR)
async def create(request: web.Request) -> web.Response:
    """Write a new article."""
    return await _write(request, request.app[DEPS].ids.new(), version=0)


@routes_.post("/knowledge/{article}")
@require(Role.SUPERVISOR)
async def change(request: web.Request) -> web.Response:
    """Change an article; a change that somebody else made meanwhile is not overwritten."""
    given = await fields(request)
    return await _write(request, request.match_info["article"], version=whole(given, "version"))


async def _write(request: web.Request, name: str, *, version: int) -> web.Response:
    deps, form, given = request.app[DEPS], await request.post(), await fields(request)
    channels = frozenset(str(each) for each in form.getall("channels", ()))
    if channels - {held.channel.name for held in deps.accounts.values()}:
        raise Invalid("channels: names a channel that has no account")
    now, me = deps.clock.now(), me_of(request).agent.id
    held = Article(
        id=name,
        state=field(given, "state"),
        category=given.get("category", ""),
        questions=tuple(
            line.strip() for line in given.get("questions", "").splitlines() if line.strip()
        ),
        answer_zh=given.get("answer_zh", ""),
        answer_en=given.get("answer_en", ""),
        channels=channels,
        updated_at=now,
        updated_by=me,
        version=version,
    )
    await deps.store.transact(write, article=held, by=me, at=now)
    return back(request, "/knowledge")


@routes_.post("/knowledge/{article}/state")
@require(Role.SUPERVISOR)
async def publish(request: web.Request) -> web.Response:
    """Publish an article or take it back."""
    deps, me = request.app[DEPS], me_of(request).agent.id
    await deps.store.transact(
        set_state,
        article=request.match_info["article"],
        state=field(await fields(request), "state"),
        by=me,
        at=deps.clock.now(),
    )
    return back(request, "/knowledge")
