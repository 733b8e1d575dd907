"""Artifacts that somebody wants kept; the event that a view's health goes by is found from the event."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.add_column("artifacts", sa.Column("pinned", sa.Boolean(), nullable=False, server_default=sa.false()))
    where = sa.text("event_id IS NOT NULL")
    op.create_index(
        "ix_view_health_event_id", "view_health", ["event_id"], sqlite_where=where, postgresql_where=where
    )
