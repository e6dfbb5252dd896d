"""The repository of articles, their publications, products, and questions left open."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, RowMapping

from router.domain.article import Article, ArticleState, Ending, Publication
from router.domain.ids import (
    AccountName,
    ArticleId,
    ConversationId,
    InteractionId,
    ProductId,
    PublicationId,
)
from router.domain.product import Product, ProductState
from router.domain.question import OpenQuestion, QuestionState
from router.service.ports import Conflict
from router.service.records import PublicationUse
from router.store.codec import dump, load
from router.store.dialect import insert_new
from router.store.rows import insert, many, must_change, the
from router.store.writings import (
    articles,
    open_questions,
    products,
    publication_uses,
    publications,
)

_at_most = sa.bindparam("at_most", type_=sa.Integer)
_among: sa.BindParameter[Any] = sa.bindparam("members", expanding=True)

_ARTICLES = sa.select(articles).order_by(articles.c.category, articles.c.id)
_ARTICLE = sa.select(articles).where(articles.c.id == sa.bindparam("of"))
_ADD_ARTICLE = insert_new(articles)
_SAVE_ARTICLE = sa.update(articles).where(
    articles.c.id == sa.bindparam("of"), articles.c.version == sa.bindparam("expected")
)
_ADD_PUBLICATION = insert_new(publications)
_PUBLICATION = sa.select(publications).where(publications.c.id == sa.bindparam("of"))
_PUBLICATIONS = (
    sa.select(publications)
    .where(publications.c.article_id == sa.bindparam("of"))
    .order_by(publications.c.number.desc())
)
_STANDING = (
    sa.select(publications)
    .where(publications.c.ended_at.is_(None))
    .order_by(publications.c.category, publications.c.article_id, publications.c.number)
)
_later = publications.alias("later")
_LAPSED = (
    sa.select(publications)
    .where(
        publications.c.ended_at.is_(None),
        sa.or_(
            publications.c.valid_until <= sa.bindparam("at"),
            sa.exists().where(
                _later.c.article_id == publications.c.article_id,
                _later.c.number > publications.c.number,
                _later.c.ended_at.is_(None),
                _later.c.begins_at <= sa.bindparam("at"),
            ),
        ),
    )
    .order_by(publications.c.article_id, publications.c.number)
)
_END = sa.update(publications).where(
    publications.c.id == sa.bindparam("of"), publications.c.ended_at.is_(None)
)
_USES = (
    sa.select(publication_uses)
    .where(publication_uses.c.publication_id == sa.bindparam("of"))
    .order_by(publication_uses.c.at.desc(), publication_uses.c.interaction_id.desc())
    .limit(_at_most)
)
_COUNT_USES = (
    sa.select(sa.func.count())
    .select_from(publication_uses)
    .where(publication_uses.c.publication_id == sa.bindparam("of"))
)
_PRODUCTS = sa.select(products).order_by(products.c.id)
_PRODUCT = sa.select(products).where(products.c.id == sa.bindparam("of"))
_ADD_PRODUCT = insert_new(products)
_SAVE_PRODUCT = sa.update(products).where(
    products.c.id == sa.bindparam("of"), products.c.version == sa.bindparam("expected")
)
_ASK = insert_new(open_questions)
_QUESTIONS = (
    sa.select(open_questions)
    .where(open_questions.c.state == QuestionState.OPEN.value)
    .order_by(open_questions.c.at.desc(), open_questions.c.id.desc())
    .limit(_at_most)
)
_SETTLE = sa.update(open_questions).where(
    open_questions.c.id.in_(_among), open_questions.c.state == QuestionState.OPEN.value
)
_FORGET = sa.delete(open_questions).where(open_questions.c.at < sa.bindparam("before"))


class SqlKnowledge:
    """Fulfils `router.service.repository.knowledge.Knowledge` on a connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def articles(self) -> tuple[Article, ...]:
        """Return every article by category."""
        return tuple(map(_article, many(self._connection, _ARTICLES)))

    def article(self, article: str) -> Article:
        """Return an article; raises NotFound."""
        return _article(the(self._connection, _ARTICLE, {"of": article}, f"article {article}"))

    def save_article(self, article: Article) -> Article:
        """Insert (version 0; stored as 1) or write if the version is the stored one.

        Raises Conflict if the article was changed meanwhile, or stands there already.
        """
        values = {**_article_values(article), "version": article.version + 1}
        problem = f"article {article.id} was changed meanwhile"
        if article.version:
            keys = {"of": article.id, "expected": article.version}
            must_change(self._connection, _SAVE_ARTICLE, {**keys, **values}, problem)
        elif not insert(self._connection, _ADD_ARTICLE, {"id": article.id, **values}):
            raise Conflict(problem)
        return replace(article, version=article.version + 1)

    def add_publication(self, publication: Publication) -> None:
        """Insert; a number that the article has already raises Conflict."""
        if not insert(self._connection, _ADD_PUBLICATION, _publication_values(publication)):
            raise Conflict(f"article {publication.article} was published meanwhile")

    def publication(self, publication: PublicationId) -> Publication:
        """Return a publication; raises NotFound."""
        what = f"publication {publication}"
        return _publication(the(self._connection, _PUBLICATION, {"of": publication}, what))

    def publications(self, article: str) -> tuple[Publication, ...]:
        """Return all of an article, newest first."""
        return tuple(map(_publication, many(self._connection, _PUBLICATIONS, {"of": article})))

    def standing(self) -> tuple[Publication, ...]:
        """Return those that have not ended, by article and number: they hold or will."""
        return tuple(map(_publication, many(self._connection, _STANDING)))

    def lapsed(self, at: datetime) -> tuple[Publication, ...]:
        """Return those whose time is over or whose successor has begun, and that stand still."""
        return tuple(map(_publication, many(self._connection, _LAPSED, {"at": at})))

    def end(self, publication: Publication) -> None:
        """Write when and why it ended; raises Conflict if it had."""
        ending = "" if publication.ending is None else publication.ending.value
        values = {"of": publication.id, "ended_at": publication.ended_at, "ending": ending}
        problem = f"publication {publication.id} had ended"
        must_change(self._connection, _END, values, problem)

    def uses(self, publication: PublicationId, *, limit: int = 100) -> tuple[PublicationUse, ...]:
        """Return the answers that came from it, newest first."""
        rows = many(self._connection, _USES, {"of": publication, "at_most": limit})
        return tuple(
            PublicationUse(
                publication=PublicationId(row["publication_id"]),
                interaction=InteractionId(row["interaction_id"]),
                conversation=ConversationId(row["conversation_id"]),
                author=row["author"],
                at=row["at"],
            )
            for row in rows
        )

    def count_uses(self, publication: PublicationId) -> int:
        """Return how many answers came from it."""
        counted: int = self._connection.execute(_COUNT_USES, {"of": publication}).scalar_one()
        return counted

    def products(self) -> tuple[Product, ...]:
        """Return every product by id."""
        return tuple(map(_product, many(self._connection, _PRODUCTS)))

    def product(self, product: ProductId) -> Product:
        """Return a product; raises NotFound."""
        return _product(the(self._connection, _PRODUCT, {"of": product}, f"product {product}"))

    def save_product(self, product: Product) -> Product:
        """Insert (version 0) or write if the version is the stored one; else raise Conflict."""
        values = {**_product_values(product), "version": product.version + 1}
        problem = f"product {product.id} was changed meanwhile"
        if product.version:
            keys = {"of": product.id, "expected": product.version}
            must_change(self._connection, _SAVE_PRODUCT, {**keys, **values}, problem)
        elif not insert(self._connection, _ADD_PRODUCT, {"id": product.id, **values}):
            raise Conflict(problem)
        return replace(product, version=product.version + 1)

    def ask(self, question: OpenQuestion) -> bool:
        """Keep what nobody could answer; False if it is kept already."""
        return insert(
            self._connection,
            _ASK,
            {
                "id": question.id,
                "conversation_id": question.conversation,
                "text": question.text,
                "language": question.language,
                "channel": question.channel,
                "at": question.at,
                "state": question.state.value,
                "article_id": question.article,
            },
        )

    def questions(self, *, limit: int = 500) -> tuple[OpenQuestion, ...]:
        """Return the open ones, newest first."""
        return tuple(map(_question, many(self._connection, _QUESTIONS, {"at_most": limit})))

    def settle_questions(
        self,
        questions: Collection[InteractionId],
        state: QuestionState,
        *,
        article: ArticleId | None,
    ) -> int:
        """Write what became of open questions; return how many were still open."""
        values = {"members": list(questions), "state": state.value, "article_id": article}
        return self._connection.execute(_SETTLE, values).rowcount

    def forget_questions(self, *, before: datetime) -> int:
        """Delete questions asked before; return how many."""
        return self._connection.execute(_FORGET, {"before": before}).rowcount


