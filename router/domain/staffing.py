"""The agents of a floor as columns of numbers: room, categories, when they last got something."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from router.domain.fit import Sheet
from router.domain.floor import EPSILON, MEMORY, Busy
from router.domain.ids import AgentId
from router.domain.policy import ShopPolicy
from router.domain.prices import HOLDER, Category
from router.domain.workforce import Agent, Presence

Reals = NDArray[np.float64]
Flags = NDArray[np.bool_]

_WIDTH = 16
#: A whole agent: what a conversation takes that leaves room for no other.
WHOLE = 1.0
#: Who will take work again before long.
_ON_SHIFT = frozenset({Presence.AVAILABLE, Presence.BUSY})


class Staffing:
    """One position for each agent ever staffed, in the order of staffing.

    ``version`` counts changes that make rows of fit stale, ``shape`` those that change who holds
    what slots.
    """

    def __init__(self, policy: ShopPolicy, kinds: tuple[Category, ...]) -> None:
        weights = policy.routing.family_weight
        self._policy, self._kinds = policy, kinds
        self._exclusive = frozenset(name for name, taken in weights.items() if taken >= WHOLE)
        self._shared = frozenset(weights) - self._exclusive
        self.unit = max((weights[name] for name in self._shared), default=WHOLE)
        self.sheet = Sheet()
        self.ids: list[AgentId] = []
        self.people: list[Agent] = []
        self.position: dict[AgentId, int] = {}
        self.gone: set[int] = set()  # who is no longer staffed at all
        self.version = self.shape = 0
        self._served: dict[tuple[str, str], Flags] = {}
        self._served_as_of = 0
        self._grow(_WIDTH)

    def _grow(self, width: int) -> None:
        old = len(self.ids)
        names = (
            *("room", "load", "capacity", "assigned", "flexible", "rank", "able", "near"),
            *("busy", "in_use", "as_of"),
        )
        for name in names:
            grown = np.zeros(width)
            if old:
                grown[:old] = getattr(self, name)[:old]
            setattr(self, name, grown)
        caps = np.zeros((width, len(self._kinds)))
        if old:
            caps[:old] = self.caps[:old]
        self.caps = caps

    room: Reals
    load: Reals
    capacity: Reals
    assigned: Reals  # when each was last given something, or came; seconds
    flexible: Reals
    rank: Reals  # place by id, for ties
    able: Reals  # 1 if they take work now
    near: Reals  # 1 if they take work now or before long
    busy: Reals  # how busy each was of late, 0 to 1 …
    in_use: Reals  # … the part of capacity in use since …
    as_of: Reals  # … this time, seconds
    caps: Reals  # agent × category: 1 for a member

    def __len__(self) -> int:
        """Return how many positions there are."""
        return len(self.ids)

    def staff(self, agent: Agent) -> None:
        """Set an agent's row."""
        row = self.position.get(agent.id)
        if row is None:
            row = self._hire(agent)
        elif row in self.gone or _stands(self.people[row]) != _stands(agent):
            self.version += 1
        self.gone.discard(row)
        able = float(agent.active and agent.presence is Presence.AVAILABLE)
        self.near[row] = float(agent.active and agent.presence in _ON_SHIFT)
        came = agent.presence_since.timestamp()
        self.assigned[row] = max(self.assigned[row], came)
        if able != self.able[row]:
            self.able[row] = able
            self.shape += 1
        self.people[row] = agent
        self.capacity[row] = agent.capacity
        self._member(row, agent)
        self._refresh(row)

    def _hire(self, agent: Agent) -> int:
        row = len(self.ids)
        if row == len(self.room):
            self._grow(2 * row)
        self.ids.append(agent.id)
        self.people.append(agent)
        self.position[agent.id] = row
        for place, each in enumerate(sorted(range(len(self.ids)), key=self.ids.__getitem__)):
            self.rank[each] = place
        self.version += 1
        self.shape += 1
        return row

    def _member(self, row: int, agent: Agent) -> None:
        self.sheet.write(row, agent.skills)
        calls = not agent.families or bool(agent.families & self._exclusive)
        chats = not agent.families or bool(agent.families & self._shared)
        caps = [
            float(
                (calls if kind.exclusive else chats)
                and (kind.skill is None or agent.skills.get(kind.skill, 0) >= HOLDER)
            )
            for kind in self._kinds
        ]
        if caps != self.caps[row].tolist():
            self.caps[row] = caps
            self.shape += 1
        kinds = {kind.skill for kind in self._kinds if kind.skill is not None}
        held = sum(agent.skills.get(skill, 0) >= HOLDER for skill in kinds)
        self.flexible[row] = held / max(1, len(kinds)) + 0.5 * (calls and chats)

    def unstaff(self, agent: AgentId) -> None:
        """An agent is gone: the row stays, without room and without fit."""
        row = self.position.get(agent)
        if row is not None:
            self.gone.add(row)
            self.people[row] = replace(self.people[row], active=False)
            self.able[row] = self.near[row] = 0.0
            self.caps[row] = 0.0
            self.shape += 1
            self.version += 1
            self._refresh(row)

    def loaded(self, agent: AgentId, load: float, assigned: float, busy: Busy) -> None:
        """Set what an agent's conversations take, when the last was given, how busy they were."""
        row = self.position.get(agent)
        if row is not None:
            self.load[row] = load
            self.assigned[row] = max(self.assigned[row], assigned)
            self.busy[row], self.in_use[row], self.as_of[row] = busy.mean, busy.load, busy.at
            self._refresh(row)

    def busy_by(self, now: float) -> Reals:
        """Return how busy each was of late, as of ``now``; `Busy.by` for all at once."""
        count = len(self)
        kept = np.exp(-np.maximum(0.0, now - self.as_of[:count]) / MEMORY)
        return np.asarray(self.busy[:count] * kept + self.in_use[:count] * (1 - kept))

    def _refresh(self, row: int) -> None:
        self.room[row] = max(0.0, self.capacity[row] - self.load[row]) * self.able[row]

    def serving(
        self,
        family: str,
        language: str,
        *,
        groups: frozenset[str] = frozenset(),
        only: AgentId | None = None,
    ) -> Flags:
        """Return who serves a channel family and a language, whatever their presence.

        With ``groups`` only who is in one of them, with ``only`` nobody but that agent.
        """
        if self._served_as_of != self.version:
            self._served, self._served_as_of = {}, self.version
        found = self._served.get((family, language))
        if found is None or len(found) != len(self):
            found = self._served[family, language] = self._serve(family, language)
        if not groups and only is None:
            return found
        within = [
            (not groups or bool(groups & each.groups)) and (only is None or each.id == only)
            for each in self.people
        ]
        return np.asarray(found & np.array(within, dtype=bool))

    def _serve(self, family: str, language: str) -> Flags:
        return np.array(
            [
                each.active
                and (not each.families or family in each.families)
                and (not each.languages or not language or language in each.languages)
                for each in self.people
            ],
            dtype=bool,
        )

    def holders(self) -> Reals:
        """Return how many of those who take work are in each category."""
        count = len(self)
        return np.asarray(self.able[:count] @ self.caps[:count])

    def slots(self, room: Reals) -> tuple[Reals, Reals]:
        """Return each agent's free slots: exclusive ones and shared ones."""
        whole = (room >= WHOLE - EPSILON).astype(float)
        return whole, np.floor(room / self.unit + EPSILON)


def _stands(agent: Agent) -> tuple[object, ...]:
    return (dict(agent.skills), agent.families, agent.languages, agent.groups, agent.active)
