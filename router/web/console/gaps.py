"""What knowledge lacks: questions left open, texts that contradict; all of it to and from files."""

import asyncio
from collections.abc import Iterable

from aiohttp import web

from router.domain.contradiction import contradictions
from router.domain.errors import Invalid
from router.domain.ids import ArticleId, InteractionId
from router.domain.question import ALIKE, grouped
from router.domain.workforce import Role
from router.service import questions
from router.service.files import KINDS, FileProblem, kind_of
from router.service.library import shelf_of
from router.web.auth import require
from router.web.console.show import fields, show
from router.web.deps import DEPS, Deps
from router.web.me import me_of
from router.web.pages import back

routes_ = web.RouteTableDef()
_TYPES = {
    "csv": "text/csv",
    "json": "application/json",
    "jsonl": "application/jsonl",
    "md": "text/markdown",
}


def routes(_deps: Deps) -> Iterable[web.AbstractRouteDef]:
    """Return the routes; they stand before those of single articles."""
    return routes_


@routes_.get("/knowledge/questions")
async def page(request: web.Request) -> web.Response:
    """Show what the bot could not answer, the same questions together."""
    deps = request.app[DEPS]
    held = await deps.store.read(questions.open_questions)
    pairs = await asyncio.to_thread(deps.near, [each.text for each in held], ALIKE)
    return show(request, "knowledge/questions.html", groups=grouped(held, pairs))


@routes_.post("/knowledge/questions")
@require(Role.SUPERVISOR)
async def settle(request: web.Request) -> web.Response:
    """Begin an article from a group of questions, or put the group away."""
    deps, me, form = request.app[DEPS], me_of(request).agent.id, await request.post()
    chosen = [InteractionId(str(each)) for each in form.getall("questions", ())]
    given = await fields(request)
    if given.get("step") == "dismiss":
        await deps.store.transact(questions.dismiss, questions=chosen)
        return back(request, "/knowledge/questions")
    if given.get("step") != "draft":
        raise Invalid("step: must be draft or dismiss")
    made = await deps.store.transact(
        questions.draft,
        questions=chosen,
        article=ArticleId(deps.ids.new()),
        by=me,
        at=deps.clock.now(),
    )
    return back(request, f"/knowledge/{made.id}")


@routes_.get("/knowledge/contradictions")
async def compare(request: web.Request) -> web.Response:
    """Show the published texts that answer the same question otherwise."""
    deps = request.app[DEPS]
    shelf = await deps.store.read(shelf_of)
    found = await asyncio.to_thread(
        contradictions, shelf.standing, near=deps.near, at=deps.clock.now()
    )
    return show(request, "knowledge/contradictions.html", found=found)


@routes_.get("/knowledge/files")
async def files(request: web.Request) -> web.Response:
    """Show the way in and out for files."""
    return _files(request)


def _files(
    request: web.Request,
    *,
    of: str = "articles",
    problems: tuple[str, ...] = (),
    taken: tuple[int, int] | None = None,
    status: int = 200,
) -> web.Response:
    context = {"kinds": KINDS, "of": of, "problems": problems, "taken": taken}
    return show(request, "knowledge/files.html", status=status, **context)


@routes_.get("/knowledge/files/{of}.{format}")
async def give(request: web.Request) -> web.Response:
    """Return all articles, products or scripts as a file."""
    form, kind = request.match_info["format"], kind_of(request.match_info["of"])
    text = await request.app[DEPS].store.read(kind.written, form)
    headers = {"Content-Disposition": f'attachment; filename="{kind.name}.{form}"'}
    return web.Response(text=text, content_type=_TYPES[form], charset="utf-8", headers=headers)


@routes_.post("/knowledge/files")
@require(Role.SUPERVISOR)
async def take(request: web.Request) -> web.Response:
    """Take a file in, all of it or nothing; problems are named by line and field."""
    deps, me, given = request.app[DEPS], me_of(request).agent.id, await request.post()
    kind, file = kind_of(str(given.get("of", "articles"))), given.get("file")
    if not isinstance(file, web.FileField) or not file.filename:
        raise Invalid("file: choose one")
    form = file.filename.rpartition(".")[2].casefold()
    try:
        rows = kind.read((await asyncio.to_thread(file.file.read)).decode(), form)
        taken = await deps.store.transact(
            kind.take_in,
            rows=rows,
            by=me,
            four_eyes=deps.policy.knowledge.four_eyes,
            at=deps.clock.now(),
        )
    except UnicodeDecodeError as error:
        problems: tuple[str, ...] = (f"the file is not UTF-8: {error}",)
    except (FileProblem, Invalid) as error:
        problems = tuple(str(error).splitlines())
    else:
        return _files(request, of=kind.name, taken=(taken, len(rows)))
    return _files(request, of=kind.name, problems=problems, status=400)
