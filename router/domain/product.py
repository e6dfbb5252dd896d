"""Products and their life: what may be recommended, and what an official statement speaks of."""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from functools import lru_cache

from router.domain.errors import IllegalStep, Invalid
from router.domain.ids import ProductId


class ProductState(StrEnum):
    """Where a product stands in its life. Only what is on sale is recommended."""

    COMING = "coming"
    ON_SALE = "on_sale"
    DISCONTINUED = "discontinued"
    RECALLED = "recalled"


#: What may follow: a recall can come at any time, and ends by a sale or by giving the product up.
NEXT: Mapping[ProductState, frozenset[ProductState]] = {
    ProductState.COMING: frozenset(
        {ProductState.ON_SALE, ProductState.DISCONTINUED, ProductState.RECALLED}
    ),
    ProductState.ON_SALE: frozenset({ProductState.DISCONTINUED, ProductState.RECALLED}),
    ProductState.DISCONTINUED: frozenset({ProductState.ON_SALE, ProductState.RECALLED}),
    ProductState.RECALLED: frozenset({ProductState.ON_SALE, ProductState.DISCONTINUED}),
}
LANGUAGES = ("zh", "en")


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """Something that the shop sells, will sell or has sold.

    ``title`` and ``notice`` (the official statement on a recall) are by language; ``words`` are
    what customers and texts call it. ``successor`` is what may be offered in its place.
    """

    id: ProductId
    state: ProductState
    title: Mapping[str, str]
    words: tuple[str, ...]
    since: datetime
    updated_by: str
    successor: ProductId | None = None
    notice: Mapping[str, str] = field(default_factory=dict)
    version: int = 0

    @property
    def on_sale(self) -> bool:
        """Say whether it may be recommended."""
        return self.state is ProductState.ON_SALE

    def name(self, language: str) -> str:
        """Return what it is called."""
        spoken = "en" if language == "en" else "zh"
        return self.title.get(spoken) or next(iter(self.title.values()), "") or self.id

    def statement(self, language: str) -> str:
        """Return the official statement on its recall."""
        spoken = "en" if language == "en" else "zh"
        return self.notice.get(spoken) or next(iter(self.notice.values()), "")

    def is_named_in(self, text: str) -> bool:
        """Say whether a text names it, by one of its words or its title."""
        names = tuple(dict.fromkeys((*self.words, *self.title.values())))
        pattern = _pattern(names)
        return pattern is not None and pattern.search(text.casefold()) is not None


@lru_cache(maxsize=4096)
def _pattern(names: tuple[str, ...]) -> re.Pattern[str] | None:
    """Return what finds the names: Latin ones as whole words, others wherever they stand."""
    parts = []
    for name in names:
        bare = name.strip().casefold()
        if bare:
            before = r"(?<![a-z0-9])" if bare[0].isascii() else ""
            after = r"(?![a-z0-9])" if bare[-1].isascii() else ""
            parts.append(before + re.escape(bare) + after)
    return re.compile("|".join(parts)) if parts else None


def checked(product: Product, known: Collection[ProductId]) -> Product:
    """Return the product with tidy words; raises `Invalid` with the field to mend."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9_.-]{0,63}", product.id):
        raise Invalid("id: use 1 to 64 of a-z, 0-9, dot, dash and underscore")
    title = {lang: text.strip() for lang, text in product.title.items() if text.strip()}
    if not title or set(title) - set(LANGUAGES):
        raise Invalid("title: name the product in Chinese (zh), English (en) or both")
    notice = {lang: text.strip() for lang, text in product.notice.items() if text.strip()}
    if product.state is ProductState.RECALLED and set(notice) != set(LANGUAGES):
        raise Invalid("notice: a recall needs the official statement in Chinese and in English")
    if product.successor == product.id:
        raise Invalid("successor: a product cannot succeed itself")
    if product.successor is not None and product.successor not in known:
        raise Invalid(f"successor: {product.successor!r} is not a product")
    words = tuple(dict.fromkeys(each.strip() for each in product.words if each.strip()))
    return replace(product, title=title, notice=notice, words=words)


def moved(product: Product, state: ProductState, *, at: datetime) -> Product:
    """Return the product at another point of its life; raises `IllegalStep`."""
    if state is product.state:
        return product
    if state not in NEXT[product.state]:
        raise IllegalStep(f"the product is {product.state}; it cannot become {state}")
    return replace(product, state=state, since=at)


def named_in(text: str, products: Iterable[Product]) -> tuple[Product, ...]:
    """Return the products that a text names."""
    return tuple(each for each in products if each.is_named_in(text))


def unsaleable_in(text: str, products: Iterable[Product]) -> tuple[Product, ...]:
    """Return the products that a text names and that are not on sale."""
    return tuple(each for each in named_in(text, products) if not each.on_sale)


def may_be_used(
    *,
    answer: str,
    about: Collection[ProductId],
    recommends: bool,
    asked: str,
    products: Mapping[ProductId, Product],
) -> bool:
    """Say whether an answer may be given now, by the state of the products it speaks of.

    An answer that recommends is used only while everything that it names is on sale. Any other
    answer that names something that is not on sale (care of what is no longer sold) is used only
    for who asks about exactly that. ``asked`` is what the customer or the searching agent said.
    """
    named = [each for each in named_in(answer, products.values()) if not each.on_sale]
    scope = [products[name] for name in about if name in products]
    gone = [each for each in scope if not each.on_sale]
    if recommends:
        return not named and not gone
    if not all(each.is_named_in(asked) for each in named):
        return False
    return len(gone) < len(scope) or not gone or any(each.is_named_in(asked) for each in gone)
