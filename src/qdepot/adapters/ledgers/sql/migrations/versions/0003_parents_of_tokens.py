"""With which token a token was made, so that it can be revoked with that one.

It is not known of the tokens that were made before: their parent is null, as of those that were made without a token.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

Name = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Add the column and its index."""
    op.add_column("tokens", sa.Column("parent", Name))
    op.create_index("tokens_of_parent", "tokens", ["parent"])