def names_in(text: str) -> frozenset[str]:
    """Return a stored set of names; rows from before there was one hold nothing."""
    return load(frozenset[str], text) if text else frozenset()


def _article_values(article: Article) -> dict[str, Any]:
    return {
        "state": str(article.state),
        "category": article.category,
        "questions": dump(article.questions),
        "answer_zh": article.answer_zh,
        "answer_en": article.answer_en,
        "channels": dump(article.channels),
        "updated_at": article.updated_at,
        "updated_by": article.updated_by,
        "accounts": dump(article.accounts),
        "products": dump(article.products),
        "recommends": article.recommends,
        "valid_from": article.valid_from,
        "valid_until": article.valid_until,
        "submitted_by": article.submitted_by,
        "live_id": article.live,
    }


def _article(row: RowMapping) -> Article:
    return Article(
        id=row["id"],
        state=ArticleState(row["state"]),
        category=row["category"],
        questions=load(tuple[str, ...], row["questions"]),
        answer_zh=row["answer_zh"],
        answer_en=row["answer_en"],
        channels=names_in(row["channels"]),
        updated_at=row["updated_at"],
        updated_by=row["updated_by"],
        version=row["version"],
        accounts=frozenset(map(AccountName, names_in(row["accounts"]))),
        products=frozenset(map(ProductId, names_in(row["products"]))),
        recommends=row["recommends"],
        valid_from=row["valid_from"],
        valid_until=row["valid_until"],
        submitted_by=row["submitted_by"],
        live=None if row["live_id"] is None else PublicationId(row["live_id"]),
    )


