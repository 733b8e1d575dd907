"""What templates look like, to whom."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from glimpser.core.exports import DailyTimelapse
from glimpser.core.health import HealthState, ViewHealth
from glimpser.core.live import State, StreamStatus
from glimpser.core.motion import MotionSettings, Polygon
from glimpser.core.retention import RetentionPolicy
from glimpser.core.schedule import Action, CatchUp, Window
from glimpser.core.templates import Overlay, Template, TemplateSettings, Zone
from glimpser.rules.parse import QuietHoursForm, RuleForm, form_of, hours_values, rule_values
from glimpser.web.shapes.listing import Listing
from glimpser.web.shapes.reply import as_json


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
    retention: RetentionPolicy | None
    timelapse: DailyTimelapse | None
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
    """A template as admins see it; secrets in `config` are left out or `***`, and named in `secrets`."""

    config: Mapping[str, object]
    secrets: Sequence[str]
    rules: Sequence[RuleForm]


AnyTemplate = AdminTemplateView | TemplateView
"""What a template looks like depends on who asks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateList(Listing[AnyTemplate]):
    """Templates, oldest first."""

    items: Sequence[AnyTemplate]


@dataclass(frozen=True, slots=True, kw_only=True)
class KindView:
    """A kind of view; `schema` is the JSON Schema of its config."""

    kind: str
    title: str
    description: str
    schema: Mapping[str, object]


def settings_json(shown: TemplateSettings) -> dict[str, object]:
    """Write settings as a client would send them, to be changed by a patch."""
    document = as_json(replace(shown, rules=(), schedule_windows=()))
    assert isinstance(document, dict)
    return document | {
        "rules": [rule_values(rule) for rule in shown.rules],
        "schedule_windows": [hours_values(window) for window in shown.schedule_windows],
    }


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
    secrets: Sequence[str],
    paused: bool = False,
) -> AdminTemplateView:
    """`shown` are the settings without their secrets, `secrets` the names of those there are."""
    return AdminTemplateView(
        **_common(template, stream, health),
        paused=paused,
        config=shown.config,
        secrets=secrets,
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
        "retention": settings.retention,
        "timelapse": settings.timelapse,
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
