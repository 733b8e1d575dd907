"""Jobs are listed, cancelled, replayed, and deleted when they are old."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column(
        "jobs", sa.Column("cancel_requested", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.create_index("ix_jobs_created_at_id", "jobs", ["created_at", "id"])
    _create_partial_index(
        "ix_jobs_done", ["status", "created_at", "id"], where="status NOT IN ('pending', 'running')"
    )
    _create_partial_index("ix_jobs_ended", ["ended_at", "id"], where="ended_at IS NOT NULL")
    _create_partial_index("ix_jobs_cancelling", ["id"], where="status = 'running' AND cancel_requested")


def _create_partial_index(name: str, columns: list[str], *, where: str) -> None:
    op.create_index(name, "jobs", columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))
