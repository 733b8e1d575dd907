"""What happened and what was captured."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import msgspec

from glimpser.core.clock import from_microseconds
from glimpser.core.events import Capture, Event, EventLine, Level
from glimpser.services.history import Uris
from glimpser.web.shapes.listing import Listing

LevelName = Literal["debug", "info", "warning", "error", "critical"]


LEVEL_NAMES: Mapping[Level, LevelName] = {
    Level.DEBUG: "debug",
    Level.INFO: "info",
    Level.WARNING: "warning",
    Level.ERROR: "error",
    Level.CRITICAL: "critical",
}

_NAMES: Mapping[int, LevelName] = {int(level): name for level, name in LEVEL_NAMES.items()}


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

    items: Sequence[CaptureView]


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

    items: Sequence[EventView]


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


def event_item(line: EventLine) -> Mapping[str, object]:
    """Write a list's item in the shape of `EventView`: what is JSON already stays so."""
    of, view, kind, level, message, metadata, started_at, peak_at, ended_at, artifact_id, created_at = line
    return {
        "id": of,
        "template_id": view,
        "kind": kind,
        "level": _NAMES[level],
        "message": message,
        "metadata": msgspec.Raw(metadata.encode()),
        "started_at": from_microseconds(started_at),
        "peak_at": None if peak_at is None else from_microseconds(peak_at),
        "ended_at": None if ended_at is None else from_microseconds(ended_at),
        "artifact_id": artifact_id,
        "created_at": from_microseconds(created_at),
    }


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
