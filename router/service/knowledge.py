"""The shop's articles: written, reviewed, published, withdrawn; and what time does to them."""

from dataclasses import replace
from datetime import datetime

from router.domain import article as domain
from router.domain.article import Article, ArticleState, Ending, Publication
from router.domain.errors import IllegalStep, Invalid
from router.domain.events import Happened
from router.domain.ids import ArticleId, PublicationId
from router.service.unit import Unit

STATES = tuple(ArticleState)


def state_of(name: str) -> ArticleState:
    """Return the state that a caller names; raises Invalid."""
    try:
        return ArticleState(name)
    except ValueError as error:
        raise Invalid(f"state: {name!r} is not one of {', '.join(STATES)}") from error


def write(unit: Unit, *, article: Article, by: str, at: datetime) -> Article:
    """Insert or change the text that is worked on; what is published stays as it is.

    A text that was changed is a draft again. Raises Invalid for what cannot be an article,
    Conflict for a stale one.
    """
    stored = unit.knowledge.article(article.id) if article.version else None
    text = domain.checked(
        replace(
            article,
            state=ArticleState.DRAFT,
            submitted_by="",
            live=None if stored is None else stored.live,
        )
    )
    _know(unit, text)
    if stored is not None and stored.version == article.version and stored.is_like(text):
        return stored
    return _save(unit, replace(text, updated_at=at, updated_by=by), by=by, at=at)


def put(unit: Unit, *, article: Article, by: str, four_eyes: bool, at: datetime) -> Article:
    """Write an article and bring it into the state it names: an import, a call of the API.

    Where four eyes are wanted, what should be published waits in review for the second pair. What
    should be withdrawn and was never published stays a draft: it is as little in use.
    """
    wanted = state_of(article.state)
    written = write(unit, article=article, by=by, at=at)
    if wanted is ArticleState.WITHDRAWN and written.live is None:
        return written
    if wanted is ArticleState.PUBLISHED and four_eyes and written.state != wanted:
        wanted = ArticleState.IN_REVIEW
    return set_state(unit, article=written.id, state=wanted, by=by, four_eyes=four_eyes, at=at)


def set_state(
    unit: Unit, *, article: str, state: str, by: str, four_eyes: bool, at: datetime
) -> Article:
    """Send an article into review or back, publish it or take it back; the same state is no step.

    Raises IllegalStep, and OwnWork where four eyes are wanted and both are the author's.
    """
    held, wanted = unit.knowledge.article(article), state_of(state)
    if wanted is held.state and not (wanted is ArticleState.WITHDRAWN and held.live):
        return held
    match wanted:
        case ArticleState.DRAFT:
            return _save(unit, domain.returned(held), by=by, at=at)
        case ArticleState.IN_REVIEW:
            return _save(unit, domain.submitted(held, by=by), by=by, at=at)
        case ArticleState.PUBLISHED:
            return _publish(unit, held, by=by, four_eyes=four_eyes, at=at)
        case ArticleState.WITHDRAWN:
            return _withdraw(unit, held, by=by, at=at)


def _publish(unit: Unit, held: Article, *, by: str, four_eyes: bool, at: datetime) -> Article:
    before = unit.knowledge.publications(held.id)
    article, made = domain.published(
        held,
        publication=PublicationId(unit.new_id()),
        number=before[0].number + 1 if before else 1,
        by=by,
        four_eyes=four_eyes,
        at=at,
    )
    for each in before:
        never_begun = each.begins_at > at
        if each.ended_at is None and (made.begins_at <= at or never_begun):
            unit.knowledge.end(domain.ended(each, ending=Ending.SUPERSEDED, at=at))
    unit.knowledge.add_publication(made)
    return _save(unit, article, by=by, at=at)


def _withdraw(unit: Unit, held: Article, *, by: str, at: datetime) -> Article:
    standing = [each for each in unit.knowledge.publications(held.id) if each.ended_at is None]
    if not standing:
        raise IllegalStep("nothing of this article is published")
    for each in standing:
        unit.knowledge.end(domain.ended(each, ending=Ending.WITHDRAWN, at=at))
    state = ArticleState.WITHDRAWN if held.state == ArticleState.PUBLISHED else held.state
    return _save(unit, replace(held, state=state, live=None), by=by, at=at)


def any_lapsed(unit: Unit, *, at: datetime) -> bool:
    """Return whether `turn_over` would change anything; it only reads."""
    return bool(unit.knowledge.lapsed(at))


def turn_over(unit: Unit, *, at: datetime) -> int:
    """End the publications whose time is over or whose successor has begun; return how many."""
    lapsed = unit.knowledge.lapsed(at)
    for each in lapsed:
        article = unit.knowledge.article(each.article)
        over = each.valid_until is not None and each.valid_until <= at
        ending = Ending.EXPIRED if over else Ending.SUPERSEDED
        unit.knowledge.end(domain.ended(each, ending=ending, at=at))
        if article.live == each.id:
            state = ArticleState.WITHDRAWN if article.state == ArticleState.PUBLISHED else None
            article = replace(article, live=None, state=state or article.state)
            unit.knowledge.save_article(article)
        _changed(unit, article, by="", at=at)
    return len(lapsed)


def _know(unit: Unit, article: Article) -> None:
    """Raise Invalid if an article speaks of a product that does not exist."""
    known = {each.id for each in unit.knowledge.products()} if article.products else set()
    for name in sorted(article.products - known):
        raise Invalid(f"products: {name!r} is not a product; add it first")


def _save(unit: Unit, article: Article, *, by: str, at: datetime) -> Article:
    saved = unit.knowledge.save_article(article)
    _changed(unit, saved, by=by, at=at)
    return saved


def _changed(unit: Unit, article: Article, *, by: str, at: datetime) -> None:
    facts = {"article": article.id, "by": by, "state": str(article.state)}
    if article.live is not None:
        facts["publication"] = article.live
    unit.record(Happened(kind="article_changed", facts=facts), at=at)


def articles(unit: Unit) -> tuple[Article, ...]:
    """Return every article by category."""
    return unit.knowledge.articles()


def article(unit: Unit, wanted: str) -> Article:
    """Return an article; raises NotFound."""
    return unit.knowledge.article(wanted)


def publication(unit: Unit, wanted: str) -> tuple[Publication, Publication | None]:
    """Return a publication and what took its place, if something has; raises NotFound."""
    held = unit.knowledge.publication(PublicationId(wanted))
    later = unit.knowledge.publications(ArticleId(held.article))
    newest = next((each for each in later if each.ended_at is None), None)
    return held, newest if newest is not None and newest.number > held.number else None
