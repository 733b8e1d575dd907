"""Moving to S3 and back, proof of what lies there, and reading while somebody deletes: the real client."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from glimpser.core.errors import NotFound, Unavailable
from glimpser.core.events import Artifact
from glimpser.core.keys import artifact_key
from glimpser.core.ports import Database, ObjectStore
from glimpser.db import migrate, open_database
from glimpser.services.garbage import sweep_garbage
from glimpser.services.integrity import CheckLevel, check
from glimpser.services.retention import SilentProgress
from glimpser.services.store_move import Bases, StoreMove
from glimpser.storage.objects import OpenStore, open_store
from glimpser.storage.settings import StoreSettings
from tests.contract.given import add
from tests.contract.samples import artifact, at, settings_in
from tests.s3_service import S3Service, s3_service

pytestmark = pytest.mark.anyio

LEVELS = tuple(CheckLevel)


@pytest.fixture(scope="module")
def service() -> Iterator[S3Service]:
    with s3_service() as running:
        yield running


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    migrate(settings_in(tmp_path))
    async with open_database(settings_in(tmp_path)) as opened:
        yield opened


async def content(data: bytes) -> AsyncIterator[bytes]:
    yield data


async def read(store: ObjectStore, uri: str) -> bytes:
    return b"".join([piece async for piece in store.get(uri)])


async def keep(database: Database, store: ObjectStore, count: int) -> list[Artifact]:
    """Store pictures with their rows."""
    made = []
    for number in range(count):
        row = artifact(number)
        key = artifact_key(row.id, "jpg", row.created_at)
        stored = await store.put(key, content(b"picture %d" % number), content_type=row.media_type)
        made.append(replace(row, uri=stored.uri, size_bytes=stored.size_bytes, sha256=stored.sha256))
    await add(database, *made)
    return made


async def sent(opened: OpenStore) -> None:
    """Wait until the service has everything."""
    async with asyncio.timeout(30):
        while opened.waiting:  # noqa: ASYNC110 - the store knows no event
            await asyncio.sleep(0.02)


def on_s3(service: S3Service, bucket: str, state: Path) -> StoreSettings:
    return StoreSettings(url=f"s3://{bucket}/kept", state=state, s3=service.settings)


MOVE = """
import asyncio, sys
from pathlib import Path
from glimpser.core import failpoints
from glimpser.db import open_database
from tests.contract.samples import settings_in
from tests.integration.test_kept_on_s3 import move, moving_settings

async def main() -> None:
    directory = Path(sys.argv[1])
    failpoints.arm(sys.argv[5])
    url, former, port = sys.argv[2], sys.argv[3], int(sys.argv[4])
    async with open_database(settings_in(directory)) as database:
        await move(database, moving_settings(directory, url=url, former=former, port=port))

