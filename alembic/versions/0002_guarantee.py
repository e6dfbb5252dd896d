"""A case names its shop, an answer whether it is promotional.

Cases from before get the account of their conversation, and answers from before promote nothing.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add both, and fill in the shop where a conversation tells."""
    promotional = sa.Column("promotional", sa.Boolean, nullable=False, server_default=sa.false())
    op.add_column("outbox", promotional)
    op.add_column("cases", sa.Column("shop", sa.Text, nullable=False, server_default=""))
    op.execute(
        "UPDATE cases SET shop = COALESCE("
        "(SELECT account FROM conversations WHERE conversations.id = cases.conversation_id), '')"
    )


def downgrade() -> None:
    """Forget both."""
    op.drop_column("outbox", "promotional")
    op.drop_column("cases", "shop")
