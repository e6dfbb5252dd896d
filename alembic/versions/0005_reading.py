"""Reading: what cannot wait, the mood of a conversation, and readings that people corrected."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add to what is there; what was read before stays as it was read, in no mood."""
    op.add_column(
        "interactions",
        sa.Column("urgent", sa.Boolean, nullable=False, server_default=sa.false()),
    )
    op.create_index(
        "ix_interactions_urgent",
        "interactions",
        ["contact_id"],
        sqlite_where=sa.text("unread = 1 AND urgent = 1"),
        postgresql_where=sa.text("unread AND urgent"),
    )
    op.add_column("conversations", sa.Column("mood", sa.Text, nullable=True))
    op.create_table(
        "corrections",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("interaction_id", sa.Text, nullable=False),
        sa.Column("contact_id", sa.Text, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("labels", sa.Text, nullable=False),
        sa.Column("before", sa.Text, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_corrections"),
    )
    op.create_index("ix_corrections_interaction_id", "corrections", ["interaction_id"])
    op.create_index("ix_corrections_contact_id", "corrections", ["contact_id"])


def downgrade() -> None:
    """Take it away again."""
    op.drop_table("corrections")
    op.drop_column("conversations", "mood")
    op.drop_index("ix_interactions_urgent", "interactions")
    op.drop_column("interactions", "urgent")
