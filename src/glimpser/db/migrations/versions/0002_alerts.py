"""Channels, alerts and their deliveries; jobs are claimed by kind, priority and age."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"

ID = sa.String(26)
INSTANT = sa.BigInteger()
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    _create_channels()
    _create_alerts()
    _create_deliveries()
    _index_jobs()


def _create_partial_index(
    name: str, table: str, columns: list[str], *, where: str, unique: bool = False
) -> None:
    op.create_index(
        name, table, columns, unique=unique, sqlite_where=sa.text(where), postgresql_where=sa.text(where)
    )


def _create_channels() -> None:
    op.create_table(
        "channels",
        sa.Column("id", ID, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("config", JSON, nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("last_result", sa.Text()),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_channels"),
    )


def _create_alerts() -> None:
    op.create_table(
        "alerts",
        sa.Column("id", ID, nullable=False),
        sa.Column("template_id", ID),
        sa.Column("event_id", ID),
        sa.Column("rule_id", ID),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("level", sa.SmallInteger(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("acked_by", sa.Text()),
        sa.Column("acked_at", INSTANT),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.CheckConstraint("level IN (10, 20, 30, 40, 50)", name=op.f("ck_alerts_level")),
        sa.CheckConstraint("state IN ('open', 'acknowledged', 'resolved')", name=op.f("ck_alerts_state")),
        sa.ForeignKeyConstraint(
            ["event_id"], ["events.id"], name="fk_alerts_event_id_events", ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_alerts"),
    )
    op.create_index("ix_alerts_created_at_id", "alerts", ["created_at", "id"])
    op.create_index("ix_alerts_template_id_created_at_id", "alerts", ["template_id", "created_at", "id"])
    op.create_index("ix_alerts_state_created_at_id", "alerts", ["state", "created_at", "id"])
    op.create_index(
        "ix_alerts_rule_id_template_id_created_at", "alerts", ["rule_id", "template_id", "created_at"]
    )
    _create_partial_index("ix_alerts_event_id", "alerts", ["event_id"], where="event_id IS NOT NULL")
    _create_partial_index(
        "ix_alerts_once_by_rule",
        "alerts",
        ["rule_id", "event_id"],
        where="rule_id IS NOT NULL",
        unique=True,
    )
    _create_partial_index(
        "ix_alerts_once_by_level", "alerts", ["event_id"], where="rule_id IS NULL", unique=True
    )


def _create_deliveries() -> None:
    op.create_table(
        "deliveries",
        sa.Column("id", ID, nullable=False),
        sa.Column("alert_id", ID, nullable=False),
        sa.Column("channel_id", ID, nullable=False),
        sa.Column("channel_kind", sa.String(length=32), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("last_error", sa.Text()),
        sa.Column("next_attempt_at", INSTANT),
        sa.Column("sent_at", INSTANT),
        sa.Column("provider_response", sa.Text()),
        sa.Column("idempotency_key", sa.String(length=200), nullable=False),
        sa.CheckConstraint(
            "status IN ('pending', 'sending', 'retrying', 'sent', 'dead')", name=op.f("ck_deliveries_status")
        ),
        sa.ForeignKeyConstraint(
            ["alert_id"], ["alerts.id"], name="fk_deliveries_alert_id_alerts", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_deliveries"),
        sa.UniqueConstraint("alert_id", "channel_id", name="uq_deliveries_alert_id_channel_id"),
        sa.UniqueConstraint("idempotency_key", name="uq_deliveries_idempotency_key"),
    )
    _create_partial_index(
        "ix_deliveries_unsettled",
        "deliveries",
        ["id"],
        where="status IN ('pending', 'sending', 'retrying')",
    )


def _index_jobs() -> None:
    op.drop_index("ix_jobs_status_scheduled_for_id", table_name="jobs")
    op.drop_index("ix_jobs_leased", table_name="jobs")
    _create_partial_index("ix_jobs_leased", "jobs", ["kind", "lease_until"], where="status = 'running'")
    _create_partial_index(
        "ix_jobs_due", "jobs", ["kind", "priority", "scheduled_for", "id"], where="status = 'pending'"
    )
    _create_partial_index("ix_jobs_unfinished", "jobs", ["id"], where="status IN ('pending', 'running')")
