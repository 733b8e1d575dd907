"""What happened, and what was captured."""

from typing import Annotated

from fastapi import Query, Response

from glimpser.core.errors import InvalidInput
from glimpser.core.events import EventFilter, Level
from glimpser.core.ids import TemplateId
from glimpser.web.forms import Time
from glimpser.web.routes.parameters import OfTemplate, Paging, ThisCapture, ThisEvent
from glimpser.web.shapes import LevelName, Listing, Reply, capture_view, event_view
from glimpser.web.wiring import Wired


async def listing(
    services: Wired,
    page: Paging,
    *,
    template_id: OfTemplate | None = None,
    kind: Annotated[str | None, Query(max_length=64)] = None,
    level: Annotated[LevelName | None, Query(description="This level or higher.")] = None,
    start: Annotated[Time | None, Query(alias="from", description="Inclusive.")] = None,
    end: Annotated[Time | None, Query(alias="to", description="Exclusive.")] = None,
    q: Annotated[str | None, Query(max_length=200, description="Text in the message.")] = None,
) -> Response:
    """List events, newest first."""
    if start and end and start > end:
        raise InvalidInput.field("/from", "`from` is later than `to`.")
    where = EventFilter(
        template_id=TemplateId(template_id) if template_id else None,
        kind=kind,
        level=Level[level.upper()] if level else None,
        start=start,
        end=end,
        text=q,
    )
    found = await services.history.events(where, page)
    return Reply(Listing(items=[event_view(event) for event in found.items], next_cursor=found.next_cursor))


async def read(event_id: ThisEvent, services: Wired) -> Response:
    """Read one event."""
    return Reply(event_view(await services.history.event(event_id)))


async def captures(services: Wired, page: Paging, template_id: OfTemplate | None = None) -> Response:
    """List captures, newest first."""
    found, uris = await services.history.captures(TemplateId(template_id) if template_id else None, page)
    items = [capture_view(capture, uris) for capture in found.items]
    return Reply(Listing(items=items, next_cursor=found.next_cursor))


async def capture(capture_id: ThisCapture, services: Wired) -> Response:
    """Read one capture."""
    found, uris = await services.history.capture(capture_id)
    return Reply(capture_view(found, uris))
