"""Articles as files: CSV, JSON, JSON lines and Markdown, read with every problem's line, written.

Markdown holds each article under TOML front matter between lines of ``+++``; the answers follow
under the headings ``## zh`` and ``## en``.
"""

import json
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Final

import msgspec

from router.domain.article import Article
from router.domain.errors import IllegalStep, Invalid
from router.domain.ids import AccountName, ProductId
from router.service import knowledge, rowfile
from router.service.ports import NotFound
from router.service.rowfile import FileProblem, Rows
from router.service.unit import Unit

__all__ = ["FORMATS", "ArticleRow", "FileProblem", "read_articles", "take_in", "written"]
FORMATS: Final = (*rowfile.FORMATS, "md")
_LISTS: Final = frozenset({"channels", "accounts", "products"})
_FENCE: Final = "+++"
_HEADING: Final = re.compile(r"^## +(zh|en)\s*$", re.MULTILINE)


class ArticleRow(msgspec.Struct, kw_only=True):
    """One article. ``question_zh`` and ``question_en`` are further wordings in one language."""

    id: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    category: str = ""
    questions: list[str] = []
    question_zh: str = ""
    question_en: str = ""
    answer_zh: str = ""
    answer_en: str = ""
    channels: list[str] = []
    accounts: list[str] = []
    products: list[str] = []
    recommends: bool = False
    valid_from: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    valid_until: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    state: str = "published"

    def wordings(self) -> tuple[str, ...]:
        """Return every wording of the question."""
        named = (self.question_zh, self.question_en, *self.questions)
        return tuple(dict.fromkeys(each.strip() for each in named if each.strip()))


def read_articles(text: str, form: str) -> tuple[ArticleRow, ...]:
    """Read articles from a file's text; raises `FileProblem` with every problem at once."""
    known = rowfile.parsers(
        known=lambda name: name in ArticleRow.__struct_fields__, cells=_cells, noun="article"
    )
    return rowfile.read(
        text,
        form,
        ArticleRow,
        parsers={**known, "md": _from_markdown},
        wrong=_wrong,
        noun="article",
    )


def _wrong(row: ArticleRow) -> str:
    if not row.wordings():
        return "questions: write at least one wording of the question"
    if not (row.answer_zh.strip() or row.answer_en.strip()):
        return "answer_zh: write the answer in at least one language"
    if row.state not in knowledge.STATES:
        return f"state: {row.state!r} is not one of {', '.join(knowledge.STATES)}"
    return ""


def _cells(row: Mapping[str, str]) -> dict[str, Any]:
    read: dict[str, Any] = dict(row)
    for key, value in row.items():
        if key in _LISTS:
            read[key] = value.split()
        elif key == "questions":
            read[key] = value.split("|")
    return read


def _from_markdown(text: str, problems: list[str]) -> Rows:
    lines = text.splitlines()
    fences = [at for at, line in enumerate(lines) if line.strip() == _FENCE]
    if len(fences) % 2 or not fences:
        problems.append(
            f"line {len(lines)}: {_FENCE}: each article's head stands between two of it"
        )
        return
    for place in range(0, len(fences), 2):
        opened, closed = fences[place], fences[place + 1]
        end = fences[place + 2] if place + 2 < len(fences) else len(lines)
        try:
            head = tomllib.loads("\n".join(lines[opened + 1 : closed]))
        except tomllib.TOMLDecodeError as error:
            inner = re.search(r"line (\d+)", str(error))
            line = opened + 1 + (int(inner[1]) if inner else 1)
            problems.append(f"line {line}: head: {error}")
            continue
        yield opened + 1, {**head, **_answers("\n".join(lines[closed + 1 : end]))}


def _answers(body: str) -> dict[str, str]:
    parts = _HEADING.split(body)
    if len(parts) == 1:
        return {"answer_zh": body.strip()} if body.strip() else {}
    pairs = zip(parts[1::2], parts[2::2], strict=True)
    return {f"answer_{language}": text.strip() for language, text in pairs}


# ----- out ----------------------------------------------------------------------------------------


def written(articles: Iterable[Article], form: str) -> str:
    """Return articles as a file that `read_articles` reads; raises `Invalid` for the format."""
    rows = [_row(each) for each in articles]
    if form == "md":
        return "\n".join(map(_as_markdown, rows))
    names = [name for name in ArticleRow.__struct_fields__ if not name.startswith("question_")]
    return rowfile.written(rows, form, columns=names, flat=_flat)


def _row(held: Article) -> dict[str, Any]:
    row: dict[str, Any] = {
        "id": held.id,
        "state": str(held.state),
        "category": held.category,
        "questions": list(held.questions),
        "channels": sorted(held.channels),
        "accounts": sorted(held.accounts),
        "products": sorted(held.products),
        "recommends": held.recommends,
    }
    for name in ("valid_from", "valid_until"):
        moment: datetime | None = getattr(held, name)
        if moment is not None:
            row[name] = moment.isoformat()
    return {**row, "answer_zh": held.answer_zh, "answer_en": held.answer_en}


def _flat(row: Mapping[str, Any]) -> dict[str, str]:
    return {
        **row,
        "questions": "|".join(row["questions"]),
        "recommends": "true" if row["recommends"] else "false",
        **{name: " ".join(row[name]) for name in _LISTS},
    }


def _as_markdown(row: Mapping[str, Any]) -> str:
    head = [f"{key} = {_toml(value)}" for key, value in row.items() if not key.startswith("answer")]
    answers = [
        f"## {language}\n\n{row[f'answer_{language}']}\n"
        for language in ("zh", "en")
        if row[f"answer_{language}"]
    ]
    return "\n".join((_FENCE, *head, _FENCE, "", *answers))


def _toml(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)  # a JSON string, list or boolean is TOML as well


# ----- into the tables ----------------------------------------------------------------------------


def take_in(
    unit: Unit, *, rows: Sequence[ArticleRow], by: str, four_eyes: bool, at: datetime
) -> int:
    """Write articles, new or again, and bring each into its state; return how many changed."""
    changed = 0
    for row in rows:
        try:
            before = unit.knowledge.article(row.id)
        except NotFound:
            before = None
        article = Article(
            id=row.id,
            state=knowledge.state_of(row.state),
            category=row.category,
            questions=row.wordings(),
            answer_zh=row.answer_zh,
            answer_en=row.answer_en,
            channels=frozenset(row.channels),
            accounts=frozenset(map(AccountName, row.accounts)),
            products=frozenset(map(ProductId, row.products)),
            recommends=row.recommends,
            valid_from=row.valid_from,
            valid_until=row.valid_until,
            updated_at=at,
            updated_by=by,
            version=before.version if before else 0,
        )
        try:
            after = knowledge.put(unit, article=article, by=by, four_eyes=four_eyes, at=at)
        except Invalid as error:
            raise Invalid(f"{row.id}: {error}") from error
        except IllegalStep as error:
            raise Invalid(f"{row.id}: state: {error}") from error
        changed += before is None or after.version != before.version
    return changed
