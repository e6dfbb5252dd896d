"""What the shop knows: articles, what was published of them and where it was used, products."""

from dataclasses import replace
from datetime import datetime
from typing import Self

import msgspec

from router.domain.article import Article, ArticleState, Ending, Publication
from router.domain.ids import AccountName, ArticleId, ProductId, PublicationId
from router.domain.product import Product, ProductState
from router.domain.workforce import Role
from router.service import knowledge, products
from router.service.ports import NotFound
from router.service.records import PublicationUse
from router.service.unit import Unit
from router.web.api.operations import Asked, Operations
from router.web.api.shapes import Shape
from router.web.deps import Deps
from router.web.published import address_of

operations = Operations("knowledge")


class ArticleBody(msgspec.Struct, forbid_unknown_fields=True):
    """An answer to a common question; times with a zone, ``valid_until`` exclusive."""

    questions: tuple[str, ...]
    answer_zh: str = ""
    answer_en: str = ""
    category: str = ""
    channels: frozenset[str] = frozenset()
    accounts: frozenset[str] = frozenset()
    products: frozenset[str] = frozenset()
    recommends: bool = False
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    state: str = "draft"
    version: int | None = None


class ArticleShape(Shape, frozen=True):
    """An article as it is worked on; ``live`` is the publication that holds, or will.

    ``version`` must be given when it is changed.
    """

    id: str
    state: ArticleState
    category: str
    questions: tuple[str, ...]
    answer_zh: str
    answer_en: str
    channels: frozenset[str]
    accounts: frozenset[str]
    products: frozenset[str]
    recommends: bool
    valid_from: datetime | None
    valid_until: datetime | None
    submitted_by: str
    live: str | None
    updated_at: datetime
    updated_by: str
    version: int


class PublicationShape(Shape, frozen=True):
    """An article as it was published; ``url`` is its page, ``holds`` whether it may be used now."""

    id: str
    article: str
    number: int
    category: str
    questions: tuple[str, ...]
    answer_zh: str
    answer_en: str
    channels: frozenset[str]
    accounts: frozenset[str]
    products: frozenset[str]
    recommends: bool
    published_at: datetime
    published_by: str
    begins_at: datetime
    valid_until: datetime | None
    ended_at: datetime | None
    ending: Ending | None
    holds: bool
    url: str

    @classmethod
    def seen(cls, value: Publication, deps: Deps, at: datetime) -> Self:
        """Return a publication as it is at ``at``."""
        special = {"holds", "url"}
        names = [name for name in cls.__struct_fields__ if name not in special]
        given = {name: getattr(value, name) for name in names}
        return cls(**given, holds=value.holds(at), url=address_of(deps, value.id))


class UseShape(Shape, frozen=True):
    """An answer that came from a publication."""

    publication: str
    interaction: str
    conversation: str
    author: str
    at: datetime


class ArticleQuery(msgspec.Struct, forbid_unknown_fields=True):
    """Which articles."""

    published: bool = False
    words: str = ""
    state: str = ""


class StateBody(msgspec.Struct, forbid_unknown_fields=True):
    """draft, in_review, published or withdrawn."""

    state: str


class ProductBody(msgspec.Struct, forbid_unknown_fields=True):
    """A product; ``title`` and ``notice`` by language, ``words`` as customers call it."""

    title: dict[str, str]
    state: str = "on_sale"
    words: tuple[str, ...] = ()
    successor: str | None = None
    notice: dict[str, str] = {}
    version: int | None = None


class ProductShape(Shape, frozen=True):
    """A product and where it stands in its life, since when."""

    id: str
    state: ProductState
    title: dict[str, str]
    words: tuple[str, ...]
    since: datetime
    updated_by: str
    successor: str | None
    notice: dict[str, str]
    version: int


# ----- articles -----------------------------------------------------------------------------------


@operations.add("GET", "/articles", answer=tuple[ArticleShape, ...], query=ArticleQuery)
async def list_articles(asked: Asked) -> tuple[ArticleShape, ...]:
    """List the shop's answers to common questions."""
    words, state = asked.query.words.casefold(), asked.query.state
    found = await asked.deps.store.read(knowledge.articles)
    return tuple(
        ArticleShape.of(each)
        for each in found
        if (each.live is not None or not asked.query.published)
        and (not state or each.state == state)
        and words in "\n".join((*each.questions, each.answer_zh, each.answer_en)).casefold()
    )


@operations.add("GET", "/articles/{article}", answer=ArticleShape)
async def get_article(asked: Asked) -> ArticleShape:
    """Show an article."""
    return ArticleShape.of(await asked.deps.store.read(knowledge.article, asked.part("article")))


def _written(asked: Asked, article: str, version: int) -> Article:
    body: ArticleBody = asked.body
    return Article(
        id=article,
        state=knowledge.state_of(body.state),
        category=body.category,
        questions=body.questions,
        answer_zh=body.answer_zh,
        answer_en=body.answer_en,
        channels=body.channels,
        accounts=frozenset(map(AccountName, body.accounts)),
        products=frozenset(map(ProductId, body.products)),
        recommends=body.recommends,
        valid_from=body.valid_from,
        valid_until=body.valid_until,
        updated_at=asked.at,
        updated_by=asked.agent.id,
        version=version,
    )


