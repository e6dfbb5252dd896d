"""Reads files of people and of what the shop has written; problems name row, column and fix."""

import csv
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, TypeVar

import msgspec

from router.service.articlefile import ArticleRow
from router.service.files import KINDS, FileProblem

R = TypeVar("R", bound=msgspec.Struct)


class ImportProblem(Exception):
    """A file cannot be imported; the message names the row and what to mend."""


class AgentRow(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """One person. In CSV, skills are written ``returns:3 logistics:2``, lists with spaces."""

    login: Annotated[str, msgspec.Meta(min_length=1)]
    name: Annotated[str, msgspec.Meta(min_length=1)]
    role: str = "agent"
    skills: dict[str, int] = {}
    families: list[str] = []
    languages: list[str] = []
    groups: list[str] = []
    capacity: float = 1.0
    password: str = ""


def read_agents(path: Path) -> tuple[AgentRow, ...]:
    """Read people from CSV or JSON; raises `ImportProblem`."""
    return _read(path, AgentRow)


def read_articles(path: Path) -> tuple[ArticleRow, ...]:
    """Read articles from CSV, JSON, JSON lines or Markdown; raises `ImportProblem`."""
    return read_written(path, "articles")


def read_written(path: Path, kind: str) -> tuple[Any, ...]:
    """Read articles, products or scripts from a file; raises `ImportProblem`."""
    try:
        return KINDS[kind].read(_text(path), path.suffix.lower().removeprefix("."))
    except FileProblem as error:
        lines = "\n".join(f"{path}: {line}" for line in str(error).splitlines())
        raise ImportProblem(lines) from error


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ImportProblem(f"{path}: is not UTF-8: {error}") from error


def _read(path: Path, row: type[R]) -> tuple[R, ...]:
    rows = _rows(path, _text(path))
    read = []
    for number, each in rows:
        try:
            read.append(msgspec.convert(each, row, strict=False))
        except msgspec.ValidationError as error:
            raise ImportProblem(f"{path}: row {number}: {error}") from error
    return tuple(read)


def _rows(path: Path, text: str) -> list[tuple[int, Any]]:
    try:
        match path.suffix.lower():
            case ".csv":
                return [
                    (number, _from_csv(each))
                    for number, each in enumerate(csv.DictReader(io.StringIO(text)), 2)
                ]
            case ".jsonl":
                lines = enumerate(text.splitlines(), 1)
                return [(number, json.loads(line)) for number, line in lines if line.strip()]
            case ".json":
                return list(enumerate(json.loads(text), 1))
            case other:
                raise ImportProblem(f"{path}: {other or 'no ending'}: expected .csv, .json, .jsonl")
    except json.JSONDecodeError as error:
        raise ImportProblem(f"{path}: is not JSON: {error}") from error


def _from_csv(row: Mapping[str, str | None]) -> dict[str, Any]:
    read: dict[str, Any] = {}
    for key, value in row.items():
        if value is None or value == "":
            continue
        if key == "skills":
            pairs = (pair.partition(":") for pair in value.split())
            read[key] = {
                skill: int(level) if level.isdigit() else level for skill, _, level in pairs
            }
        elif key in {"families", "languages", "groups"}:
            read[key] = value.split()
        else:
            read[key] = value
    return read
