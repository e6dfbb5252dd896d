"""What the turns of one customer come to: anger, repeats, the trend, and whether to escalate."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from router.domain.reading import Alarm, Reading
from router.understanding.encoder import Encoder
from router.understanding.text import normal, printable

_ALIKE: Final = (
    0.54  # cosine from which two turns ask the same; tuned on the authored conversations
)
_OVERLAP: Final = 0.42  # the same by shared character pairs, where there is no encoder
_SHORTEST: Final = 3  # characters; shorter turns repeat nothing
_ANGRY, _UPSET, _ANNOYED = 3, 2, 1
_VERY_BAD, _BAD = -0.65, -0.25  # moods
_FAINT: Final = 0.15  # the complaint score below which a watched turn shows no anger yet
_KIND: Final = 0.15  # the mood of a thank-you
_SAYS_AGAIN = re.compile(
    r"再问|又问|问了.{0,3}遍|第.{1,2}[遍次]|还是没|还没|怎么还|到底|说了.{0,4}[遍次]|重复"
    r"|\bagain\b|\bstill\b|\basked (?:twice|already|before)\b|\b(?:second|third) time\b|as i said"
)


class Trend(StrEnum):
    """Where the customer's anger is going."""

    RISING = "rising"
    FALLING = "falling"
    STABLE = "stable"
    VOLATILE = "volatile"


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One turn: anger 0 to 3, and whether the customer asks again what he asked before."""

    anger: int
    repeat: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """What the turns come to."""

    turns: tuple[Turn, ...]
    trend: Trend
    escalate: bool


def course_of(
    texts: Sequence[str], readings: Sequence[Reading], *, encoder: Encoder | None
) -> Course:
    """Say how the customer fares, of whose ``texts`` these are the ``readings``, oldest first.

    A person is called for an alert, for a wish to have one after anger or a repeat, for a second
    repeat, and for anger that rises to the clear.
    """
    again = _repeats(texts, encoder)
    spoken = [_anger(reading) for reading in readings]
    angers = _lingering(spoken, readings)
    turns = tuple(
        Turn(anger=anger, repeat=repeat) for anger, repeat in zip(angers, again, strict=True)
    )
    trend = _trend(spoken, angers)
    repeats = sum(again)
    wished = any(reading.wants_human for reading in readings)
    escalate = (
        any(reading.complaint is Alarm.ALERT for reading in readings)
        and max(angers, default=0) >= _UPSET
        and trend is not Trend.FALLING
    ) or (
        any(reading.severity >= _ANGRY for reading in readings)
        or (wished and (repeats > 0 or max(angers, default=0) >= _ANNOYED))
        or (repeats > 1 and trend is not Trend.FALLING)
        or (trend is Trend.RISING and max(angers, default=0) >= _UPSET)
    )
    return Course(turns=turns, trend=trend, escalate=escalate)


def _anger(reading: Reading) -> int:
    """Return the anger in what was said; a faint suspicion of a complaint is none."""
    if reading.complaint is Alarm.NONE or reading.complaint_score < _FAINT:
        return 0
    if reading.severity >= _ANGRY and reading.sentiment <= _VERY_BAD:
        return _ANGRY
    if reading.complaint is Alarm.ALERT and reading.sentiment <= _BAD:
        return _UPSET
    return _ANNOYED


def _lingering(spoken: Sequence[int], readings: Sequence[Reading]) -> list[int]:
    """Return the anger of each turn: it leaves by one a turn, at once with a kind word.

    Who asks for a person while angry is as angry as before.
    """
    held: list[int] = []
    for anger, reading in zip(spoken, readings, strict=True):
        before = held[-1] if held else 0
        left = before if reading.wants_human else before - 1
        held.append(max(anger, 0 if reading.sentiment >= _KIND else left))
    return held


def _trend(spoken: Sequence[int], angers: Sequence[int]) -> Trend:
    """Tell the trend: volatile if what was said calmed down between two outbursts."""
    upset = [at for at, anger in enumerate(spoken) if anger >= _UPSET]
    if upset and any(spoken[at] == 0 for at in range(upset[0], upset[-1])):
        return Trend.VOLATILE
    if not angers or angers[-1] == angers[0]:
        return Trend.STABLE
    return Trend.RISING if angers[-1] > angers[0] else Trend.FALLING


def _repeats(texts: Sequence[str], encoder: Encoder | None) -> list[bool]:
    plain = [normal(printable(text))[:300] for text in texts]
    vectors = encoder.encode(plain) if encoder is not None and plain else None
    found = []
    for at, text in enumerate(plain):
        says = _SAYS_AGAIN.search(text) is not None
        alike = any(
            len(text) >= _SHORTEST
            and len(other) >= _SHORTEST
            and (
                _overlap(text, other) >= (_OVERLAP - 0.12 * says)
                or (
                    vectors is not None
                    and float(vectors[at] @ vectors[before]) >= (_ALIKE - 0.15 * says)
                )
            )
            for before, other in enumerate(plain[:at])
        )
        found.append(alike)
    return found


def _overlap(left: str, right: str) -> float:
    """Return the share of character pairs that the shorter text has in common with the other."""
    first, second = ({text[at : at + 2] for at in range(len(text) - 1)} for text in (left, right))
    return len(first & second) / (min(len(first), len(second)) or 1)
