"""Ingest workers as processes, cameras as processes, and what happens when either of them fails."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
import simplejpeg
from av.video.stream import VideoStream

from glimpser.capture.ingest.pool import IngestPool, PoolSettings, open_pool
from glimpser.core.clock import SystemClock
from glimpser.core.errors import Unavailable
from glimpser.core.frames import NATIVE_WIDTH, Frame
from glimpser.core.health import HealthState, Judged
from glimpser.core.ids import TemplateId
from glimpser.core.live import (
    BurstReported,
    FrameReady,
    LiveSpec,
    MediaInput,
    State,
    StateChanged,
    StreamStatus,
)
from glimpser.core.motion import OFF, BurstClosed, BurstOpened, MotionSettings
from glimpser.testing.camera import FakeCamera
from glimpser.testing.clips import make_clip
from glimpser.testing.live import LiveLog, following
from tests.unit.capture.media import frame_of
from tests.unit.capture.rtsp import says, serving

pytestmark = pytest.mark.anyio
CAM, OTHER, FILE = TemplateId("CAM"), TemplateId("OTHER"), TemplateId("FILE")
GONE_WITHIN_S = 2.0

OpenPool = Callable[..., AbstractAsyncContextManager[tuple[IngestPool, LiveLog]]]


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clips")
    make_clip(folder / "moving.mp4", seconds=5, width=640, height=360, fps=15, gop=15, motion=[(2.5, 3.5)])
    make_clip(folder / "small.mp4", seconds=1, width=128, height=72, fps=20, gop=5)
    return folder


@pytest.fixture
def camera(clips: Path) -> Iterator[FakeCamera]:
    with FakeCamera(clips / "small.mp4", login=("ann", "p@ss:w/rd")) as running:
        yield running


@pytest.fixture
def pools(clips: Path) -> OpenPool:
    @asynccontextmanager
    async def opened(
        *, workers: int = 1, max_unanswered_pings: int = 15
    ) -> AsyncIterator[tuple[IngestPool, LiveLog]]:
        settings = PoolSettings(
            workers=workers,
            allowed_networks=("127.0.0.0/8",),
            own_sockets=(),
            file_roots=(str(clips),),
            stall_timeout_s=1.0,
            linger_s=0.1,
            ping_interval_s=0.2,
            max_unanswered_pings=max_unanswered_pings,
        )
        async with open_pool(settings, SystemClock()) as pool, following(pool) as log:
            yield pool, log

    return opened


def of_camera(url: str, template_id: TemplateId = CAM) -> LiveSpec[MediaInput]:
    media = MediaInput(address=url)
    return LiveSpec(template_id=template_id, feed=media, motion=MotionSettings(detector=OFF))


def of_file(
    name: str = "small.mp4", template_id: TemplateId = FILE, *, motion: bool = False
) -> LiveSpec[MediaInput]:
    return LiveSpec(
        template_id=template_id,
        feed=MediaInput(address=name, is_file=True, loop=not motion, fps=30, detect_fps=30),
        motion=MotionSettings() if motion else MotionSettings(detector=OFF),
    )


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in ("Z", "X")


def live_views(log: LiveLog) -> set[TemplateId]:
    changes = [event for event in log.events if isinstance(event, StateChanged)]
    return {change.template_id for change in changes if change.status.state is State.LIVE}


def threads_of(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/task").iterdir()))


def make_blank_clip(path: Path) -> None:
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libx264", rate=10)
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = 128, 72, "yuv420p"
        for _ in range(10):
            output.mux(stream.encode(frame_of(np.full((72, 128), 90, np.uint8))))
        output.mux(stream.encode(None))


async def until(condition: Callable[[], bool], *, within_s: float = 30) -> float:
    """Wait until something holds; gives how long that took."""
    began = time.monotonic()
    async with asyncio.timeout(within_s):
        while not condition():  # noqa: ASYNC110 - processes set no event
            await asyncio.sleep(0.01)
    return time.monotonic() - began


# A camera that works


async def test_a_camera_is_live_and_gives_pictures_snapshots_and_figures(
    pools: OpenPool, camera: FakeCamera
) -> None:
    async with pools() as (pool, log):
        await pool.start(of_camera(camera.url))
        live = await log.state(CAM, State.LIVE)
        with pool.want(CAM, width=64, fps=None), pool.want(CAM, width=NATIVE_WIDTH, fps=2):
            small, native = await log.frame(CAM, 64), await log.frame(CAM, NATIVE_WIDTH)
            later = await log.frame(CAM, 64)
        snapshot = await pool.snapshot(CAM)

    assert (live.width, live.height, live.epoch) == (128, 72, 1)
    assert simplejpeg.decode_jpeg(small.jpeg).shape == (36, 64, 3)
    assert simplejpeg.decode_jpeg(native.jpeg).shape == (72, 128, 3)
    assert simplejpeg.decode_jpeg(snapshot.jpeg).shape == (72, 128, 3)
    assert later.sequence > small.sequence
    assert later.captured_at > small.captured_at


async def test_a_camera_whose_hardware_decoding_fails_is_live_by_the_cpu(
    pools: OpenPool, camera: FakeCamera
) -> None:
    spec = of_camera(camera.url)
    async with pools() as (pool, log):
        await pool.start(spec.fed_by(replace(spec.feed, hwaccel="vaapi")))

        live = await log.next(
            StateChanged,
            lambda change: change.status.state is State.LIVE and change.status.reason is not None,
        )

    assert "the CPU decodes" in str(live.status.reason)


async def test_what_moves_in_a_file_is_one_burst_with_its_picture_and_the_file_ends(pools: OpenPool) -> None:
    async with pools() as (pool, log):
        await pool.start(of_file("moving.mp4", motion=True))
        live = await log.state(FILE, State.LIVE)
        await log.state(FILE, State.IDLE, reason="ended")

    bursts = [event for event in log.events if isinstance(event, BurstReported)]
    opened, closed = bursts[0], bursts[-1]
    assert isinstance(opened.step, BurstOpened)
    assert isinstance(closed.step, BurstClosed)
    assert {burst.step.started_at for burst in bursts} == {opened.step.started_at}
    assert opened.picture is not None
    assert simplejpeg.decode_jpeg(opened.picture.jpeg).shape == (360, 640, 3)
    assert (opened.step.started_at - live.since).total_seconds() > 1.0
    assert opened.step.boxes


# A camera that fails


async def any_picture(log: LiveLog) -> Frame:
    async with asyncio.timeout(30):
        while not (shown := [event.frame for event in log.events if isinstance(event, FrameReady)]):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    return shown[-1]


async def test_a_frozen_camera_stalls_with_a_reason_and_is_live_again_in_a_new_epoch(
    pools: OpenPool, camera: FakeCamera
) -> None:
    async with pools() as (pool, log):
        await pool.start(of_camera(camera.url))
        first = await log.state(CAM, State.LIVE)
        camera.freeze()
        stalled = await log.state(CAM, State.STALLED)
        with pytest.raises(Unavailable, match="No picture has come"):
            await pool.snapshot(CAM)
        await log.state(CAM, State.BACKOFF, reason="No picture has come")
        last = await any_picture(log)  # it may come before the state or after: they go different ways
        camera.thaw()
        again = await log.state(CAM, State.LIVE)

    assert stalled.reason == "No picture has come for 1 s."
    assert last.width == 128
    assert again.epoch == first.epoch + 1


async def test_a_camera_that_was_switched_off_is_live_again_when_it_is_on(
    pools: OpenPool, camera: FakeCamera
) -> None:
    async with pools() as (pool, log):
        await pool.start(of_camera(camera.url))
        await log.state(CAM, State.LIVE)
        camera.kill()
        await log.state(CAM, State.BACKOFF)
        await log.state(CAM, State.BACKOFF, reason="refuses the connection")
        camera.restart()
        again = await log.state(CAM, State.LIVE)

    assert again.epoch == 2


async def test_each_failure_has_its_sentence(pools: OpenPool, camera: FakeCamera, tmp_path: Path) -> None:
    wrong, lost, nonsense, elsewhere, picture = (TemplateId(f"V{number}") for number in range(5))
    with (
        serving(lambda _: b"HTTP/1.1 200 OK\r\n\r\n") as web,
        serving(says("302 Found", f"Location: {camera.url}")) as redirecting,
    ):
        async with pools() as (pool, log):
            await pool.start(of_camera(camera.url_as(("ann", "s3cret")), wrong))
            await pool.start(of_camera(camera.url + "x", lost))
            await pool.start(of_camera(web.url, nonsense))
            await pool.start(of_camera(redirecting.url, elsewhere))
            await pool.start(of_file("missing.mp4", picture))
            told: dict[TemplateId, StreamStatus] = {}
            while len(told) < 5:
                change = await log.next(
                    StateChanged, lambda c: c.status.state in (State.BACKOFF, State.FAILED)
                )
                told.setdefault(change.template_id, change.status)

    assert "user name and password" in (told[wrong].reason or "")
    assert "s3cret" not in (told[wrong].reason or "")
    assert "no stream under this path" in (told[lost].reason or "")
    assert told[nonsense].reason
    assert "another address" in (told[elsewhere].reason or "")
    assert "No such file" in (told[picture].reason or "")
    assert [told[v].state for v in (wrong, lost, nonsense, elsewhere, picture)] == [
        State.BACKOFF,
        State.BACKOFF,
        State.BACKOFF,
        State.FAILED,
        State.FAILED,
    ]
    frames = [e for e in log.events if not isinstance(e, StateChanged)]
    assert not [e for e in frames if getattr(e, "frame", None)]


# A worker that fails


async def test_a_killed_worker_costs_its_views_seconds_and_the_others_nothing(pools: OpenPool) -> None:
    async with pools(workers=2) as (pool, log):
        await pool.start(of_file(template_id=CAM))
        await pool.start(of_file(template_id=OTHER))
        await until(lambda: live_views(log) == {CAM, OTHER})
        before = len(log.events)
        victim, survivor = pool.worker_of(CAM), pool.worker_of(OTHER)
        assert victim is not None
        assert victim != survivor

        os.kill(victim, signal.SIGKILL)
        began = time.monotonic()
        await log.state(CAM, State.BACKOFF, reason="worker ended")
        again = await log.state(CAM, State.LIVE)
        took_s = time.monotonic() - began

        assert pool.worker_of(OTHER) == survivor
        assert pool.worker_of(CAM) not in (None, victim)

    assert again.epoch == 2
    assert took_s < 5
    changes = [e for e in log.events[before:] if isinstance(e, StateChanged)]
    assert not [e for e in changes if e.template_id == OTHER]


async def test_a_worker_that_hangs_is_replaced(pools: OpenPool) -> None:
    async with pools(max_unanswered_pings=5) as (pool, log):
        await pool.start(of_file())
        await log.state(FILE, State.LIVE)
        hung = pool.worker_of(FILE)
        assert hung is not None

        os.kill(hung, signal.SIGSTOP)
        await log.state(FILE, State.BACKOFF)
        await log.state(FILE, State.LIVE)

        assert pool.worker_of(FILE) != hung
    assert not is_running(hung)


async def test_a_view_that_is_stopped_leaves_no_thread_behind(pools: OpenPool, camera: FakeCamera) -> None:
    async with pools() as (pool, log):
        await pool.start(of_file())
        await log.state(FILE, State.LIVE)
        worker = pool.worker_of(FILE)
        assert worker is not None
        await pool.snapshot(FILE)
        before = threads_of(worker)
        await pool.start(of_camera(camera.url))
        await log.state(CAM, State.LIVE)
        assert threads_of(worker) == before + 1

        await pool.stop(CAM)

        await until(lambda: threads_of(worker) == before)


async def test_at_the_end_of_a_pool_its_workers_are_gone(pools: OpenPool) -> None:
    async with pools(workers=2) as (pool, _):
        await pool.start(of_file(template_id=CAM))
        await pool.start(of_file(template_id=OTHER))
        pids = pool.worker_pids()

    assert len(pids) == 2
    assert not any(is_running(pid) for pid in pids)


MAIN_PROCESS = """
import asyncio, json, sys
from glimpser.capture.ingest.pool import PoolSettings, open_pool
from glimpser.core.clock import SystemClock
from glimpser.core.ids import TemplateId
from glimpser.core.live import LiveSpec, MediaInput, State
from glimpser.core.motion import MotionSettings
from glimpser.testing.live import following

