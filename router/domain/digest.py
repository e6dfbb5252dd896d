"""What happened to a customer on all channels, in five lines at most; drawn from what was said."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from router.domain.case import Case
from router.domain.content import plain_text
from router.domain.ids import ChannelName, ConversationId
from router.domain.timeline import Direction, Interaction

MOST_POINTS: Final = 5
_MOST_COMPLAINTS: Final = 2
_LONGEST: Final = 120
_SENTENCES: Final = re.compile(r"(?<=[。！？!?；;\n])|(?<=\.)\s")
_GREETING: Final = re.compile(
    r"^(?:您好|你好|在吗|在么|有人吗|亲|hello|hi|hey|谢谢|thanks|thank you|ok|好的?|嗯+)"
    r"[\s,，。.!！?？~～]+|^(?:您好|你好|在吗|谢谢|好的?|嗯+|ok|hi|hello)$",
    re.IGNORECASE,
)
_PROMISE: Final = re.compile(
    r"会|将|明天|今天|后天|之内|以内|\d+\s*(?:天|小时|点|日)|\bwill\b|\bby\b|\bwithin\b|\btomorrow\b",
    re.IGNORECASE,
)


class About(StrEnum):
    """What a line tells."""

    COMPLAINT = "complaint"
    ELSEWHERE = "elsewhere"
    WANTS = "wants"
    BOT = "bot"
    PROMISED = "promised"
    ANSWERED = "answered"


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One line: what it tells, in whose words, where and when."""

    about: About
    text: str
    channel: ChannelName | None
    at: datetime


def digest(
    conversation: ConversationId, timeline: Sequence[Interaction], cases: Sequence[Case]
) -> tuple[Point, ...]:
    """Return what somebody who takes a conversation must know, the most important first.

    ``timeline`` is the person's, newest first, ``cases`` the open ones, worst first. Every line is
    in words that somebody said.
    """
    spoken = [each for each in timeline if each.recalled_at is None and words_of(each)]
    told: list[Point] = [_complaint(case, spoken) for case in cases[:_MOST_COMPLAINTS]]
    heard = [each for each in spoken if each.direction is Direction.IN]
    here = [each for each in heard if each.conversation == conversation]
    wish = next((each for each in here if gist(words_of(each))), here[0] if here else None)
    known = {case.opened_by for case in cases}
    elsewhere = next(
        (
            each
            for each in heard
            if each.conversation != conversation and each.id not in known and gist(words_of(each))
        ),
        None,
    )
    ours = [each for each in spoken if each.direction in {Direction.OUT, Direction.ELSEWHERE}]
    if wish is not None:
        told.append(_point(About.WANTS, wish))
    if elsewhere is not None:
        told.append(_point(About.ELSEWHERE, elsewhere))
    promised = next(
        (each for each in ours if each.author != "bot" and _PROMISE.search(words_of(each))), None
    )
    if promised is not None:
        told.append(_point(About.PROMISED, promised))
    last = ours[0] if ours else None
    if last is not None and last is not promised:
        told.append(_point(About.BOT if last.author == "bot" else About.ANSWERED, last))
    return tuple(told[:MOST_POINTS])


def words_of(said: Interaction) -> str:
    """Return the words of an interaction, without space around them."""
    return plain_text(said.content).strip()


def gist(text: str) -> str:
    """Return the sentence that says most, without the greeting; empty if it is only that."""
    bare = _GREETING.sub("", text.strip())
    sentences = [each.strip() for each in _SENTENCES.split(bare) if each and each.strip()]
    if not sentences:
        return ""
    best = max(sentences, key=_weight)
    return best if len(best) <= _LONGEST else f"{best[: _LONGEST - 1]}…"


def _weight(sentence: str) -> int:
    return min(len(sentence), 60) + 5 * sum(each.isdigit() for each in sentence[:_LONGEST])


def _complaint(case: Case, spoken: Sequence[Interaction]) -> Point:
    opened = next((each for each in spoken if each.id == case.opened_by), None)
    return Point(
        about=About.COMPLAINT,
        text=gist(case.summary) or case.summary[:_LONGEST],
        channel=opened.channel if opened else None,
        at=case.opened_at,
    )


def _point(about: About, said: Interaction) -> Point:
    words = words_of(said)
    return Point(
        about=about, text=gist(words) or words[:_LONGEST], channel=said.channel, at=said.at
    )
