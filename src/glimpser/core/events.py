"""What was captured and what happened."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from typing import Literal, NamedTuple

from glimpser.core.ids import ArtifactId, CaptureId, EventId, TemplateId


class Level(IntEnum):
    """How much it matters, in rising order; a filter on a level means this or higher."""

    DEBUG = 10
    INFO = 20
    WARNING = 30
    ERROR = 40
    CRITICAL = 50

    @property
    def label(self) -> str:
        return self.name.lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """One stored object. `uri` is `file:///…` or `s3://…`; `sha256` is in hex.

    It is removed after `expires_at`; None: when retention says so. While it is `pinned` it stays.
    """

    id: ArtifactId
    uri: str
    media_type: str
    size_bytes: int
    sha256: str
    width: int | None
    height: int | None
    created_at: datetime
    template_id: TemplateId | None = None
    expires_at: datetime | None = None
    pinned: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Capture:
    """One act of capturing: a snapshot, or one live session from first to last picture.

    `details` are what came with a picture, as in `Shot`; the text of a page is an artifact of its own.
    """

    id: CaptureId
    template_id: TemplateId
    kind: Literal["snapshot", "live", "record"]
    status: Literal["running", "success", "failure"]
    started_at: datetime
    ended_at: datetime | None = None
    artifact_id: ArtifactId | None = None
    text_artifact_id: ArtifactId | None = None
    details: Mapping[str, object] = field(default_factory=dict)
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened on a template. While it goes on, `ended_at` is None."""

    id: EventId
    template_id: TemplateId
    kind: str
    level: Level
    message: str
    metadata: Mapping[str, object] = field(default_factory=dict)
    started_at: datetime
    peak_at: datetime | None = None
    ended_at: datetime | None = None
    artifact_id: ArtifactId | None = None
    created_at: datetime


class EventLine(NamedTuple):
    """An event as lists hold it, with nothing unpacked that they only pass on: pages are long and read often.

    `metadata` is its JSON text; moments are microseconds since 1970 in UTC.
    """

    id: EventId
    template_id: TemplateId
    kind: str
    level: int
    message: str
    metadata: str
    started_at: int
    peak_at: int | None
    ended_at: int | None
    artifact_id: ArtifactId | None
    created_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFilter:
    """Each given field narrows a list; `start` is inclusive, `end` exclusive, on `started_at`."""

    template_id: TemplateId | None = None
    kind: str | None = None
    level: Level | None = None
    start: datetime | None = None
    end: datetime | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What one analysis step saw in one frame or burst: a number, a text, or boxes in `data`."""

    id: str
    template_id: TemplateId
    name: str
    observed_at: datetime
    value: float | None = None
    data: Mapping[str, object] = field(default_factory=dict)
    event_id: EventId | None = None
    capture_id: CaptureId | None = None
    artifact_id: ArtifactId | None = None
