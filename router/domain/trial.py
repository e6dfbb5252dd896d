"""A trial of two or more wordings of one script: who gets which, and what came of each."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from router.domain.errors import IllegalStep, Invalid
from router.domain.ids import ContactId, ConversationId, InteractionId, ScriptId, TrialId
from router.domain.script import LANGUAGES, variables_in

#: Within which time after the words an answer, an order or a rating counts for them.
REPLY_WITHIN: Final = timedelta(hours=24)
ORDER_WITHIN: Final = timedelta(days=7)
#: The fewest and the most contacts a variant that can be planned.
FEWEST, MOST = 20, 1_000_000


class Measure(StrEnum):
    """What a trial is decided by."""

    REPLY = "reply"
    CONVERSION = "conversion"
    CSAT = "csat"
    RESOLUTION = "resolution"


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One of the wordings; ``wording`` is by language. The first of a trial is what was in use."""

    name: str
    wording: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """Variants of a script's wording at one ``place``, each for contacts of its own.

    It is decided once every variant has had ``planned`` contacts. ``winner`` is empty while it
    runs, and if it was ended without one.
    """

    id: TrialId
    script: ScriptId
    place: str
    variants: tuple[Variant, ...]
    measure: Measure
    planned: int
    started_at: datetime
    started_by: str
    ended_at: datetime | None = None
    ended_by: str = ""
    winner: str = ""
    version: int = 0

    @property
    def is_running(self) -> bool:
        """Say whether contacts are still given variants."""
        return self.ended_at is None

    def variant_for(self, contact: ContactId) -> Variant:
        """Return the contact's variant: always the same, and each equally likely."""
        digest = hashlib.sha256(f"{self.id}:{contact}".encode()).digest()
        return self.variants[int.from_bytes(digest[:8]) % len(self.variants)]

    def variant(self, name: str) -> Variant:
        """Return a variant by name; raises `Invalid`."""
        for each in self.variants:
            if each.name == name:
                return each
        raise Invalid(f"variant: {name!r} is not one of this trial's")


def checked(trial: Trial) -> Trial:
    """Return the trial; raises `Invalid` with the field to mend."""
    if len(trial.variants) < 2:  # noqa: PLR2004  one wording is no trial
        raise Invalid("variants: write at least one other wording")
    if len({each.name for each in trial.variants}) < len(trial.variants):
        raise Invalid("variants: two have the same name")
    languages = set(trial.variants[0].wording)
    for each in trial.variants:
        if set(each.wording) != languages or not languages <= set(LANGUAGES):
            raise Invalid(f"variants.{each.name}: write it in the languages of the first one")
        for lang, text in each.wording.items():
            variables_in(text, f"variants.{each.name}.{lang}")
    if len({tuple(sorted(each.wording.items())) for each in trial.variants}) < len(trial.variants):
        raise Invalid("variants: two say the same")
    if not FEWEST <= trial.planned <= MOST:
        raise Invalid(f"planned: must be from {FEWEST} to {MOST} contacts a variant")
    return trial


def ended(trial: Trial, *, winner: str, by: str, at: datetime) -> Trial:
    """Return the trial as it is over, with the variant that goes on, if one does."""
    if not trial.is_running:
        raise IllegalStep("the trial is over")
    if winner:
        trial.variant(winner)
    return replace(trial, ended_at=at, ended_by=by, winner=winner)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptUse:
    """An answer that was made from a script; ``variant`` names the trial's."""

    interaction: InteractionId
    script: ScriptId
    trial: TrialId | None
    variant: str
    conversation: ConversationId
    contact: ContactId
    author: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a contact's first words in a trial. None where it cannot be told (yet)."""

    contact: ContactId
    variant: str
    replied: bool | None
    ordered: bool | None
    resolved: bool | None
    rating: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """A variant's outcomes by one measure: of ``count`` that can be told, so many were good.

    For ratings ``values`` are the ratings and ``good`` how many of them were 4 or 5.
    """

    variant: str
    contacts: int
    count: int
    good: int
    values: tuple[int, ...] = ()

    @property
    def share(self) -> float | None:
        """Return the part that was good, or None of nothing."""
        return self.good / self.count if self.count else None


_CONTENT: Final = 4  # of 5: from here a rating is a content one


def tally(trial: Trial, outcomes: Sequence[Outcome], measure: Measure) -> tuple[Tally, ...]:
    """Count the outcomes of each variant by one measure."""
    return tuple(_tallied(each.name, outcomes, measure) for each in trial.variants)


def _tallied(variant: str, outcomes: Sequence[Outcome], measure: Measure) -> Tally:
    own = [each for each in outcomes if each.variant == variant]
    if measure is Measure.CSAT:
        values = tuple(each.rating for each in own if each.rating is not None)
        good = sum(value >= _CONTENT for value in values)
        return Tally(
            variant=variant, contacts=len(own), count=len(values), good=good, values=values
        )
    told = {
        Measure.REPLY: [each.replied for each in own],
        Measure.CONVERSION: [each.ordered for each in own],
        Measure.RESOLUTION: [each.resolved for each in own],
    }[measure]
    known = [each for each in told if each is not None]
    return Tally(variant=variant, contacts=len(own), count=len(known), good=sum(known))
