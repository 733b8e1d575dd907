"""What schedules look like."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from glimpser.core.schedule import Action, CatchUp
from glimpser.services.schedule_plans import Upcoming
from glimpser.web.shapes.listing import Listing


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleView:
    """When a view is captured; jitter comes on top of `next_runs`. `id` is that of its template."""

    id: str
    template_id: str
    cron: str
    timezone: str
    jitter_ms: int
    action: Action
    duration_s: float | None
    catch_up: CatchUp
    enabled: bool
    paused: bool
    last_run: datetime | None
    last_job_id: str | None
    next_run: datetime | None
    next_runs: Sequence[datetime]
    in_words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleList(Listing[ScheduleView]):
    """Schedules, that of the oldest template first."""

    items: Sequence[ScheduleView]


@dataclass(frozen=True, slots=True, kw_only=True)
class SchedulePreview:
    """What a cron expression means."""

    in_words: str
    next_runs: Sequence[datetime]


def schedule_view(found: Upcoming) -> ScheduleView:
    settings, state = found.template.settings, found.state
    return ScheduleView(
        id=found.template.id,
        template_id=found.template.id,
        cron=settings.schedule or "",
        timezone=settings.timezone,
        jitter_ms=settings.jitter_ms,
        action=settings.action,
        duration_s=settings.duration_s,
        catch_up=settings.catch_up,
        enabled=settings.enabled,
        paused=state.paused,
        last_run=state.last_run_at,
        last_job_id=state.last_job_id,
        next_run=found.next_runs[0] if found.next_runs else None,
        next_runs=found.next_runs,
        in_words=found.in_words,
    )
