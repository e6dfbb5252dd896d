"""The repository of the turns of bots outside."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, RowMapping

from router.domain.ids import ConversationId, InteractionId
from router.service.botport import BotTurn
from router.service.ports import Conflict
from router.store.dialect import EVENT_LOCK, alone, insert_new
from router.store.helpers import bot_turns
from router.store.rows import insert, many, must_be_there, one

#: One daemon at a time sets tokens aside, so that the limit is one.
_BUDGET_LOCK = EVENT_LOCK + 40
_KEY = bot_turns.c.question_id == sa.bindparam("of")
_ADD = insert_new(bot_turns)
_SAVE = sa.update(bot_turns).where(_KEY)
_GET = sa.select(bot_turns).where(_KEY)
_IN_CONVERSATION = sa.select(sa.func.coalesce(sa.func.sum(bot_turns.c.tokens), 0)).where(
    bot_turns.c.conversation_id == sa.bindparam("of")
)
_SINCE = sa.select(sa.func.coalesce(sa.func.sum(bot_turns.c.tokens), 0)).where(
    bot_turns.c.bot == sa.bindparam("named"), bot_turns.c.asked_at >= sa.bindparam("since")
)
_BETWEEN = (
    sa.select(bot_turns)
    .where(bot_turns.c.asked_at >= sa.bindparam("since"))
    .where(bot_turns.c.asked_at < sa.bindparam("until_"))
    .order_by(bot_turns.c.asked_at, bot_turns.c.question_id)
)
_COUNTS = (
    sa.select(bot_turns.c.bot, bot_turns.c.state, bot_turns.c.why, sa.func.count().label("times"))
    .where(bot_turns.c.asked_at >= sa.bindparam("since"))
    .group_by(bot_turns.c.bot, bot_turns.c.state, bot_turns.c.why)
)


class SqlBotTurns:
    """Fulfils `router.service.unit.BotTurns` on a connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, turn: BotTurn) -> None:
        """Insert; raises Conflict if another daemon was first."""
        if not insert(self._connection, _ADD, {"question_id": turn.question, **_values(turn)}):
            raise Conflict("another daemon asks the bot already")

    def save(self, turn: BotTurn) -> None:
        """Write it; raises NotFound."""
        what = f"bot turn {turn.question}"
        must_be_there(self._connection, _SAVE, {"of": turn.question, **_values(turn)}, what)

    def get(self, question: InteractionId) -> BotTurn | None:
        """Return the turn of a question, if it was put to a bot outside."""
        row = one(self._connection, _GET, {"of": question})
        return None if row is None else _turn(row)

    def spent_in(self, conversation: ConversationId) -> int:
        """Return the tokens of a conversation, those that are set aside included."""
        return int(self._connection.execute(_IN_CONVERSATION, {"of": conversation}).scalar_one())

    def spent_since(self, bot: str, since: datetime) -> int:
        """Return the tokens of a bot since a time; only one transaction at a time is told."""
        alone(self._connection, _BUDGET_LOCK)
        asked = {"named": bot, "since": since}
        return int(self._connection.execute(_SINCE, asked).scalar_one())

    def asked_between(self, since: datetime, until: datetime) -> tuple[BotTurn, ...]:
        """Return the turns that began from ``since`` until before ``until``, oldest first."""
        rows = many(self._connection, _BETWEEN, {"since": since, "until_": until})
        return tuple(map(_turn, rows))

    def counts(self, since: datetime) -> dict[tuple[str, str, str], int]:
        """Return how many turns of each bot ended how and why since a time."""
        rows = self._connection.execute(_COUNTS, {"since": since}).mappings().all()
        return {(row["bot"], row["state"], row["why"]): row["times"] for row in rows}


def _values(turn: BotTurn) -> dict[str, Any]:
    return {
        "conversation_id": turn.conversation,
        "bot": turn.bot,
        "state": turn.state,
        "why": turn.why,
        "by": turn.by,
        "asked_at": turn.asked_at,
        "until": turn.until,
        "attempts": turn.attempts,
        "tokens": turn.tokens,
        "settled_at": turn.settled_at,
    }


def _turn(row: RowMapping) -> BotTurn:
    return BotTurn(
        question=InteractionId(row["question_id"]),
        conversation=ConversationId(row["conversation_id"]),
        bot=row["bot"],
        state=row["state"],
        why=row["why"],
        by=row["by"],
        asked_at=row["asked_at"],
        until=row["until"],
        attempts=row["attempts"],
        tokens=row["tokens"],
        settled_at=row["settled_at"],
    )