async def main():
    settings = PoolSettings(workers=2, allowed_networks=(), own_sockets=(), file_roots=(sys.argv[1],),
                            stall_timeout_s=8)
    async with open_pool(settings, SystemClock()) as pool, following(pool) as log:
        for name in ("A", "B"):
            media = MediaInput(address="small.mp4", is_file=True, loop=True)
            await pool.start(LiveSpec(template_id=TemplateId(name), feed=media, motion=MotionSettings()))
            await log.state(TemplateId(name), State.LIVE)
        print(json.dumps(pool.worker_pids()), flush=True)
        await asyncio.sleep(60)

asyncio.run(main())
"""


async def test_no_worker_outlives_a_main_process_that_was_killed(clips: Path) -> None:
    main = subprocess.Popen(  # noqa: ASYNC220 - starting it takes no time, and nothing else runs
        [sys.executable, "-c", MAIN_PROCESS, str(clips)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert main.stdout is not None
        pids = json.loads(await asyncio.to_thread(main.stdout.readline))
        assert [is_running(pid) for pid in pids] == [True, True]
    finally:
        main.kill()
        main.communicate()

    took_s = await until(lambda: not any(is_running(pid) for pid in pids))

    assert took_s < GONE_WITHIN_S


# Masks and health ------------------------------------------------------------------------------------


async def test_no_masked_pixel_leaves_a_worker(pools: OpenPool) -> None:
    everything = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))
    spec = replace(of_file("moving.mp4", motion=True), privacy_masks=(everything,))

    async with pools() as (pool, log):
        with pool.want(FILE, width=320, fps=None), pool.want(FILE, width=NATIVE_WIDTH, fps=None):
            await pool.start(spec)
            pictures = [await log.frame(FILE, width) for width in (320, NATIVE_WIDTH)]
            pictures += [await pool.snapshot(FILE, width) for width in (320, NATIVE_WIDTH)]
            await log.state(FILE, State.IDLE)

    pictures += [event.frame for event in log.events if isinstance(event, FrameReady)]
    assert not [event for event in log.events if isinstance(event, BurstReported)]
    assert len(pictures) > 20
    assert max(simplejpeg.decode_jpeg(picture.jpeg).max() for picture in pictures) < 12


async def test_a_view_that_shows_nothing_is_judged_blank(pools: OpenPool, clips: Path) -> None:
    make_blank_clip(clips / "blank.mp4")

    async with pools() as (pool, log):
        await pool.start(replace(of_file("blank.mp4"), motion=MotionSettings()))
        judged = await log.next(Judged)

    assert (judged.template_id, judged.verdict.state) == (FILE, HealthState.BLANK)
    assert judged.verdict.reason
