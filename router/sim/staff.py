"""The agents of an invented day, drawn in a fixed order: the same seed gives the same people."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from router.sim.scenario import COMPLAINT, LANG2, LINE_A, LINE_B, SKILLS, TOPICS, Scenario

Levels = NDArray[np.int8]
Flags = NDArray[np.bool_]
Reals = NDArray[np.float64]

_TOPICS = len(TOPICS)
#: Of the agents, the share on the early shift and the share up to which it is the late one.
_EARLY, _LATE = 0.2, 0.4
#: The level of complaints from which somebody is a senior, and a lead.
_SENIOR, _LEAD = 3, 4
#: Nobody is absent at this time.
_NEVER = 1e18


@dataclass(frozen=True, slots=True, kw_only=True)
class Staff:
    """Who works: one row an agent.

    ``speed`` multiplies an agent's work and is hidden from every policy. The shift is
    ``[on, off)``; the absence ``[away, back)``. All times in seconds.
    """

    levels: Levels
    serves: Flags
    speed: Reals
    on: Reals
    off: Reals
    away: Reals
    back: Reals

    def share_on_shift(self, horizon: float) -> float:
        """Return the mean share of the day that agents are on shift."""
        return float(np.mean(np.clip((np.minimum(self.off, horizon) - self.on) / horizon, 0, 1)))


def draw_staff(
    scenario: Scenario, chance: np.random.Generator, *, load_share: float, has_voice: bool
) -> Staff:
    """Draw the agents. ``load_share`` is the part of the work that comes by voice."""
    count, horizon = scenario.agents, scenario.hours * 3600.0
    serves = _draw_channels(scenario, chance, load_share=load_share, has_voice=has_voice)
    levels = np.zeros((count, len(SKILLS)), np.int8)
    topics = np.array(scenario.topic_mix) / np.array(scenario.topic_mix).sum()
    breadth = np.array(scenario.n_topics) / sum(scenario.n_topics)
    for agent in range(count):
        _draw_skills(scenario, chance, levels[agent], topics=topics, breadth=breadth)
    _thin(scenario.supply, chance, levels)
    _top_up(levels, serves)
    leads = _draw_leads(scenario, chance, levels, serves)
    speed = np.exp(chance.normal(0, 0.10, count))
    on, off = np.zeros(count), np.full(count, horizon + 7200.0)
    shift = chance.random(count)
    shift[leads] = 1.0
    off[shift < _EARLY] = horizon * 5 / 8
    on[(shift >= _EARLY) & (shift < _LATE)] = horizon * 3 / 8
    away, back = np.full(count, _NEVER), np.full(count, _NEVER)
    for absence in scenario.absences:
        missing = chance.random(count) < absence.share
        missing[leads] = False
        away[missing] = absence.t0 * 3600
        back[missing] = absence.t1 * 3600
    return Staff(levels=levels, serves=serves, speed=speed, on=on, off=off, away=away, back=back)


def _draw_channels(
    scenario: Scenario, chance: np.random.Generator, *, load_share: float, has_voice: bool
) -> Flags:
    count = scenario.agents
    blended = round(scenario.blended * count)
    voice = round((count - blended) * min(0.9, scenario.voice_margin * load_share))
    voice = max(voice, 1) if has_voice else 0
    kind = np.array([0] * voice + [1] * blended + [2] * (count - voice - blended))
    chance.shuffle(kind)
    serves = np.zeros((count, 4), np.bool_)
    serves[:, 0] = kind <= 1
    serves[:, 1:] = (kind >= 1)[:, None]
    return serves


def _draw_skills(
    scenario: Scenario, chance: np.random.Generator, row: Levels, *, topics: Reals, breadth: Reals
) -> None:
    known = 1 + chance.choice(_TOPICS, p=breadth)
    first = chance.choice(_TOPICS, p=topics)
    others = [topic for topic in chance.permutation(_TOPICS) if topic != first][: known - 1]
    row[first] = chance.choice([3, 4, 5], p=[0.35, 0.40, 0.25])
    for topic in others:
        row[topic] = chance.choice([1, 2, 3, 4], p=[0.15, 0.35, 0.35, 0.15])
    for line in (LINE_A, LINE_B):
        has, level = chance.random(), chance.choice([2, 3, 4, 5])
        if has < scenario.agent_line:
            row[line] = level
    has, level = chance.random(), chance.choice([3, 4, 5])
    if has < scenario.agent_lang2:
        row[LANG2] = level
    has = chance.random()
    level = chance.choice([1, 2, 3, 4, 5], p=[0.10, 0.35, 0.30, 0.15, 0.10])
    if has < scenario.agent_complaint:
        row[COMPLAINT] = level


def _thin(supply: Mapping[str, float], chance: np.random.Generator, levels: Levels) -> None:
    """Take a skill from some of its holders; nobody is left without any topic."""
    for name, kept in supply.items():
        drawn = chance.random(len(levels))
        levels[drawn > kept, SKILLS.index(name)] = 0
        for agent in np.where(levels[:, :_TOPICS].sum(1) == 0)[0]:
            levels[agent, chance.choice(_TOPICS)] = 2


def _top_up(levels: Levels, serves: Flags) -> None:
    """Make every rare skill have a few holders on voice and on the digital channels."""
    wanted = [(LANG2, 4), (COMPLAINT, 3), (LINE_A, 3), (LINE_B, 3)]
    for skill, level in wanted + [(topic, 4) for topic in range(_TOPICS)]:
        for channel, need in ((0, 2), (1, 3)):
            on_channel = serves[:, channel]
            have = int(np.sum((levels[:, skill] >= level) & on_channel))
            others = np.where(on_channel & (levels[:, skill] < level))[0]
            levels[others[: max(0, need - have)], skill] = level


def _draw_leads(
    scenario: Scenario, chance: np.random.Generator, levels: Levels, serves: Flags
) -> NDArray[np.intp]:
    """Seniors know every topic a little; leads serve every channel and know every topic."""
    wanted = max(3, round(scenario.lead_share * scenario.agents))
    leads = np.where(levels[:, COMPLAINT] >= _LEAD)[0]
    if len(leads) < wanted:
        shuffled = chance.permutation(scenario.agents)
        extra = [each for each in shuffled if levels[each, COMPLAINT] < _LEAD]
        levels[extra[: wanted - len(leads)], COMPLAINT] = _LEAD
        leads = np.where(levels[:, COMPLAINT] >= _LEAD)[0]
    for senior in np.where(levels[:, COMPLAINT] >= _SENIOR)[0]:
        levels[senior, :_TOPICS] = np.maximum(levels[senior, :_TOPICS], 2)
    for lead in leads:
        levels[lead, :_TOPICS] = np.maximum(levels[lead, :_TOPICS], 3)
        levels[lead, [LINE_A, LINE_B]] = np.maximum(levels[lead, [LINE_A, LINE_B]], 2)
        serves[lead] = True
    for lead in leads[: max(2, len(leads) // 3)]:
        levels[lead, LANG2] = max(levels[lead, LANG2], 3)
    return leads
