"""A scenario file: an invented contact centre and its day as parameters; what each field means.

Channels stand in the order of `CHANNELS`, skills in the order of `SKILLS`. Times are seconds
unless a field says hours.
"""

from pathlib import Path
from typing import Annotated

import msgspec

CHANNELS = ("voice", "webchat", "im", "social")
TOPICS = ("presale", "logistics", "returns", "payment", "technical")
SKILLS = (*TOPICS, "line_a", "line_b", "lang2", "complaint")
LINE_A, LINE_B, LANG2, COMPLAINT = 5, 6, 7, 8

Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Positive = Annotated[float, msgspec.Meta(gt=0)]
Least = Annotated[float, msgspec.Meta(ge=0)]
ChannelIndex = Annotated[int, msgspec.Meta(ge=0, le=3)]
FourShares = tuple[Share, Share, Share, Share]
FourPositive = tuple[Positive, Positive, Positive, Positive]
FiveShares = tuple[Share, Share, Share, Share, Share]


class BadScenario(ValueError):
    """The file is not a scenario; the message says where and why."""


class _Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A part of the day, in hours."""

    t0: Least
    t1: Least


class Surge(_Part, frozen=True, kw_only=True):
    """More volume (``x``) and more complaints (``complaint_x``), on one channel or all."""

    x: Least = 1.0
    channel: ChannelIndex | None = None
    complaint_x: Least = 1.0


class Outage(_Part, frozen=True, kw_only=True):
    """A channel is dead; ``to`` says which share shows up on which other channel at once.

    ``back`` is the share that comes back over ``over`` hours after the end.
    """

    channel: ChannelIndex
    to: dict[ChannelIndex, Least]
    back: Share = msgspec.field(name="return")
    over: Positive


class Absence(_Part, frozen=True, kw_only=True):
    """A share of the agents is missing (leads excepted)."""

    share: Share


class BotOutage(_Part, frozen=True, kw_only=True):
    """The bot keeps only ``deflection_x`` of what it usually keeps."""

    deflection_x: Share


class Habits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What agents do beside their work; off by default, as in the reference figures.

    Every ``break_every_h`` hours of a shift an agent is away for ``break_lasts``. After each
    conversation its place stays taken for ``wrap_up``. Of all offers the share ``declines`` comes
    back after ``decline_takes``, the share ``lapses`` after ``lapse_takes``; then somebody else is
    asked. Seconds.
    """

    break_every_h: Least = 0.0
    break_lasts: Least = 900.0
    wrap_up: Least = 0.0
    declines: Share = 0.0
    decline_takes: Least = 5.0
    lapses: Share = 0.0
    lapse_takes: Least = 30.0


class Seeds(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Seeds to tune constants on, and other seeds to quote results on."""

    tune: tuple[int, ...]
    report: tuple[int, ...]


class Scenario(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A contact centre and a day; complete, so that nothing hides in defaults."""

    name: str
    hours: Positive
    agents: Annotated[int, msgspec.Meta(ge=3, le=5000)]
    load: Positive
    channel_mix: tuple[Least, Least, Least, Least]
    channel_weight: tuple[Share, Share, Share, Share]
    work_mean: FourPositive
    work_cv: Positive
    gamma: Share
    patience_mean: FourPositive
    patience_dist: str
    complaint_patience_x: Positive
    target: FourPositive
    target_vip: Positive
    target_complaint: Positive
    weight: FourPositive
    weight_vip: Positive
    weight_complaint: Positive
    vip_share: Share
    complaint_share: Share
    topic_mix: tuple[Least, Least, Least, Least, Least]
    topic_min: FourShares
    line_mix: tuple[Least, Least, Least]
    lang2_share: Share
    n_topics: tuple[Least, Least, Least, Least, Least]
    agent_line: Share
    agent_lang2: Share
    agent_complaint: Share
    lead_share: Share
    supply: dict[str, Share]
    blended: Share
    voice_margin: Positive
    sticky_share: Share
    escalate: tuple[Share, Share]
    profile: Annotated[tuple[Least, ...], msgspec.Meta(min_length=1)]
    day_cv: Least
    surges: tuple[Surge, ...]
    outages: tuple[Outage, ...]
    absences: tuple[Absence, ...]
    bot_deflection: FourShares
    bot_deflection_complaint: Share
    bot_outages: tuple[BotOutage, ...]
    forecast_noise: Least
    forecast_sees_surges: bool
    seeds: Seeds
    habits: Habits = Habits()


def read_scenario(path: Path) -> Scenario:
    """Return the scenario in a JSON file, or raise `BadScenario`."""
    try:
        read = msgspec.json.decode(path.read_bytes(), type=Scenario)
    except (OSError, msgspec.MsgspecError) as error:
        raise BadScenario(f"{path}: {error}") from error
    unknown = sorted(set(read.supply) - set(SKILLS))
    if unknown:
        raise BadScenario(f"{path}: supply names no skill: {', '.join(unknown)}")
    if read.patience_dist not in {"exp", "lognormal"}:
        raise BadScenario(f"{path}: patience_dist is neither exp nor lognormal")
    return read
