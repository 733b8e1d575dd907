"""Schedules: every slot once, whatever happens to the program or the clock."""

import asyncio
from collections.abc import AsyncIterator
from datetime import time, timedelta
from pathlib import Path

import pytest

from glimpser.core import failpoints
from glimpser.core.accounts import EVERYTHING, AuditFilter
from glimpser.core.errors import Conflict, NotFound, Unavailable
from glimpser.core.ids import TemplateId, new_id
from glimpser.core.pages import PageRequest
from glimpser.core.schedule import Window
from glimpser.services.audit import Actor
from glimpser.services.schedules import OVERLAP
from tests.schedule_world import ScheduleWorld, open_schedule_world

pytestmark = pytest.mark.anyio

ADA = Actor("ada@example.org")


@pytest.fixture
async def world(data_dir: Path) -> AsyncIterator[ScheduleWorld]:
    async with open_schedule_world(data_dir) as opened:
        yield opened


async def test_each_slot_becomes_one_job_that_names_it(world: ScheduleWorld) -> None:
    view = await world.add("* * * * *", action="record", duration_s=5.0)

    for _ in range(3):
        await world.after(60)
        await world.finish_all()

    runs = await world.runs()
    assert [job.payload for job in runs] == [
        {"action": "record", "duration_s": 5.0, "slot": f"20260101T120{minute}00Z"} for minute in (1, 2, 3)
    ]
    assert {job.template_id for job in runs} == {view}
    state = await world.state(view)
    assert (state.settled_until, state.last_run_at) == (world.clock.now(), world.clock.now())
    assert state.last_job_id == runs[-1].id


async def test_nothing_runs_before_its_time(world: ScheduleWorld) -> None:
    await world.add()

    await world.after(59.9)

    assert await world.runs() == []


@pytest.mark.parametrize("changes", [{"enabled": False}, {"cron": None}], ids=str)
async def test_without_a_schedule_or_switched_off_nothing_runs(
    world: ScheduleWorld, changes: dict[str, object]
) -> None:
    await world.add(**changes)  # type: ignore[arg-type] # fitting ones

    await world.after(600)

    assert await world.runs() == []


async def test_a_run_waits_for_its_jitter_and_keeps_its_slot(world: ScheduleWorld) -> None:
    await world.add("*/10 * * * *", jitter_ms=300_000)

    await world.after(600)
    at_the_slot = await world.slots()
    await world.after(300)

    assert (at_the_slot, await world.slots()) == ([], ["20260101T121000Z"])


async def test_slots_outside_all_windows_do_not_run(world: ScheduleWorld) -> None:
    await world.add("0 * * * *", schedule_windows=(Window(start=time(14), end=time(15)),))

    for _ in range(5):
        await world.after(3600)

    assert await world.slots() == ["20260101T140000Z"]


async def test_while_a_capture_goes_on_the_next_is_skipped(world: ScheduleWorld) -> None:
    await world.add()
    await world.after(60)

    await world.after(60)
    await world.finish_all()
    await world.after(60)

    runs = await world.runs()
    assert [(job.status, job.error) for job in runs] == [
        ("success", None),
        ("skipped", OVERLAP),
        ("pending", None),
    ]
    assert runs[1].ended_at is not None
    assert world.counts.ended == ["skipped"]


async def test_a_view_is_not_held_up_by_another(world: ScheduleWorld) -> None:
    await world.add()
    await world.add()

    await world.after(60)

    assert [job.status for job in await world.runs()] == ["pending", "pending"]


async def test_a_change_of_the_schedule_begins_anew(world: ScheduleWorld) -> None:
    view = await world.add("0 * * * *")
    await world.after(50 * 60)

    await world.change(view, schedule="*/5 * * * *")
    await world.after(5 * 60)

    assert await world.slots() == ["20260101T125500Z"]


async def test_a_removed_template_runs_no_more(world: ScheduleWorld) -> None:
    view = await world.add()
    await world.database.write(lambda tx: tx.templates.remove(view, expected=1))
    world.schedules.changed(view)

    await world.after(600)

    assert await world.runs() == []
    assert await world.database.read(lambda tx: tx.schedules.get(view)) is None


# What was missed --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("policy", "made_up"), [("one", ["20260101T120100Z"]), ("none", [])])
async def test_after_a_downtime_what_was_missed_runs_once_or_not_at_all(
    world: ScheduleWorld, policy: str, made_up: list[str]
) -> None:
    await world.add(catch_up=policy)
    world.clock.advance(3635)

    for _ in range(2):
        world.restarted()
        await world.settle()
        await world.after(10)  # the start is spread
    caught_up = await world.slots()
    await world.finish_all()
    await world.after(20)

    assert caught_up == made_up
    assert await world.slots() == [*made_up, "20260101T130100Z"]


async def test_a_slot_that_comes_a_little_late_is_not_missed(world: ScheduleWorld) -> None:
    await world.add(catch_up="none")
    world.clock.advance(60 + 29)

    world.restarted()
    await world.settle()

    assert await world.slots() == ["20260101T120100Z"]


async def test_behind_what_was_missed_a_slot_that_is_hardly_late_still_runs(world: ScheduleWorld) -> None:
    await world.add(catch_up="none")
    world.clock.advance(3600 + 26)

    world.restarted()
    await world.settle()

    assert await world.slots() == ["20260101T130000Z"]


async def test_what_is_missed_by_many_does_not_begin_all_at_once(world: ScheduleWorld) -> None:
    for _ in range(20):
        await world.add()
    world.clock.advance(3600)
    world.restarted()

    counts = []
    for _ in range(11):
        await world.settle()
        counts.append(len(await world.runs()))
        world.clock.advance(1)

    assert counts[0] < 10
    assert counts[-1] == 20


