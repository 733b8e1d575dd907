"""What happened, and what was captured."""

from typing import Annotated

from fastapi import Query, Response

from glimpser.core.events import EventFilter, Level
from glimpser.core.ids import TemplateId
from glimpser.web.routes.paging import CapturePage, EventPage
from glimpser.web.routes.parameters import OfTemplate, Period, ThisCapture, ThisEvent
from glimpser.web.shapes import LevelName, Listing, Reply, capture_view, event_item, event_view
from glimpser.web.wiring import Seen, Wired


async def listing(
    services: Wired,
    page: EventPage,
    period: Period,
    seen: Seen,
    *,
    template_id: OfTemplate | None = None,
    kind: Annotated[str | None, Query(max_length=64)] = None,
    level: Annotated[LevelName | None, Query(description="This level or higher.")] = None,
    q: Annotated[str | None, Query(max_length=200, description="Text in the message.")] = None,
) -> Response:
    """List events, newest first."""
    where = EventFilter(
        template_id=TemplateId(template_id) if template_id else None,
        kind=kind,
        level=Level[level.upper()] if level else None,
        start=period.start,
        end=period.end,
        text=q,
    )
    found = await services.history.events(where, page, within=seen)
    return Reply(Listing(items=[event_item(line) for line in found.items], next_cursor=found.next_cursor))


async def read(event_id: ThisEvent, services: Wired, seen: Seen) -> Response:
    """Read one event."""
    return Reply(event_view(await services.history.event(event_id, within=seen)))


async def captures(
    services: Wired,
    page: CapturePage,
    seen: Seen,
    template_id: OfTemplate | None = None,
) -> Response:
    """List captures, newest first."""
    found, uris = await services.history.captures(
        TemplateId(template_id) if template_id else None, page, within=seen
    )
    items = [capture_view(capture, uris) for capture in found.items]
    return Reply(Listing(items=items, next_cursor=found.next_cursor))


async def capture(capture_id: ThisCapture, services: Wired, seen: Seen) -> Response:
    """Read one capture."""
    found, uris = await services.history.capture(capture_id, within=seen)
    return Reply(capture_view(found, uris))
