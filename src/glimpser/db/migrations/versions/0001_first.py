"""The first tables."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None

ID = sa.String(26)
INSTANT = sa.BigInteger()
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
URI = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    _create_accounts()
    _create_templates()
    _create_artifacts()
    _create_captures()
    _create_events()
    _create_observations()
    _create_jobs()


def _create_partial_index(name: str, table: str, columns: list[str], where: str) -> None:
    op.create_index(name, table, columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))


def _create_accounts() -> None:
    op.create_table(
        "users",
        sa.Column("id", ID, nullable=False),
        sa.Column("email", sa.String(length=320), nullable=False),
        sa.Column("email_key", sa.String(length=320), nullable=False),
        sa.Column("role", sa.SmallInteger(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("groups", JSON, nullable=False),
        sa.Column("disabled", sa.Boolean(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.CheckConstraint("role IN (10, 20, 30)", name=op.f("ck_users_role")),
        sa.PrimaryKeyConstraint("id", name="pk_users"),
        sa.UniqueConstraint("email_key", name="uq_users_email_key"),
    )
    op.create_table(
        "revocations",
        sa.Column("token_id", sa.String(length=64), nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("token_id", name="pk_revocations"),
    )
    op.create_index("ix_revocations_expires_at", "revocations", ["expires_at"])
    op.create_table(
        "audit",
        sa.Column("id", ID, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("client_ip", sa.String(length=64)),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit"),
    )
    op.create_table(
        "settings",
        sa.Column("key", sa.String(length=128), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_settings"),
    )


def _create_templates() -> None:
    op.create_table(
        "templates",
        sa.Column("id", ID, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("live", sa.Boolean(), nullable=False),
        sa.Column("notes", sa.Text(), nullable=False),
        sa.Column("document", JSON, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_templates"),
    )
    op.create_table(
        "template_groups",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("template_id", ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["template_id"],
            ["templates.id"],
            name="fk_template_groups_template_id_templates",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("name", "template_id", name="pk_template_groups"),
    )
    op.create_index("ix_template_groups_template_id", "template_groups", ["template_id"])


def _create_artifacts() -> None:
    op.create_table(
        "artifacts",
        sa.Column("id", ID, nullable=False),
        sa.Column("uri", URI, nullable=False),
        sa.Column("media_type", sa.String(length=127), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("width", sa.Integer()),
        sa.Column("height", sa.Integer()),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_artifacts"),
        sa.UniqueConstraint("uri", name="uq_artifacts_uri"),
    )
    op.create_table(
        "garbage",
        sa.Column("uri", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("uri", name="pk_garbage"),
    )


def _create_captures() -> None:
    op.create_table(
        "captures",
        sa.Column("id", ID, nullable=False),
        sa.Column("template_id", ID, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("started_at", INSTANT, nullable=False),
        sa.Column("ended_at", INSTANT),
        sa.Column("artifact_id", ID),
        sa.Column("error", sa.Text()),
        sa.CheckConstraint("kind IN ('snapshot', 'live', 'record')", name=op.f("ck_captures_kind")),
        sa.CheckConstraint("status IN ('running', 'success', 'failure')", name=op.f("ck_captures_status")),
        sa.ForeignKeyConstraint(
            ["artifact_id"], ["artifacts.id"], name="fk_captures_artifact_id_artifacts", ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_captures"),
    )
    _create_partial_index(
        "ix_captures_artifact_id", "captures", ["artifact_id"], where="artifact_id IS NOT NULL"
    )
    _create_partial_index("ix_captures_running", "captures", ["id"], where="status = 'running'")
    op.create_index("ix_captures_started_at_id", "captures", ["started_at", "id"])
    op.create_index("ix_captures_template_id_started_at_id", "captures", ["template_id", "started_at", "id"])


def _create_events() -> None:
    op.create_table(
        "events",
        sa.Column("id", ID, nullable=False),
        sa.Column("template_id", ID, nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("level", sa.SmallInteger(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("metadata", JSON, nullable=False),
        sa.Column("started_at", INSTANT, nullable=False),
        sa.Column("peak_at", INSTANT),
        sa.Column("ended_at", INSTANT),
        sa.Column("artifact_id", ID),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.CheckConstraint("level IN (10, 20, 30, 40, 50)", name=op.f("ck_events_level")),
        sa.ForeignKeyConstraint(
            ["artifact_id"], ["artifacts.id"], name="fk_events_artifact_id_artifacts", ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_events"),
    )
    _create_partial_index("ix_events_artifact_id", "events", ["artifact_id"], where="artifact_id IS NOT NULL")
    op.create_index("ix_events_kind_started_at_id", "events", ["kind", "started_at", "id"])
    op.create_index("ix_events_started_at_id", "events", ["started_at", "id"])
    op.create_index("ix_events_template_id_started_at_id", "events", ["template_id", "started_at", "id"])
    _create_partial_index("ix_events_unfinished", "events", ["kind", "id"], where="ended_at IS NULL")
    _create_partial_index("ix_events_warning", "events", ["started_at", "id"], where="level >= 30")


def _create_observations() -> None:
    op.create_table(
        "observations",
        sa.Column("id", ID, nullable=False),
        sa.Column("template_id", ID, nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("observed_at", INSTANT, nullable=False),
        sa.Column("value", sa.Float()),
        sa.Column("data", JSON, nullable=False),
        sa.Column("event_id", ID),
        sa.Column("capture_id", ID),
        sa.Column("artifact_id", ID),
        sa.ForeignKeyConstraint(
            ["artifact_id"],
            ["artifacts.id"],
            name="fk_observations_artifact_id_artifacts",
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["capture_id"], ["captures.id"], name="fk_observations_capture_id_captures", ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["event_id"], ["events.id"], name="fk_observations_event_id_events", ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_observations"),
    )
    _create_partial_index(
        "ix_observations_artifact_id", "observations", ["artifact_id"], where="artifact_id IS NOT NULL"
    )
    _create_partial_index(
        "ix_observations_capture_id", "observations", ["capture_id"], where="capture_id IS NOT NULL"
    )
    _create_partial_index(
        "ix_observations_event_id", "observations", ["event_id"], where="event_id IS NOT NULL"
    )
    op.create_index(
        "ix_observations_template_id_name_observed_at_id",
        "observations",
        ["template_id", "name", "observed_at", "id"],
    )
    op.create_index(
        "ix_observations_template_id_observed_at_id", "observations", ["template_id", "observed_at", "id"]
    )


def _create_jobs() -> None:
    op.create_table(
        "jobs",
        sa.Column("id", ID, nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("priority", sa.SmallInteger(), nullable=False),
        sa.Column("template_id", ID),
        sa.Column("payload", JSON, nullable=False),
        sa.Column("idempotency_key", sa.String(length=200)),
        sa.Column("scheduled_for", INSTANT, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("started_at", INSTANT),
        sa.Column("ended_at", INSTANT),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("max_attempts", sa.Integer(), nullable=False),
        sa.Column("lease_until", INSTANT),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("progress", sa.Float()),
        sa.Column("step", sa.Text()),
        sa.Column("result", JSON),
        sa.Column("error", sa.Text()),
        sa.CheckConstraint(
            "status IN ('pending', 'running', 'success', 'failure', 'cancelled', 'skipped', 'dead')",
            name=op.f("ck_jobs_status"),
        ),
        sa.CheckConstraint("progress BETWEEN 0 AND 1", name=op.f("ck_jobs_progress")),
        sa.PrimaryKeyConstraint("id", name="pk_jobs"),
        sa.UniqueConstraint("idempotency_key", name="uq_jobs_idempotency_key"),
    )
    op.create_index("ix_jobs_kind_created_at_id", "jobs", ["kind", "created_at", "id"])
    _create_partial_index("ix_jobs_leased", "jobs", ["lease_until"], where="status = 'running'")
    op.create_index("ix_jobs_status_scheduled_for_id", "jobs", ["status", "scheduled_for", "id"])
    op.create_index("ix_jobs_template_id_created_at_id", "jobs", ["template_id", "created_at", "id"])
