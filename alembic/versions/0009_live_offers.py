"""A conversation has at most one live offer, and the database holds it."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """End what is live beside a later offer of the same conversation; then keep it so."""
    op.execute(
        "UPDATE reservations SET ended = 'withdrawn', ended_at = until WHERE ended = '' AND EXISTS "
        "(SELECT 1 FROM reservations AS later WHERE later.ended = '' "
        "AND later.conversation_id = reservations.conversation_id AND later.id > reservations.id)"
    )
    op.create_index(
        "uq_reservations_live",
        "reservations",
        ["conversation_id"],
        unique=True,
        sqlite_where=sa.text("ended = ''"),
        postgresql_where=sa.text("ended = ''"),
    )


def downgrade() -> None:
    """Let the code alone hold it."""
    op.drop_index("uq_reservations_live", "reservations")
