"""Exports: films and archives made of stored pictures."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011"
down_revision = "0010"

ID = sa.String(26)
INSTANT = sa.BigInteger()
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "exports",
        sa.Column("id", ID, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("template_id", ID),
        sa.Column("group_name", sa.Text()),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("timezone", sa.Text(), nullable=False),
        sa.Column("start_at", INSTANT, nullable=False),
        sa.Column("end_at", INSTANT, nullable=False),
        sa.Column("options", JSON, nullable=False),
        sa.Column("origin", sa.String(length=16), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("job_id", ID, nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("error", sa.Text()),
        sa.Column("result", JSON),
        sa.Column("artifact_id", ID),
        sa.Column("expires_at", INSTANT),
        sa.CheckConstraint("kind IN ('timelapse', 'video', 'zip', 'teaser')", name=op.f("ck_exports_kind")),
        sa.CheckConstraint("origin IN ('asked', 'daily')", name=op.f("ck_exports_origin")),
        sa.CheckConstraint(
            "status IN ('pending', 'running', 'success', 'failure', 'cancelled', 'skipped', 'dead')",
            name=op.f("ck_exports_status"),
        ),
        sa.ForeignKeyConstraint(
            ["artifact_id"], ["artifacts.id"], name="fk_exports_artifact_id_artifacts", ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_exports"),
    )
    op.create_index("ix_exports_created_at_id", "exports", ["created_at", "id"])
    for name, column, where in (
        ("ix_exports_pending", "id", "status = 'pending'"),
        ("ix_exports_expires_at", "expires_at", "expires_at IS NOT NULL"),
        ("ix_exports_artifact_id", "artifact_id", "artifact_id IS NOT NULL"),
    ):
        condition = sa.text(where)
        op.create_index(name, "exports", [column], sqlite_where=condition, postgresql_where=condition)
