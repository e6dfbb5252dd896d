"""${message}.

Written by hand, works with data in it, and never imports the tables of `router.store`.
"""

import sqlalchemy as sa
from alembic import op
${imports if imports else ""}
revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = ${repr(branch_labels)}
depends_on = ${repr(depends_on)}


def upgrade() -> None:
    """Say what this adds or changes."""
    ${upgrades if upgrades else "raise NotImplementedError"}

