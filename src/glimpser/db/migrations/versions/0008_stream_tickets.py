"""Tickets to streams, for players that cannot say who they are."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

ID = sa.String(26)
INSTANT = sa.BigInteger()


def upgrade() -> None:
    op.create_table(
        "stream_tickets",
        sa.Column("id", ID, nullable=False),
        sa.Column("template_id", ID, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("maker_id", ID, nullable=False),
        sa.Column("maker_kind", sa.String(length=16), nullable=False),
        sa.Column("maker_epoch", sa.Integer(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.CheckConstraint("kind IN ('mjpeg', 'snapshot')", name=op.f("ck_stream_tickets_kind")),
        sa.CheckConstraint("maker_kind IN ('user', 'api_key')", name=op.f("ck_stream_tickets_maker_kind")),
        sa.PrimaryKeyConstraint("id", name="pk_stream_tickets"),
    )
    op.create_index("ix_stream_tickets_maker_id", "stream_tickets", ["maker_id"])
    op.create_index("ix_stream_tickets_expires_at", "stream_tickets", ["expires_at"])
