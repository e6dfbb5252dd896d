"""A leg: one wait and what came of it. A transfer or an escalation begins another."""

from dataclasses import dataclass

from router.sim.day import Day


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


def first_leg(day: Day, number: int, *, id_: int) -> Leg:
    """Return the first wait of the day's customer ``number``."""
    customers = day.customers
    return Leg(
        id=id_,
        conversation=number,
        channel=int(customers.channel[number]),
        kind=int(customers.kind[number]),
        level=0,
        wanted=int(day.wanted_of[number, 0]),
        target=float(customers.target[number]),
        weight=float(customers.weight[number]),
        upset=bool(customers.upset[number]),
        arrived=float(customers.arrival[number]),
        patience=float(customers.patience[number]),
        previous=int(customers.previous[number]),
        excluded=-1,
        transfers=0,
    )
