"""The tables, as the newest migration leaves them.

What happened (captures, events, observations, alerts, jobs) names its template without a foreign key: it
stays when the template goes; so do deliveries when their channel goes. What points at an artifact or an event
loses the pointer when retention removes that.
Keys are ULIDs; moments are `Instant`. Lists are read through an index in their order, never sorted.
"""

from collections.abc import Iterable
from typing import get_args, get_type_hints

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
)

from glimpser.core.accounts import Role
from glimpser.core.alerts import AlertState, DeliveryStatus
from glimpser.core.events import Capture, Level
from glimpser.core.exports import ExportKind, Origin
from glimpser.core.health import HealthState
from glimpser.core.jobs import JobStatus
from glimpser.core.stream_tickets import StreamTicket
from glimpser.db.types import Id, Instant, Json

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

IS_WARNING = "level >= 30"
"""What the index of grave events covers; a statement repeats it so that the planner sees the match."""
IS_RUNNING = "status = 'running'"
IS_PENDING = "status = 'pending'"
IS_UNDONE = "status IN ('pending', 'running')"
IS_PAUSED = "paused"
IS_DONE = "status NOT IN ('pending', 'running')"
IS_ENDED = "ended_at IS NOT NULL"
IS_CANCELLING = "status = 'running' AND cancel_requested"
IS_UNFINISHED = "ended_at IS NULL"
IS_UNSETTLED = "status IN ('pending', 'sending', 'retrying')"


def _one_of(column: str, allowed: Iterable[object]) -> CheckConstraint:
    """Close a set of values in the database too."""
    return CheckConstraint(f"{column} IN ({', '.join(repr(value) for value in allowed)})", name=column)


def _artifact_column() -> Column[str]:
    return Column("artifact_id", Id, ForeignKey("artifacts.id", ondelete="SET NULL"))


def _partial(name: str, *columns: str, where: str, unique: bool = False) -> Index:
    """Make an index of the rows that `where` picks."""
    return Index(name, *columns, unique=unique, sqlite_where=text(where), postgresql_where=text(where))


