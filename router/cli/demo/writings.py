"""The demonstration's products and scripts: what there is to say, in the tone of each channel."""

from datetime import datetime
from pathlib import Path

import msgspec

from router.cli.demo.scripts import DATA
from router.domain.ids import ProductId, ScriptId
from router.domain.product import Product, ProductState
from router.domain.script import Script, ScriptState
from router.service import products, scripts
from router.service.ports import NotFound
from router.service.unit import Unit


class ProductRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A product of the furniture shop."""

    id: str
    state: ProductState
    title: dict[str, str]
    words: tuple[str, ...]
    successor: str | None = None
    notice: dict[str, str] = {}


class ScriptRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A script with its wordings by place and language."""

    id: str
    title: str
    shortcut: str
    category: str
    meaning: str
    wordings: dict[str, dict[str, str]]


class Writings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the shop has written."""

    products: tuple[ProductRow, ...]
    scripts: tuple[ScriptRow, ...]


def read_writings(path: Path = DATA / "writings.json") -> Writings:
    """Read the demonstration's products and scripts."""
    return msgspec.json.decode(path.read_bytes(), type=Writings)


def write_all(unit: Unit, given: Writings, *, by: str, at: datetime) -> None:
    """Add what is not there yet; what somebody changed meanwhile stays as it is."""
    known = {each.id for each in unit.knowledge.products()}
    order = sorted(given.products, key=lambda each: each.successor is not None)
    for row in order:
        if row.id not in known:
            products.write(unit, product=_product(row, by=by, at=at), by=by, at=at)
    for text in given.scripts:
        try:
            unit.scripts.get(ScriptId(text.id))
        except NotFound:
            scripts.put(unit, script=_script(text, by=by, at=at), by=by, four_eyes=False, at=at)


def _product(row: ProductRow, *, by: str, at: datetime) -> Product:
    return Product(
        id=ProductId(row.id),
        state=row.state,
        title=row.title,
        words=row.words,
        since=at,
        updated_by=by,
        successor=ProductId(row.successor) if row.successor else None,
        notice=row.notice,
    )


def _script(row: ScriptRow, *, by: str, at: datetime) -> Script:
    return Script(
        id=ScriptId(row.id),
        state=ScriptState.APPROVED,
        title=row.title,
        shortcut=row.shortcut,
        category=row.category,
        meaning=row.meaning,
        wordings=row.wordings,
        promotional=False,
        updated_at=at,
        updated_by=by,
    )
