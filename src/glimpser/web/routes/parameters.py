"""Path and query parameters that several routes take, as types that parse them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Header, Path, Query
from pydantic import AfterValidator

from glimpser.core.errors import InvalidInput
from glimpser.core.ids import (
    ID_PATTERN,
    AlertId,
    ApiKeyId,
    ArtifactId,
    CaptureId,
    ChannelId,
    EventId,
    ExportId,
    JobId,
    StreamTicketId,
    TemplateId,
    UserId,
    is_id,
    require_id,
)
from glimpser.web.forms import Time

MAX_WIDTH_PX = 10_000

Ulid = Annotated[str, Path(description="ULID", json_schema_extra={"pattern": ID_PATTERN})]
"""An id of no right form names nothing: 404, as one that nothing has."""


async def _template_id(template_id: Ulid) -> TemplateId:
    return TemplateId(require_id(template_id, "template"))


async def _event_id(event_id: Ulid) -> EventId:
    return EventId(require_id(event_id, "event"))


async def _capture_id(capture_id: Ulid) -> CaptureId:
    return CaptureId(require_id(capture_id, "capture"))


async def _artifact_id(artifact_id: Ulid) -> ArtifactId:
    return ArtifactId(require_id(artifact_id, "artifact"))


async def _alert_id(alert_id: Ulid) -> AlertId:
    return AlertId(require_id(alert_id, "alert"))


async def _user_id(user_id: Ulid) -> UserId:
    return UserId(require_id(user_id, "user"))


async def _key_id(key_id: Ulid) -> ApiKeyId:
    return ApiKeyId(require_id(key_id, "API key"))


async def _stream_ticket_id(ticket_id: Ulid) -> StreamTicketId:
    return StreamTicketId(require_id(ticket_id, "ticket"))


async def _channel_id(channel_id: Ulid) -> ChannelId:
    return ChannelId(require_id(channel_id, "channel"))


async def _job_id(job_id: Ulid) -> JobId:
    return JobId(require_id(job_id, "job"))


async def _export_id(export_id: Ulid) -> ExportId:
    return ExportId(require_id(export_id, "export"))


@dataclass(frozen=True, slots=True)
class Interval:
    """`start` inclusive, `end` exclusive."""

    start: datetime | None
    end: datetime | None


async def _interval(
    start: Annotated[Time | None, Query(alias="from", description="Inclusive.")] = None,
    end: Annotated[Time | None, Query(alias="to", description="Exclusive.")] = None,
) -> Interval:
    if start and end and start > end:
        raise InvalidInput.field("/from", "`from` is later than `to`.")
    return Interval(start, end)


def _known_form(text: str) -> TemplateId:
    if not is_id(text):
        raise ValueError("This is not the id of a template.")
    return TemplateId(text)


ThisTemplate = Annotated[TemplateId, Depends(_template_id)]
ThisEvent = Annotated[EventId, Depends(_event_id)]
ThisCapture = Annotated[CaptureId, Depends(_capture_id)]
ThisArtifact = Annotated[ArtifactId, Depends(_artifact_id)]
ThisAlert = Annotated[AlertId, Depends(_alert_id)]
ThisUser = Annotated[UserId, Depends(_user_id)]
ThisApiKey = Annotated[ApiKeyId, Depends(_key_id)]
ThisChannel = Annotated[ChannelId, Depends(_channel_id)]
ThisStreamTicket = Annotated[StreamTicketId, Depends(_stream_ticket_id)]
ThisJob = Annotated[JobId, Depends(_job_id)]
ThisExport = Annotated[ExportId, Depends(_export_id)]
Period = Annotated[Interval, Depends(_interval)]
OfTemplate = Annotated[
    str,
    AfterValidator(_known_form),
    Query(description="Of this template only.", json_schema_extra={"pattern": ID_PATTERN}),
]
IfMatch = Annotated[str | None, Header(description="The ETag of the version to change.")]
"""Described as required, which it is; leaving it out is 428 and not 422."""
IfNoneMatch = Annotated[str | None, Header(description="The ETag that is known already.")]
Width = Annotated[
    int, Query(ge=1, le=MAX_WIDTH_PX, description="Pixels; rounded up to 320, 640, 1280 or full.")
]
Rate = Annotated[
    float, Query(gt=0, le=60, allow_inf_nan=False, description="At most so many frames a second.")
]