users = Table(
    "users",
    metadata,
    Column("id", Id, primary_key=True),
    Column("email", String(320), nullable=False),
    # What the email is compared by: PostgreSQL and SQLite fold cases differently, Python does it the same.
    Column("email_key", String(320), nullable=False, unique=True),
    Column("role", SmallInteger, nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("groups", Json, nullable=False),
    Column("disabled", Boolean, nullable=False),
    Column("version", Integer, nullable=False, server_default="1"),
    Column("session_epoch", Integer, nullable=False, server_default="0"),
    Column("created_at", Instant, nullable=False),
    _one_of("role", (role.value for role in Role)),
    Index(None, "role", "disabled"),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", Text, nullable=False),
    Column("name_key", Text, nullable=False, server_default=""),
    Column("role", SmallInteger, nullable=False),
    Column("key_hash", String(64), nullable=False),
    Column("groups", Json, nullable=False),
    Column("expires_at", Instant),
    Column("last_used_at", Instant),
    Column("created_by", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    _one_of("role", (role.value for role in Role)),
    Index(None, "name_key", "id"),
)

stream_tickets = Table(
    "stream_tickets",
    metadata,
    Column("id", Id, primary_key=True),
    # Neither template nor maker is a foreign key: a ticket without them opens nothing, until it is purged.
    Column("template_id", Id, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("maker_id", Id, nullable=False, index=True),
    Column("maker_kind", String(16), nullable=False),
    Column("maker_epoch", Integer, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False, index=True),
    _one_of("kind", get_args(get_type_hints(StreamTicket)["kind"])),
    _one_of("maker_kind", get_args(get_type_hints(StreamTicket)["maker_kind"])),
    Index(None, "template_id", "id"),
)

revocations = Table(
    "revocations",
    metadata,
    Column("token_id", String(64), primary_key=True),
    Column("expires_at", Instant, nullable=False, index=True),
)

templates = Table(
    "templates",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", Text, nullable=False),
    Column("name_key", Text, nullable=False, server_default=""),
    Column("kind", String(32), nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("live", Boolean, nullable=False),
    Column("notes", Text, nullable=False),
    # All settings; the columns above repeat those that lists are narrowed by.
    Column("document", Json, nullable=False),
    Column("version", Integer, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Index(None, "name_key", "id"),
    Index(None, "updated_at", "id"),
)

template_groups = Table(
    "template_groups",
    metadata,
    Column("name", Text, primary_key=True),
    Column("template_id", Id, ForeignKey("templates.id", ondelete="CASCADE"), primary_key=True, index=True),
)

artifacts = Table(
    "artifacts",
    metadata,
    Column("id", Id, primary_key=True),
    # Walked in code point order beside the store's own list.
    Column("uri", Text().with_variant(Text(collation="C"), "postgresql"), nullable=False, unique=True),
    Column("media_type", String(127), nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("width", Integer),
    Column("height", Integer),
    Column("created_at", Instant, nullable=False),
    Column("template_id", Id),
    Column("expires_at", Instant),
    Column("pinned", Boolean, nullable=False, server_default=false()),
    Index(None, "template_id", "created_at", "id"),
    _partial("ix_artifacts_expires_at", "expires_at", where="expires_at IS NOT NULL"),
)

garbage = Table("garbage", metadata, Column("uri", Text, primary_key=True))

captures = Table(
    "captures",
    metadata,
    Column("id", Id, primary_key=True),
    Column("template_id", Id, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("status", String(16), nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("ended_at", Instant),
    _artifact_column(),
    # Cleared with the artifact by the program, as SQLite cannot add a reference to a table that is in use.
    Column("text_artifact_id", Id),
    Column("details", Json, nullable=False, server_default="{}"),
    Column("error", Text),
    _one_of("kind", get_args(get_type_hints(Capture)["kind"])),
    _one_of("status", get_args(get_type_hints(Capture)["status"])),
    Index(None, "started_at", "id"),
    Index(None, "template_id", "started_at", "id"),
    _partial("ix_captures_artifact_id", "artifact_id", where="artifact_id IS NOT NULL"),
    _partial("ix_captures_text_artifact_id", "text_artifact_id", where="text_artifact_id IS NOT NULL"),
    _partial("ix_captures_running", "id", where=IS_RUNNING),
)

events = Table(
    "events",
    metadata,
    Column("id", Id, primary_key=True),
    Column("template_id", Id, nullable=False),
    Column("kind", String(64), nullable=False),
    Column("level", SmallInteger, nullable=False),
    Column("message", Text, nullable=False),
    Column("metadata", Json, nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("peak_at", Instant),
    Column("ended_at", Instant),
    _artifact_column(),
    Column("created_at", Instant, nullable=False),
    _one_of("level", (level.value for level in Level)),
    Index(None, "started_at", "id"),
    Index(None, "template_id", "started_at", "id"),
    Index(None, "kind", "started_at", "id"),
    _partial("ix_events_warning", "started_at", "id", where=IS_WARNING),
    _partial("ix_events_unfinished", "kind", "id", where=IS_UNFINISHED),
    _partial("ix_events_artifact_id", "artifact_id", where="artifact_id IS NOT NULL"),
)

observations = Table(
    "observations",
    metadata,
    Column("id", Id, primary_key=True),
    Column("template_id", Id, nullable=False),
    Column("name", String(128), nullable=False),
    Column("observed_at", Instant, nullable=False),
    Column("value", Float),
    Column("data", Json, nullable=False),
    Column("event_id", Id, ForeignKey("events.id", ondelete="SET NULL")),
    Column("capture_id", Id, ForeignKey("captures.id", ondelete="SET NULL")),
    _artifact_column(),
    Index(None, "template_id", "observed_at", "id"),
    Index(None, "template_id", "name", "observed_at", "id"),
    _partial("ix_observations_event_id", "event_id", where="event_id IS NOT NULL"),
    _partial("ix_observations_capture_id", "capture_id", where="capture_id IS NOT NULL"),
    _partial("ix_observations_artifact_id", "artifact_id", where="artifact_id IS NOT NULL"),
)

channels = Table(
    "channels",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", Text, nullable=False),
    Column("name_key", Text, nullable=False, server_default=""),
    Column("kind", String(32), nullable=False),
    Column("config", Json, nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("version", Integer, nullable=False),
    Column("last_result", Text),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Index(None, "name_key", "id"),
)

alerts = Table(
    "alerts",
    metadata,
    Column("id", Id, primary_key=True),
    Column("template_id", Id),
    Column("event_id", Id, ForeignKey("events.id", ondelete="SET NULL")),
    Column("rule_id", Id),
    Column("kind", String(64), nullable=False),
    Column("level", SmallInteger, nullable=False),
    Column("title", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("acked_by", Text),
    Column("acked_at", Instant),
    Column("created_at", Instant, nullable=False),
    _one_of("level", (level.value for level in Level)),
    _one_of("state", get_args(AlertState)),
    Index(None, "created_at", "id"),
    Index(None, "template_id", "created_at", "id"),
    Index(None, "state", "created_at", "id"),
    Index(None, "rule_id", "template_id", "created_at"),
    _partial("ix_alerts_event_id", "event_id", where="event_id IS NOT NULL"),
    # An event fires a rule once, and by its level alone once.
    _partial("ix_alerts_once_by_rule", "rule_id", "event_id", where="rule_id IS NOT NULL", unique=True),
    _partial("ix_alerts_once_by_level", "event_id", where="rule_id IS NULL", unique=True),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", Id, primary_key=True),
    Column("alert_id", Id, ForeignKey("alerts.id", ondelete="CASCADE"), nullable=False),
    Column("channel_id", Id, nullable=False),
    Column("channel_kind", String(32), nullable=False),
    Column("status", String(16), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("last_error", Text),
    Column("next_attempt_at", Instant),
    Column("sent_at", Instant),
    Column("provider_response", Text),
    Column("idempotency_key", String(200), nullable=False, unique=True),
    _one_of("status", get_args(DeliveryStatus)),
    UniqueConstraint("alert_id", "channel_id"),
    _partial("ix_deliveries_unsettled", "id", where=IS_UNSETTLED),
)

jobs = Table(
    "jobs",
    metadata,
    Column("id", Id, primary_key=True),
    Column("kind", String(64), nullable=False),
    Column("status", String(16), nullable=False),
    Column("priority", SmallInteger, nullable=False),
    Column("template_id", Id),
    Column("payload", Json, nullable=False),
    Column("idempotency_key", String(200), unique=True),
    Column("scheduled_for", Instant, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("started_at", Instant),
    Column("ended_at", Instant),
    Column("attempts", Integer, nullable=False),
    Column("max_attempts", Integer, nullable=False),
    # Who holds a job does so until `lease_until`; a write with an older `fence` comes too late.
    Column("lease_until", Instant),
    Column("fence", Integer, nullable=False),
    Column("progress", Float),
    Column("step", Text),
    Column("result", Json),
    Column("error", Text),
    Column("cancel_requested", Boolean, nullable=False, server_default=false()),
    _one_of("status", get_args(JobStatus)),
    CheckConstraint("progress BETWEEN 0 AND 1", name="progress"),
    Index(None, "created_at", "id"),
    Index(None, "template_id", "created_at", "id"),
    Index(None, "kind", "created_at", "id"),
    # Without those that wait: an index of all would tempt SQLite away from `ix_jobs_unfinished`.
    _partial("ix_jobs_done", "status", "created_at", "id", where=IS_DONE),
    _partial("ix_jobs_ended", "ended_at", "id", where=IS_ENDED),
    _partial("ix_jobs_busy", "kind", "template_id", where=IS_UNDONE),
    _partial("ix_jobs_cancelling", "id", where=IS_CANCELLING),
    _partial("ix_jobs_due", "kind", "priority", "scheduled_for", "id", where=IS_PENDING),
    _partial("ix_jobs_leased", "kind", "lease_until", where=IS_RUNNING),
    _partial("ix_jobs_unfinished", "id", where=IS_UNDONE),
)

schedules = Table(
    "schedules",
    metadata,
    Column("template_id", Id, ForeignKey("templates.id", ondelete="CASCADE"), primary_key=True),
    Column("plan", Text, nullable=False),
    Column("settled_until", Instant, nullable=False),
    Column("paused", Boolean, nullable=False),
    Column("last_run_at", Instant),
    Column("last_job_id", Id),
    _partial("ix_schedules_paused", "template_id", where=IS_PAUSED),
)

exports = Table(
    "exports",
    metadata,
    Column("id", Id, primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("template_id", Id),
    Column("group_name", Text),
    Column("title", Text, nullable=False),
    Column("timezone", Text, nullable=False),
    Column("start_at", Instant, nullable=False),
    Column("end_at", Instant, nullable=False),
    Column("options", Json, nullable=False),
    Column("origin", String(16), nullable=False),
    Column("created_by", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("job_id", Id, nullable=False),
    # What became of the job, which is forgotten sooner.
    Column("status", String(16), nullable=False),
    Column("error", Text),
    Column("result", Json),
    _artifact_column(),
    Column("expires_at", Instant),
    _one_of("kind", get_args(ExportKind)),
    _one_of("origin", get_args(Origin)),
    _one_of("status", get_args(JobStatus)),
    Index(None, "created_at", "id"),
    _partial("ix_exports_pending", "id", where=IS_PENDING),
    _partial("ix_exports_expires_at", "expires_at", where="expires_at IS NOT NULL"),
    _partial("ix_exports_artifact_id", "artifact_id", where="artifact_id IS NOT NULL"),
)

audit = Table(
    "audit",
    metadata,
    Column("id", Id, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("client_ip", String(64)),
    Column("detail", Text, nullable=False),
    Index(None, "at", "id"),
    Index(None, "actor", "at", "id"),
    Index(None, "action", "at", "id"),
)

view_health = Table(
    "view_health",
    metadata,
    Column("template_id", Id, primary_key=True),
    Column("state", String(16), nullable=False),
    Column("since", Instant, nullable=False),
    Column("reason", Text),
    Column("last_good_at", Instant),
    Column("last_good_artifact_id", Id, ForeignKey("artifacts.id", ondelete="SET NULL")),
    Column("trouble_since", Instant),
    # Chosen before the event is written, so it may name one that is not there.
    Column("event_id", Id),
    Column("by_capture", Boolean, nullable=False),
    _one_of("state", (state.value for state in HealthState)),
    _partial(
        "ix_view_health_last_good_artifact_id",
        "last_good_artifact_id",
        where="last_good_artifact_id IS NOT NULL",
    ),
    _partial("ix_view_health_event_id", "event_id", where="event_id IS NOT NULL"),
)

settings = Table(
    "settings",
    metadata,
    Column("key", String(128), primary_key=True),
    Column("value", Text, nullable=False),
)
