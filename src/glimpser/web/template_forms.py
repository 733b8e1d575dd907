"""What a view may be made with, and what may be tried before it is."""

from collections.abc import Mapping
from dataclasses import fields
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import ConfigDict, Field, JsonValue, ValidationError, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from glimpser.core.errors import InvalidInput
from glimpser.core.exports import MAX_FPS, MAX_LENGTH_S, DailyTimelapse
from glimpser.core.motion import MotionSettings, Polygon, check_polygon
from glimpser.core.retention import RetentionPolicy, ThinTo
from glimpser.core.rules import Rule
from glimpser.core.schedule import MAX_CRON_CHARS, MAX_JITTER_MS, Action, CatchUp, Timetable, Window
from glimpser.core.templates import Overlay, TemplateSettings, Zone
from glimpser.rules.parse import (
    MAX_RULES,
    QuietHoursForm,
    RuleForm,
    ZoneName,
    check_ids,
    check_zones,
    rule_of,
    window_of,
)
from glimpser.services.probing import Ask
from glimpser.web.forms import Form, Group, Name, ReadOnly, Text, Ulid, Whole, refused
from glimpser.web.shapes import Later

MAX_POINTS = 64
MAX_DURATION_S = 86_400
_FIRST_SLOT = datetime(2026, 1, 1, tzinfo=UTC)

Fraction = Annotated[float, Field(ge=0, le=1)]
Point = Annotated[list[Fraction], Field(min_length=2, max_length=2)]
Points = Annotated[list[Point], Field(min_length=3, max_length=MAX_POINTS)]


class MotionForm(Form):
    detector: Annotated[str, Field(max_length=32)] = "adaptive"
    sensitivity: Fraction = 0.5
    threshold: Fraction = 0.0


class OverlayForm(Form):
    """What is written into every picture."""

    name: bool = False
    time: bool = False


Days = Annotated[int, Field(ge=1, le=36_500), Whole]


class RetentionForm(Form):
    """How long the view's pictures are kept; what is absent is as for all views."""

    max_age_days: Days | None = None
    max_count: Annotated[int, Field(ge=1, le=1_000_000_000), Whole] | None = None
    max_bytes: Annotated[int, Field(ge=1, le=1 << 50), Whole] | None = None
    thin_after_days: Days | None = None
    thin_to: ThinTo | None = None

    def policy(self) -> RetentionPolicy | None:
        return RetentionPolicy(**self.model_dump()) if self.model_dump(exclude_none=True) else None


class TimelapseForm(Form):
    """What becomes of the view's pictures each night: a film of the day."""

    daily: bool = True
    length_s: Annotated[float, Field(ge=1, le=MAX_LENGTH_S)] = 30.0
    fps: Annotated[int, Field(ge=1, le=MAX_FPS), Whole] = 24

    def setting(self) -> DailyTimelapse:
        return DailyTimelapse(self.daily, self.length_s, self.fps)


class ZoneForm(Form):
    name: Name
    points: Points


NEUTRAL: Mapping[str, object] = {
    field.name: list(field.default) if isinstance(field.default, tuple) else field.default
    for field in fields(Later)
}
"""The fields whose function comes in a later version, each with the only value it takes."""


def _describe_template(schema: dict[str, Any]) -> None:
    """Give an example, and say that each of those fields takes one value."""
    config = {"url": "rtsp://192.0.2.20/stream1", "transport": "tcp"}
    schema["examples"] = [{"name": "Front door", "kind": "ffmpeg", "config": config, "groups": ["outside"]}]
    for name, neutral in NEUTRAL.items():
        schema["properties"][name] |= _only(neutral)


def _only(neutral: object) -> dict[str, Any]:
    """Give the JSON Schema of one value. FastAPI leaves out what is null, a constant too."""
    if neutral is None:
        return {"type": "null"}
    return {"type": "array", "maxItems": 0} if neutral == [] else {"const": neutral}


class LaterForm(Form):
    """Takes those fields, so that an answer can be sent back as it came."""

    callback_url: JsonValue = None
    proxy: JsonValue = None
    pre_roll_s: JsonValue = 0

    @field_validator(*NEUTRAL)
    @classmethod
    def _is_neutral(cls, value: JsonValue, info: ValidationInfo) -> JsonValue:
        neutral = NEUTRAL[info.field_name or ""]
        if type(value) is not type(neutral) or value != neutral:
            raise PydanticCustomError("not_yet", "not available in this version: leave it out")
        return value


class ScheduleForm(Form):
    """When a view is captured again and again, and how."""

    schedule: Annotated[str, Field(max_length=MAX_CRON_CHARS)] | None = None
    timezone: ZoneName = "UTC"
    jitter_ms: Annotated[int, Field(ge=0, le=MAX_JITTER_MS), Whole] = 0
    schedule_windows: Annotated[list[QuietHoursForm], Field(max_length=16)] = []
    action: Action = "snapshot"
    duration_s: Annotated[float, Field(ge=1, le=MAX_DURATION_S)] | None = None
    catch_up: CatchUp = "one"

    def windows(self) -> tuple[Window, ...]:
        return tuple(window_of(window) for window in self.schedule_windows)

    def check_schedule(self) -> None:
        """Refuse what would never run, or not as it is meant.

        Raises:
            InvalidInput: it names the field.
        """
        if self.action == "record" and self.duration_s is None:
            raise InvalidInput.field("/duration_s", "Say how long a recording lasts.")
        if self.action == "snapshot" and self.duration_s is not None:
            raise InvalidInput.field("/duration_s", "Only a recording lasts: leave it out.")
        if self.schedule is None:
            return
        if Timetable(self.schedule, self.timezone, self.windows()).next_after(_FIRST_SLOT) is None:
            raise InvalidInput.field("/schedule_windows", "No slot of the schedule lies in a window.")


