"""A leg: one wait and what came of it. A transfer or an escalation begins another."""

from dataclasses import dataclass


@dataclass(slots=True, kw_only=True, eq=False)
class Leg:
    """Filled in as the day goes on; times in seconds from the day's beginning.

    ``kind`` is normal, VIP or complaint, ``level`` the escalation (0–2), ``wanted`` the row of the
    day's need vectors. ``patience`` is hidden from routers. ``answered`` and ``left`` stay None
    until it happens; ``resolved`` is the chance that the matter is settled.
    """

    id: int
    conversation: int
    channel: int
    kind: int
    level: int
    wanted: int
    target: float
    weight: float
    upset: bool
    arrived: float
    patience: float
    previous: int
    excluded: int
    transfers: int
    answered: float | None = None
    left: float | None = None
    ended: float | None = None
    agent: int = -1
    resolved: float = 0.0
    transferred: bool = False
    sticky: bool = False

    def waited(self) -> float:
        """Return how long it waited, for an answer or in vain."""
        until = self.answered if self.answered is not None else self.left
        if until is None:
            raise ValueError(f"leg {self.id} still waits")
        return until - self.arrived
