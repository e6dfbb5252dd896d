"""The repository of the ratings that contacts are asked for."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, RowMapping

from router.domain.ids import ContactId, ConversationId, InteractionId
from router.domain.rating import Rating, RatingState
from router.store.dialect import insert_new
from router.store.rows import insert, many, must_change
from router.store.writings import ratings

_among: sa.BindParameter[Any] = sa.bindparam("members", expanding=True)
_ADD = insert_new(ratings)
_SAVE = sa.update(ratings).where(
    ratings.c.id == sa.bindparam("of"), ratings.c.version == sa.bindparam("expected")
)
_DUE = (
    sa.select(ratings)
    .where(
        ratings.c.state.in_((RatingState.DUE.value, RatingState.ASKED.value)),
        ratings.c.next_at <= sa.bindparam("at"),
    )
    .order_by(ratings.c.next_at, ratings.c.id)
    .limit(sa.bindparam("at_most", type_=sa.Integer))
)
_OF = (
    sa.select(ratings)
    .where(ratings.c.contact_id.in_(_among))
    .order_by(ratings.c.since.desc(), ratings.c.id.desc())
    .limit(20)
)
_ABOUT = sa.select(ratings).where(ratings.c.conversation_id.in_(_among))


class SqlRatings:
    """Fulfils `router.service.repository.scripts.Ratings` on a connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, rating: Rating) -> bool:
        """Insert; False if the conversation has one."""
        values = {"id": rating.id, **_values(rating), "version": rating.version}
        return insert(self._connection, _ADD, values)

    def save(self, rating: Rating) -> Rating:
        """Write if the version is the stored one, else raise Conflict; return it as it is now."""
        version = rating.version
        keys = {"of": rating.id, "expected": version, "version": version + 1}
        problem = f"rating {rating.id} was changed meanwhile"
        must_change(self._connection, _SAVE, {**keys, **_values(rating)}, problem)
        return replace(rating, version=version + 1)

    def due(self, at: datetime, *, limit: int = 50) -> tuple[Rating, ...]:
        """Return what is to be asked or given up and is looked at now, the oldest first."""
        return tuple(map(_rating, many(self._connection, _DUE, {"at": at, "at_most": limit})))

    def of(self, members: Collection[ContactId]) -> tuple[Rating, ...]:
        """Return a person's latest, newest first."""
        return tuple(map(_rating, many(self._connection, _OF, {"members": list(members)})))

    def about(self, conversations: Collection[ConversationId]) -> tuple[Rating, ...]:
        """Return those of conversations."""
        return tuple(map(_rating, many(self._connection, _ABOUT, {"members": list(conversations)})))


def _values(rating: Rating) -> dict[str, Any]:
    return {
        "conversation_id": rating.conversation,
        "contact_id": rating.contact,
        "state": rating.state.value,
        "since": rating.since,
        "next_at": rating.next_at,
        "interaction_id": rating.question,
        "asked_at": rating.asked_at,
        "score": rating.score,
        "settled_at": rating.settled_at,
    }


def _rating(row: RowMapping) -> Rating:
    question = row["interaction_id"]
    return Rating(
        id=row["id"],
        conversation=ConversationId(row["conversation_id"]),
        contact=ContactId(row["contact_id"]),
        state=RatingState(row["state"]),
        since=row["since"],
        next_at=row["next_at"],
        question=None if question is None else InteractionId(question),
        asked_at=row["asked_at"],
        score=row["score"],
        settled_at=row["settled_at"],
        version=row["version"],
    )
