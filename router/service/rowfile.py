"""Rows to and from files: CSV, JSON and JSON lines, read with the line of every problem.

What a row means is its owner's business: `router.service.articlefile`, `productfile`, `scriptfile`.
"""

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, Protocol, TypeVar

import msgspec

from router.domain.errors import Invalid

#: What every kind of row can be read from and written to.
FORMATS: Final = ("csv", "json", "jsonl")
_DECODER: Final = json.JSONDecoder()

Rows = Iterator[tuple[int, Any]]
"""(line, what stands there) of each row."""
Parser = Callable[[str, list[str]], Rows]
"""Reads a file's text; what cannot be read at all is added to the list of problems."""


class FileProblem(Exception):
    """A file cannot be read; the message has a line for each problem: line, field, what to mend."""


class Identified(Protocol):
    """A row that is known by a name of its own."""

    @property
    def id(self) -> str: ...


R = TypeVar("R", bound=Identified)


def read(
    text: str,
    form: str,
    row: type[R],
    *,
    parsers: Mapping[str, Parser],
    wrong: Callable[[R], str],
    noun: str,
) -> tuple[R, ...]:
    """Read rows from a file's text; raises `FileProblem` with every problem at once.

    ``wrong`` says what a row that has the right shape still lacks (field, colon, what to mend), or
    nothing; ``noun`` is what a row is called in a message.
    """
    if form not in parsers:
        raise FileProblem(f"{form or 'no ending'}: expected one of {', '.join(parsers)}")
    problems: list[str] = []
    rows: list[R] = []
    seen: dict[str, int] = {}
    for line, given in parsers[form](text.removeprefix("\ufeff"), problems):
        try:
            held = msgspec.convert(given, row, strict=False)
        except msgspec.ValidationError as error:
            problems.append(f"line {line}: {_said(error, noun)}")
            continue
        if held.id in seen:
            problems.append(f"line {line}: id: {held.id!r} stands in line {seen[held.id]} already")
        elif problem := wrong(held):
            problems.append(f"line {line}: {problem}")
        seen.setdefault(held.id, line)
        rows.append(held)
    if problems:
        raise FileProblem("\n".join(problems))
    if not rows:
        raise FileProblem(f"line 1: id: there is no {noun} in the file")
    return tuple(rows)


def _said(error: msgspec.ValidationError, noun: str) -> str:
    what, _, path = str(error).partition(" - at `$")
    field = path.strip("`.") or (what.split("`")[1] if "`" in what else noun)
    return f"{field}: {what[:1].lower()}{what[1:]}"


# ----- parsers ------------------------------------------------------------------------------------


def parsers(
    *, known: Callable[[str], bool], cells: Callable[[Mapping[str, str]], dict[str, Any]], noun: str
) -> dict[str, Parser]:
    """Return how each format is read.

    ``known`` says whether a CSV column may be there, ``cells`` makes a row of the cells that are
    not empty, ``noun`` is what a row is called.
    """

    def from_csv(text: str, problems: list[str]) -> Rows:
        reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
        try:
            unknown = sorted(name for name in reader.fieldnames or () if not known(name))
            problems.extend(f"line 1: {name}: is no column that is known" for name in unknown)
            for row in reader:
                given = {key: value for key, value in row.items() if key is not None and value}
                yield reader.line_num, cells(given)
        except csv.Error as error:
            problems.append(f"line {reader.line_num}: csv: {error}")

    def from_json(text: str, problems: list[str]) -> Rows:
        return _from_json(text, problems, noun)

    return {"csv": from_csv, "json": from_json, "jsonl": _from_lines}


def _from_lines(text: str, problems: list[str]) -> Rows:
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            try:
                yield number, json.loads(line)
            except json.JSONDecodeError as error:
                problems.append(f"line {number}: json: {error.msg}")


def _from_json(text: str, problems: list[str], noun: str) -> Rows:
    """Walk the list, so that each row has the line on which it begins."""
    at = len(text) - len(text.lstrip())
    if text[at : at + 1] != "[":
        problems.append(f"line 1: json: expected a list of {noun}s")
        return
    at += 1
    while True:
        at += len(text[at:]) - len(text[at:].lstrip(" \t\r\n,"))
        if text[at : at + 1] == "]":
            return
        line = text.count("\n", 0, at) + 1
        try:
            value, at = _DECODER.raw_decode(text, at)
        except json.JSONDecodeError as error:
            problems.append(f"line {text.count(chr(10), 0, error.pos) + 1}: json: {error.msg}")
            return
        yield line, value


# ----- out ----------------------------------------------------------------------------------------


def written(
    rows: Sequence[Mapping[str, Any]],
    form: str,
    *,
    columns: Sequence[str],
    flat: Callable[[Mapping[str, Any]], Mapping[str, str]],
) -> str:
    """Return rows as a file that `read` reads; ``flat`` makes the cells of a row for CSV.

    Raises `Invalid` for a format that there is not.
    """
    match form:
        case "json":
            return json.dumps(rows, ensure_ascii=False, indent=1) + "\n"
        case "jsonl":
            return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        case "csv":
            out = io.StringIO(newline="")
            writer = csv.DictWriter(out, columns, restval="")
            writer.writeheader()
            writer.writerows(map(flat, rows))
            return "\ufeff" + out.getvalue()  # spreadsheets take UTF-8 only with this mark
        case other:
            raise Invalid(f"format: {other!r} is not one of {', '.join(FORMATS)}")
