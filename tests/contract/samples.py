"""Values to store. Each call makes another one; times are given in seconds after `START`."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

from ulid import ULID

from glimpser.core.accounts import ApiKey, AuditEntry, Role, User
from glimpser.core.alerts import DELIVER, Alert, Channel, Delivery
from glimpser.core.events import Artifact, Capture, Event, Level, Observation
from glimpser.core.exports import DailyTimelapse, Export, FilmOptions
from glimpser.core.health import HealthRecord, HealthState, ViewHealth
from glimpser.core.ids import (
    AlertId,
    ApiKeyId,
    ArtifactId,
    CaptureId,
    ChannelId,
    DeliveryId,
    EventId,
    ExportId,
    JobId,
    RuleId,
    StreamTicketId,
    TemplateId,
    UserId,
    new_id,
)
from glimpser.core.jobs import Job
from glimpser.core.motion import MotionSettings
from glimpser.core.retention import RetentionPolicy
from glimpser.core.rules import Condition, QuietHours, Rule
from glimpser.core.stream_tickets import StreamTicket
from glimpser.core.templates import Overlay, Template, TemplateSettings, Zone
from glimpser.db import DatabaseSettings

START = datetime(2025, 3, 30, 0, 59, 59, 123456, tzinfo=UTC)
TRIANGLE = ((0.0, 0.0), (1.0, 0.0), (0.5, 1.0))
VIEW = TemplateId("01JQ0000000000000000000000")

RULE = Rule(
    id=RuleId("01JQ00000000000000000000RE"),
    name="At night",
    enabled=False,
    when=Condition(event="motion", min_score=0.5, zone="door"),
    dedupe_s=90.5,
    quiet_hours=(
        QuietHours(start=time(8), end=time(22, 30)),
        QuietHours(days=("sat", "sun"), start=time(0), end=time(23, 59, 59)),
    ),
    timezone="Europe/Berlin",
    level=Level.CRITICAL,
    channels=(ChannelId("01JQ00000000000000000000CH"),),
)

ORDINARY = TemplateSettings(
    name="Front door",
    kind="ffmpeg",
    config={"url": "rtsp://camera/1", "password": "secret", "detect_fps": 5.0},
    live=False,
    enabled=True,
    groups=("outside", "street"),
    notes="Who rings?",
    private=True,
    motion=MotionSettings(detector="mog2", sensitivity=0.25, threshold=0.125),
    zones=(Zone("door", TRIANGLE),),
    motion_masks=(TRIANGLE,),
    privacy_masks=(TRIANGLE, TRIANGLE),
    overlay=Overlay(name=True, time=True),
    rules=(RULE,),
    retention=RetentionPolicy(max_age_days=7, thin_after_days=2, thin_to="day"),
    timelapse=DailyTimelapse(daily=True, length_s=12.5, fps=10),
    lat=52.5,
    lon=13.4,
)


def settings_in(directory: Path, **changes: Any) -> DatabaseSettings:
    return replace(DatabaseSettings(url=f"sqlite:///{directory}/glimpser.db", pool_size=2), **changes)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def id_at(seconds: float) -> str:
    return str(ULID.from_datetime(at(seconds)))


def template(**changes: Any) -> Template:
    settings = replace(ORDINARY, **changes)
    return Template(id=TemplateId(new_id()), settings=settings, version=1, created_at=START, updated_at=START)


def artifact(seconds: float = 0, **changes: Any) -> Artifact:
    identifier = ArtifactId(id_at(seconds))
    ordinary = Artifact(
        id=identifier,
        uri=f"memory:///artifacts/{at(seconds):%Y/%m/%d}/{identifier}.jpg",
        media_type="image/jpeg",
        size_bytes=5,
        sha256="0" * 64,
        width=320,
        height=180,
        created_at=at(seconds),
    )
    return replace(ordinary, **changes)


def capture(seconds: float = 0, **changes: Any) -> Capture:
    ordinary = Capture(
        id=CaptureId(new_id()), template_id=VIEW, kind="live", status="running", started_at=at(seconds)
    )
    return replace(ordinary, **changes)


def event(seconds: float = 0, **changes: Any) -> Event:
    ordinary = Event(
        id=EventId(new_id()),
        template_id=VIEW,
        kind="motion",
        level=Level.INFO,
        message="Something moved",
        metadata={"score": 0.5, "boxes": [{"x": 0.25, "y": 0.5, "width": 0.125, "height": 0.25}]},
        started_at=at(seconds),
        created_at=at(seconds + 1),
    )
    return replace(ordinary, **changes)


def export(seconds: float = 0, **changes: Any) -> Export:
    ordinary = Export(
        id=ExportId(new_id()),
        kind="timelapse",
        template_id=VIEW,
        title="Front door",
        timezone="Europe/Berlin",
        start=at(seconds - 3600),
        end=at(seconds),
        options=FilmOptions(length_s=12.5, fps=10, show_time=False),
        created_by="ann@example.org",
        created_at=at(seconds),
        job_id=JobId(new_id()),
    )
    return replace(ordinary, **changes)


def observation(seconds: float = 0, **changes: Any) -> Observation:
    ordinary = Observation(
        id=new_id(), template_id=VIEW, name="score", observed_at=at(seconds), value=0.5, data={"unit": "1"}
    )
    return replace(ordinary, **changes)


def health_record(**changes: Any) -> HealthRecord:
    health = ViewHealth(state=HealthState.FROZEN, since=at(5), reason="Nothing moves.", last_good_at=at(4))
    made = HealthRecord(
        template_id=VIEW,
        health=health,
        trouble_since=at(3),
        event_id=EventId("01JQ00000000000000000000EV"),
        by_capture=True,
    )
    return replace(made, **changes)


def user(email: str = "Ann@example.org", **changes: Any) -> User:
    ordinary = User(
        id=UserId(new_id()),
        email=email,
        role=Role.OPERATOR,
        password_hash="$argon2id$…",
        groups=("outside",),
        created_at=START,
    )
    return replace(ordinary, **changes)


def api_key(seconds: float = 0, **changes: Any) -> ApiKey:
    ordinary = ApiKey(
        id=ApiKeyId(id_at(seconds)),
        name="The house",
        role=Role.VIEWER,
        key_hash="0" * 64,
        groups=("outside",),
        expires_at=at(seconds + 3600),
        created_by="ann@example.org",
        created_at=at(seconds),
    )
    return replace(ordinary, **changes)


def stream_ticket(seconds: float = 0, **changes: Any) -> StreamTicket:
    ordinary = StreamTicket(
        id=StreamTicketId(id_at(seconds)),
        template_id=VIEW,
        kind="mjpeg",
        maker_id=id_at(1),
        maker_kind="user",
        maker_epoch=3,
        created_at=at(seconds),
        expires_at=at(seconds + 60),
    )
    return replace(ordinary, **changes)


def audit_entry(number: float) -> AuditEntry:
    return AuditEntry(
        id=id_at(number),
        at=at(number),
        actor="ann@example.org",
        action="template.create",
        subject=f"templates/{number}",
        client_ip="192.0.2.1",
        detail="",
    )


def channel(seconds: float = 0, **changes: Any) -> Channel:
    ordinary = Channel(
        id=ChannelId(id_at(seconds)),
        name="The house",
        kind="webhook",
        config={"url": "https://example.org/hook", "secret": "secret", "headers": {"X-House": "1"}},
        created_at=at(seconds),
        updated_at=at(seconds),
    )
    return replace(ordinary, **changes)


def alert(seconds: float = 0, *, channels: int = 0, **changes: Any) -> Alert:
    """Make an alert that has still to be told through a number of channels."""
    identifier = AlertId(id_at(seconds))
    ordinary = Alert(
        id=identifier,
        template_id=VIEW,
        event_id=None,
        rule_id=RULE.id,
        kind="motion",
        level=Level.WARNING,
        title="Front door: motion",
        body="Something moved at the front door.",
        created_at=at(seconds),
        deliveries=tuple(delivery(identifier, ChannelId(id_at(number))) for number in range(channels)),
    )
    return replace(ordinary, **changes)


def delivery(alert_id: AlertId, channel_id: ChannelId, **changes: Any) -> Delivery:
    ordinary = Delivery(
        id=DeliveryId(new_id()),
        alert_id=alert_id,
        channel_id=channel_id,
        channel_kind="webhook",
        idempotency_key=f"{alert_id}/{channel_id}",
    )
    return replace(ordinary, **changes)


def job(seconds: float = 0, **changes: Any) -> Job:
    ordinary = Job(
        id=JobId(id_at(seconds)),
        kind=DELIVER,
        payload={"delivery_id": new_id()},
        scheduled_for=at(seconds),
        created_at=at(seconds),
    )
    return replace(ordinary, **changes)
