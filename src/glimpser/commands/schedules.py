"""`glimpser schedule …`: when views are captured, and what a cron expression means."""

import json
from datetime import UTC, datetime
from typing import Annotated

import typer

from glimpser.commands.jobs import with_work, written
from glimpser.commands.options import AsJson, DataDir, whoever_types
from glimpser.core.accounts import EVERYTHING
from glimpser.core.clock import SystemClock
from glimpser.core.errors import InvalidInput
from glimpser.core.ids import TemplateId, require_id
from glimpser.core.schedule import Timetable
from glimpser.services.schedule_plans import Upcoming

MAX_COUNT = 1000

schedule_commands = typer.Typer(help="When views are captured again and again.", no_args_is_help=True)

OfTemplate = Annotated[str, typer.Argument(metavar="TEMPLATE", help="The id of the template.")]


@schedule_commands.command("next")
def next_slots(
    cron: Annotated[str, typer.Argument(metavar="CRON", help="Five or six fields, or @daily …; quote it.")],
    timezone: Annotated[str, typer.Option(help="The clock it is about, an IANA name.")] = "UTC",
    since: Annotated[
        str | None, typer.Option("--from", help="A time to begin at, RFC 3339; now.", show_default=False)
    ] = None,
    count: Annotated[int, typer.Option(min=1, max=MAX_COUNT, help="So many slots.")] = 5,
    *,
    as_json: AsJson = False,
) -> None:
    """Say in words what a cron expression means, and when it is time next."""
    timetable = Timetable(cron, timezone)
    slots = timetable.upcoming(_moment(since), count)
    if as_json:
        document = {"in_words": timetable.in_words(), "next_runs": [written(slot) for slot in slots]}
        typer.echo(json.dumps(document, indent=2, ensure_ascii=False))
        return
    typer.echo(timetable.in_words())
    for slot in slots:
        typer.echo(f"{written(slot)}  {slot.astimezone(timetable.zone):%a %Y-%m-%d %H:%M:%S %Z}")


@schedule_commands.command("list")
def list_schedules(data_dir: DataDir = None, *, as_json: AsJson = False) -> None:
    """List all schedules."""
    found = with_work(data_dir, lambda work: work.schedules.all(within=EVERYTHING))
    if as_json:
        typer.echo(json.dumps([_values(one) for one in found], indent=2, ensure_ascii=False))
        return
    for one in found:
        typer.echo(_line(one))


@schedule_commands.command("pause")
def pause(template: OfTemplate, data_dir: DataDir = None, *, as_json: AsJson = False) -> None:
    """Let no slot run until it is resumed."""
    known = _id(template)
    _show(with_work(data_dir, lambda work: work.schedules.pause(known, by=whoever_types())), as_json=as_json)


@schedule_commands.command("resume")
def resume(template: OfTemplate, data_dir: DataDir = None, *, as_json: AsJson = False) -> None:
    """Let slots run again; those that passed meanwhile are not made up for."""
    known = _id(template)
    _show(with_work(data_dir, lambda work: work.schedules.resume(known, by=whoever_types())), as_json=as_json)


@schedule_commands.command("trigger")
def trigger(template: OfTemplate, data_dir: DataDir = None, *, as_json: AsJson = False) -> None:
    """Have the program that runs capture the view now; gives the job."""
    known = _id(template)
    job_id = with_work(data_dir, lambda work: work.schedules.trigger(known, by=whoever_types()))
    typer.echo(json.dumps({"job_id": job_id}) if as_json else job_id)


def _moment(text: str | None) -> datetime:
    if text is None:
        return SystemClock().now()
    try:
        moment = datetime.fromisoformat(text)
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return aware.astimezone(UTC)
    except (ValueError, OverflowError):
        raise InvalidInput.field("--from", "Write a time like 2026-03-29T00:00:00Z.") from None


def _id(text: str) -> TemplateId:
    return TemplateId(require_id(text, "template"))


def _show(found: Upcoming, *, as_json: bool) -> None:
    typer.echo(json.dumps(_values(found), indent=2, ensure_ascii=False) if as_json else _line(found))


def _line(found: Upcoming) -> str:
    is_off = not found.template.settings.enabled
    state = "off" if is_off else "paused" if found.state.paused else _next(found)
    return f"{found.template.id}  {state:20}  {found.template.settings.name}: {found.in_words}"


def _next(found: Upcoming) -> str:
    return written(found.next_runs[0]) or "" if found.next_runs else "never"


def _values(found: Upcoming) -> dict[str, object]:
    settings, state = found.template.settings, found.state
    return {
        "id": found.template.id,
        "template_id": found.template.id,
        "name": settings.name,
        "cron": settings.schedule,
        "timezone": settings.timezone,
        "enabled": settings.enabled,
        "paused": state.paused,
        "last_run": written(state.last_run_at),
        "next_run": written(found.next_runs[0]) if found.next_runs else None,
        "in_words": found.in_words,
    }
