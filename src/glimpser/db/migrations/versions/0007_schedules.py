"""Schedules have a state; captures keep what came with their picture."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "schedules",
        sa.Column("template_id", sa.String(26), nullable=False),
        sa.Column("plan", sa.Text(), nullable=False),
        sa.Column("settled_until", sa.BigInteger(), nullable=False),
        sa.Column("paused", sa.Boolean(), nullable=False),
        sa.Column("last_run_at", sa.BigInteger()),
        sa.Column("last_job_id", sa.String(26)),
        sa.ForeignKeyConstraint(
            ["template_id"], ["templates.id"], name="fk_schedules_template_id_templates", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("template_id", name="pk_schedules"),
    )
    op.add_column("captures", sa.Column("text_artifact_id", sa.String(26)))
    op.add_column("captures", sa.Column("details", JSON, nullable=False, server_default="{}"))
    _create_partial_index("ix_schedules_paused", "schedules", ["template_id"], where="paused")
    _create_partial_index(
        "ix_captures_text_artifact_id", "captures", ["text_artifact_id"], where="text_artifact_id IS NOT NULL"
    )
    _create_partial_index(
        "ix_jobs_busy", "jobs", ["kind", "template_id"], where="status IN ('pending', 'running')"
    )


def _create_partial_index(name: str, table: str, columns: list[str], *, where: str) -> None:
    op.create_index(name, table, columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))
