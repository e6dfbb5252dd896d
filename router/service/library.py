"""What holds now, ready to be searched; rebuilt whenever an article, a product or the hour says."""

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from router.domain.article import Publication, holding
from router.domain.events import Logged
from router.domain.ids import ProductId
from router.domain.knowledge import Answerable, Candidate
from router.domain.product import Product, ProductState, may_be_used, named_in
from router.service.ports import Clock, Store
from router.service.unit import Unit

#: How many more are looked for than asked, since some are for other places or not on sale.
_SPARE: Final = 8
#: What makes the index stale.
_CHANGES: Final = frozenset({"article_changed", "product_changed"})
#: How long the library sleeps at most before it looks at the clock again.
_LOOK: Final = timedelta(minutes=1)


class Finder(Protocol):
    """Finds articles for a question."""

    def best(self, question: str, *, language: str, limit: int = 3) -> tuple[Candidate, ...]: ...


class Knowledge(Protocol):
    """Finds articles among what holds now."""

    def best(
        self, question: str, *, language: str, limit: int = 3, channel: str = "", account: str = ""
    ) -> tuple[Candidate, ...]:
        """Return the articles that may answer, best first, compared by words."""

    def fitting(
        self,
        found: Sequence[Candidate],
        *,
        asked: str,
        channel: str,
        account: str = "",
        limit: int = 3,
    ) -> tuple[Candidate, ...]:
        """Return those of ``found`` that hold now, there, and recommend nothing unsaleable."""

    async def find(
        self, question: str, *, language: str, limit: int = 3, channel: str = "", account: str = ""
    ) -> tuple[Candidate, ...]:
        """Return the articles that may answer, best first, compared by meaning if possible."""

    def published(self) -> Mapping[str, Publication]:
        """Return what holds now, by article."""

    def products(self) -> Mapping[ProductId, Product]:
        """Return the shop's products."""

    def is_recalled(self, text: str) -> bool:
        """Say whether a text names a recalled product: then there is a statement to make."""


class Readings(Protocol):
    """Readers that compare meanings; they learn articles in the background."""

    async def find(
        self, question: str, *, language: str, limit: int
    ) -> tuple[Candidate, ...] | None:
        """Return the articles that may answer ``question``; None if no reader can say."""

    async def learn(self, articles: Sequence[Answerable]) -> None:
        """Know these articles from now on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """What is published, and the products it speaks of."""

    standing: tuple[Publication, ...]
    products: tuple[Product, ...]


class Library:
    """What holds now and the index over it. Reading it never waits.

    With ``readers`` questions are also compared by meaning, elsewhere; while nobody there can say,
    words must do.
    """

    def __init__(
        self,
        build: Callable[[Sequence[Answerable]], Finder],
        clock: Clock,
        readers: Readings | None = None,
    ) -> None:
        self._build, self._clock, self._readers = build, clock, readers
        self._articles: Mapping[str, Publication] = {}
        self._products: Mapping[ProductId, Product] = {}
        self._index: Finder = build(())
        self._next: datetime | None = None
        self._stale = asyncio.Event()
        self._stale.set()

    def published(self) -> Mapping[str, Publication]:
        """Return what holds now, by article."""
        now = self._clock.now()
        return {name: each for name, each in self._articles.items() if each.holds(now)}

    def products(self) -> Mapping[ProductId, Product]:
        """Return the shop's products."""
        return self._products

    def is_recalled(self, text: str) -> bool:
        """Say whether a text names a recalled product: then there is a statement to make."""
        named = named_in(text, self._products.values())
        return any(each.state is ProductState.RECALLED for each in named)

    def best(
        self, question: str, *, language: str, limit: int = 3, channel: str = "", account: str = ""
    ) -> tuple[Candidate, ...]:
        """Return the articles that may answer ``question`` there, best first."""
        found = self._index.best(question, language=language, limit=limit + _SPARE)
        return self.fitting(found, asked=question, channel=channel, account=account, limit=limit)

    def fitting(
        self,
        found: Sequence[Candidate],
        *,
        asked: str,
        channel: str,
        account: str = "",
        limit: int = 3,
    ) -> tuple[Candidate, ...]:
        """Return those of ``found`` that hold now, there, and recommend nothing unsaleable."""
        now = self._clock.now()
        return tuple(
            each
            for each in found
            if (held := self._articles.get(each.article)) is not None
            and held.holds(now)
            and held.is_for(channel=channel, account=account)
            and self._may_be_used(held, asked)
        )[:limit]

    def _may_be_used(self, held: Publication, asked: str) -> bool:
        return may_be_used(
            answer=f"{held.answer_zh}\n{held.answer_en}",
            about=held.products,
            recommends=held.recommends,
            asked=asked,
            products=self._products,
        )

    async def find(
        self, question: str, *, language: str, limit: int = 3, channel: str = "", account: str = ""
    ) -> tuple[Candidate, ...]:
        """Return the articles that may answer ``question``, by meaning if a reader can say."""
        if self._readers is not None:
            found = await self._readers.find(question, language=language, limit=limit + _SPARE)
            if found is not None:
                return self.fitting(
                    found, asked=question, channel=channel, account=account, limit=limit
                )
        return await asyncio.to_thread(
            self.best, question, language=language, limit=limit, channel=channel, account=account
        )

    def hear(self, logged: Sequence[Logged]) -> None:
        """Note that articles or products changed."""
        if any(each.event.kind in _CHANGES for each in logged):
            self._stale.set()

    async def refresh(self, store: Store) -> None:
        """Read what holds now and index it."""
        self._stale.clear()
        now = self._clock.now()
        shelf = await store.read(shelf_of)
        held = holding(shelf.standing, now)
        answerable = tuple(map(_answerable, held.values()))
        index = await asyncio.to_thread(self._build, answerable)
        self._articles, self._index = held, index
        self._products = {each.id: each for each in shelf.products}
        self._next = _next_change(shelf.standing, now)
        if self._readers is not None:
            await self._readers.learn(answerable)

    async def run(self, store: Store) -> None:
        """Keep the index true until cancelled."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._rest().total_seconds()):
                    await self._stale.wait()
            if self._stale.is_set() or not self._rest():
                await self.refresh(store)

    def _rest(self) -> timedelta:
        """Return how long nothing begins or ends by itself, a minute at most."""
        if self._next is None:
            return _LOOK
        return max(timedelta(0), min(_LOOK, self._next - self._clock.now()))


def shelf_of(unit: Unit) -> Shelf:
    """Return what is published and the products."""
    return Shelf(standing=unit.knowledge.standing(), products=unit.knowledge.products())


def _next_change(standing: Sequence[Publication], now: datetime) -> datetime | None:
    moments = [
        moment
        for each in standing
        for moment in (each.begins_at, each.valid_until)
        if moment is not None and moment > now
    ]
    return min(moments, default=None)


def _answerable(held: Publication) -> Answerable:
    return Answerable(
        id=held.article,
        questions=held.questions,
        answer_zh=held.answer_zh,
        answer_en=held.answer_en,
        channels=held.channels,
    )
