"""Cameras that are watched, against bare decoding of the same clips.

The limit is `ffmpeg -threads 1 -i CLIP -map 0:v -f null -`, a process for each camera, one after the other;
its start is taken out by the difference of a long and a short run. Beside it stands the same at the camera's
pace (`-re`), all at a time: what a processor that naps between frames costs anybody. Our side is the whole
program's share: workers, their sockets, the main process that takes what they report. Motion is looked for in
five pictures a second, as the program does by itself.
"""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import uvloop

from glimpser.core.live import MediaInput
from glimpser.testing.camera import FakeCamera
from tests.bench.figures import Figure, Part, median
from tests.bench.footage import CAMERA_360P5, CAMERA_1080P15, Shape, footage
from tests.bench.processes import run_measured
from tests.bench.watching import Spent, Viewer, spend

VIEWER = Viewer(width=640, fps=5.0)
_SHORT_FRAMES = 30


def run(seconds: float = 20.0, rounds: int = 2) -> Part:
    """Measure windows of `seconds`; every second round takes the sides in opposite order."""
    bench = _Bench(footage(CAMERA_1080P15), CAMERA_1080P15, seconds)
    sides: list[_Side] = [
        _Side("4 cameras", 4),
        _Side("8 cameras", 8, at_most=1.15),
        _Side("4 cameras, a viewer each", 4, viewer=VIEWER),
        _Side("8 cameras, a viewer each", 8, viewer=VIEWER),
        _Side("4 cameras over RTSP", 4, rtsp=True),
    ]
    for number in range(rounds):
        for side in sides if number % 2 == 0 else sides[::-1]:
            bench.measure(side)
    figures = [figure for side in sides for figure in side.figures()]
    figures += _memory(bench.of(1), sides)
    figures += _growth(seconds)
    return Part("Watched cameras, 1080p15 H.264 at 4 Mbit/s", figures, bench.notes(sides))


@dataclass(slots=True)
class _Side:
    name: str
    cameras: int
    viewer: Viewer | None = None
    rtsp: bool = False
    at_most: float | None = None
    spent: list[Spent] = field(default_factory=list)
    ratios: list[float] = field(default_factory=list)
    paced_ratios: list[float] = field(default_factory=list)

    def figures(self) -> list[Figure]:
        main = [spent.main_share for spent in self.spent]
        return [
            median(f"{self.name}: CPU", self.ratios, "× bare", at_most=self.at_most),
            median(f"{self.name}: CPU", self.paced_ratios, "× paced"),
            median(f"{self.name}: main process's share", main, ""),
        ]


