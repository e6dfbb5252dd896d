"""Channels need nothing of their own: windows by audience are told apart by their kind.

A window that was opened before the upgrade has a kind without an audience and holds for all.
"""

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add nothing."""


def downgrade() -> None:
    """Take nothing away."""
