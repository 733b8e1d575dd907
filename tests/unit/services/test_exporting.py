"""Exports as jobs: run by the runner, cancelled, deleted, made every night."""

import asyncio
import csv
import io
import json
import zipfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from glimpser.core.accounts import EVERYTHING, Scope
from glimpser.core.errors import InvalidInput, NotFound
from glimpser.core.exports import DailyTimelapse
from glimpser.core.ids import TemplateId
from glimpser.core.pages import PageRequest
from glimpser.services.audit import Actor
from glimpser.services.exports import ExportAsk
from glimpser.services.nightly_exports import NightlyExports
from glimpser.services.zip_stream import ZipStream
from tests.contract.samples import START, at
from tests.export_world import ADA, VIEW, ExportWorld, decoded, jpeg, open_exports

pytestmark = pytest.mark.anyio

OTHER = TemplateId("01JQ0000000000000000000002")


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[ExportWorld]:
    async with open_exports(tmp_path) as opened:
        await opened.add_view(groups=("street",))
        yield opened


@asynccontextmanager
async def running(world: ExportWorld) -> AsyncIterator[None]:
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(world.job_runner.run())
        try:
            yield
        finally:
            task.cancel()


async def test_two_at_once_are_both_made(world: ExportWorld) -> None:
    await world.add_view(OTHER)
    await world.add_pictures(range(0, 100, 10))
    await world.add_pictures([number + 0.5 for number in range(0, 100, 10)], view=OTHER)
    ask = ExportAsk(kind="video", template_id=OTHER, start=at(0), end=at(3600))
    asked = [await world.ask("timelapse", length_s=1), await world.exports.create(ask, by=ADA)]

    async with running(world):
        jobs = [await world.settled(one) for one in asked]

    assert [job.status for job in jobs] == ["success", "success"]
    assert len(await world.keys()) == 2
    assert world.leftovers() == []


async def test_one_that_is_cancelled_in_the_middle_leaves_nothing(world: ExportWorld) -> None:
    await world.add_pictures(range(0, 3000, 2))
    found = await world.ask("video")

    async with running(world):
        async with asyncio.timeout(60):
            while not (await world.job_of(found)).progress:
                world.clock.advance(1)
                await asyncio.sleep(0.01)
        await world.jobs.cancel(found.export.job_id, by=ADA)
        job = await world.settled(found)

    assert job.status == "cancelled"
    again = await world.exports.get(found.export.id, within=EVERYTHING)
    assert (again.export.status, again.file) == ("cancelled", None)
    assert await world.keys() == []
    assert world.leftovers() == []


async def test_a_view_that_was_deleted_still_has_its_pictures(world: ExportWorld) -> None:
    await world.add_pictures(range(0, 100, 10))
    found = await world.ask("timelapse", length_s=1)
    await world.database.write(lambda tx: tx.templates.remove(VIEW, expected=1))

    result = await world.run(found)

    assert result["pictures"] == 10


async def test_deleting_takes_the_file_with_it(world: ExportWorld) -> None:
    await world.add_pictures([0, 10])
    found = await world.ask("zip")
    made = await world.file_of(found.export, await world.run(found))

    await world.exports.remove(found.export.id, by=ADA)

    with pytest.raises(NotFound):
        await world.exports.get(found.export.id, within=EVERYTHING)
    assert list(await world.database.read(lambda tx: tx.garbage.list(9))) == [made.artifact.uri]


async def test_one_deleted_while_it_is_made_leaves_only_garbage(world: ExportWorld) -> None:
    await world.add_pictures([0, 10])
    found = await world.ask("zip")
    made = await world.job_of(found)
    await world.exports.remove(found.export.id, by=ADA)

    with pytest.raises(Exception, match="deleted"):
        await world.exporting.run(made, world.told)

    assert await world.keys() == []


async def test_making_it_again_after_a_crash_is_making_it_once(world: ExportWorld) -> None:
    await world.add_pictures([0, 10])
    found = await world.ask("zip")

    first, second = await world.run(found), await world.run(found)

    assert first == second
    assert len(await world.keys()) == 1


