"""Scripts as files: CSV, JSON and JSON lines, read with every problem's line, written.

In CSV each wording has a column of its own, named ``wording.PLACE.LANGUAGE``: ``wording.any.zh``,
``wording.taobao.zh``, ``wording.voice.en``.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Final

import msgspec

from router.domain.errors import IllegalStep, Invalid
from router.domain.ids import ScriptId
from router.domain.script import ANY, LANGUAGES, Script
from router.service import rowfile, scripts
from router.service.ports import NotFound
from router.service.unit import Unit

_WORDING: Final = "wording"


class ScriptRow(msgspec.Struct, kw_only=True):
    """One script; ``wordings`` by channel, family of channels or ``any``, then by language."""

    id: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    title: str
    state: str = "approved"
    shortcut: str = ""
    category: str = ""
    meaning: str = ""
    promotional: bool = False
    wordings: dict[str, dict[str, str]] = {}


def read_scripts(text: str, form: str) -> tuple[ScriptRow, ...]:
    """Read scripts from a file's text; raises `FileProblem` with every problem at once."""
    return rowfile.read(
        text,
        form,
        ScriptRow,
        parsers=rowfile.parsers(known=_known, cells=_cells, noun="script"),
        wrong=_wrong,
        noun="script",
    )


def _known(column: str) -> bool:
    kind, _dot, rest = column.partition(".")
    place, _dot, language = rest.rpartition(".")
    if kind == _WORDING:
        return bool(place) and language in LANGUAGES
    return column in ScriptRow.__struct_fields__ and column != "wordings"


def _cells(row: Mapping[str, str]) -> dict[str, Any]:
    read: dict[str, Any] = {}
    wordings: dict[str, dict[str, str]] = {}
    for key, value in row.items():
        kind, _dot, rest = key.partition(".")
        place, _dot, language = rest.rpartition(".")
        if kind == _WORDING and place:
            wordings.setdefault(place, {})[language] = value
        else:
            read[key] = value
    return {**read, "wordings": wordings}


def _wrong(row: ScriptRow) -> str:
    if row.state not in scripts.STATES:
        return f"state: {row.state!r} is not one of {', '.join(scripts.STATES)}"
    if not any(text.strip() for text in row.wordings.get(ANY, {}).values()):
        return f"{_WORDING}.{ANY}.zh: write the general wording in at least one language"
    return ""


def written(held: Iterable[Script], form: str) -> str:
    """Return scripts as a file that `read_scripts` reads; raises `Invalid` for the format."""
    rows = [_row(each) for each in held]
    plain = [name for name in ScriptRow.__struct_fields__ if name != "wordings"]
    worded = dict.fromkeys(name for row in rows for name in _columns(row["wordings"]))
    return rowfile.written(rows, form, columns=(*plain, *worded), flat=_flat)


def _row(held: Script) -> dict[str, Any]:
    return {
        "id": held.id,
        "title": held.title,
        "state": held.state.value,
        "shortcut": held.shortcut,
        "category": held.category,
        "meaning": held.meaning,
        "promotional": held.promotional,
        "wordings": {place: dict(said) for place, said in held.wordings.items()},
    }


def _columns(wordings: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    return {
        f"{_WORDING}.{place}.{language}": text
        for place, said in wordings.items()
        for language, text in said.items()
    }


def _flat(row: Mapping[str, Any]) -> dict[str, str]:
    plain = {name: value for name, value in row.items() if name != "wordings"}
    promotional = "true" if row["promotional"] else "false"
    return {**plain, "promotional": promotional, **_columns(row["wordings"])}


def take_in(
    unit: Unit, *, rows: Sequence[ScriptRow], by: str, four_eyes: bool, at: datetime
) -> int:
    """Write scripts, new or again, and bring each into its state; return how many changed.

    Where four eyes are wanted, what should be approved waits in review. Raises Invalid with the
    script and the field to mend.
    """
    return sum(_taken(unit, row, by=by, four_eyes=four_eyes, at=at) for row in rows)


def _taken(unit: Unit, row: ScriptRow, *, by: str, four_eyes: bool, at: datetime) -> bool:
    try:
        before = unit.scripts.get(ScriptId(row.id)).version
    except NotFound:
        before = 0
    given = Script(
        id=ScriptId(row.id),
        state=scripts.state_of(row.state),
        title=row.title,
        shortcut=row.shortcut,
        category=row.category,
        meaning=row.meaning,
        wordings=row.wordings,
        promotional=row.promotional,
        updated_at=at,
        updated_by=by,
        version=before,
    )
    try:
        after = scripts.put(unit, script=given, by=by, four_eyes=four_eyes, at=at)
    except Invalid as error:
        raise Invalid(f"{row.id}: {error}") from error
    except IllegalStep as error:
        raise Invalid(f"{row.id}: state: {error}") from error
    return after.version != before