class TemplateForm(ScheduleForm, LaterForm):
    """A template to be: POST and PUT. What is absent takes its default; absent secrets are kept."""

    model_config = ConfigDict(json_schema_extra=_describe_template)

    name: Name
    kind: Annotated[str, Field(max_length=32)]
    config: dict[str, JsonValue]
    live: bool = True
    enabled: bool = True
    groups: Annotated[list[Group], Field(max_length=20)] = []
    notes: Annotated[str, Field(max_length=10_000)] = ""
    private: bool = False
    motion: MotionForm = MotionForm()
    zones: Annotated[list[ZoneForm], Field(max_length=32)] = []
    motion_masks: Annotated[list[Points], Field(max_length=32)] = []
    privacy_masks: Annotated[list[Points], Field(max_length=32)] = []
    overlay: OverlayForm = OverlayForm()
    rules: Annotated[list[RuleForm], Field(max_length=MAX_RULES)] = []
    retention: RetentionForm | None = None
    timelapse: TimelapseForm | None = None
    lat: Annotated[float, Field(ge=-90, le=90)] | None = None
    lon: Annotated[float, Field(ge=-180, le=180)] | None = None
    id: ReadOnly = None
    health: ReadOnly = None
    stream: ReadOnly = None
    paused: ReadOnly = None
    secrets: ReadOnly = None
    version: ReadOnly = None
    created_at: ReadOnly = None
    updated_at: ReadOnly = None

    def settings(self) -> TemplateSettings:
        """Make settings; the config is still as the client sent it.

        Raises:
            InvalidInput: fields that do not fit each other.
        """
        self._check_together()
        return TemplateSettings(
            name=self.name,
            kind=self.kind,
            config=self.config,
            live=self.live,
            enabled=self.enabled,
            groups=tuple(dict.fromkeys(self.groups)),
            notes=self.notes,
            private=self.private,
            motion=MotionSettings(**self.motion.model_dump()),
            zones=tuple(
                Zone(zone.name, _polygon(zone.points, f"/zones/{index}/points"))
                for index, zone in enumerate(self.zones)
            ),
            motion_masks=_polygons(self.motion_masks, "/motion_masks"),
            privacy_masks=_polygons(self.privacy_masks, "/privacy_masks"),
            overlay=Overlay(**self.overlay.model_dump()),
            rules=self._rules(),
            retention=self.retention.policy() if self.retention else None,
            timelapse=self.timelapse.setting() if self.timelapse else None,
            lat=self.lat,
            lon=self.lon,
            schedule=self.schedule.strip() if self.schedule is not None else None,
            timezone=self.timezone,
            jitter_ms=self.jitter_ms,
            schedule_windows=self.windows(),
            action=self.action,
            duration_s=self.duration_s,
            catch_up=self.catch_up,
        )

    def _rules(self) -> tuple[Rule, ...]:
        rules = tuple(rule_of(form) for form in self.rules)
        check_ids(rules)
        check_zones(rules, [zone.name for zone in self.zones])
        return rules

    def _check_together(self) -> None:
        self.check_schedule()
        if (self.lat is None) != (self.lon is None):
            raise InvalidInput.field("/lat", "A place needs both lat and lon.")
        names = [zone.name for zone in self.zones]
        if len(set(names)) != len(names):
            raise InvalidInput.field("/zones", "Two zones have the same name.")


def parse_template(document: Mapping[str, object]) -> TemplateSettings:
    """Make settings of a document that did not come as the body of a request.

    Raises:
        InvalidInput: each error names its field, and never the value.
    """
    try:
        return TemplateForm.model_validate(document).settings()
    except ValidationError as error:
        raise refused(error) from None


def _describe_probe(schema: dict[str, Any]) -> None:
    schema["examples"] = [{"url": "rtsp://192.0.2.20/stream1"}]


class ProbeForm(Form):
    """What to try: a `url` (or the path of a file) whose kind is to be found, or a `kind` and its config.

    With a `template_id` the secrets that are absent from the config are those of that template.
    """

    model_config = ConfigDict(json_schema_extra=_describe_probe)

    url: Annotated[Text, Field(min_length=1, max_length=4096)] | None = None
    kind: Annotated[str, Field(max_length=32)] | None = None
    config: dict[str, JsonValue] | None = None
    template_id: Ulid | None = None

    def ask(self) -> Ask:
        """Make what is asked for.

        Raises:
            InvalidInput: it is both or neither.
        """
        if (self.url is None) == (self.config is None):
            raise InvalidInput.field("/url", "Give a url, or a kind with its config.")
        if (self.kind is None) != (self.config is None):
            raise InvalidInput.field("/kind", "A config goes with the kind it is of.")
        if self.template_id is not None and self.kind is None:
            raise InvalidInput.field("/kind", "The secrets of a template go with a kind and its config.")
        return Ask(url=self.url, kind=self.kind, config=self.config or {})


def _polygon(points: list[list[float]], pointer: str) -> Polygon:
    polygon = tuple((point[0], point[1]) for point in points)
    check_polygon(polygon, pointer)
    return polygon


def _polygons(areas: list[list[list[float]]], pointer: str) -> tuple[Polygon, ...]:
    return tuple(_polygon(points, f"{pointer}/{index}") for index, points in enumerate(areas))
