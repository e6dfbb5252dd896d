"""How many conversations needed a person in each quarter of an hour; plans; groups of agents."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Begin to count; keep plans with conversations, and the groups of agents."""
    op.create_table(
        "demand",
        sa.Column("quarter", sa.DateTime(timezone=True), nullable=False),
        sa.Column("family", sa.Text, nullable=False),
        sa.Column("skill", sa.Text, nullable=False),
        sa.Column("time_of_day", sa.BigInteger, nullable=False),
        sa.Column("count", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("weight", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint("quarter", "family", "skill", name="pk_demand"),
    )
    op.create_index("ix_demand_time_of_day_quarter", "demand", ["time_of_day", "quarter"])
    op.add_column("conversations", sa.Column("plan", sa.Text, nullable=True))
    op.add_column("agents", sa.Column("groups", sa.Text, nullable=False, server_default="[]"))


def downgrade() -> None:
    """Forget what was counted, plans and groups."""
    op.drop_column("agents", "groups")
    op.drop_column("conversations", "plan")
    op.drop_table("demand")
