"""What the forms of requests are made of; the forms are in `…_forms`, by what they are about.

Unknown fields are refused, so that a typing error is not a silent no.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    StringConstraints,
    ValidationError,
)

from glimpser.core.errors import FieldError, InvalidInput
from glimpser.core.ids import ID_PATTERN, is_id

_DATE_TIME = re.compile(r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})", re.ASCII)
"""A time with its offset (RFC 3339, section 5.6). A number, which could be seconds since 1970, is none."""
_FIRST_TIME = datetime.min.replace(tzinfo=UTC) + timedelta(days=2)
_LAST_TIME = datetime.max.replace(tzinfo=UTC) - timedelta(days=2)


class Form(BaseModel):
    """JSON as it is: `"5"` is no number and `1` no boolean."""

    model_config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False, hide_input_in_errors=True)


def _ulid(text: str) -> str:
    if not is_id(text):
        raise ValueError("this is no id")
    return text


def _written_time(value: object) -> object:
    if not isinstance(value, str) or not _DATE_TIME.fullmatch(value):
        raise ValueError("write a time with its offset (RFC 3339)")
    return value


def _utc(moment: datetime) -> datetime:
    """Refuse what lies at the ends of the calendar, where some zone has no such day or none before it."""
    if not _FIRST_TIME <= moment <= _LAST_TIME:
        raise ValueError("This time lies outside the calendar.")
    return moment.astimezone(UTC)


Text = Annotated[str, StringConstraints(strip_whitespace=True)]
Name = Annotated[Text, Field(min_length=1, max_length=100)]
Group = Annotated[Text, Field(min_length=1, max_length=50)]


def _whole(value: object) -> object:
    """Take 60.0 for 60: to JSON Schema both are integers."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Whole = BeforeValidator(_whole)
"""Stands behind the bounds of an integer."""

Ulid = Annotated[str, AfterValidator(_ulid), Field(json_schema_extra={"pattern": ID_PATTERN})]
Time = Annotated[AwareDatetime, BeforeValidator(_written_time), AfterValidator(_utc), Field(strict=False)]
"""A time with its offset (RFC 3339), in UTC from here on."""
ReadOnly = Annotated[JsonValue, Field(description="Read-only: taken from an answer, ignored.")]


def refused(error: ValidationError) -> InvalidInput:
    """Name the fields of a document that cannot be used, and never what they hold."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    fields = [
        FieldError("".join(f"/{step}" for step in item["loc"]), item["msg"].removeprefix("Value error, "))
        for item in found
    ]
    return InvalidInput("Some fields cannot be used.", fields)


def merge_patch(target: object, patch: object) -> object:
    """Apply a JSON Merge Patch (RFC 7396, section 2): null removes, objects merge, all else replaces."""
    if not isinstance(patch, Mapping):
        return patch
    merged = dict(target) if isinstance(target, Mapping) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = merge_patch(merged.get(name), value)
    return merged
