"""A crisis: a burst of complaints about one thing, and the one statement that everybody makes."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from router.domain.errors import IllegalStep, Invalid
from router.domain.ids import AgentId

#: The wording that holds where a family of channels has none of its own.
ANY = "any"
LANGUAGES = ("zh", "en")


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """A product, or a line of them, and the words (lower case) by which customers name it."""

    title: Mapping[str, str]
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CrisisPolicy:
    """When complaints are a burst.

    Within ``window`` at least ``least`` persons complain about one subject, and so many or more
    would come by chance with a probability below ``chance``, given how often the same subject was
    complained of in the ``baseline`` before.
    """

    window: timedelta = timedelta(hours=1)
    baseline: timedelta = timedelta(days=14)
    least: int = 5
    chance: float = 0.0001
    products: Mapping[str, Product] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What a crisis is about: a topic, or a product of the configuration."""

    kind: str  # topic, product
    name: str

    @property
    def key(self) -> str:
        """Return the subject as one word, such as ``topic:logistics``."""
        return f"{self.kind}:{self.name}"


def subject_of(key: str) -> Subject:
    """Return the subject that a key names; raises `Invalid`."""
    kind, _colon, name = key.partition(":")
    if kind not in {"topic", "product"} or not name:
        raise Invalid("subject: must be topic:NAME or product:NAME")
    return Subject(kind=kind, name=name)


def tail(count: int, mean: float) -> float:
    """Return the probability that a Poisson variable with ``mean`` is ``count`` or more."""
    if count <= 0:
        return 1.0
    if mean <= 0:
        return 0.0
    if count > mean:  # sum the tail itself: 1 - sum would lose what is small
        term = math.exp(count * math.log(mean) - mean - math.lgamma(count + 1))
        total, k = 0.0, count
        while term > total * 1e-16:
            total += term
            k += 1
            term *= mean / k
        return min(total, 1.0)
    below = (math.exp(k * math.log(mean) - mean - math.lgamma(k + 1)) for k in range(count))
    return max(0.0, 1.0 - math.fsum(below))


def expected(past: int, *, policy: CrisisPolicy, known_for: timedelta | None = None) -> float:
    """Return how many complaints a window usually brings; half a complaint stands for never.

    ``known_for`` is for how long the shop has been listened to: what is younger than the baseline
    has a shorter one, a window at least.
    """
    listened = policy.baseline if known_for is None else min(policy.baseline, known_for)
    return (past + 0.5) * (policy.window / max(policy.window, listened))


def is_burst(
    count: int, past: int, *, policy: CrisisPolicy, known_for: timedelta | None = None
) -> bool:
    """Return whether ``count`` persons in a window are too many after ``past`` in the baseline."""
    usual = expected(past, policy=policy, known_for=known_for)
    return count >= policy.least and count > usual and tail(count, usual) < policy.chance


class CrisisState(StrEnum):
    """Where a crisis stands: raised, a statement drafted, approved, pinned; or over."""

    RAISED = "raised"
    DRAFTED = "drafted"
    APPROVED = "approved"
    PINNED = "pinned"
    ENDED = "ended"


Wordings = Mapping[str, Mapping[str, str]]
"""Family of channels (or `ANY`) → language → words; all say the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Crisis:
    """A burst, who said what about it, and the statement in its wordings.

    ``count`` persons complained where ``usual`` were to be expected. ``raised_by`` is empty if the
    numbers raised it.
    """

    id: str
    subject: Subject
    state: CrisisState
    raised_at: datetime
    raised_by: str
    count: int
    usual: float
    wordings: Wordings = field(default_factory=dict)
    drafted_by: str = ""
    drafted_at: datetime | None = None
    approved_by: str = ""
    approved_at: datetime | None = None
    pinned_at: datetime | None = None
    ended_by: str = ""
    ended_at: datetime | None = None
    version: int = 0

    @property
    def is_pinned(self) -> bool:
        """Return whether the statement is what everybody says first."""
        return self.state is CrisisState.PINNED

    def wording(self, family: str, language: str) -> str:
        """Return the statement in a family's tone; the general one where it has none."""
        spoken = "en" if language == "en" else "zh"
        own = self.wordings.get(family, {}).get(spoken, "")
        return own or self.wordings.get(ANY, {}).get(spoken, "")


def drafted(crisis: Crisis, *, wordings: Wordings, by: AgentId, at: datetime) -> Crisis:
    """Return the crisis with a new draft; what was approved or pinned before counts no more."""
    _must_go_on(crisis)
    given = {
        family: {lang: text.strip() for lang, text in said.items() if text.strip()}
        for family, said in wordings.items()
    }
    for lang in LANGUAGES:
        if not given.get(ANY, {}).get(lang):
            raise Invalid(f"{ANY}.{lang}: write the statement in Chinese and in English")
    return replace(
        crisis,
        state=CrisisState.DRAFTED,
        wordings={family: said for family, said in given.items() if said},
        drafted_by=by,
        drafted_at=at,
        approved_by="",
        approved_at=None,
        pinned_at=None,
    )


def approved(crisis: Crisis, *, by: AgentId, at: datetime) -> Crisis:
    """Return the crisis with its statement approved."""
    if crisis.state is not CrisisState.DRAFTED:
        raise IllegalStep(f"the crisis is {crisis.state}; only a draft is approved")
    return replace(crisis, state=CrisisState.APPROVED, approved_by=by, approved_at=at)


def pinned(crisis: Crisis, *, at: datetime) -> Crisis:
    """Return the crisis with its statement pinned: it is said first from now on."""
    if crisis.state is not CrisisState.APPROVED:
        raise IllegalStep(f"the crisis is {crisis.state}; only an approved statement is pinned")
    return replace(crisis, state=CrisisState.PINNED, pinned_at=at)


def ended(crisis: Crisis, *, by: AgentId, at: datetime) -> Crisis:
    """Return the crisis as it is over."""
    _must_go_on(crisis)
    return replace(crisis, state=CrisisState.ENDED, ended_by=by, ended_at=at)


def _must_go_on(crisis: Crisis) -> None:
    if crisis.state is CrisisState.ENDED:
        raise IllegalStep("the crisis is over")