class _Bench:
    def __init__(self, clips: Sequence[Path], shape: Shape, window_s: float) -> None:
        self._clips = clips
        self._shape = shape
        self._window_s = window_s
        self.bare_ms: list[float] = []

    def of(self, cameras: int, *, viewer: Viewer | None = None) -> Spent:
        """Watch so many file views for one window."""
        clips = [self._clips[number % len(self._clips)] for number in range(cameras)]
        media = [MediaInput(address=str(clip), is_file=True, loop=True) for clip in clips]
        return self._spend(media, viewer)

    def over_rtsp(self, cameras: int, *, viewer: Viewer | None = None) -> Spent:
        """Watch so many cameras; what sends their packets is not counted, what takes them is."""
        with ExitStack() as stack:
            urls = [
                stack.enter_context(FakeCamera(self._clips[number % len(self._clips)])).url
                for number in range(cameras)
            ]
            return self._spend([MediaInput(address=url) for url in urls], viewer)

    def measure(self, side: _Side) -> None:
        """One round of a side, between two rounds of its yardstick."""
        before_ms = self.bare_ms[-1] if self.bare_ms else self.bare()
        paced_ms = self.paced(side.cameras)
        watch = self.over_rtsp if side.rtsp else self.of
        spent = watch(side.cameras, viewer=side.viewer)
        bare_ms = (before_ms + self.bare()) / 2
        side.spent.append(spent)
        side.ratios.append(spent.ms_per_frame / bare_ms)
        side.paced_ratios.append(spent.ms_per_frame / paced_ms)

    def bare(self) -> float:
        """Milliseconds of processor time to decode a frame and nothing else."""
        frames = self._shape.fps * self._shape.seconds - _SHORT_FRAMES
        spent_s = sum(
            run_measured(_decode(clip)) - run_measured(_decode(clip, frames=_SHORT_FRAMES))
            for clip in self._clips
        )
        self.bare_ms.append(1000 * spent_s / frames / len(self._clips))
        return self.bare_ms[-1]

    def paced(self, cameras: int) -> float:
        """The same at the pace of so many cameras at a time, for one window."""
        frames = min(round(self._shape.fps * self._window_s), self._shape.fps * self._shape.seconds)
        clips = [self._clips[number % len(self._clips)] for number in range(cameras)]
        with ThreadPoolExecutor(cameras) as threads:
            spent_s = sum(threads.map(lambda clip: run_measured(_decode(clip, "-re", frames=frames)), clips))
        start_s = sum(run_measured(_decode(clip, frames=1)) for clip in clips)
        return 1000 * (spent_s - start_s) / (frames - 1) / cameras

    def notes(self, sides: Sequence[_Side]) -> list[str]:
        everything = [spent for side in sides for spent in side.spent]
        starts = [spent.start_s / side.cameras for side in sides for spent in side.spent]
        noise = f"bare decoding took {min(self.bare_ms):.2f} to {max(self.bare_ms):.2f} ms a frame"
        counted = sum(spent.frames for spent in everything)
        behind = sum(spent.fell_behind for spent in everything)
        return [
            f"{noise}: that range is the machine's own noise",
            f"start, not in the ratios: {min(starts):.2f} to {max(starts):.2f} CPU seconds a camera",
            f"{counted} frames were measured; {behind} times a view fell behind (must be 0)",
            "over RTSP, taking the stream apart is inside the ratio; bare decoding reads a file",
        ]

    def _spend(self, media: Sequence[MediaInput], viewer: Viewer | None) -> Spent:
        roots = [self._clips[0].parent]
        work = spend(media, roots=roots, viewer=viewer, window_s=self._window_s)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(work)


def _memory(one: Spent, sides: Sequence[_Side]) -> list[Figure]:
    """Memory of the workers for each camera that is added, from one camera on."""
    figures = [Figure(name="memory of the workers, 1 camera", value=one.memory_mib, unit="MiB")]
    for side in sides:
        each = [(spent.memory_mib - one.memory_mib) / (side.cameras - 1) for spent in side.spent]
        figures.append(median(f"memory of a further camera, {side.name}", each, "MiB", at_most=30))
    return figures


def _growth(seconds: float) -> list[Figure]:
    """Processor time of a camera among many, small ones, so that two cores suffice."""
    bench = _Bench(footage(CAMERA_360P5), CAMERA_360P5, seconds)
    bare_ms = bench.bare()
    spent = {cameras: bench.of(cameras) for cameras in (8, 32, 64)}
    bare_ms = (bare_ms + bench.bare()) / 2
    return [
        Figure(name=f"360p5, {cameras} cameras: CPU", value=found.ms_per_frame / bare_ms, unit="× bare")
        for cameras, found in spent.items()
    ] + [
        Figure(
            name=f"360p5: CPU of a camera among {cameras}",
            value=found.ms_per_frame / spent[8].ms_per_frame,
            unit="× of 8",
        )
        for cameras, found in spent.items()
        if cameras > 8
    ]


def _decode(clip: Path, *options: str, frames: int | None = None) -> list[str]:
    limit = ["-frames:v", str(frames)] if frames else []
    return [
        "ffmpeg",
        "-v",
        "error",
        "-threads",
        "1",
        *options,
        "-i",
        str(clip),
        "-map",
        "0:v",
        *limit,
        *_NULL,
    ]


_NULL = ("-f", "null", "-")
