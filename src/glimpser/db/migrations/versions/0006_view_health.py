"""What is known of the health of views."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

ID = sa.String(26)
INSTANT = sa.BigInteger()
STATES = "'unknown', 'ok', 'down', 'stalled', 'frozen', 'blank', 'blocked', 'error_page', 'moved'"


def upgrade() -> None:
    op.create_table(
        "view_health",
        sa.Column("template_id", ID, nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("since", INSTANT, nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("last_good_at", INSTANT),
        sa.Column("last_good_artifact_id", ID),
        sa.Column("trouble_since", INSTANT),
        sa.Column("event_id", ID),
        sa.Column("by_capture", sa.Boolean(), nullable=False),
        sa.CheckConstraint(f"state IN ({STATES})", name=op.f("ck_view_health_state")),
        sa.ForeignKeyConstraint(
            ["last_good_artifact_id"],
            ["artifacts.id"],
            name="fk_view_health_last_good_artifact_id_artifacts",
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("template_id", name="pk_view_health"),
    )
    where = sa.text("last_good_artifact_id IS NOT NULL")
    op.create_index(
        "ix_view_health_last_good_artifact_id",
        "view_health",
        ["last_good_artifact_id"],
        sqlite_where=where,
        postgresql_where=where,
    )
