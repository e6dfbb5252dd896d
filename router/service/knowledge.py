"""The shop's articles: written, published, withdrawn, imported."""

from dataclasses import replace
from datetime import datetime

from router.domain.errors import Invalid
from router.domain.events import Happened
from router.service.records import Article
from router.service.unit import Unit

STATES = ("draft", "published", "withdrawn")


def write(unit: Unit, *, article: Article, by: str, at: datetime) -> Article:
    """Insert or change an article; raises Invalid for an empty one, Conflict for a stale one."""
    if article.state not in STATES:
        raise Invalid(f"state: {article.state!r} is not one of {', '.join(STATES)}")
    if not any(question.strip() for question in article.questions):
        raise Invalid("questions: write at least one wording of the question")
    if not (article.answer_zh.strip() or article.answer_en.strip()):
        raise Invalid("answer: write the answer in at least one language")
    dated = replace(article, updated_at=at, updated_by=by)
    unit.journal.save_article(dated)
    unit.record(Happened(kind="article_changed", facts={"article": article.id, "by": by}), at=at)
    return unit.journal.article(article.id)


def set_state(unit: Unit, *, article: str, state: str, by: str, at: datetime) -> Article:
    """Publish an article or take it back."""
    return write(unit, article=replace(unit.journal.article(article), state=state), by=by, at=at)
