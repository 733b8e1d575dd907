"""A template is the saved definition of one view."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from glimpser.core.exports import DailyTimelapse
from glimpser.core.ids import TemplateId
from glimpser.core.motion import MotionSettings, Polygon
from glimpser.core.retention import RetentionPolicy
from glimpser.core.rules import Rule
from glimpser.core.schedule import Action, CatchUp, Window


@dataclass(frozen=True, slots=True)
class Zone:
    """A named area of the picture."""

    name: str
    points: Polygon


@dataclass(frozen=True, slots=True)
class Overlay:
    """What a person wants written into every picture of a view."""

    name: bool = False
    time: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateSettings:
    """What a person sets. `config` has been validated by the kind; it may hold secrets.

    `schedule` is a cron expression on the clock of `timezone`: at each slot inside `schedule_windows`, or up
    to `jitter_ms` later, `action` is done, a recording for `duration_s`. What a program that did not run has
    missed is done once (`catch_up` one), or not at all.

    What lies in `privacy_masks` is covered before anything else is done with a picture.
    """

    name: str
    kind: str
    config: Mapping[str, object] = field(repr=False)
    live: bool = True
    enabled: bool = True
    groups: tuple[str, ...] = ()
    notes: str = ""
    private: bool = False
    motion: MotionSettings = field(default_factory=MotionSettings)
    zones: tuple[Zone, ...] = ()
    motion_masks: tuple[Polygon, ...] = ()
    privacy_masks: tuple[Polygon, ...] = ()
    overlay: Overlay = field(default_factory=Overlay)
    rules: tuple[Rule, ...] = ()
    retention: RetentionPolicy | None = None
    timelapse: DailyTimelapse | None = None
    lat: float | None = None
    lon: float | None = None
    schedule: str | None = None
    timezone: str = "UTC"
    jitter_ms: int = 0
    schedule_windows: tuple[Window, ...] = ()
    action: Action = "snapshot"
    duration_s: float | None = None
    catch_up: CatchUp = "one"


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """Settings with their identity; `version` rises by one with every change."""

    id: TemplateId
    settings: TemplateSettings
    version: int
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateFilter:
    """Each given field narrows a list; `text` is looked for in names and notes."""

    kind: str | None = None
    enabled: bool | None = None
    group: str | None = None
    text: str | None = None
