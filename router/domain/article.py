"""An article: the text that is worked on, its publications, and when and where each may be used."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from router.domain.errors import IllegalStep, Invalid, OwnWork
from router.domain.ids import AccountName, ArticleId, ProductId, PublicationId


class ArticleState(StrEnum):
    """Where the text that is worked on stands; what is published beside it stays as it is."""

    DRAFT = "draft"
    IN_REVIEW = "in_review"
    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"


class Ending(StrEnum):
    """Why a publication holds no more."""

    SUPERSEDED = "superseded"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """An answer of the shop's to a common question, as it is worked on.

    ``questions`` holds every wording in both languages. An empty ``channels``, ``accounts`` or
    ``products`` means every one. ``recommends`` says that the answer offers its products.
    ``valid_from`` and ``valid_until`` (exclusive) bound the next publication. ``submitted_by`` is
    who asked for the review, ``live`` the publication that holds now or will, if there is one.
    """

    id: str
    state: str
    category: str
    questions: tuple[str, ...]
    answer_zh: str
    answer_en: str
    channels: frozenset[str]
    updated_at: datetime
    updated_by: str
    version: int
    accounts: frozenset[AccountName] = field(default_factory=frozenset)
    products: frozenset[ProductId] = field(default_factory=frozenset)
    recommends: bool = False
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    submitted_by: str = ""
    live: PublicationId | None = None

    def is_like(self, other: "Article") -> bool:
        """Say whether both say the same in the same places."""
        return _said(self) == _said(other)


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """An article as it was published, word for word; it is never rewritten.

    ``number`` counts the article's publications from 1. It holds from ``begins_at`` until
    ``valid_until`` (None: for good) unless it ended before, at ``ended_at``.
    """

    id: PublicationId
    article: ArticleId
    number: int
    category: str
    questions: tuple[str, ...]
    answer_zh: str
    answer_en: str
    channels: frozenset[str]
    accounts: frozenset[AccountName] = field(default_factory=frozenset)
    products: frozenset[ProductId] = field(default_factory=frozenset)
    recommends: bool = False
    published_at: datetime
    published_by: str
    begins_at: datetime
    valid_until: datetime | None = None
    ended_at: datetime | None = None
    ending: Ending | None = None

    def holds(self, at: datetime) -> bool:
        """Say whether it may be used at ``at``."""
        return (
            self.begins_at <= at
            and (self.valid_until is None or at < self.valid_until)
            and (self.ended_at is None or at < self.ended_at)
        )

    def is_for(self, *, channel: str = "", account: str = "") -> bool:
        """Say whether it may be shown there; an empty name asks nothing."""
        return (not self.channels or not channel or channel in self.channels) and (
            not self.accounts or not account or account in self.accounts
        )

    def answer(self, language: str) -> str:
        """Return the answer in ``language``, or in the other one if it was never translated."""
        if language == "en":
            return self.answer_en or self.answer_zh
        return self.answer_zh or self.answer_en

    def question(self) -> str:
        """Return the wording that stands first."""
        return self.questions[0]


def _said(article: Article) -> tuple[object, ...]:
    return (
        article.category,
        article.questions,
        article.answer_zh,
        article.answer_en,
        article.channels,
        article.accounts,
        article.products,
        article.recommends,
        article.valid_from,
        article.valid_until,
    )


def checked(article: Article) -> Article:
    """Return the article without empty wordings; raises `Invalid` with the field to mend.

    A draft may still lack its answer.
    """
    questions = tuple(dict.fromkeys(each.strip() for each in article.questions if each.strip()))
    if not questions:
        raise Invalid("questions: write at least one wording of the question")
    if article.valid_from and article.valid_until and article.valid_until <= article.valid_from:
        raise Invalid("valid_until: must be later than valid_from")
    if article.recommends and not article.products:
        raise Invalid("products: name what the answer recommends")
    return replace(article, questions=questions)


def _complete(article: Article) -> None:
    if not (article.answer_zh.strip() or article.answer_en.strip()):
        raise Invalid("answer: write the answer in at least one language")


def submitted(article: Article, *, by: str) -> Article:
    """Return the article as it waits for somebody to review it."""
    if article.state not in {ArticleState.DRAFT, ArticleState.WITHDRAWN}:
        raise IllegalStep(f"the article is {article.state}; only a draft goes into review")
    _complete(article)
    return replace(article, state=ArticleState.IN_REVIEW, submitted_by=by)


def returned(article: Article) -> Article:
    """Return the article as a draft again: to be worked on, or not approved."""
    return replace(article, state=ArticleState.DRAFT, submitted_by="")


def published(
    article: Article,
    *,
    publication: PublicationId,
    number: int,
    by: str,
    four_eyes: bool,
    at: datetime,
) -> tuple[Article, Publication]:
    """Return the article as published, and what is published.

    With ``four_eyes`` it must have been reviewed, by somebody else than who wrote it. Raises
    `IllegalStep`, `OwnWork`, or `Invalid` if its time is over.
    """
    if article.state == ArticleState.PUBLISHED:
        raise IllegalStep("the article is published; change it first")
    _complete(article)
    if four_eyes:
        if article.state != ArticleState.IN_REVIEW:
            raise IllegalStep("the article must be reviewed before it is published")
        if by in {article.updated_by, article.submitted_by}:
            raise OwnWork("somebody else must review what one has written")
    if article.valid_until is not None and article.valid_until <= at:
        raise Invalid("valid_until: is over; give a later time or none")
    begins = at if article.valid_from is None else max(at, article.valid_from)
    made = Publication(
        id=publication,
        article=ArticleId(article.id),
        number=number,
        category=article.category,
        questions=article.questions,
        answer_zh=article.answer_zh,
        answer_en=article.answer_en,
        channels=article.channels,
        accounts=article.accounts,
        products=article.products,
        recommends=article.recommends,
        published_at=at,
        published_by=by,
        begins_at=begins,
        valid_until=article.valid_until,
    )
    return replace(article, state=ArticleState.PUBLISHED, live=publication), made


def ended(publication: Publication, *, ending: Ending, at: datetime) -> Publication:
    """Return the publication as it holds no more from ``at`` on."""
    return replace(publication, ended_at=at, ending=ending)


def holding(publications: Iterable[Publication], at: datetime) -> dict[str, Publication]:
    """Return what holds at ``at``, by article: of two publications of one article the later."""
    found: dict[str, Publication] = {}
    for each in sorted(publications, key=lambda one: (one.begins_at, one.number)):
        if each.holds(at):
            found[each.article] = each
    return found