asyncio.run(main())
"""


def moving_settings(directory: Path, *, url: str, former: str, port: int) -> StoreSettings:
    return StoreSettings(url=url, former_url=former, state=directory, s3=S3Service(port).settings)


async def move(database: Database, settings: StoreSettings) -> int:
    """Move what is left to be moved; gives how many went."""
    async with open_store(settings) as opened:
        assert opened.former_base_uri is not None
        bases = Bases(now=opened.base_uri, former=opened.former_base_uri)
        result = await StoreMove(database, opened.store, bases).run(SilentProgress())
        await sent(opened)
        await sweep_garbage(database, opened.store, now=at(100))
        assert (await check(database, opened.store, CheckLevel.HASH)).problems == ()
    assert (result["missing"], result["damaged"]) == (0, 0)
    moved = result["moved"]
    assert isinstance(moved, int)
    return moved


@pytest.mark.parametrize("failpoint", ["move.copied:kill:2", "move.before_commit:kill:2"])
async def test_everything_moves_to_s3_and_back_whatever_kills_it_on_the_way(
    database: Database, service: S3Service, tmp_path: Path, failpoint: str
) -> None:
    bucket = service.new_bucket()
    disk, remote = (tmp_path / "objects").as_uri(), f"s3://{bucket}/kept"
    async with open_store(StoreSettings(url=disk, state=tmp_path)) as opened:
        made = await keep(database, opened.store, 40)

    for url, former in ((remote, disk), (disk, remote)):
        command = (sys.executable, "-c", MOVE, str(tmp_path), url, former, str(service.port), failpoint)
        killed = await asyncio.create_subprocess_exec(*command)
        assert await killed.wait() == -signal.SIGKILL
        settings = moving_settings(tmp_path, url=url, former=former, port=service.port)
        assert await move(database, settings) == 24

    assert service.arrivals(bucket) == []
    async with open_store(StoreSettings(url=disk, state=tmp_path)) as opened:
        rows = await database.read(lambda tx: [tx.artifacts.get(one.id) for one in made])
        assert [row.uri for row in rows] == [one.uri for one in made]
        assert [await read(opened.store, row.uri) for row in rows] == [b"picture %d" % n for n in range(40)]


async def test_what_is_damaged_on_s3_is_left_there_and_holds_nothing_up(
    database: Database, service: S3Service, tmp_path: Path
) -> None:
    bucket = service.new_bucket()
    disk, remote = (tmp_path / "objects").as_uri(), f"s3://{bucket}/kept"
    async with open_store(on_s3(service, bucket, tmp_path)) as opened:
        kept = await keep(database, opened.store, 3)
        await sent(opened)
    service.damage(bucket, kept[1].uri.removeprefix(f"s3://{bucket}/"), b"picture X")
    settings = moving_settings(tmp_path, url=disk, former=remote, port=service.port)

    async with open_store(settings) as opened:
        assert opened.former_base_uri is not None
        bases = Bases(now=opened.base_uri, former=opened.former_base_uri)
        result = await StoreMove(database, opened.store, bases).run(SilentProgress())

    assert result == {"moved": 2, "missing": 0, "damaged": 1}
    assert (await database.read(lambda tx: tx.artifacts.get(kept[1].id))).uri == kept[1].uri


async def problems_by_level(
    database: Database, store: ObjectStore, *, repair: bool = False
) -> dict[CheckLevel, Sequence[str]]:
    return {
        level: sorted(one.kind for one in (await check(database, store, level, repair=repair)).problems)
        for level in LEVELS
    }


async def test_fsck_finds_on_s3_what_it_finds_on_a_disk_and_repairs_it(
    database: Database, service: S3Service, tmp_path: Path
) -> None:
    bucket = service.new_bucket()
    async with open_store(on_s3(service, bucket, tmp_path)) as opened:
        kept = await keep(database, opened.store, 5)
        await sent(opened)
        sound = await problems_by_level(database, opened.store)
        await opened.store.delete(kept[0].uri)
        service.damage(bucket, kept[1].uri.removeprefix(f"s3://{bucket}/"), b"picture X")
        service.damage(bucket, kept[2].uri.removeprefix(f"s3://{bucket}/"), b"longer than it was")
        await opened.store.put("artifacts/2025/01/01/orphan.jpg", content(b"x"), content_type="image/jpeg")
        await sent(opened)

        found = await problems_by_level(database, opened.store)
        await check(database, opened.store, CheckLevel.HASH, repair=True)
        left = await problems_by_level(database, opened.store)

    assert sound == {level: [] for level in LEVELS}
    assert found[CheckLevel.PRESENCE] == ["missing", "orphan"]
    assert found[CheckLevel.SIZE] == ["missing", "orphan", "size"]
    assert found[CheckLevel.HASH] == ["hash", "missing", "orphan", "size"]
    assert left[CheckLevel.PRESENCE] == []
    assert left[CheckLevel.HASH] == ["hash", "size"]  # what is damaged is somebody's business to look at


async def test_fsck_counts_what_still_waits_on_the_disk_for_a_store_that_is_away(
    database: Database, tmp_path: Path
) -> None:
    with s3_service() as service:
        bucket = service.new_bucket()
        settings = replace(on_s3(service, bucket, tmp_path), mirror_url=(tmp_path / "mirror").as_uri())
        async with open_store(settings) as opened:
            await keep(database, opened.store, 2)
            await sent(opened)
            await asyncio.to_thread(service.stop)
            row = artifact(2)
            stored = await opened.store.put("artifacts/9.jpg", content(b"waits"), content_type="image/jpeg")
            await add(database, replace(row, uri=stored.uri, size_bytes=5, sha256=stored.sha256))
            with pytest.raises(Unavailable):
                await check(database, opened.store, CheckLevel.PRESENCE, repair=True)
            service.start()

            assert await problems_by_level(database, opened.store, repair=True) == {one: [] for one in LEVELS}
            await sent(opened)
            assert await problems_by_level(database, opened.store) == {one: [] for one in LEVELS}


async def test_who_reads_an_object_while_it_is_deleted_gets_an_end(
    service: S3Service, tmp_path: Path
) -> None:
    """All of it, or a clear error: never a part that passes for the whole, and never a wait for ever."""
    whole = bytes(range(256)) * 40_000
    async with open_store(on_s3(service, service.new_bucket(), tmp_path)) as opened:
        stored = await opened.store.put("a/large.mp4", content(whole), content_type="video/mp4")
        await sent(opened)
        reading = opened.store.get(stored.uri)
        got = [await anext(reading)]
        await opened.store.delete(stored.uri)

        async with asyncio.timeout(20):
            try:
                got += [piece async for piece in reading]
            except (NotFound, Unavailable):
                got = []
            with pytest.raises(NotFound):
                await read(opened.store, stored.uri)

    assert b"".join(got) in (whole, b"")