@operations.add(
    "POST",
    "/articles",
    answer=ArticleShape,
    body=ArticleBody,
    role=Role.SUPERVISOR,
    status=201,
)
async def create_article(asked: Asked) -> ArticleShape:
    """Write an article."""
    article = _written(asked, asked.deps.ids.new(), 0)
    return await _saved(asked, article)


@operations.add(
    "PUT", "/articles/{article}", answer=ArticleShape, body=ArticleBody, role=Role.SUPERVISOR
)
async def change_article(asked: Asked) -> ArticleShape:
    """Change an article; a version that is no longer the stored one is refused.

    What is published stays as it is until the change is published too.
    """
    stored = await asked.deps.store.read(knowledge.article, asked.part("article"))
    version = stored.version if asked.body.version is None else asked.body.version
    return await _saved(asked, _written(asked, stored.id, version))


async def _saved(asked: Asked, article: Article) -> ArticleShape:
    saved = await asked.deps.store.transact(
        knowledge.put,
        article=article,
        by=asked.agent.id,
        four_eyes=asked.deps.policy.knowledge.four_eyes,
        at=asked.at,
    )
    return ArticleShape.of(saved)


@operations.add(
    "PUT",
    "/articles/{article}/state",
    answer=ArticleShape,
    body=StateBody,
    role=Role.SUPERVISOR,
)
async def set_article_state(asked: Asked) -> ArticleShape:
    """Send an article into review or back, publish it or take it back."""
    saved = await asked.deps.store.transact(
        knowledge.set_state,
        article=asked.part("article"),
        state=asked.body.state,
        by=asked.agent.id,
        four_eyes=asked.deps.policy.knowledge.four_eyes,
        at=asked.at,
    )
    return ArticleShape.of(saved)


# ----- publications -------------------------------------------------------------------------------


@operations.add("GET", "/articles/{article}/publications", answer=tuple[PublicationShape, ...])
async def list_publications(asked: Asked) -> tuple[PublicationShape, ...]:
    """List what was published of an article, newest first."""
    found = await asked.deps.store.read(_publications, asked.part("article"))
    return tuple(PublicationShape.seen(each, asked.deps, asked.at) for each in found)


def _publications(unit: Unit, article: str) -> tuple[Publication, ...]:
    return unit.knowledge.publications(ArticleId(unit.knowledge.article(article).id))


@operations.add("GET", "/publications/{publication}", answer=PublicationShape)
async def get_publication(asked: Asked) -> PublicationShape:
    """Show what was published, word for word."""
    held, _newer = await asked.deps.store.read(knowledge.publication, asked.part("publication"))
    return PublicationShape.seen(held, asked.deps, asked.at)


@operations.add("GET", "/publications/{publication}/uses", answer=tuple[UseShape, ...])
async def list_publication_uses(asked: Asked) -> tuple[UseShape, ...]:
    """List the answers that came from a publication, newest first, a hundred at most."""
    found = await asked.deps.store.read(_uses, asked.part("publication"))
    return tuple(map(UseShape.of, found))


def _uses(unit: Unit, publication: str) -> tuple[PublicationUse, ...]:
    return unit.knowledge.uses(unit.knowledge.publication(PublicationId(publication)).id)


# ----- products -----------------------------------------------------------------------------------


@operations.add("GET", "/products", answer=tuple[ProductShape, ...])
async def list_products(asked: Asked) -> tuple[ProductShape, ...]:
    """List the products."""
    return tuple(map(ProductShape.of, await asked.deps.store.read(products.products)))


@operations.add("GET", "/products/{product}", answer=ProductShape)
async def get_product(asked: Asked) -> ProductShape:
    """Show a product."""
    return ProductShape.of(await asked.deps.store.read(products.product, asked.part("product")))


@operations.add(
    "PUT", "/products/{product}", answer=ProductShape, body=ProductBody, role=Role.SUPERVISOR
)
async def put_product(asked: Asked) -> ProductShape:
    """Add a product or change it; without a version what is stored is written over."""
    body: ProductBody = asked.body
    product = Product(
        id=ProductId(asked.part("product")),
        state=products.state_of(body.state),
        title=body.title,
        words=body.words,
        since=asked.at,
        updated_by=asked.agent.id,
        successor=ProductId(body.successor) if body.successor else None,
        notice=body.notice,
        version=body.version or 0,
    )
    saved = await asked.deps.store.transact(
        _put_product, product, given=body.version is not None, by=asked.agent.id, at=asked.at
    )
    return ProductShape.of(saved)


def _put_product(unit: Unit, product: Product, *, given: bool, by: str, at: datetime) -> Product:
    if not given:
        try:
            product = replace(product, version=unit.knowledge.product(product.id).version)
        except NotFound:
            product = replace(product, version=0)
    return products.write(unit, product=product, by=by, at=at)
