"""A case says which shop it concerns: the account; those from before get that of their talk."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the shop, and fill it where a conversation tells."""
    op.add_column("cases", sa.Column("shop", sa.Text, nullable=False, server_default=""))
    op.execute(
        "UPDATE cases SET shop = COALESCE("
        "(SELECT account FROM conversations WHERE conversations.id = cases.conversation_id), '')"
    )


def downgrade() -> None:
    """Forget the shop."""
    op.drop_column("cases", "shop")
