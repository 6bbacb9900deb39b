"""A message may carry a document: the month's report."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006_attachments"
down_revision = "0005_inventory"


def upgrade() -> None:
    """Let a message name a document, and how it is called."""
    with op.batch_alter_table("outbox") as outbox:
        outbox.add_column(sa.Column("attached", sa.String(length=64)))
        outbox.add_column(sa.Column("attached_name", sa.Text()))
        outbox.create_foreign_key(op.f("fk_outbox_attached"), "documents", ["attached"], ["sha256"])
