import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from glimpser.capture.ingest.camera import STUCK_S, Camera, Surroundings
from glimpser.capture.ingest.motion import MotionWatch
from glimpser.capture.ingest.opening import Media, MediaError, Opener, Patience
from glimpser.capture.ingest.wire import (
    BurstReport,
    FrameReport,
    MeasureReport,
    SnapshotReport,
    Start,
    StateReport,
)
from glimpser.core.clock import Clock, SystemClock
from glimpser.core.ids import TemplateId
from glimpser.core.live import LiveSpec, MediaInput, State
from glimpser.core.motion import OFF, BurstClosed, BurstEvent, BurstOpened, MotionSettings
from glimpser.egress.gate import Gate, GatePolicy
from glimpser.testing.clips import make_clip
from glimpser.testing.clock import FakeClock
from tests.unit.capture.ingest import fake_ffmpeg
from tests.unit.capture.ingest.test_pixels import Seen
from tests.unit.capture.media import Outlet, encode

RUN = 42
WITHIN_S = 30.0


class OneBurst:
    """Sees motion from the first picture to the end of the source."""

    def __init__(self) -> None:
        self._opened: datetime | None = None

    def process(self, gray: NDArray[np.uint8], captured_at: datetime) -> Seen:
        if self._opened:
            return Seen()
        self._opened = captured_at
        opened = BurstOpened(started_at=captured_at, peak_at=captured_at, score=0.5, boxes=())
        return Seen(best=True, events=[opened])

    def flush(self) -> Sequence[BurstEvent]:
        at, self._opened = self._opened, None
        if at is None:
            return []
        return [BurstClosed(started_at=at, peak_at=at, ended_at=at, score=0.5, boxes=())]


class BrokenWatch(OneBurst):
    def process(self, gray: NDArray[np.uint8], captured_at: datetime) -> Seen:
        raise ZeroDivisionError


class HangingOpener(Opener):
    """Stands for native code that does not return."""

    def __init__(self) -> None:
        super().__init__(Gate(GatePolicy()), file_roots=[], stall_timeout_s=8)
        self.opening = threading.Event()
        self.let_go = threading.Event()

    @contextmanager
    def open(self, media: MediaInput) -> Iterator[Media]:
        self.opening.set()
        self.let_go.wait(WITHIN_S)
        if self.let_go.is_set():
            raise MediaError("let go", Patience.NEVER)
        yield opened_by_nobody()


def opened_by_nobody() -> Media:
    raise AssertionError("it was never let go")


class World:
    """A camera on its own thread, and what it would send."""

    def __init__(self, opener: Opener, clock: Clock | None = None) -> None:
        self.outlet = Outlet()
        self.encoders = ThreadPoolExecutor(1)
        self.cameras: list[Camera] = []
        self.around = Surroundings(
            opener=opener,
            outlet=self.outlet,
            encoders=self.encoders,
            clock=clock or SystemClock(),
            stall_timeout_s=8,
        )

    def start(self, media: MediaInput, watch: MotionWatch | None = None) -> Camera:
        spec = LiveSpec(template_id=TemplateId("A"), feed=media, motion=MotionSettings(detector=OFF))
        camera = Camera(Start(spec=spec, run=RUN, first_epoch=3), self.around, watch=watch)
        self.cameras.append(camera)
        camera.start()
        return camera

    def end(self) -> None:
        for camera in self.cameras:
            camera.stop()
            camera.join(WITHIN_S)
            assert not camera.is_alive()
        self.encoders.shutdown()

    def states(self) -> list[tuple[State, str | None]]:
        return [(r.state, r.reason) for r, _ in list(self.outlet.sent) if isinstance(r, StateReport)]

    def until(self, state: State) -> None:
        wait_for(lambda: any(seen is state for seen, _ in self.states()))


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WITHIN_S
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.005)


@pytest.fixture
def worlds() -> Iterator[Callable[..., World]]:
    made: list[World] = []

    def make(opener: Opener, clock: Clock | None = None) -> World:
        made.append(World(opener, clock))
        return made[-1]

    yield make
    for world in made:
        world.end()


