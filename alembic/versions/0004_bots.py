"""Who helps to answer: bots outside, the coach, and what colleagues remember of a person."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def _text(name: str, *, empty: bool = False) -> "sa.Column[str]":
    return sa.Column(name, sa.Text, nullable=False, server_default="" if empty else None)


def _number(name: str, *, zero: bool = False) -> "sa.Column[int]":
    return sa.Column(name, sa.BigInteger, nullable=False, server_default="0" if zero else None)


def _time(name: str, *, never: bool = False) -> "sa.Column[object]":
    return sa.Column(name, sa.DateTime(timezone=True), nullable=never)


def _table(name: str, *columns: "sa.Column[object]", key: str = "id") -> None:
    op.create_table(name, _text(key), *columns, sa.PrimaryKeyConstraint(key, name=f"pk_{name}"))


def _index(table: str, column: str) -> None:
    op.create_index(f"ix_{table}_{column}", table, [column])


def upgrade() -> None:
    """Add the turns of bots outside, the coach's count, and notes on persons."""
    _table(
        "bot_turns",
        *(_text("conversation_id"), _text("bot"), _text("state"), _text("why", empty=True)),
        *(_text("by"), _time("asked_at"), _time("until"), _number("attempts")),
        *(_number("tokens", zero=True), _time("settled_at", never=True)),
        key="question_id",
    )
    _index("bot_turns", "conversation_id")
    _index("bot_turns", "asked_at")
    _table(
        "remembered",
        *(_text("contact_id"), _text("text", empty=True)),
        *(_text("written_by"), _time("written_at")),
        *(_text("changed_by", empty=True), _time("changed_at", never=True)),
        *(_time("removed_at", never=True), _number("version", zero=True)),
    )
    _index("remembered", "contact_id")
    _table(
        "coached",
        *(_time("at"), _text("conversation_id"), _text("author"), _text("rule"), _text("outcome")),
    )
    _index("coached", "at")


def downgrade() -> None:
    """Take it away, with all that was written there."""
    for name in ("coached", "remembered", "bot_turns"):
        op.drop_table(name)
