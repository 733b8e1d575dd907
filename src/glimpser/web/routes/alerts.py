"""Alerts: whom the program told of what, and whether they were reached."""

from typing import Annotated

from fastapi import Query, Response

from glimpser.core.alerts import AlertFilter, AlertState
from glimpser.core.events import Level
from glimpser.core.ids import ChannelId, TemplateId
from glimpser.web.alert_forms import AlertTestForm
from glimpser.web.routes.paging import AlertPage
from glimpser.web.routes.parameters import OfTemplate, Period, ThisAlert
from glimpser.web.shapes import (
    AlertTestView,
    LevelName,
    Listing,
    Reply,
    alert_view,
    channel_test_view,
)
from glimpser.web.wiring import By, Seen, Wired


async def listing(
    services: Wired,
    page: AlertPage,
    period: Period,
    seen: Seen,
    *,
    template_id: OfTemplate | None = None,
    state: AlertState | None = None,
    level: Annotated[LevelName | None, Query(description="This level or higher.")] = None,
) -> Response:
    """List alerts, newest first, each with its deliveries."""
    where = AlertFilter(
        template_id=TemplateId(template_id) if template_id else None,
        state=state,
        level=Level[level.upper()] if level else None,
        start=period.start,
        end=period.end,
    )
    found = await services.alerting.alerts(where, page, within=seen)
    return Reply(Listing(items=[alert_view(alert) for alert in found.items], next_cursor=found.next_cursor))


async def read(alert_id: ThisAlert, services: Wired, seen: Seen) -> Response:
    """Read one alert."""
    return Reply(alert_view(await services.alerting.alert(alert_id, within=seen)))


async def acknowledge(alert_id: ThisAlert, services: Wired, by: By) -> Response:
    """Say that somebody has seen it. The first to say so is remembered; again changes nothing."""
    return Reply(alert_view(await services.alerting.acknowledge(alert_id, by=by)))


async def retry(alert_id: ThisAlert, services: Wired, by: By) -> Response:
    """Try the deliveries again that were given up. Those that still wait or have arrived are left alone."""
    return Reply(alert_view(await services.alerting.retry(alert_id, by=by)))


async def send_test(form: AlertTestForm, services: Wired, by: By) -> Response:
    """Send a message through channels at once, and tell what each came to. No alert is made."""
    chosen = (
        [ChannelId(channel_id) for channel_id in form.channel_ids] if form.channel_ids is not None else None
    )
    results = await services.channels.test(chosen, by=by, title=form.title, body=form.body)
    return Reply(AlertTestView(results=[channel_test_view(result) for result in results]))