def files_in(folder: Path) -> Opener:
    return Opener(Gate(GatePolicy()), file_roots=[folder], stall_timeout_s=8)


def file(name: str, *, loop: bool = False, fps: float | None = 100.0) -> MediaInput:
    return MediaInput(address=name, is_file=True, loop=loop, fps=fps)


def test_a_file_is_live_from_its_first_picture_and_idle_after_its_last(
    worlds: Callable[..., World], clips: Path
) -> None:
    world = worlds(files_in(clips))

    world.start(file("reordered.mp4"))
    world.until(State.IDLE)

    assert world.states() == [
        (State.CONNECTING, None),
        (State.LIVE, None),
        (State.IDLE, "The file has ended."),
    ]
    live = next(r for r, _ in world.outlet.sent if isinstance(r, StateReport) and r.state is State.LIVE)
    assert (live.epoch, live.fps, live.w, live.h, live.run) == (3, 100.0, 64, 64, RUN)


def test_every_frame_of_a_file_is_shown_though_its_codec_reorders(
    worlds: Callable[..., World], clips: Path
) -> None:
    world = worlds(files_in(clips))

    camera = world.start(file("reordered.mp4"))
    camera.set_wants({0: 0.0})
    world.until(State.IDLE)

    sequences = [r.seq for r, _ in world.outlet.sent if isinstance(r, FrameReport)]
    assert sequences[-1] == 60


def test_what_a_session_leaves_behind_is_told_before_its_end(
    worlds: Callable[..., World], clips: Path
) -> None:
    world = worlds(files_in(clips))

    world.start(file("plain.mp4"), OneBurst())
    world.until(State.IDLE)

    told = [r for r, _ in world.outlet.sent if isinstance(r, (BurstReport, StateReport, FrameReport))]
    assert [r.step if isinstance(r, BurstReport) else type(r).__name__ for r in told[-3:]] == [
        "FrameReport",
        "closed",
        "StateReport",
    ]
    assert {r.run for r in told} == {RUN}


def test_a_looping_file_stays_in_one_epoch(worlds: Callable[..., World], tmp_path: Path) -> None:
    encode(tmp_path / "short.mp4", count=5, options={"bf": "0"})
    world = worlds(files_in(tmp_path))

    camera = world.start(file("short.mp4", loop=True))
    camera.set_wants({0: 0.0})
    wait_for(lambda: len(world.outlet.of(FrameReport)) > 30)

    assert [state for state, _ in world.states()] == [State.CONNECTING, State.LIVE]


def test_of_a_folder_a_newer_recording_takes_the_place_of_what_is_played(
    worlds: Callable[..., World], tmp_path: Path
) -> None:
    folder = tmp_path / "recordings"
    folder.mkdir()
    encode(folder / "a.mp4", count=5, size=(64, 64))
    os.utime(folder / "a.mp4", (1, 1))
    world = worlds(files_in(tmp_path))
    camera = world.start(replace(file("recordings", loop=True), newest=True))
    camera.set_wants({0: 0.0})
    wait_for(lambda: len(world.outlet.of(FrameReport)) > 10)

    encode(tmp_path / "b.mp4", count=5, size=(96, 80))
    os.utime(tmp_path / "b.mp4", (2, 2))
    (tmp_path / "b.mp4").rename(folder / "b.mp4")

    wait_for(lambda: any(isinstance(r, StateReport) and r.w == 96 for r, _ in world.outlet.sent))
    assert State.IDLE not in [state for state, _ in world.states()]


def test_a_file_that_is_no_video_has_failed_and_is_not_tried_again(
    worlds: Callable[..., World], tmp_path: Path
) -> None:
    (tmp_path / "words.txt").write_text("Dear diary,\n" * 100)
    world = worlds(files_in(tmp_path))

    world.start(file("words.txt"))
    world.until(State.FAILED)

    [_, (_, reason)] = world.states()
    assert reason is not None
    assert "no video" in reason


