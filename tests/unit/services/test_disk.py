"""A disk that fills up: a warning, no more pictures, and everything as before when there is room."""

import os
import subprocess
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from glimpser.core.disk import DiskSample, DiskUsage, days_until_full
from glimpser.core.errors import Unavailable
from glimpser.core.ports import Database
from glimpser.db import migrate, open_database
from glimpser.services.disk import DiskGuard
from glimpser.services.notices import Notice, SystemNotice
from glimpser.storage import open_files
from glimpser.storage.disk import GuardedStore, fullest
from glimpser.testing.clock import FakeClock
from tests.contract.samples import settings_in
from tests.web_world import FakeDisk

pytestmark = pytest.mark.anyio

NOW = datetime(2025, 6, 30, tzinfo=UTC)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    migrate(settings_in(tmp_path))
    async with open_database(settings_in(tmp_path)) as opened:
        yield opened


async def test_it_warns_stops_and_recovers_by_itself(database: Database) -> None:
    clock, disk, heard = FakeClock(), FakeDisk(), list[Notice]()
    guard = DiskGuard(disk.measure, database, clock=clock, publish=heard.append)

    refused = []
    for share in (0.5, 0.9, 0.9499, 0.95, 0.945, 0.944, 0.2):
        disk.share = share
        clock.advance(2)
        try:
            await guard.check_room()
        except Unavailable as error:
            refused.append((share, error.detail))

    assert [share for share, _ in refused] == [0.95, 0.945]
    assert "free some space on the disk of /data" in refused[0][1]
    assert [notice.state for notice in heard if isinstance(notice, SystemNotice)] == [
        "warning", "full", "warning", "ok",
    ]  # fmt: skip


async def test_pictures_that_come_at_once_ask_the_disk_once(database: Database) -> None:
    clock, asked = FakeClock(), list[int]()

    def measure() -> DiskUsage:
        asked.append(1)
        return DiskUsage("/data", 1, 1)

    guard = DiskGuard(measure, database, clock=clock)
    for _ in range(10):
        await guard.check_room()

    assert len(asked) == 1


async def test_a_disk_that_cannot_be_asked_changes_nothing(database: Database) -> None:
    def measure() -> DiskUsage:
        raise OSError(5, "Input/output error")

    guard = DiskGuard(measure, database, clock=FakeClock())

    await guard.check_room()

    assert await guard.report() is None


async def test_the_trend_outlives_a_restart(database: Database) -> None:
    clock, disk = FakeClock(), FakeDisk(0.5)
    for hour in range(24):
        disk.share = 0.5 + hour / 1000
        guard = DiskGuard(disk.measure, database, clock=clock)
        await guard.look()
        await guard.note()
        await guard.note()
        clock.advance(3600)

    report = await guard.report()

    assert report is not None
    assert report.days_until_full == pytest.approx((0.95 - 0.523) / 0.024, rel=1e-6)


@pytest.mark.parametrize(
    ("used", "hours"), [([10], 1), ([10, 20], 1), ([20, 10], 48), ([10, 10, 10], 24), ([], 1)]
)
def test_nobody_knows_when_a_disk_is_full_that_does_not_fill(used: list[int], hours: int) -> None:
    samples = [DiskSample(NOW + timedelta(hours=hours * number), size) for number, size in enumerate(used)]

    assert days_until_full(samples, DiskUsage("/", 20, 80)) is None


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Four MiB of memory as a disk."""
    if os.geteuid() != 0:
        pytest.skip("needs root, to mount a small disk")
    path = tmp_path / "disk"
    path.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(path)]
    if subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip("this machine lets nobody mount a small disk")
    yield path
    subprocess.run(["umount", str(path)], check=True)


async def pieces(size_bytes: int) -> AsyncIterator[bytes]:
    yield bytes(size_bytes)


async def test_on_a_real_disk_reads_go_on_while_nothing_is_written(
    database: Database, small_disk: Path
) -> None:
    clock = FakeClock()
    guard = DiskGuard(partial(fullest, [small_disk]), database, clock=clock)
    async with open_files(small_disk / "objects") as files:
        store = GuardedStore(files, guard.check_room)
        kept = await store.put("artifacts/kept.jpg", pieces(1_000_000), content_type="image/jpeg")
        (small_disk / "somebody_elses").write_bytes(bytes(3_050_000))
        clock.advance(2)

        with pytest.raises(Unavailable, match="no pictures are written"):
            await store.put("artifacts/next.jpg", pieces(1000), content_type="image/jpeg")

        assert sum([len(piece) async for piece in store.get(kept.uri)]) == 1_000_000
        (small_disk / "somebody_elses").unlink()
        clock.advance(2)
        await store.put("artifacts/next.jpg", pieces(1000), content_type="image/jpeg")
        assert [entry.key async for entry in store.list()] == ["artifacts/kept.jpg", "artifacts/next.jpg"]
