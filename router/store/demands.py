"""The repository of demand: counts by quarter of an hour, channel family and skill."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, RowMapping

from router.domain.forecast import Demand
from router.domain.ids import Skill
from router.store.dialect import insert_or_add
from router.store.ledger import demand
from router.store.rows import many

_among: sa.BindParameter[Any] = sa.bindparam("times", expanding=True)
_between = sa.and_(
    demand.c.quarter >= sa.bindparam("since"), demand.c.quarter < sa.bindparam("until")
)
_ORDER = (demand.c.quarter, demand.c.family, demand.c.skill)
_ADD = insert_or_add(demand, "count", "weight")
_AT_TIMES = sa.select(demand).where(demand.c.time_of_day.in_(_among), _between).order_by(*_ORDER)
_BETWEEN = sa.select(demand).where(_between).order_by(*_ORDER)
_FAMILIES = _BETWEEN.where(demand.c.skill == "")
_FORGET = sa.delete(demand).where(demand.c.quarter < sa.bindparam("before"))


class SqlDemands:
    """Fulfils `router.service.repository.work.Demands` on a connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, each: Demand, *, time_of_day: int) -> None:
        """Add to the count of a quarter."""
        values = {
            "quarter": each.quarter,
            "family": each.family,
            "skill": each.skill or "",
            "time_of_day": time_of_day,
            "count": each.count,
            "weight": each.weight,
        }
        self._connection.execute(_ADD[self._connection.dialect.name], values)

    def at_times(
        self, times: Collection[int], *, since: datetime, until: datetime
    ) -> tuple[Demand, ...]:
        """Return the counts of quarters at these times of day, oldest first."""
        asked = {"times": list(times), "since": since, "until": until}
        return tuple(map(_demand, many(self._connection, _AT_TIMES, asked)))

    def by_family(self, *, since: datetime, until: datetime) -> tuple[Demand, ...]:
        """Return the counts of whole channel families, oldest first."""
        asked = {"since": since, "until": until}
        return tuple(map(_demand, many(self._connection, _FAMILIES, asked)))

    def forget(self, *, before: datetime) -> int:
        """Delete counts of quarters before ``before``; return how many."""
        return self._connection.execute(_FORGET, {"before": before}).rowcount


def _demand(row: RowMapping) -> Demand:
    return Demand(
        quarter=row["quarter"],
        family=row["family"],
        skill=Skill(row["skill"]) if row["skill"] else None,
        count=row["count"],
        weight=row["weight"],
    )
