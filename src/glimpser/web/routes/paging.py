"""Which page of a list is asked for: `limit`, `cursor` and `sort`, the same way for every list."""

from typing import Annotated

from fastapi import Depends, Query
from fastapi.params import Depends as Dependency

from glimpser.core.orders import (
    ALERT_ORDERS,
    API_KEY_ORDERS,
    AUDIT_ORDERS,
    CAPTURE_ORDERS,
    CHANNEL_ORDERS,
    EVENT_ORDERS,
    EXPORT_ORDERS,
    JOB_ORDERS,
    SCHEDULE_ORDERS,
    TEMPLATE_ORDERS,
    TICKET_ORDERS,
    USER_ORDERS,
)
from glimpser.core.pages import DEFAULT_LIMIT, MAX_LIMIT, Orders, PageRequest

MAX_CURSOR_CHARS = 4096
"""Enough for the longest name there can be, whatever it is written in."""

Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT, description="Items on a page.")]
Cursor = Annotated[
    str,
    Query(max_length=MAX_CURSOR_CHARS, description="`next_cursor` of the page before, in the same order."),
]


def paging(orders: Orders) -> Dependency:
    """Make the parameters of a list that can be read in these orders."""
    described = Query(
        description=f"What to order by; `-` is the other way round. Without it: `{orders.own}`.",
        json_schema_extra={"enum": list(orders.names)},
    )

    async def page(
        limit: Limit = DEFAULT_LIMIT,
        cursor: Cursor | None = None,
        sort: Annotated[str, described] | None = None,
    ) -> PageRequest:
        return orders.page(limit, sort=sort, cursor=cursor)

    dependency: Dependency = Depends(page)
    return dependency


EventPage = Annotated[PageRequest, paging(EVENT_ORDERS)]
CapturePage = Annotated[PageRequest, paging(CAPTURE_ORDERS)]
AlertPage = Annotated[PageRequest, paging(ALERT_ORDERS)]
ExportPage = Annotated[PageRequest, paging(EXPORT_ORDERS)]
JobPage = Annotated[PageRequest, paging(JOB_ORDERS)]
SchedulePage = Annotated[PageRequest, paging(SCHEDULE_ORDERS)]
ChannelPage = Annotated[PageRequest, paging(CHANNEL_ORDERS)]
TemplatePage = Annotated[PageRequest, paging(TEMPLATE_ORDERS)]
UserPage = Annotated[PageRequest, paging(USER_ORDERS)]
ApiKeyPage = Annotated[PageRequest, paging(API_KEY_ORDERS)]
AuditPage = Annotated[PageRequest, paging(AUDIT_ORDERS)]
TicketPage = Annotated[PageRequest, paging(TICKET_ORDERS)]
