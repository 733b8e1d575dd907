"""Artifacts say what view they are of, and until when they are kept if that is known."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

NAMED_BY = ("captures", "events", "observations")
"""What names an artifact and a template; an alert names its artifact through its event."""


def upgrade() -> None:
    op.add_column("artifacts", sa.Column("template_id", sa.String(length=26)))
    op.add_column("artifacts", sa.Column("expires_at", sa.BigInteger()))
    for table in NAMED_BY:
        _take_templates_from(table)
    op.create_index(
        "ix_artifacts_template_id_created_at_id", "artifacts", ["template_id", "created_at", "id"]
    )
    where = sa.text("expires_at IS NOT NULL")
    op.create_index(
        "ix_artifacts_expires_at", "artifacts", ["expires_at"], sqlite_where=where, postgresql_where=where
    )


def _take_templates_from(table: str) -> None:
    named = f"SELECT template_id FROM {table} WHERE {table}.artifact_id = artifacts.id"  # noqa: S608 (names of ours)
    op.execute(
        f"UPDATE artifacts SET template_id = ({named} LIMIT 1)"  # noqa: S608
        f" WHERE template_id IS NULL AND EXISTS ({named})"
    )
