"""How well each agent fits each kind of conversation."""

from dataclasses import dataclass

import numpy as np

from router.sim.scenario import COMPLAINT, LANG2, LINE_A, LINE_B, TOPICS
from router.sim.staff import Levels

#: The level of somebody who can never serve: the language is missing.
NEVER = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """One row a kind of conversation, one column an agent.

    ``level`` is the least relaxation at which the agent may serve: 0 full match, 1 product line
    dropped, 2 topic one level lower, 3 any who knows the topic and is at most one level short on
    complaints, 4 whoever, 9 never. ``missing`` counts the levels short (at most 6), ``topic`` is
    the agent's proficiency in the topic.
    """

    level: Levels
    missing: Levels
    topic: Levels


def fit_tables(wanted: Levels, skills: Levels) -> Fit:
    """Return the fit of every agent to every kind of conversation."""
    shape = (len(wanted), len(skills))
    level, missing, topic = (np.zeros(shape, np.int8) for _ in range(3))
    held = skills.astype(int)
    for row, needs in enumerate(wanted):
        subject = int(np.argmax(needs[: len(TOPICS)] > 0))
        known = held[:, subject]
        short_topic = np.maximum(0, needs[subject] - known)
        short_line = sum(np.maximum(0, needs[line] - held[:, line]) for line in (LINE_A, LINE_B))
        short_complaint = np.maximum(0, needs[COMPLAINT] - held[:, COMPLAINT])
        near = (needs[COMPLAINT] == 0) | ((short_complaint <= 1) & (held[:, COMPLAINT] >= 1))
        calm = short_complaint == 0
        least = np.full(len(skills), 4)
        least[(known >= 1) & near] = 3
        least[(short_topic <= 1) & (known >= 1) & calm] = 2
        least[(short_topic == 0) & calm] = 1
        least[(short_topic == 0) & calm & (short_line == 0)] = 0
        least[held[:, LANG2] < needs[LANG2]] = NEVER
        level[row] = least
        missing[row] = np.minimum(6, short_topic + short_line + short_complaint)
        topic[row] = known
    return Fit(level=level, missing=missing, topic=topic)
