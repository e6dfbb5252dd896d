"""The reply coach for pages and API alike: what it says of a draft, and what a search finds."""

from collections.abc import Iterable

from router.domain.article import Publication
from router.domain.coach import Hint, Rule, advise
from router.domain.ids import ConversationId
from router.service.coaching import articles_for, draft_of, question_in
from router.service.unit import Unit
from router.web.deps import Deps


async def sure_articles(deps: Deps, conversation: ConversationId) -> tuple[Publication, ...]:
    """Return the articles that surely answer what was asked last; raises NotFound."""
    words, language, channel = await deps.store.read(question_in, conversation)
    if not words:
        return ()
    found = await deps.knows.find(words, language=language, limit=3, channel=channel)
    return articles_for(found, deps.knows.published(), sure=deps.policy.bot.answer_at)


async def advice(deps: Deps, conversation: ConversationId, text: str) -> tuple[Hint, ...]:
    """Return what the coach says of a draft; raises NotFound."""
    articles = await sure_articles(deps, conversation)
    return await deps.store.read(
        _advise, deps, conversation=conversation, text=text, articles=articles
    )


def _advise(
    unit: Unit,
    deps: Deps,
    *,
    conversation: ConversationId,
    text: str,
    articles: tuple[Publication, ...],
) -> tuple[Hint, ...]:
    draft = draft_of(
        unit,
        conversation=conversation,
        text=text,
        articles=articles,
        products=tuple(deps.knows.products().values()),
    )
    return advise(draft, policy=deps.policy.coach)


def rules_in(given: Iterable[str]) -> tuple[Rule, ...]:
    """Return the rules among names that a page sent; others are passed over."""
    known = {rule.value: rule for rule in Rule}
    return tuple(known[each] for each in dict.fromkeys(given) if each in known)
