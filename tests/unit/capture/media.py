"""Small videos of every sort, made on the spot, and a clock-driven stand-in for waiting."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.stream import VideoStream
from numpy.typing import NDArray

from glimpser.capture.ingest.opening import Media
from glimpser.capture.ingest.wire import FrameReport, MeasureReport, Report

FPS = 20


def frame_of(luma: NDArray[np.uint8], pix_fmt: str = "yuv420p") -> av.VideoFrame:
    """Make a frame of limited range whose Y samples are `luma`, without colour."""
    rows, columns = luma.shape
    planar = np.full((rows * 3 // 2, columns), 128, np.uint8)
    planar[:rows] = luma
    frame = av.VideoFrame.from_ndarray(planar, format="yuv420p")
    return frame if pix_fmt == "yuv420p" else frame.reformat(format=pix_fmt)


def steps(width: int = 64, height: int = 64) -> NDArray[np.uint8]:
    """Eight flat stripes, from black to white in limited range."""
    levels = np.linspace(16, 235, 8).astype(np.uint8)
    return np.repeat(levels, -(-height // 8))[:height, None].repeat(width, axis=1)


def numbered(count: int, size: tuple[int, int] = (64, 64)) -> Iterator[av.VideoFrame]:
    """Frames that can be told apart: a white bar at another place in each."""
    width, height = size
    for number in range(count):
        luma = np.full((height, width), 40, np.uint8)
        left = number * 4 % (width - 8)
        luma[:, left : left + 8] = 200
        yield frame_of(luma)


def encode(
    path: Path,
    *,
    count: int = 20,
    codec: str = "libx264",
    options: dict[str, str] | None = None,
    container: str | None = None,
    size: tuple[int, int] = (64, 64),
    fps: Fraction | int = FPS,
) -> Path:
    with av.open(str(path), "w", format=container) as output:
        stream = output.add_stream(codec, rate=fps)
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        if codec == "mjpeg":
            stream.pix_fmt = "yuvj420p"
        stream.options = dict(options or {})
        for frame in numbered(count, size):
            output.mux(stream.encode(frame.reformat(format=stream.pix_fmt)))
        output.mux(stream.encode(None))
    return path


@contextmanager
def opened(path: Path) -> Iterator[Media]:
    with av.open(str(path)) as container:
        yield Media(container, container.streams.video[0])


class Waiting:
    """A clock and an event: waiting takes exactly the time that was asked for, and costs none."""

    def __init__(self, *, end_at: float = float("inf")) -> None:
        self.now = 100.0
        self.end_at = 100.0 + end_at

    def monotonic(self) -> float:
        return self.now

    def wait(self, timeout: float | None = None) -> bool:
        self.now += timeout or 0.0
        return self.now > self.end_at


@dataclass
class Outlet:
    """Keeps what a worker would send, in order."""

    sent: list[tuple[Report, bytes]] = field(default_factory=list)

    def report(self, report: Report, payload: bytes = b"") -> None:
        self.sent.append((report, payload))

    def frame(self, report: FrameReport, jpeg: bytes) -> None:
        self.sent.append((report, jpeg))

    def measure(self, report: MeasureReport) -> None:
        self.sent.append((report, b""))

    def dropped(self, template_id: str) -> int:
        return 0

    def of(self, kind: type) -> list[Report]:
        return [report for report, _ in self.sent if isinstance(report, kind)]
