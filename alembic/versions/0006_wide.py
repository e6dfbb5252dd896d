"""Indexes that keep a full house fast: what stands in a state, what is unread, who is sent next."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the indexes; no row changes."""
    op.create_index("ix_outbox_line", "outbox", ["state", "id"])
    op.create_index(
        "ix_conversations_state",
        "conversations",
        ["state", "opened_at", "id"],
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_index(
        "ix_interactions_unread_of",
        "interactions",
        ["contact_id"],
        sqlite_where=sa.text("unread = 1"),
        postgresql_where=sa.text("unread"),
    )


def downgrade() -> None:
    """Take them away again."""
    op.drop_index("ix_interactions_unread_of", "interactions")
    op.drop_index("ix_conversations_state", "conversations")
    op.drop_index("ix_outbox_line", "outbox")
