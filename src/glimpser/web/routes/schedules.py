"""Schedules: when views are captured again and again. Each goes by the id of its template."""

from typing import Annotated

from fastapi import Query, Response
from pydantic import AfterValidator

from glimpser.core.errors import InvalidInput
from glimpser.core.orders import SCHEDULE_ORDERS
from glimpser.core.schedule import MAX_CRON_CHARS, Timetable
from glimpser.web.routes.paging import SchedulePage
from glimpser.web.routes.parameters import ThisTemplate
from glimpser.web.shapes import JobStarted, Listing, Reply, SchedulePreview, schedule_view
from glimpser.web.wiring import By, Seen, Wired

PREVIEWED = 5


def _known_cron(text: str) -> str:
    try:
        Timetable(text)
    except InvalidInput as error:
        raise ValueError(error.detail) from None
    return text


Cron = Annotated[
    str,
    AfterValidator(_known_cron),
    Query(max_length=MAX_CRON_CHARS, description="Five or six fields, or @daily …."),
]


async def listing(services: Wired, page: SchedulePage, seen: Seen) -> Response:
    """List schedules, that of the oldest template first."""
    found = await services.schedules.all(within=seen)
    shown = SCHEDULE_ORDERS.read([schedule_view(one) for one in found], page)
    return Reply(Listing(items=shown.items, next_cursor=shown.next_cursor))


async def read(template_id: ThisTemplate, services: Wired, seen: Seen) -> Response:
    """Read the schedule of a template, with its next runs."""
    return Reply(schedule_view(await services.schedules.get(template_id, within=seen)))


async def trigger(template_id: ThisTemplate, services: Wired, by: By) -> Response:
    """Capture a view now, whatever its schedule says."""
    return Reply(JobStarted(job_id=await services.schedules.trigger(template_id, by=by)), status_code=202)


async def pause(template_id: ThisTemplate, services: Wired, by: By) -> Response:
    """Let no slot run until it is resumed."""
    return Reply(schedule_view(await services.schedules.pause(template_id, by=by)))


async def resume(template_id: ThisTemplate, services: Wired, by: By) -> Response:
    """Let slots run again; those that passed meanwhile are not made up for."""
    return Reply(schedule_view(await services.schedules.resume(template_id, by=by)))


async def preview(
    services: Wired, cron: Cron, timezone: Annotated[str, Query(max_length=100)] = "UTC"
) -> Response:
    """Say in words what a cron expression means, and when it is time next."""
    timetable = Timetable(cron, timezone)
    runs = timetable.upcoming(services.clock.now(), PREVIEWED)
    return Reply(SchedulePreview(in_words=timetable.in_words(), next_runs=runs))
