"""What the shop has written, as files: articles, products and scripts, each read and written."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol

from router.domain.errors import Invalid
from router.service import articlefile, knowledge, productfile, products, rowfile, scriptfile
from router.service import scripts as scripting
from router.service.rowfile import FileProblem
from router.service.unit import Unit

__all__ = ["KINDS", "FileKind", "FileProblem", "kind_of"]


class TakesIn(Protocol):
    """Writes rows into the tables, all of them or none, and returns how many changed."""

    def __call__(
        self, unit: Unit, *, rows: Sequence[Any], by: str, four_eyes: bool, at: datetime
    ) -> int: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class FileKind:
    """One kind of file: how it is read, taken in, and written.

    ``read`` raises `FileProblem` with a line for each problem; ``take_in`` raises Invalid with the
    row and the field to mend.
    """

    name: str
    formats: tuple[str, ...]
    read: Callable[[str, str], tuple[Any, ...]]
    take_in: TakesIn
    written: Callable[[Unit, str], str]


def _articles(unit: Unit, form: str) -> str:
    return articlefile.written(knowledge.articles(unit), form)


def _products(unit: Unit, form: str) -> str:
    return productfile.written(products.products(unit), form)


def _scripts(unit: Unit, form: str) -> str:
    return scriptfile.written(scripting.scripts(unit), form)


_ALL: Final = (
    FileKind(
        name="articles",
        formats=articlefile.FORMATS,
        read=articlefile.read_articles,
        take_in=articlefile.take_in,
        written=_articles,
    ),
    FileKind(
        name="products",
        formats=rowfile.FORMATS,
        read=productfile.read_products,
        take_in=productfile.take_in,
        written=_products,
    ),
    FileKind(
        name="scripts",
        formats=rowfile.FORMATS,
        read=scriptfile.read_scripts,
        take_in=scriptfile.take_in,
        written=_scripts,
    ),
)
#: Every kind of file, by name.
KINDS: Final[Mapping[str, FileKind]] = {each.name: each for each in _ALL}


def kind_of(name: str) -> FileKind:
    """Return the kind of file that a caller names; raises Invalid."""
    try:
        return KINDS[name]
    except KeyError as error:
        raise Invalid(f"of: {name!r} is not one of {', '.join(KINDS)}") from error