def _publication_values(made: Publication) -> dict[str, Any]:
    return {
        "id": made.id,
        "article_id": made.article,
        "number": made.number,
        "category": made.category,
        "questions": dump(made.questions),
        "answer_zh": made.answer_zh,
        "answer_en": made.answer_en,
        "channels": dump(made.channels),
        "accounts": dump(made.accounts),
        "products": dump(made.products),
        "recommends": made.recommends,
        "published_at": made.published_at,
        "published_by": made.published_by,
        "begins_at": made.begins_at,
        "valid_until": made.valid_until,
        "ended_at": made.ended_at,
        "ending": "" if made.ending is None else made.ending.value,
    }


def _publication(row: RowMapping) -> Publication:
    return Publication(
        id=PublicationId(row["id"]),
        article=ArticleId(row["article_id"]),
        number=row["number"],
        category=row["category"],
        questions=load(tuple[str, ...], row["questions"]),
        answer_zh=row["answer_zh"],
        answer_en=row["answer_en"],
        channels=names_in(row["channels"]),
        accounts=frozenset(map(AccountName, names_in(row["accounts"]))),
        products=frozenset(map(ProductId, names_in(row["products"]))),
        recommends=row["recommends"],
        published_at=row["published_at"],
        published_by=row["published_by"],
        begins_at=row["begins_at"],
        valid_until=row["valid_until"],
        ended_at=row["ended_at"],
        ending=Ending(row["ending"]) if row["ending"] else None,
    )


def _product_values(product: Product) -> dict[str, Any]:
    return {
        "state": product.state.value,
        "title": dump(product.title),
        "words": dump(product.words),
        "since": product.since,
        "updated_by": product.updated_by,
        "successor": product.successor,
        "notice": dump(product.notice),
    }


def _product(row: RowMapping) -> Product:
    successor = row["successor"]
    return Product(
        id=ProductId(row["id"]),
        state=ProductState(row["state"]),
        title=load(dict[str, str], row["title"]),
        words=load(tuple[str, ...], row["words"]),
        since=row["since"],
        updated_by=row["updated_by"],
        successor=None if successor is None else ProductId(successor),
        notice=load(dict[str, str], row["notice"]) if row["notice"] else {},
        version=row["version"],
    )


def _question(row: RowMapping) -> OpenQuestion:
    article = row["article_id"]
    return OpenQuestion(
        id=InteractionId(row["id"]),
        conversation=ConversationId(row["conversation_id"]),
        text=row["text"],
        language=row["language"],
        channel=row["channel"],
        at=row["at"],
        state=QuestionState(row["state"]),
        article=None if article is None else ArticleId(article),
    )