async def test_a_clock_that_is_set_forward_has_missed_what_lay_between(world: ScheduleWorld) -> None:
    await world.add(catch_up="one")
    world.clock.jump(3600)
    await world.settle()
    await world.finish_all()

    await world.after(60)

    assert await world.slots() == ["20260101T120100Z", "20260101T130100Z"]


async def test_a_clock_that_is_set_back_repeats_nothing(world: ScheduleWorld) -> None:
    await world.add()
    await world.after(60)
    await world.finish_all()

    world.clock.jump(-3600)
    for _ in range(60):
        await world.after(60)
    before = await world.slots()
    await world.after(60)

    assert before == ["20260101T120100Z"]
    assert await world.slots() == ["20260101T120100Z", "20260101T120200Z"]


async def test_a_clock_that_was_years_ahead_does_not_silence_a_schedule(world: ScheduleWorld) -> None:
    world.clock.jump(10 * 365 * 86_400)
    await world.add()
    await world.after(60)
    await world.finish_all()

    world.clock.jump(-10 * 365 * 86_400)
    await world.settle()
    await world.after(60)

    assert "20260101T120200Z" in await world.slots()


# Once and no more -------------------------------------------------------------------------------------


async def test_two_programs_write_a_slot_once(world: ScheduleWorld) -> None:
    await world.add()
    first, second = world.schedules, world.restarted()
    await second.step()

    world.clock.advance(60)
    await asyncio.gather(first.step(), second.step())

    assert len(await world.runs()) == 1


async def test_what_the_database_cannot_take_now_is_written_later(world: ScheduleWorld) -> None:
    await world.add()
    world.clock.advance(60)
    failpoints.arm("schedule.before_commit:raise:1")
    try:
        with pytest.raises(Unavailable):
            await world.schedules.step()
        nothing = await world.runs()
        await world.settle()
    finally:
        failpoints.arm("")

    assert (nothing, await world.slots()) == ([], ["20260101T120100Z"])


async def test_more_than_a_batch_is_written_in_turns(
    world: ScheduleWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("glimpser.services.schedules.BATCH", 3)
    for _ in range(8):
        await world.add()

    await world.after(60)

    assert len(await world.runs()) == 8


async def test_run_goes_on_by_itself(world: ScheduleWorld) -> None:
    await world.add()
    world.clock.advance(60)

    async with asyncio.TaskGroup() as tasks, asyncio.timeout(10):
        task = tasks.create_task(world.restarted().run())
        while not await world.runs():  # noqa: ASYNC110 (a row, which no event tells of)
            await asyncio.sleep(0.01)
        task.cancel()


# What people do ---------------------------------------------------------------------------------------


async def audited(world: ScheduleWorld) -> list[str]:
    page = await world.database.read(lambda tx: tx.audit.list(AuditFilter(), PageRequest()))
    return sorted(entry.action for entry in page.items)


async def test_a_paused_schedule_rests_and_makes_up_for_nothing(world: ScheduleWorld) -> None:
    view = await world.add()

    for _ in range(2):
        paused = await world.schedules.pause(view, by=ADA)
    await world.after(600)
    resting = (await world.slots(), world.schedules.is_paused(view))
    resumed = await world.schedules.resume(view, by=ADA)
    await world.after(60)

    assert (paused.next_runs, resting) == ((), ([], True))
    assert resumed.next_runs[0] == world.clock.now()
    assert await world.slots() == ["20260101T121100Z"]
    assert await audited(world) == ["schedule.paused", "schedule.resumed"]


async def test_a_pause_outlives_the_program(world: ScheduleWorld) -> None:
    view = await world.add()
    await world.schedules.pause(view, by=ADA)

    world.restarted()
    await world.settle()
    await world.after(600)

    assert await world.runs() == []


async def test_a_pause_by_another_process_is_seen(world: ScheduleWorld) -> None:
    view = await world.add()
    here = world.schedules
    await world.restarted().pause(view, by=ADA)
    world.schedules = here

    await world.after(5)
    await world.after(600)

    assert await world.runs() == []


async def test_a_trigger_captures_now(world: ScheduleWorld) -> None:
    view = await world.add(cron=None)

    job_id = await world.schedules.trigger(view, by=ADA)

    [job] = await world.runs()
    assert (job.id, job.template_id, job.payload) == (job_id, view, {"action": "snapshot"})
    assert await audited(world) == ["schedule.triggered"]


async def test_what_cannot_be_done_is_refused(world: ScheduleWorld) -> None:
    off, unscheduled = await world.add(enabled=False), await world.add(cron=None)

    with pytest.raises(Conflict, match="switched off"):
        await world.schedules.trigger(off, by=ADA)
    for view in (unscheduled, TemplateId(new_id())):
        with pytest.raises(NotFound):
            await world.schedules.pause(view, by=ADA)
        with pytest.raises(NotFound):
            await world.schedules.get(view, within=EVERYTHING)

    assert await world.runs() == []


async def test_says_what_comes_next(world: ScheduleWorld) -> None:
    view = await world.add("0 9 * * *", timezone="Europe/Berlin")
    await world.add(cron=None)

    shown, everything = (
        await world.schedules.get(view, within=EVERYTHING),
        await world.schedules.all(within=EVERYTHING),
    )

    day = timedelta(days=1)
    first = world.clock.now().replace(hour=8) + day
    assert list(shown.next_runs) == [first + number * day for number in range(5)]
    assert shown.in_words == "At 09:00 every day (Europe/Berlin)"
    assert [one.template.id for one in everything] == [view]
