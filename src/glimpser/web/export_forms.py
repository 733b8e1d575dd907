"""What requests for exports may hold."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any

from pydantic import ConfigDict, Field, ValidationError

from glimpser.core.errors import InvalidInput
from glimpser.core.exports import (
    MAX_FPS,
    MAX_LENGTH_S,
    MAX_VIDEO_DAYS,
    MAX_WIDTH_PX,
    MIN_WIDTH_PX,
    ExportKind,
    FilmOptions,
)
from glimpser.core.ids import TemplateId
from glimpser.services.exports import ExportAsk
from glimpser.web.forms import Form, Group, Time, Ulid, Whole, refused

_OF_ONE_VIEW = ("timelapse", "video")
_WITH_LENGTH = ("timelapse", "teaser")


def _describe(schema: dict[str, Any]) -> None:
    schema["examples"] = [
        {"kind": "teaser", "group": "outside"},
        {
            "kind": "timelapse",
            "template_id": "01JDTEMP0000000000000000AA",
            "from": "2026-11-21T00:00:00Z",
            "to": "2026-11-22T00:00:00Z",
            "length_s": 30,
        },
    ]


class ExportForm(Form):
    """An export to be made. A timelapse and a video are of one template, a teaser is of a group.

    `length_s` (30, of a teaser 5 for each view) and `fps` (24, 8) are for timelapse and teaser. Without
    `from` and `to`, a teaser is of the last day.
    """

    model_config = ConfigDict(json_schema_extra=_describe)

    kind: ExportKind
    template_id: Ulid | None = None
    group: Group | None = None
    start: Annotated[Time | None, Field(alias="from")] = None
    end: Annotated[Time | None, Field(alias="to")] = None
    length_s: Annotated[float, Field(ge=1, le=MAX_LENGTH_S)] | None = None
    fps: Annotated[int, Field(ge=1, le=MAX_FPS), Whole] | None = None
    width: Annotated[int, Field(ge=MIN_WIDTH_PX, le=MAX_WIDTH_PX), Whole] | None = None
    show_time: bool = True

    def ask(self) -> ExportAsk:
        """Make what is asked for.

        Raises:
            InvalidInput: fields that do not fit the kind or each other.
        """
        self._check_subject()
        self._check_period()
        self._check_film()
        options = FilmOptions(
            length_s=self.length_s, fps=self.fps, width_px=self.width, show_time=self.show_time
        )
        return ExportAsk(
            kind=self.kind,
            template_id=TemplateId(self.template_id) if self.template_id else None,
            group=self.group,
            start=self.start,
            end=self.end,
            options=options,
        )

    def _check_subject(self) -> None:
        if self.kind in _OF_ONE_VIEW and (self.template_id is None or self.group is not None):
            raise InvalidInput.field("/template_id", f"A {self.kind} is of one template: give its id alone.")
        if self.kind == "teaser" and (self.group is None or self.template_id is not None):
            raise InvalidInput.field("/group", "A teaser is of a group: give its name alone.")
        if (self.template_id is None) == (self.group is None):
            raise InvalidInput.field("/template_id", "Give a template or a group, not both.")

    def _check_period(self) -> None:
        if (self.start is None) != (self.end is None) or (self.start is None and self.kind != "teaser"):
            missing = "/from" if self.start is None else "/to"
            raise InvalidInput.field(missing, "Say from when to when: give both `from` and `to`.")
        if self.start is None or self.end is None:
            return
        if self.start >= self.end:
            raise InvalidInput.field("/from", "`from` is later than `to`, or the same.")
        if self.kind == "video" and self.end - self.start > timedelta(days=MAX_VIDEO_DAYS):
            told = f"A video lasts as long as its time, {MAX_VIDEO_DAYS} days at most: take a timelapse."
            raise InvalidInput.field("/to", told)

    def _check_film(self) -> None:
        if self.kind not in _WITH_LENGTH:
            for name in ("length_s", "fps"):
                if getattr(self, name) is not None:
                    raise InvalidInput.field(f"/{name}", f"A {self.kind} has none: leave it out.")
        if self.kind == "zip" and self.width is not None:
            raise InvalidInput.field("/width", "A zip holds pictures as they were stored: leave it out.")


def parse_export(document: Mapping[str, object]) -> ExportAsk:
    """Make what is asked for of a document that did not come as the body of a request.

    Raises:
        InvalidInput: each error names its field.
    """
    try:
        return ExportForm.model_validate(document).ask()
    except ValidationError as error:
        raise refused(error) from None
