"""What is published now, ready to be searched; rebuilt whenever an article changes."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from router.domain.events import Logged
from router.domain.ids import ArticleId
from router.domain.knowledge import Answerable, Candidate
from router.service.ports import Store
from router.service.records import Article
from router.service.unit import Unit

#: How many more are looked for than asked, since some are for other channels.
_SPARE = 5


class Finder(Protocol):
    """Finds articles for a question."""

    def best(self, question: str, *, language: str, limit: int = 3) -> tuple[Candidate, ...]: ...


class Knowledge(Protocol):
    """Finds articles among what is published now."""

    def best(
        self, question: str, *, language: str, limit: int = 3, channel: str = ""
    ) -> tuple[Candidate, ...]:
        """Return the articles that may answer, best first, compared by words."""

    def fitting(
        self, found: Sequence[Candidate], *, channel: str, limit: int = 3
    ) -> tuple[Candidate, ...]:
        """Return those of ``found`` that are published and for ``channel``."""

    async def find(
        self, question: str, *, language: str, limit: int = 3, channel: str = ""
    ) -> tuple[Candidate, ...]:
        """Return the articles that may answer, best first, compared by meaning if possible."""

    def published(self) -> Mapping[str, Article]:
        """Return the published articles by id."""


class Readings(Protocol):
    """Readers that compare meanings; they learn articles in the background."""

    async def find(
        self, question: str, *, language: str, limit: int
    ) -> tuple[Candidate, ...] | None:
        """Return the articles that may answer ``question``; None if no reader can say."""

    async def learn(self, articles: Sequence[Answerable]) -> None:
        """Know these articles from now on."""


class Library:
    """The published articles and the index over them. Reading it never waits.

    With ``readers`` questions are also compared by meaning, elsewhere; while nobody there can say,
    words must do.
    """

    def __init__(
        self,
        build: Callable[[Sequence[Answerable]], Finder],
        readers: Readings | None = None,
    ) -> None:
        self._build, self._readers = build, readers
        self._articles: Mapping[str, Article] = {}
        self._index: Finder = build(())
        self._stale = asyncio.Event()
        self._stale.set()

    def published(self) -> Mapping[str, Article]:
        """Return the published articles by id."""
        return self._articles

    def best(
        self, question: str, *, language: str, limit: int = 3, channel: str = ""
    ) -> tuple[Candidate, ...]:
        """Return the articles that may answer ``question`` on ``channel``, best first."""
        found = self._index.best(question, language=language, limit=limit + _SPARE)
        return self.fitting(found, channel=channel, limit=limit)

    def fitting(
        self, found: Sequence[Candidate], *, channel: str, limit: int = 3
    ) -> tuple[Candidate, ...]:
        """Return those of ``found`` that are published and for ``channel``."""
        return tuple(
            each
            for each in found
            if each.article in self._articles and _fits(self._articles[each.article], channel)
        )[:limit]

    async def find(
        self, question: str, *, language: str, limit: int = 3, channel: str = ""
    ) -> tuple[Candidate, ...]:
        """Return the articles that may answer ``question``, by meaning if a reader can say."""
        if self._readers is not None:
            found = await self._readers.find(question, language=language, limit=limit + _SPARE)
            if found is not None:
                return self.fitting(found, channel=channel, limit=limit)
        return await asyncio.to_thread(
            self.best, question, language=language, limit=limit, channel=channel
        )

    def hear(self, logged: Sequence[Logged]) -> None:
        """Note that articles changed."""
        if any(each.event.kind == "article_changed" for each in logged):
            self._stale.set()

    async def refresh(self, store: Store) -> None:
        """Read the published articles and index them."""
        self._stale.clear()
        articles = await store.read(_published)
        answerable = tuple(_answerable(each) for each in articles)
        index = await asyncio.to_thread(self._build, answerable)
        self._articles, self._index = {each.id: each for each in articles}, index
        if self._readers is not None:
            await self._readers.learn(answerable)

    async def run(self, store: Store) -> None:
        """Keep the index true until cancelled."""
        while True:
            await self._stale.wait()
            await self.refresh(store)


def _published(unit: Unit) -> tuple[Article, ...]:
    return unit.journal.articles(published_only=True)


def _fits(article: Article, channel: str) -> bool:
    return not (article.channels and channel) or channel in article.channels


def _answerable(article: Article) -> Answerable:
    return Answerable(
        id=ArticleId(article.id),
        questions=article.questions,
        answer_zh=article.answer_zh,
        answer_en=article.answer_en,
        channels=article.channels,
    )