async def test_an_archive_has_every_picture_and_an_index_that_tells_of_the_others(world: ExportWorld) -> None:
    kept = await world.add_pictures([0, 60])
    gone = await world.add_picture(90, jpeg(9))
    await world.store.delete(gone.uri)

    made = await world.made("zip")

    with zipfile.ZipFile(made.path) as archive:
        assert archive.testzip() is None
        rows = json.loads(archive.read("index.json"))
        lines = list(csv.DictReader(io.StringIO(archive.read("index.csv").decode())))
        names = archive.namelist()
    assert [row["artifact_id"] for row in rows] == [*(one.id for one in kept), gone.id]
    assert [row["state"] for row in rows] == ["stored", "stored", "missing"]
    assert [line["file"] for line in lines] == [*(row["file"] for row in rows[:2]), ""]
    assert names == [rows[0]["file"], rows[1]["file"], "index.csv", "index.json"]
    assert (made.result["pictures"], made.result["missing"]) == (2, 1)


async def test_a_hostile_name_is_no_formula_and_no_path(world: ExportWorld) -> None:
    hostile = '=HYPERLINK("x")/../../etc'
    await world.add_view(OTHER, name=hostile, groups=("yard",))
    await world.add_picture(1, jpeg(9), view=OTHER)
    ask = ExportAsk(kind="zip", group="yard", start=at(0), end=at(9))
    found = await world.exports.create(ask, by=ADA)

    made = await world.file_of(found.export, await world.run(found))

    with zipfile.ZipFile(made.path) as archive:
        [line] = csv.DictReader(io.StringIO(archive.read("index.csv").decode()))
        assert archive.namelist()[0].startswith("HYPERLINK-x-..-..-etc_")
    assert line["template"] == f"'{hostile}"


async def test_a_teaser_joins_the_newest_seconds_of_each_view(world: ExportWorld) -> None:
    await world.add_view(OTHER, name="Yard", groups=("street",))
    await world.add_pictures(range(100))
    await world.add_pictures([0.5, 1.5], view=OTHER)
    ask = ExportAsk(kind="teaser", group="street", start=at(0), end=at(3600))
    found = await world.exports.create(ask, by=ADA)

    made = await world.file_of(found.export, await world.run(found))

    assert len(decoded(made.path).times_s) == 40 + 2
    assert (made.result["views"], made.result["empty_views"]) == (2, 0)


async def test_nobody_asks_for_or_sees_what_is_not_theirs(world: ExportWorld) -> None:
    await world.add_pictures([0])
    found = await world.ask("zip")
    ann = Actor("ann", scope=Scope(("yard",)))

    with pytest.raises(NotFound):
        await world.exports.get(found.export.id, within=ann.scope)
    with pytest.raises(NotFound):
        await world.exports.remove(found.export.id, by=ann)
    assert (await world.exports.list(PageRequest(), within=ann.scope)).items == []
    for ask in (ExportAsk(kind="zip", template_id=VIEW), ExportAsk(kind="zip", group="street")):
        with pytest.raises(InvalidInput):
            await world.exports.create(ask, by=ann)
    bea = Actor("bea", scope=Scope(("street",)))
    assert len((await world.exports.list(PageRequest(), within=bea.scope)).items) == 1


async def test_each_day_of_a_view_becomes_a_film_once(world: ExportWorld) -> None:
    await world.add_view(OTHER, timezone="Europe/Berlin", timelapse=DailyTimelapse(length_s=5, fps=10))
    nightly = NightlyExports(world.database, world.exports, world.jobs, clock=world.clock, groups=("street",))

    assert [await nightly.submit(), await nightly.submit()] == [2, 0]
    world.clock.advance(5 * 86_400)
    assert [await nightly.submit(), await nightly.submit()] == [2, 0]

    found = (await world.exports.list(PageRequest(), within=EVERYTHING)).items
    first = next(one.export for one in reversed(found) if one.export.kind == "timelapse")
    # The clocks of Berlin went forward that day: it has 23 hours.
    assert (first.end - first.start).total_seconds() == 23 * 3600
    assert START.date() == first.end.date()


def test_an_archive_of_many_entries_behind_four_gigabytes_is_read_by_others(tmp_path: Path) -> None:
    path, begin = tmp_path / "far.zip", (1 << 32) + 12345
    archive = ZipStream(offset_bytes=begin)
    with path.open("wb") as file:
        file.seek(begin)  # a hole: it takes no room
        file.writelines(archive.entry(f"ü{number}", b"%d" % number, START) for number in range(66_000))
        file.write(archive.end())

    with zipfile.ZipFile(path) as read:
        assert len(read.namelist()) == 66_000
        assert read.read("ü65999") == b"65999"
