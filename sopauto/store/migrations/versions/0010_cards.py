"""When a grant's card was made: nobody is told to fetch one that does not exist."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010_cards"
down_revision = "0009_people"


def upgrade() -> None:
    """Let a grant say when its card was last printed."""
    with op.batch_alter_table("access_grants") as grants:
        grants.add_column(sa.Column("card_made_at", sa.DateTime(timezone=True)))
