"""From a template to its schedule: what its times are reckoned from, how far they have come, what is next."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from glimpser.core.errors import InvalidInput, NotFound
from glimpser.core.ids import TemplateId
from glimpser.core.pages import MAX_LIMIT, PageRequest, decode_cursor
from glimpser.core.repositories import Transaction
from glimpser.core.schedule import Timetable
from glimpser.core.schedule_state import ScheduleState
from glimpser.core.templates import Template, TemplateFilter, TemplateSettings

States = Mapping[TemplateId, ScheduleState]


@dataclass(frozen=True, slots=True, kw_only=True)
class Upcoming:
    """A schedule as people see it."""

    template: Template
    state: ScheduleState
    next_runs: Sequence[datetime]
    in_words: str


def plan_of(settings: TemplateSettings) -> str:
    """Say in full what times follow from; a schedule whose plan is another one begins anew."""
    windows = msgspec.to_builtins(settings.schedule_windows)
    plan = (settings.schedule, settings.timezone, windows, settings.enabled)
    return msgspec.json.encode(plan).decode()


def new_state(template: Template, now: datetime) -> ScheduleState:
    """Make the state of a schedule that begins now."""
    return ScheduleState(template_id=template.id, plan=plan_of(template.settings), settled_until=now)


def upcoming_of(template: Template, state: ScheduleState | None, now: datetime, *, runs: int) -> Upcoming:
    """Say what comes next, without jitter; nothing while it is paused or the view switched off."""
    settings, state = template.settings, state or new_state(template, now)
    try:
        timetable = Timetable(settings.schedule or "", settings.timezone, settings.schedule_windows)
    except InvalidInput as error:
        return Upcoming(template=template, state=state, next_runs=(), in_words=error.detail)
    is_on = settings.enabled and not state.paused
    return Upcoming(
        template=template,
        state=state,
        next_runs=timetable.upcoming(max(now, state.settled_until), runs) if is_on else (),
        in_words=timetable.in_words(),
    )


def read_all(tx: Transaction) -> tuple[list[Template], States]:
    """Read the templates that have a schedule, the oldest first, and all states."""
    found: list[Template] = []
    after: str | None = None
    while True:
        page = tx.templates.list(TemplateFilter(), PageRequest(MAX_LIMIT, after))
        found.extend(template for template in page.items if template.settings.schedule is not None)
        if page.next_cursor is None:
            return found, {state.template_id: state for state in tx.schedules.all()}
        after = decode_cursor(page.next_cursor)


def read_some(tx: Transaction, template_ids: Sequence[TemplateId]) -> tuple[list[Template], States]:
    """Read those of some templates that are there and have a schedule, and their states."""
    found: list[Template] = []
    states: dict[TemplateId, ScheduleState] = {}
    for template_id in template_ids:
        try:
            template = tx.templates.get(template_id)
        except NotFound:
            continue
        if template.settings.schedule is not None:
            found.append(template)
            state = tx.schedules.get(template_id)
            states |= {template_id: state} if state else {}
    return found, states
