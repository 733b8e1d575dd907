"""The tickets to one stream are listed in the order they were made."""

from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.create_index(op.f("ix_stream_tickets_template_id_id"), "stream_tickets", ["template_id", "id"])
