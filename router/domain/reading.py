"""What was understood of a message: plain values, whoever did the reading."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

#: The severity that alone raises the alarm, and the anger at which a rising mood does.
_GRAVE, _UPSET = 3, 2


class Intent(StrEnum):
    """The business topic of a message, also when it complains."""

    PRODUCT = "product"
    ORDER = "order"
    PAYMENT = "payment"
    LOGISTICS = "logistics"
    AFTER_SALES = "after_sales"
    PROMOTION = "promotion"
    ACCOUNT = "account"
    COMPLAINT = "complaint"
    HUMAN_REQUEST = "human_request"
    CHITCHAT = "chitchat"
    OTHER = "other"


class EntityKind(StrEnum):
    """What kind of number or address was found."""

    ORDER = "order"
    PHONE = "phone"
    EMAIL = "email"
    TRACKING = "tracking"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """A number or address in a message, in its normal form (phones in E.164 where possible)."""

    kind: EntityKind
    value: str


class Alarm(StrEnum):
    """How sure we are that a message complains.

    ``ALERT`` opens a case at once. ``WATCH`` flags the conversation and keeps a bot from being the
    only one who answers. ``NONE`` is everything else.
    """

    NONE = "none"
    WATCH = "watch"
    ALERT = "alert"


class Trend(StrEnum):
    """Where the anger in a conversation is going."""

    RISING = "rising"
    FALLING = "falling"
    STABLE = "stable"
    VOLATILE = "volatile"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mood:
    """How the contact fares in a conversation once a message of it was read.

    ``anger`` is 0 calm, 1 annoyed, 2 upset, 3 furious. ``again`` says that this message asks what
    an earlier one asked, ``repeats`` how many did. ``escalate`` says that all of it together calls
    for a person.
    """

    anger: int
    trend: Trend
    again: bool
    repeats: int
    escalate: bool


CALM = Mood(anger=0, trend=Trend.STABLE, again=False, repeats=0, escalate=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a reader understood.

    ``complaint_score`` is a calibrated probability 0–1; ``severity`` 0 none, 1 mild, 2 clear,
    3 regulator, lawyer, media, chargeback, fraud, injury or threat. ``sentiment`` is -1 to 1.
    ``corrected_by`` and ``corrected_at`` tell which colleague said last how it is to be read.
    ``because`` names the rules or features that decided, for the supervisor. ``reader`` is the
    name and version of the reader.
    """

    language: str  # "zh" or "en"
    intent: Intent
    complaint: Alarm
    complaint_score: float
    severity: int
    wants_human: bool
    sentiment: float
    entities: tuple[Entity, ...]
    because: tuple[str, ...]
    reader: str
    corrected_by: str = ""
    corrected_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """How a person says that a message is to be read; ``severity`` is 0 where nobody complains."""

    complaint: bool
    severity: int
    intent: Intent
    language: str
    wants_human: bool


def raised(reading: Reading, mood: Mood) -> Reading:
    """Return ``reading`` with a watch made an alert where its severity, repeats or trend say so."""
    if reading.complaint is not Alarm.WATCH:
        return reading
    why = tuple(
        name
        for name, holds in (
            ("raised:severity", reading.severity >= _GRAVE),
            ("raised:repeat", mood.again),
            ("raised:trend", mood.trend is Trend.RISING and mood.anger >= _UPSET),
        )
        if holds
    )
    if not why:
        return reading
    return replace(
        reading,
        complaint=Alarm.ALERT,
        severity=max(1, reading.severity),
        because=(*why, *reading.because),
    )


def corrected(reading: Reading, labels: Labels, *, by: str, at: datetime) -> Reading:
    """Return ``reading`` as a person says that it is; who read it first is still told."""
    return replace(
        reading,
        language=labels.language,
        intent=labels.intent,
        complaint=Alarm.ALERT if labels.complaint else Alarm.NONE,
        complaint_score=1.0 if labels.complaint else 0.0,
        severity=labels.severity,
        wants_human=labels.wants_human,
        corrected_by=by,
        corrected_at=at,
    )
