"""What helps to write an answer: articles and scripts for a conversation, as pages and API ask."""

import asyncio
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from aiohttp import web

from router.channel.contract import Family
from router.domain.article import Publication
from router.domain.content import plain_text
from router.domain.conversation import Conversation
from router.domain.errors import Invalid
from router.domain.ids import AgentId, ConversationId, PublicationId, ScriptId, TrialId
from router.domain.timeline import Direction
from router.service.scripts import Ready, Used, offered, values_for
from router.service.unit import Unit
from router.web.deps import Deps

_ARTICLES, _SCRIPTS = 5, 8
_LOOK_BACK = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Aid:
    """What may be said: published articles, and scripts filled in."""

    language: str
    articles: tuple[Publication, ...]
    scripts: tuple[Ready, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    held: Conversation
    asked: str
    scripts: tuple[Ready, ...]


async def aid(
    deps: Deps,
    *,
    conversation: ConversationId,
    words: str,
    me: AgentId,
    language: str,
    sure: float = 0.0,
) -> Aid:
    """Return what fits ``words``; without any, what the contact said last. Raises NotFound.

    ``sure`` is how probable an article must be. ``language`` is what the channel's title is said
    in, for scripts that name it.
    """
    known = await deps.store.read(
        _known, deps, conversation=conversation, words=words, me=me, language=language
    )
    asked = words or known.asked
    spoken = "en" if known.held.language == "en" else "zh"
    found = await asyncio.to_thread(
        deps.knows.best,
        asked,
        language=spoken,
        limit=_ARTICLES,
        channel=known.held.channel,
        account=known.held.account,
    )
    published = deps.knows.published()
    fitting = (each for each in found if each.confidence >= sure)
    articles = [published[each.article] for each in fitting if each.article in published]
    return Aid(language=spoken, articles=tuple(articles), scripts=known.scripts)


def _known(
    unit: Unit, deps: Deps, *, conversation: ConversationId, words: str, me: AgentId, language: str
) -> _Known:
    held = unit.conversations.get(conversation)
    account = deps.accounts.get(held.account)
    family: Family | None = account.channel.family if account else None
    title = account.channel.title.get(language, held.channel) if account else held.channel
    values = values_for(
        unit,
        held,
        agent=me,
        channel=title,
        policy=deps.policy,
        zone=ZoneInfo(deps.settings.timezone),
    )
    said = unit.conversations.said_in(conversation, limit=_LOOK_BACK)
    asked = (plain_text(each.content) for each in reversed(said) if each.direction is Direction.IN)
    return _Known(
        held=held,
        asked=next((each for each in asked if each), ""),
        scripts=offered(unit, held, words=words, family=family, values=values, limit=_SCRIPTS),
    )


def used_in(text: str) -> Used | None:
    """Return what a form says an answer was made from: ``script``, or ``script:trial:variant``."""
    if not text:
        return None
    script, _colon, rest = text.partition(":")
    trial, _colon, variant = rest.partition(":")
    if not script or (rest and not (trial and variant)):
        raise Invalid("script: must be an id, or id:trial:variant")
    return Used(script=ScriptId(script), trial=TrialId(trial) if trial else None, variant=variant)


async def sources_in(request: web.Request) -> tuple[PublicationId, ...]:
    """Return the publications that a form says an answer came from."""
    form = await request.post()
    return tuple(PublicationId(str(each)) for each in form.getall("sources", ()) if each)
