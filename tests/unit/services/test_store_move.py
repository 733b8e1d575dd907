"""From the store of before to the one of now."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from glimpser.cluster.local import LocalJobQueue
from glimpser.core.events import Artifact
from glimpser.core.keys import artifact_key
from glimpser.core.ports import Database
from glimpser.db import migrate, open_database
from glimpser.services.garbage import sweep_garbage
from glimpser.services.integrity import CheckLevel, check
from glimpser.services.jobs import Jobs
from glimpser.services.retention import SilentProgress
from glimpser.services.store_move import Bases, StoreMove, StoreMoveStarter
from glimpser.storage import open_files
from glimpser.storage.objects import OpenStore, open_store
from glimpser.storage.settings import StoreSettings
from glimpser.testing.clock import FakeClock
from tests.contract.given import add
from tests.contract.samples import artifact, at, settings_in

pytestmark = pytest.mark.anyio


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    migrate(settings_in(tmp_path))
    async with open_database(settings_in(tmp_path)) as opened:
        yield opened


def store_settings(directory: Path) -> StoreSettings:
    return StoreSettings(
        url=(directory / "now").as_uri(), former_url=(directory / "former").as_uri(), state=directory
    )


async def content(text: str) -> AsyncIterator[bytes]:
    yield text.encode()


async def stored_before(database: Database, directory: Path, count: int) -> list[Artifact]:
    made = []
    async with open_files(directory / "former") as former:
        for number in range(count):
            row = artifact(number)
            key = artifact_key(row.id, "jpg", row.created_at)
            stored = await former.put(key, content(f"picture {number}"), content_type=row.media_type)
            made.append(artifact(number, uri=stored.uri, size_bytes=stored.size_bytes, sha256=stored.sha256))
    await add(database, *made)
    return made


@asynccontextmanager
async def both(directory: Path) -> AsyncIterator[tuple[OpenStore, Bases]]:
    async with open_store(store_settings(directory)) as opened:
        assert opened.former_base_uri is not None
        yield opened, Bases(now=opened.base_uri, former=opened.former_base_uri)


def path_of(row: Artifact) -> Path:
    return Path(row.uri.removeprefix("file://"))


async def keys_in(directory: Path) -> list[str]:
    async with open_files(directory) as store:
        return [entry.key async for entry in store.list()]


async def test_everything_moves_with_its_key_and_the_old_is_garbage(
    database: Database, tmp_path: Path
) -> None:
    made = await stored_before(database, tmp_path, 40)
    async with both(tmp_path) as (opened, bases):
        moving = StoreMove(database, opened.store, bases)

        result = await moving.run(SilentProgress())

        assert result == {"moved": 40, "missing": 0, "damaged": 0}
        assert await moving.left() == 0
        assert await sweep_garbage(database, opened.store, now=at(100)) == 40
        assert (await check(database, opened.store, CheckLevel.HASH)).problems == ()
    assert await keys_in(tmp_path / "former") == []
    assert await keys_in(tmp_path / "now") == sorted(one.uri.removeprefix(bases.former) for one in made)


async def test_what_is_damaged_or_missing_stays_where_it_is_and_is_counted(
    database: Database, tmp_path: Path
) -> None:
    [damaged, missing, _] = await stored_before(database, tmp_path, 3)
    path_of(damaged).write_bytes(b"pictureX0")
    path_of(missing).unlink()
    async with both(tmp_path) as (opened, bases):
        result = await StoreMove(database, opened.store, bases).run(SilentProgress())

    assert result == {"moved": 1, "missing": 1, "damaged": 1}
    assert (await database.read(lambda tx: tx.artifacts.get(damaged.id))).uri == damaged.uri
    assert len(await keys_in(tmp_path / "now")) == 1


async def test_an_artifact_that_was_removed_meanwhile_leaves_no_copy(database: Database) -> None:
    gone = artifact()

    await database.write(lambda tx: tx.artifacts.relocate(gone.id, gone.uri, "memory:///copy"))

    assert await database.read(lambda tx: tx.garbage.list(9)) == ["memory:///copy"]


async def test_the_job_is_submitted_once_while_anything_is_left(database: Database, tmp_path: Path) -> None:
    clock = FakeClock()
    async with both(tmp_path) as (opened, bases):
        moving = StoreMove(database, opened.store, bases)
        jobs = Jobs(database, LocalJobQueue(), {}, clock=clock)
        starter = StoreMoveStarter(moving, jobs, database, bases, clock)

        assert await starter.submit() is None
        await stored_before(database, tmp_path, 1)
        first = await starter.submit()

        assert first is not None
        assert await starter.submit() == first


KILLED = """
import asyncio, sys
from pathlib import Path
from glimpser.core import failpoints
from glimpser.db import open_database
from glimpser.services.store_move import StoreMove
from glimpser.services.retention import SilentProgress
from tests.contract.samples import settings_in
from tests.unit.services.test_store_move import both

async def main() -> None:
    directory = Path(sys.argv[1])
    failpoints.arm(sys.argv[2])
    async with open_database(settings_in(directory)) as database, both(directory) as (opened, bases):
        await StoreMove(database, opened.store, bases).run(SilentProgress())

asyncio.run(main())
"""


@pytest.mark.parametrize("failpoint", ["move.copied:kill:2", "move.before_commit:kill:2"])
async def test_after_a_kill_the_next_run_ends_the_work(
    database: Database, tmp_path: Path, failpoint: str
) -> None:
    await stored_before(database, tmp_path, 40)

    killed = await asyncio.create_subprocess_exec(sys.executable, "-c", KILLED, str(tmp_path), failpoint)

    assert await killed.wait() == -signal.SIGKILL
    async with both(tmp_path) as (opened, bases):
        moving = StoreMove(database, opened.store, bases)
        assert await moving.left() == 24
        await moving.run(SilentProgress())
        await sweep_garbage(database, opened.store, now=at(100))
        assert (await check(database, opened.store, CheckLevel.HASH)).problems == ()
    assert len(await keys_in(tmp_path / "now")) == 40
