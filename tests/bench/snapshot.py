"""A picture of a view that runs, against what a program without live views does: start ffmpeg for each.

Every picture asked for is a new one, so that each is encoded; the time is that of the whole way, from the
question in the main process to the JPEG there, and over HTTP to the last byte at a client.
"""

import asyncio
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import uvloop

from glimpser.core.live import MediaInput
from glimpser.testing.camera import FakeCamera
from tests.bench.figures import Figure, Part
from tests.bench.footage import CAMERA_1080P15, footage
from tests.bench.watching import Watched, watched
from tests.program import Program, running, wait_for

_AT_MOST = 1 / 20
_GAP_S = 0.075
"""A little longer than the frame interval of 67 ms: no picture is asked for twice."""
_SPAWNS = 6
_SLOW_SPAWNS = 1
"""Connecting takes seconds."""
_NATIVE, _SMALL = 0, 640


def run(seconds: float = 20.0, rounds: int = 4) -> Part:
    """Measure for about `seconds` altogether in each way."""
    clip = footage(CAMERA_1080P15)[0]
    with FakeCamera(clip) as camera:
        bench = _Bench(clip, camera.url, pictures=max(10, int(seconds / rounds / 2 / _GAP_S)))
        for number in range(rounds):
            bench.round(reverse=number % 2 == 1)
    return Part("A snapshot of a live 1080p view, against starting ffmpeg for it", bench.figures())


@dataclass(slots=True)
class _Times:
    """Milliseconds of each try."""

    ms: list[float] = field(default_factory=list)

    @property
    def p50(self) -> float:
        return statistics.median(self.ms)

    @property
    def p99(self) -> float:
        return statistics.quantiles(self.ms, n=100)[98]


class _Bench:
    def __init__(self, clip: Path, camera_url: str, *, pictures: int) -> None:
        self._clip = clip
        self._camera_url = camera_url
        self._pictures = pictures
        self._ways: dict[str, Callable[[_Times], None]] = {
            "ffmpeg on the file": self._spawn_on_file,
            "from the pool, native": lambda times: self._from_pool(times, _NATIVE),
            "from the pool, 640 px": lambda times: self._from_pool(times, _SMALL),
            "over HTTP, native": lambda times: self._over_http(times, _NATIVE),
            "over HTTP, 640 px": lambda times: self._over_http(times, _SMALL),
            "ffmpeg on the camera": self._spawn_on_camera,
        }
        self._times = {name: _Times() for name in self._ways}

    def round(self, *, reverse: bool) -> None:
        """Take every way once; `reverse` in the opposite order."""
        names = list(self._ways)
        for name in reversed(names) if reverse else names:
            self._ways[name](self._times[name])

    def figures(self) -> Sequence[Figure]:
        spawned = self._times["ffmpeg on the file"]
        return [figure for name, times in self._times.items() for figure in _figures(name, times, spawned)]

    def _spawn_on_file(self, times: _Times) -> None:
        self._spawn(times, _SPAWNS, ["-i", str(self._clip)])

    def _spawn_on_camera(self, times: _Times) -> None:
        self._spawn(times, _SLOW_SPAWNS, ["-rtsp_transport", "tcp", "-i", self._camera_url])

    def _spawn(self, times: _Times, tries: int, source: Sequence[str]) -> None:
        one_picture = ["-frames:v", "1", "-f", "image2", "-c:v", "mjpeg", "pipe:1"]
        for _ in range(tries):
            began = time.perf_counter()
            made = subprocess.run(
                ["ffmpeg", "-v", "error", *source, *one_picture], capture_output=True, check=True
            )
            times.ms.append(1000 * (time.perf_counter() - began))
            assert made.stdout.startswith(b"\xff\xd8")

    def _from_pool(self, times: _Times, width: int) -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(self._ask_pool(times, width))

    async def _ask_pool(self, times: _Times, width: int) -> None:
        media = MediaInput(address=str(self._clip), is_file=True, loop=True)
        async with watched([media], roots=[self._clip.parent]) as views:
            await _ask(views, self._pictures, times, width)

    def _over_http(self, times: _Times, width: int) -> None:
        with tempfile.TemporaryDirectory() as folder:
            settings = {"GLIMPSER_CAPTURE__FILE_ROOTS": f'["{self._clip.parent}"]'}
            with running(Path(folder) / "data", settings) as program, program.set_up() as client:
                self._ask_program(program, client, times, width)

    def _ask_program(self, program: Program, client: httpx2.Client, times: _Times, width: int) -> None:
        body = {"name": "Clip", "kind": "file", "config": {"path": str(self._clip)}}
        template_id = client.post("/api/templates", json=body).json()["id"]
        path = f"/api/stream/{template_id}/snapshot"
        query = {"w": width} if width else {}
        wait_for(lambda: client.get(path, params=query).status_code == 200, what="live")
        for _ in range(self._pictures):
            time.sleep(_GAP_S)
            began = time.perf_counter()
            answer = client.get(path, params=query)
            times.ms.append(1000 * (time.perf_counter() - began))
            assert answer.content.startswith(b"\xff\xd8")


async def _ask(views: Watched, pictures: int, times: _Times, width: int) -> None:
    [template_id] = views.states
    for _ in range(pictures):
        await asyncio.sleep(_GAP_S)
        began = time.perf_counter()
        frame = await views.pool.snapshot(template_id, width)
        times.ms.append(1000 * (time.perf_counter() - began))
        assert frame.jpeg.startswith(b"\xff\xd8")


def _figures(name: str, times: _Times, spawned: _Times) -> list[Figure]:
    p50, p99 = f"{name}: p50", f"{name}: p99"
    figures = [Figure(name=p50, value=times.p50, unit="ms"), Figure(name=p99, value=times.p99, unit="ms")]
    if not name.startswith("ffmpeg"):
        ratio = times.p50 / spawned.p50
        target = _AT_MOST if "pool" in name else None
        figures.append(Figure(name=p50, value=ratio, unit="× file", at_most=target))
    return figures
