"""What answers look like: the public contract as values. Names here never change; more may be added."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Generic, Literal, TypeVar

import msgspec
from pydantic import BaseModel
from starlette.responses import JSONResponse

from glimpser.core.accounts import Principal, Role, User
from glimpser.core.alerts import Alert, AlertState, Channel, Delivery, DeliveryStatus
from glimpser.core.events import Capture, Event, Level
from glimpser.core.health import HealthState, ViewHealth
from glimpser.core.jobs import Job, JobStatus
from glimpser.core.live import State, StreamStatus
from glimpser.core.motion import MotionSettings, Polygon
from glimpser.core.rules import Decision, Rule, TraceStep, Verdict
from glimpser.core.schedule import Action, CatchUp, Window
from glimpser.core.templates import Overlay, Template, TemplateSettings, Zone
from glimpser.rules.parse import QuietHoursForm, RuleForm, form_of, hours_values, rule_values
from glimpser.services.channels import TestResult
from glimpser.services.history import Uris
from glimpser.services.schedule_plans import Upcoming

T = TypeVar("T")

RoleName = Literal["viewer", "operator", "admin"]
LevelName = Literal["debug", "info", "warning", "error", "critical"]

ROLE_NAMES: Mapping[Role, RoleName] = {Role.VIEWER: "viewer", Role.OPERATOR: "operator", Role.ADMIN: "admin"}
LEVEL_NAMES: Mapping[Level, LevelName] = {
    Level.DEBUG: "debug",
    Level.INFO: "info",
    Level.WARNING: "warning",
    Level.ERROR: "error",
    Level.CRITICAL: "critical",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing(Generic[T]):
    """One page of a list; `next_cursor` is null on the last."""

    items: Sequence[T]
    next_cursor: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthView:
    """The verdict on a view, since when it holds, and when the last good picture came, if that is known."""

    state: HealthState
    since: datetime
    reason: str | None
    last_good_at: datetime | None
    last_good_artifact_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamView:
    state: State
    since: datetime
    fps: float | None
    width: int | None
    height: int | None
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Later:
    """Fields of a template whose function comes in a later version: always as they stand here."""

    callback_url: str | None = None
    proxy: str | None = None
    pre_roll_s: float = 0
    retention: Mapping[str, object] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateView(Later):
    """A template as viewers see it."""

    id: str
    name: str
    kind: str
    live: bool
    enabled: bool
    groups: Sequence[str]
    notes: str
    private: bool
    motion: MotionSettings
    zones: Sequence[Zone]
    motion_masks: Sequence[Polygon]
    privacy_masks: Sequence[Polygon]
    overlay: Overlay
    lat: float | None
    lon: float | None
    schedule: str | None
    timezone: str
    jitter_ms: int
    schedule_windows: Sequence[QuietHoursForm]
    action: Action
    duration_s: float | None
    catch_up: CatchUp
    paused: bool
    health: HealthView
    stream: StreamView
    version: int
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AdminTemplateView(TemplateView):
    """A template as admins see it; secrets in `config` are left out or `***`."""

    config: Mapping[str, object]
    rules: Sequence[RuleForm]


AnyTemplate = AdminTemplateView | TemplateView
"""What a template looks like depends on who asks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateList(Listing[AnyTemplate]):
    """Templates, oldest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KindView:
    """A kind of view; `schema` is the JSON Schema of its config."""

    kind: str
    title: str
    description: str
    schema: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureView:
    id: str
    template_id: str
    kind: Literal["snapshot", "live", "record"]
    status: Literal["running", "success", "failure"]
    started_at: datetime
    ended_at: datetime | None
    artifact_id: str | None
    artifact_uri: str | None
    text_artifact_id: str | None
    details: Mapping[str, object]
    error: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureList(Listing[CaptureView]):
    """Captures, newest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventView:
    id: str
    template_id: str
    kind: str
    level: LevelName
    message: str
    metadata: Mapping[str, object]
    started_at: datetime
    peak_at: datetime | None
    ended_at: datetime | None
    artifact_id: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class EventList(Listing[EventView]):
    """Events, newest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryView:
    """One alert through one channel."""

    id: str
    channel_id: str
    channel_kind: str
    status: DeliveryStatus
    attempts: int
    last_error: str | None
    next_attempt_at: datetime | None
    sent_at: datetime | None
    provider_response: str | None
    idempotency_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertView:
    id: str
    template_id: str | None
    event_id: str | None
    rule_id: str | None
    kind: str
    level: LevelName
    title: str
    body: str
    state: AlertState
    acked_by: str | None
    acked_at: datetime | None
    created_at: datetime
    deliveries: Sequence[DeliveryView]


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertList(Listing[AlertView]):
    """Alerts, newest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelView:
    """A channel without its secrets; `last_result` is what its newest message came to."""

    id: str
    name: str
    kind: str
    config: Mapping[str, object]
    enabled: bool
    version: int
    last_result: str | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelList(Listing[ChannelView]):
    """Channels, oldest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelTestView:
    """What a test message came to."""

    channel_id: str
    status: Literal["sent", "failed"]
    error: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertTestView:
    results: Sequence[ChannelTestView]


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictView:
    """What rules decide; `trace` are the questions that were asked."""

    decision: Decision
    reason: str
    trace: Sequence[TraceStep]


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleVerdictView(VerdictView):
    rule_id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RulesVerdictView(VerdictView):
    """The verdict that decides, and those of all rules."""

    results: Sequence[RuleVerdictView]


@dataclass(frozen=True, slots=True, kw_only=True)
class JobView:
    """A piece of work; `progress` is a share from 0 to 1, null while nobody knows."""

    id: str
    kind: str
    status: JobStatus
    scheduled_for: datetime
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    progress: float | None
    step: str | None
    error: str | None
    attempts: int
    max_attempts: int
    result: Mapping[str, object] | None
    template_id: str | None
    cancel_requested: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class JobList(Listing[JobView]):
    """Jobs, newest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobStarted:
    """What was asked for goes on as this job."""

    job_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleView:
    """When a view is captured; jitter comes on top of `next_runs`. `id` is that of its template."""

    id: str
    template_id: str
    cron: str
    timezone: str
    jitter_ms: int
    action: Action
    duration_s: float | None
    catch_up: CatchUp
    enabled: bool
    paused: bool
    last_run: datetime | None
    last_job_id: str | None
    next_run: datetime | None
    next_runs: Sequence[datetime]
    in_words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleList(Listing[ScheduleView]):
    """Schedules, that of the oldest template first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SchedulePreview:
    """What a cron expression means."""

    in_words: str
    next_runs: Sequence[datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class UserView:
    id: str
    email: str
    role: RoleName
    groups: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class MeView:
    """Who makes the request; a key has no email, and a user's name is it."""

    id: str
    email: str | None
    name: str
    role: RoleName
    groups: Sequence[str]
    principal: Literal["user", "api_key"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionView:
    """`me` is null for who is not signed in."""

    me: MeView | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SetupState:
    needed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SetupDone:
    user: UserView


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginView:
    access_token: str = field(repr=False)
    token_type: Literal["bearer"] = "bearer"  # noqa: S105 (RFC 6750's word, no password)
    expires_in: int
    user: UserView


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamTicketView:
    """A link that opens one stream for whoever has it, until it ends or is revoked."""

    id: str
    url: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionView:
    version: str
    commit: str | None
    api: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AliveView:
    status: Literal["ok"] = "ok"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckView:
    ok: bool
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadyView:
    status: Literal["ready", "not_ready"]
    checks: Mapping[str, CheckView]


def _plain(value: object) -> object:
    """Write what only pydantic knows how to write."""
    if isinstance(value, BaseModel):
        return value.model_dump(by_alias=True)
    raise NotImplementedError(f"{type(value).__name__} has no JSON")


_encoder = msgspec.json.Encoder(enc_hook=_plain)


def as_json(value: object) -> object:
    """Turn values into what a client would read: lists, objects, texts, numbers."""
    return msgspec.json.decode(_encoder.encode(value))


def settings_json(shown: TemplateSettings) -> dict[str, object]:
    """Write settings as a client would send them, to be changed by a patch."""
    document = as_json(replace(shown, rules=(), schedule_windows=()))
    assert isinstance(document, dict)
    return document | {
        "rules": [rule_values(rule) for rule in shown.rules],
        "schedule_windows": [hours_values(window) for window in shown.schedule_windows],
    }


class Reply(JSONResponse):
    """An answer that leaves as ready bytes: times with `Z`, no second validation."""

    def render(self, content: object) -> bytes:
        return _encoder.encode(content)


def template_view(
    template: Template, stream: StreamStatus, health: ViewHealth, *, paused: bool = False
) -> TemplateView:
    """`paused` says that its schedule is."""
    return TemplateView(**_common(template, stream, health), paused=paused)


def admin_template_view(
    template: Template,
    stream: StreamStatus,
    health: ViewHealth,
    *,
    shown: TemplateSettings,
    paused: bool = False,
) -> AdminTemplateView:
    """`shown` are the settings without their secrets."""
    return AdminTemplateView(
        **_common(template, stream, health),
        paused=paused,
        config=shown.config,
        rules=[form_of(rule) for rule in shown.rules],
    )


def _common(template: Template, stream: StreamStatus, health: ViewHealth) -> dict[str, Any]:
    settings = template.settings
    return {
        "id": template.id,
        "name": settings.name,
        "kind": settings.kind,
        "live": settings.live,
        "enabled": settings.enabled,
        "groups": settings.groups,
        "notes": settings.notes,
        "private": settings.private,
        "motion": settings.motion,
        "zones": settings.zones,
        "motion_masks": settings.motion_masks,
        "privacy_masks": settings.privacy_masks,
        "overlay": settings.overlay,
        "lat": settings.lat,
        "lon": settings.lon,
        "health": health_view(health),
        "schedule": settings.schedule,
        "timezone": settings.timezone,
        "jitter_ms": settings.jitter_ms,
        "schedule_windows": [_window_form(window) for window in settings.schedule_windows],
        "action": settings.action,
        "duration_s": settings.duration_s,
        "catch_up": settings.catch_up,
        "stream": stream_view(stream),
        "version": template.version,
        "created_at": template.created_at,
        "updated_at": template.updated_at,
    }


def health_view(health: ViewHealth) -> HealthView:
    return HealthView(
        state=health.state,
        since=health.since,
        reason=health.reason,
        last_good_at=health.last_good_at,
        last_good_artifact_id=health.last_good_artifact_id,
    )


def _window_form(window: Window) -> QuietHoursForm:
    return QuietHoursForm.model_validate(hours_values(window))


def stream_view(stream: StreamStatus) -> StreamView:
    return StreamView(
        state=stream.state,
        since=stream.since,
        fps=stream.fps,
        width=stream.width,
        height=stream.height,
        reason=stream.reason,
    )


def event_view(event: Event) -> EventView:
    return EventView(
        id=event.id,
        template_id=event.template_id,
        kind=event.kind,
        level=LEVEL_NAMES[event.level],
        message=event.message,
        metadata=event.metadata,
        started_at=event.started_at,
        peak_at=event.peak_at,
        ended_at=event.ended_at,
        artifact_id=event.artifact_id,
        created_at=event.created_at,
    )


def alert_view(alert: Alert) -> AlertView:
    return AlertView(
        id=alert.id,
        template_id=alert.template_id,
        event_id=alert.event_id,
        rule_id=alert.rule_id,
        kind=alert.kind,
        level=LEVEL_NAMES[alert.level],
        title=alert.title,
        body=alert.body,
        state=alert.state,
        acked_by=alert.acked_by,
        acked_at=alert.acked_at,
        created_at=alert.created_at,
        deliveries=[_delivery_view(delivery) for delivery in alert.deliveries],
    )


def _delivery_view(delivery: Delivery) -> DeliveryView:
    return DeliveryView(
        id=delivery.id,
        channel_id=delivery.channel_id,
        channel_kind=delivery.channel_kind,
        status=delivery.status,
        attempts=delivery.attempts,
        last_error=delivery.last_error,
        next_attempt_at=delivery.next_attempt_at,
        sent_at=delivery.sent_at,
        provider_response=delivery.provider_response,
        idempotency_key=delivery.idempotency_key,
    )


def job_view(job: Job) -> JobView:
    return JobView(
        id=job.id,
        kind=job.kind,
        status=job.status,
        scheduled_for=job.scheduled_for,
        created_at=job.created_at,
        started_at=job.started_at,
        ended_at=job.ended_at,
        progress=job.progress,
        step=job.step,
        error=job.error,
        attempts=job.attempts,
        max_attempts=job.max_attempts,
        result=job.result,
        template_id=job.template_id,
        cancel_requested=job.cancel_requested,
    )


def schedule_view(found: Upcoming) -> ScheduleView:
    settings, state = found.template.settings, found.state
    return ScheduleView(
        id=found.template.id,
        template_id=found.template.id,
        cron=settings.schedule or "",
        timezone=settings.timezone,
        jitter_ms=settings.jitter_ms,
        action=settings.action,
        duration_s=settings.duration_s,
        catch_up=settings.catch_up,
        enabled=settings.enabled,
        paused=state.paused,
        last_run=state.last_run_at,
        last_job_id=state.last_job_id,
        next_run=found.next_runs[0] if found.next_runs else None,
        next_runs=found.next_runs,
        in_words=found.in_words,
    )


def capture_view(capture: Capture, uris: Uris) -> CaptureView:
    return CaptureView(
        id=capture.id,
        template_id=capture.template_id,
        kind=capture.kind,
        status=capture.status,
        started_at=capture.started_at,
        ended_at=capture.ended_at,
        artifact_id=capture.artifact_id,
        artifact_uri=uris.get(capture.artifact_id) if capture.artifact_id else None,
        text_artifact_id=capture.text_artifact_id,
        details=capture.details,
        error=capture.error,
    )


def channel_view(shown: Channel) -> ChannelView:
    """`shown` is the channel without its secrets."""
    return ChannelView(
        id=shown.id,
        name=shown.name,
        kind=shown.kind,
        config=shown.config,
        enabled=shown.enabled,
        version=shown.version,
        last_result=shown.last_result,
        created_at=shown.created_at,
        updated_at=shown.updated_at,
    )


def channel_test_view(result: TestResult) -> ChannelTestView:
    return ChannelTestView(channel_id=result.channel_id, status=result.status, error=result.error)


def rule_verdict_view(rule: Rule, verdict: Verdict) -> RuleVerdictView:
    return RuleVerdictView(
        rule_id=rule.id,
        name=rule.name,
        decision=verdict.decision,
        reason=verdict.reason,
        trace=verdict.trace,
    )


def user_view(user: User) -> UserView:
    return UserView(id=user.id, email=user.email, role=ROLE_NAMES[user.role], groups=user.groups)


def me_view(principal: Principal) -> MeView:
    return MeView(
        id=principal.id,
        email=principal.email,
        name=principal.name,
        role=ROLE_NAMES[principal.role],
        groups=principal.groups,
        principal=principal.kind,
    )