def test_a_stopped_camera_says_nothing_more(worlds: Callable[..., World], clips: Path) -> None:
    world = worlds(files_in(clips))
    camera = world.start(file("plain.mp4", loop=True, fps=None), OneBurst())
    camera.set_wants({0: 0.0})
    world.until(State.LIVE)

    camera.stop()
    said = len(world.outlet.sent)
    camera.snapshot(1, 0)
    camera.tick()
    camera.join(WITHIN_S)

    assert not camera.is_alive()
    assert len(world.outlet.sent) <= said + 1  # one report may have been on its way


def test_a_mistake_of_ours_costs_one_session_not_the_thread(
    worlds: Callable[..., World], clips: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    world = worlds(files_in(clips))

    camera = world.start(file("plain.mp4"), BrokenWatch())
    world.until(State.BACKOFF)

    assert camera.is_alive()
    assert any("ZeroDivisionError" in (reason or "") for _, reason in world.states())
    assert "ZeroDivisionError" in capfd.readouterr().err


def test_a_snapshot_is_answered_with_a_picture_or_with_why_there_is_none(
    worlds: Callable[..., World], clips: Path
) -> None:
    opener = HangingOpener()
    connecting = worlds(opener)
    camera = connecting.start(file("plain.mp4"))
    assert opener.opening.wait(WITHIN_S)
    camera.snapshot(1, 0)
    opener.let_go.set()
    live = worlds(files_in(clips))
    camera = live.start(file("plain.mp4", loop=True, fps=None))
    live.until(State.LIVE)
    camera.snapshot(2, 32)
    wait_for(lambda: bool(live.outlet.of(SnapshotReport)))

    [refused] = connecting.outlet.of(SnapshotReport)
    [answered] = live.outlet.of(SnapshotReport)
    assert isinstance(refused, SnapshotReport)
    assert isinstance(answered, SnapshotReport)
    assert (refused.request, refused.error) == (1, "The view is not live yet.")
    assert (answered.request, answered.error, answered.w) == (2, None, 32)


def test_figures_are_told_while_a_view_runs(worlds: Callable[..., World], clips: Path) -> None:
    world = worlds(files_in(clips))
    camera = world.start(file("plain.mp4", loop=True, fps=50.0))
    world.until(State.LIVE)
    world.outlet.sent.clear()
    wait_for(lambda: camera._rate._count > 5)

    camera.tick()

    [figures] = world.outlet.of(MeasureReport)
    assert isinstance(figures, MeasureReport)
    assert figures.fps > 0
    assert figures.restarts == 0
    assert figures.run == RUN


@pytest.mark.parametrize("stop", [False, True])
def test_a_thread_that_native_code_never_gives_back_is_stuck(
    worlds: Callable[..., World], *, stop: bool
) -> None:
    clock, opener = FakeClock(), HangingOpener()
    world = worlds(opener, clock)
    camera = world.start(MediaInput(address="rtsp://127.0.0.1/"))
    assert opener.opening.wait(WITHIN_S)
    if stop:
        camera.stop()

    clock.advance(STUCK_S - 1)
    assert not camera.is_stuck()
    clock.advance(40)
    assert camera.is_stuck()

    opener.let_go.set()
    wait_for(lambda: not camera.is_stuck())


def test_a_thread_that_waits_for_a_person_is_not_stuck(worlds: Callable[..., World]) -> None:
    clock, opener = FakeClock(), HangingOpener()
    opener.let_go.set()
    world = worlds(opener, clock)
    camera = world.start(MediaInput(address="rtsp://127.0.0.1/"))
    world.until(State.FAILED)

    clock.advance(10_000)

    assert not camera.is_stuck()


def test_a_camera_whose_hardware_fails_is_live_and_says_who_decodes(
    worlds: Callable[..., World], tmp_path: Path
) -> None:
    path = tmp_path / "clip.mp4"
    make_clip(path, seconds=10, width=64, height=64, fps=10, gop=5)
    world = worlds(Opener(Gate(GatePolicy()), file_roots=[tmp_path], stall_timeout_s=8))
    world.around = replace(world.around, ffmpeg=fake_ffmpeg.failing(tmp_path))

    world.start(MediaInput(address=str(path), is_file=True, loop=True, hwaccel="vaapi"))

    wait_for(lambda: bool(world.states()) and "the CPU decodes" in str(world.states()[-1][1]))
    assert world.states()[-1][0] is State.LIVE
