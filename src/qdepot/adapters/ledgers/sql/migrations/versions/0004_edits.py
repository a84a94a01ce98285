"""Count the edits of name and tags apart from all other changes, so that an edit makes no other change lose.

The column has a default, so that a row that an older version writes is a row of this schema, too.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the column; nothing was counted so far."""
    op.add_column("jobs", sa.Column("edits", sa.Integer, nullable=False, server_default="0"))
