"""What the bot may answer with: articles, written, reviewed and published by supervisors."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from aiohttp import web

from router.domain.article import Article, ArticleState, Publication
from router.domain.errors import Invalid
from router.domain.ids import AccountName, AgentId, ArticleId, ProductId, PublicationId
from router.domain.product import Product
from router.domain.workforce import Role
from router.service.knowledge import STATES, articles, set_state, write
from router.service.unit import Unit
from router.web.auth import require
from router.web.console.show import field, fields, show, whole
from router.web.deps import DEPS, Deps
from router.web.me import me_of
from router.web.pages import back
from router.web.published import standing_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """An article laid open: its publications with how often each was used, and the products."""

    article: Article | None
    publications: tuple[Publication, ...]
    uses: Mapping[PublicationId, int]
    products: tuple[Product, ...]
    names: Mapping[AgentId, str]


def laid_open(unit: Unit, wanted: str) -> Opened:
    """Return an article with what was published of it; raises NotFound. Empty: a new one."""
    held = unit.knowledge.publications(ArticleId(wanted)) if wanted else ()
    return Opened(
        article=unit.knowledge.article(wanted) if wanted else None,
        publications=held,
        uses={each.id: unit.knowledge.count_uses(each.id) for each in held},
        products=unit.knowledge.products(),
        names=unit.workforce.names(),
    )


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


async def _shown(request: web.Request, wanted: str) -> web.Response:
    deps = request.app[DEPS]
    held = await deps.store.read(laid_open, wanted)
    at = deps.clock.now()
    return show(
        request,
        "knowledge/one.html",
        article=held.article,
        publications=held.publications,
        uses=held.uses,
        standing={
            each.id: standing_of(each, holds=each.holds(at), begun=each.begins_at <= at)
            for each in held.publications
        },
        products=held.products,
        names=held.names,
        accounts=tuple(deps.accounts),
        four_eyes=deps.policy.knowledge.four_eyes,
        steps=steps_of(held.article, four_eyes=deps.policy.knowledge.four_eyes),
    )


def steps_of(held: Article | None, *, four_eyes: bool) -> tuple[ArticleState, ...]:
    """Return the states that an article can be brought into now."""
    if held is None:
        return ()
    withdraw = (ArticleState.WITHDRAWN,) if held.live is not None else ()
    match held.state:
        case ArticleState.DRAFT | ArticleState.WITHDRAWN:
            publish = () if four_eyes else (ArticleState.PUBLISHED,)
            return (ArticleState.IN_REVIEW, *publish, *withdraw)
        case ArticleState.IN_REVIEW:
            return (ArticleState.DRAFT, ArticleState.PUBLISHED, *withdraw)
        case _:
            return withdraw


@routes_.get("/knowledge/new")
@require(Role.SUPERVISOR)
async def blank(request: web.Request) -> web.Response:
    """Show the form for a new article."""
    return await _shown(request, "")


@routes_.get("/knowledge/{article}")
async def opened(request: web.Request) -> web.Response:
    """Show an article and what was published of it."""
    return await _shown(request, request.match_info["article"])


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
    accounts = frozenset(AccountName(str(each)) for each in form.getall("accounts", ()))
    if accounts - deps.accounts.keys():
        raise Invalid("accounts: names an account that is not configured")
    now, me = deps.clock.now(), me_of(request).agent.id
    held = Article(
        id=name,
        state=ArticleState.DRAFT,
        category=given.get("category", ""),
        questions=tuple(given.get("questions", "").splitlines()),
        answer_zh=given.get("answer_zh", ""),
        answer_en=given.get("answer_en", ""),
        channels=channels,
        accounts=accounts,
        products=frozenset(ProductId(str(each)) for each in form.getall("products", ())),
        recommends="recommends" in form,
        valid_from=moment_in(given, "valid_from", deps),
        valid_until=moment_in(given, "valid_until", deps),
        updated_at=now,
        updated_by=me,
        version=version,
    )
    await deps.store.transact(write, article=held, by=me, at=now)
    return back(request, "/knowledge")


def moment_in(given: Mapping[str, str], name: str, deps: Deps) -> datetime | None:
    """Return the time that a field holds, meant in the shop's time zone; raises `Invalid`."""
    text = given.get(name, "")
    if not text:
        return None
    try:
        local = datetime.fromisoformat(text)
    except ValueError as error:
        raise Invalid(f"{name}: must be a date and a time") from error
    if local.tzinfo is None:
        local = local.replace(tzinfo=ZoneInfo(deps.settings.timezone))
    return local.astimezone(UTC)


@routes_.post("/knowledge/{article}/state")
@require(Role.SUPERVISOR)
async def move(request: web.Request) -> web.Response:
    """Send an article into review or back, publish it or take it back."""
    deps, me = request.app[DEPS], me_of(request).agent.id
    await deps.store.transact(
        set_state,
        article=request.match_info["article"],
        state=field(await fields(request), "state"),
        by=me,
        four_eyes=deps.policy.knowledge.four_eyes,
        at=deps.clock.now(),
    )
    return back(request, "/knowledge")
