"""The repository of knowledge: articles, what was published, products, questions left open."""

from collections.abc import Collection
from datetime import datetime
from typing import Protocol

from router.domain.article import Article, Publication
from router.domain.ids import ArticleId, InteractionId, ProductId, PublicationId
from router.domain.product import Product
from router.domain.question import OpenQuestion, QuestionState
from router.service.records import PublicationUse


class Knowledge(Protocol):
    """Articles with their publications, products, and what nobody could answer."""

    def articles(self) -> tuple[Article, ...]:
        """Return every article by category."""

    def article(self, article: str) -> Article:
        """Raises NotFound."""

    def save_article(self, article: Article) -> Article:
        """Insert (version 0) or write if the version is the stored one; else raise Conflict."""

    def add_publication(self, publication: Publication) -> None:
        """Insert; a number that the article has already raises Conflict."""

    def publication(self, publication: PublicationId) -> Publication:
        """Raises NotFound."""

    def publications(self, article: str) -> tuple[Publication, ...]:
        """Return all of an article, newest first."""

    def standing(self) -> tuple[Publication, ...]:
        """Return those that have not ended, by article and number: they hold or will."""

    def lapsed(self, at: datetime) -> tuple[Publication, ...]:
        """Return those whose time is over or whose successor has begun, and that stand still."""

    def end(self, publication: Publication) -> None:
        """Write when and why it ended; raises Conflict if it had."""

    def uses(self, publication: PublicationId, *, limit: int = 100) -> tuple[PublicationUse, ...]:
        """Return the answers that came from it, newest first."""

    def count_uses(self, publication: PublicationId) -> int: ...
    def products(self) -> tuple[Product, ...]:
        """Return every product by id."""

    def product(self, product: ProductId) -> Product:
        """Raises NotFound."""

    def save_product(self, product: Product) -> Product:
        """Insert (version 0) or write if the version is the stored one; else raise Conflict."""

    def ask(self, question: OpenQuestion) -> bool:
        """Keep what nobody could answer; False if it is kept already."""

    def questions(self, *, limit: int = 500) -> tuple[OpenQuestion, ...]:
        """Return the open ones, newest first."""

    def settle_questions(
        self,
        questions: Collection[InteractionId],
        state: QuestionState,
        *,
        article: ArticleId | None,
    ) -> int:
        """Write what became of open questions; return how many were still open."""

    def forget_questions(self, *, before: datetime) -> int:
        """Delete questions asked before; return how many."""
