"""The shop's products: added, described, and moved along their life."""

from dataclasses import replace
from datetime import datetime

from router.domain import product as domain
from router.domain.errors import Invalid
from router.domain.events import Happened
from router.domain.ids import ProductId
from router.domain.product import Product, ProductState
from router.service.unit import Unit

STATES = tuple(ProductState)


def state_of(name: str) -> ProductState:
    """Return the state that a caller names; raises Invalid."""
    try:
        return ProductState(name)
    except ValueError as error:
        raise Invalid(f"state: {name!r} is not one of {', '.join(STATES)}") from error


def products(unit: Unit) -> tuple[Product, ...]:
    """Return every product."""
    return unit.knowledge.products()


def product(unit: Unit, wanted: str) -> Product:
    """Return a product; raises NotFound."""
    return unit.knowledge.product(ProductId(wanted))


def write(unit: Unit, *, product: Product, by: str, at: datetime) -> Product:
    """Add a product (version 0) or change one, its state too.

    Raises Invalid with the field to mend, IllegalStep for a state that cannot follow, Conflict for
    a stale one.
    """
    held = {each.id: each for each in unit.knowledge.products()}
    checked = domain.checked(replace(product, updated_by=by), held.keys())
    stored = held.get(product.id)
    if product.version and stored is not None:
        moved = domain.moved(stored, checked.state, at=at)
        checked = replace(checked, since=moved.since)
    else:
        checked = replace(checked, since=at)
    saved = unit.knowledge.save_product(checked)
    facts = {"product": saved.id, "state": saved.state.value, "by": by}
    unit.record(Happened(kind="product_changed", facts=facts), at=at)
    return saved
