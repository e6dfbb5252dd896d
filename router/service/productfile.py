"""Products as files: CSV, JSON and JSON lines, read with every problem's line, written."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any

import msgspec

from router.domain.errors import IllegalStep, Invalid
from router.domain.ids import ProductId
from router.domain.product import Product
from router.service import products, rowfile
from router.service.unit import Unit


class ProductRow(msgspec.Struct, kw_only=True):
    """One product; ``words`` are what customers and texts call it."""

    id: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    state: str = "on_sale"
    title_zh: str = ""
    title_en: str = ""
    words: list[str] = []
    successor: str = ""
    notice_zh: str = ""
    notice_en: str = ""


def read_products(text: str, form: str) -> tuple[ProductRow, ...]:
    """Read products from a file's text; raises `FileProblem` with every problem at once."""
    return rowfile.read(
        text,
        form,
        ProductRow,
        parsers=rowfile.parsers(
            known=lambda name: name in ProductRow.__struct_fields__, cells=_cells, noun="product"
        ),
        wrong=_wrong,
        noun="product",
    )


def _cells(row: Mapping[str, str]) -> dict[str, Any]:
    return {**row, **({"words": row["words"].split("|")} if "words" in row else {})}


def _wrong(row: ProductRow) -> str:
    if row.state not in products.STATES:
        return f"state: {row.state!r} is not one of {', '.join(products.STATES)}"
    if not (row.title_zh.strip() or row.title_en.strip()):
        return "title_zh: name the product in at least one language"
    return ""


def written(held: Iterable[Product], form: str) -> str:
    """Return products as a file that `read_products` reads; raises `Invalid` for the format."""
    return rowfile.written(
        [_row(each) for each in held], form, columns=ProductRow.__struct_fields__, flat=_flat
    )


def _row(held: Product) -> dict[str, Any]:
    return {
        "id": held.id,
        "state": held.state.value,
        "title_zh": held.title.get("zh", ""),
        "title_en": held.title.get("en", ""),
        "words": list(held.words),
        "successor": held.successor or "",
        "notice_zh": held.notice.get("zh", ""),
        "notice_en": held.notice.get("en", ""),
    }


def _flat(row: Mapping[str, Any]) -> dict[str, str]:
    return {**row, "words": "|".join(row["words"])}


def take_in(
    unit: Unit, *, rows: Sequence[ProductRow], by: str, four_eyes: bool, at: datetime
) -> int:
    """Write products, new or again, successors before what they follow; return how many changed.

    Products need no second pair of eyes. Raises Invalid with the product and the field to mend.
    """
    del four_eyes
    return sum(_taken(unit, row, by=by, at=at) for row in _in_order(rows))


def _in_order(rows: Sequence[ProductRow]) -> list[ProductRow]:
    """Return the rows so that a successor stands before what it takes the place of."""
    left, ordered = {row.id: row for row in rows}, []
    while left:
        free = [row for row in left.values() if row.successor not in left]
        if not free:
            names = ", ".join(left)
            raise Invalid(f"{next(iter(left))}: successor: goes round in a circle ({names})")
        ordered += free
        left = {name: row for name, row in left.items() if row not in free}
    return ordered


def _taken(unit: Unit, row: ProductRow, *, by: str, at: datetime) -> bool:
    before = {each.id: each for each in unit.knowledge.products()}.get(ProductId(row.id))
    product = Product(
        id=ProductId(row.id),
        state=products.state_of(row.state),
        title={"zh": row.title_zh.strip(), "en": row.title_en.strip()},
        words=tuple(row.words),
        since=at,
        updated_by=by,
        successor=ProductId(row.successor) if row.successor else None,
        notice={"zh": row.notice_zh.strip(), "en": row.notice_en.strip()},
        version=before.version if before else 0,
    )
    if before is not None and _row(before) == _row(replace(product, words=_tidy(row.words))):
        return False
    try:
        products.write(unit, product=product, by=by, at=at)
    except Invalid as error:
        raise Invalid(f"{row.id}: {error}") from error
    except IllegalStep as error:
        raise Invalid(f"{row.id}: state: {error}") from error
    return True


def _tidy(words: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(each.strip() for each in words if each.strip()))
