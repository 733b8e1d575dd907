"""Films whose disk is full or whose encoder is killed: made later, and nothing lies about."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from glimpser.core.encoding import Still, VideoSpec
from glimpser.core.errors import Unavailable
from glimpser.core.jobs import Job
from glimpser.encoding import wire
from glimpser.encoding.encoder import LIMITS
from glimpser.services.exports import Found
from tests.contract.samples import START
from tests.export_world import ExportWorld, Unwatched, decoded, films, jpeg, open_exports

ENCODER = f"{sys.executable}\0-I\0-m\0glimpser.encoding.encode_main\0".encode()

pytestmark = pytest.mark.anyio


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[ExportWorld]:
    async with open_exports(tmp_path) as opened:
        await opened.add_view()
        yield opened


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no disk that is always full")
@pytest.mark.parametrize(("path", "is_full"), [("/dev/full", True), ("film.mp4", False)])
def test_the_encoder_says_that_the_disk_is_full(tmp_path: Path, path: str, *, is_full: bool) -> None:
    spec = VideoSpec(title="t", comment="c", created_at=START, ticks_per_s=5, fps=5)
    told = wire.pack(wire.spec_head(spec, str(tmp_path / path)))
    told += b"".join(wire.pack(wire.still_head(Still(jpeg=b"", at=at)), jpeg(50)) for at in range(3))

    ended = subprocess.run(
        [sys.executable, "-I", "-m", "glimpser.encoding.encode_main"],
        input=told + wire.pack(wire.END),
        capture_output=True,
        timeout=60,
        check=False,
    )

    assert (ended.returncode, json.loads(ended.stdout).get("full", False)) == (int(is_full), is_full)


async def test_a_film_for_which_there_is_no_room_is_made_when_there_is(world: ExportWorld) -> None:
    await world.add_pictures(range(60))
    found = await world.ask("video")
    export, small = found.export, films(world, limits=replace(LIMITS, file_size_bytes=3000))

    with pytest.raises(Unavailable, match="disk is full") as refused:
        await small.make(export, "film.mp4", Unwatched())

    assert refused.value.retry_after_s == 600
    assert (await world.keys(), world.leftovers()) == ([], [])
    made = await world.file_of(export, await world.run(found))
    assert made.artifact.size_bytes > 3000
    assert len(decoded(made.path).times_s) == 60


async def test_a_film_whose_encoder_is_killed_is_made_again(world: ExportWorld) -> None:
    await world.add_pictures(range(0, 900, 2))
    found = await world.ask("video")

    async with asyncio.TaskGroup() as tasks:
        runner = tasks.create_task(world.job_runner.run())
        os.kill(await until_it_encodes(world.directory / "run"), signal.SIGKILL)
        waiting = await until_it_waits(world, found)
        between = (await world.keys(), world.leftovers())
        world.clock.advance(60)
        job = await world.settled(found)
        runner.cancel()

    assert "encoder ended before" in (waiting.error or "")
    assert between == ([], [])
    assert (job.status, job.attempts) == ("success", 2)
    assert (len(await world.keys()), world.leftovers()) == (1, [])


async def until_it_encodes(scratch: Path) -> int:
    """Give the process that encodes, as soon as there is something in its file."""
    async with asyncio.timeout(60):
        while True:
            if begun(scratch):
                [pid] = encoders(scratch)
                return pid
            await asyncio.sleep(0.01)


async def until_it_waits(world: ExportWorld, found: Found) -> Job:
    async with asyncio.timeout(60):
        while True:
            job = await world.job_of(found)
            if job.status == "pending":
                return job
            await asyncio.sleep(0.01)


def begun(scratch: Path) -> bool:
    return any(path.stat().st_size for path in scratch.rglob("video.mp4"))


def encoders(scratch: Path) -> list[int]:
    """Name the processes that encode below a folder, without their supervisors."""
    found = []
    for entry in Path("/proc").iterdir():
        with suppress(OSError):
            is_encoder = (entry / "cmdline").read_bytes() == ENCODER
            if is_encoder and str(scratch).encode() in (entry / "environ").read_bytes():
                found.append(int(entry.name))
    return found
