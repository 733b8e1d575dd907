"""What is made of stored pictures to be taken away: films and archives."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from glimpser.core.ids import ArtifactId, ExportId, JobId, TemplateId
from glimpser.core.jobs import JobStatus

EXPORT = "export"
"""The kind of the job."""

ExportKind = Literal["timelapse", "video", "zip", "teaser"]
"""timelapse: a view's time run together into a short film. video: its pictures at their true pace. zip: all
pictures with an index. teaser: the newest seconds of each view of a group, joined.
"""
Origin = Literal["asked", "daily"]
"""Who wanted it: a person, or a setting for each day."""

MAX_LENGTH_S = 600.0
MAX_FPS = 60
MAX_VIDEO_DAYS = 7
MAX_WIDTH_PX, MIN_WIDTH_PX = 3840, 64


@dataclass(frozen=True, slots=True)
class DailyTimelapse:
    """What a view's setting says: whether each day becomes a film, how long it is and how smooth."""

    daily: bool = True
    length_s: float = 30.0
    fps: int = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class FilmOptions:
    """How a film is made. `length_s` is that of a timelapse, or of each view of a teaser.

    `width_px` None: as wide as the first picture, at most 1920. `show_time` writes the time into it.
    """

    length_s: float | None = None
    fps: int | None = None
    width_px: int | None = None
    show_time: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """One export, of a template or of a group, from `start` (inclusive) to `end` (exclusive).

    `title` is what its subject was called when it was asked for; `timezone` is the clock its times are shown
    by. `status` is that of its job as far as it has ended, else `pending`. The file goes at `expires_at`, and
    the row with it.
    """

    id: ExportId
    kind: ExportKind
    template_id: TemplateId | None = None
    group: str | None = None
    title: str
    timezone: str = "UTC"
    start: datetime
    end: datetime
    options: FilmOptions = field(default_factory=FilmOptions)
    origin: Origin = "asked"
    created_by: str
    created_at: datetime
    job_id: JobId
    status: JobStatus = "pending"
    error: str | None = None
    result: Mapping[str, object] | None = None
    artifact_id: ArtifactId | None = None
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Span:
    """`start` inclusive, `end` exclusive."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPicture:
    """A picture of a view as far as an export looks at it."""

    id: ArtifactId
    uri: str
    size_bytes: int
    sha256: str
    width: int | None
    height: int | None
    captured_at: datetime
