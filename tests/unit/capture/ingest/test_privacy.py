"""Nothing of what is masked leaves a worker, on any path."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import simplejpeg
from numpy.typing import NDArray

from glimpser.capture.ingest.motion import BurstReporter
from glimpser.capture.ingest.opening import Opener
from glimpser.capture.ingest.picture import Picture
from glimpser.capture.ingest.pixels import Pixels
from glimpser.capture.still import take_picture
from glimpser.core.frames import WIDTHS
from glimpser.core.live import Caption, MediaInput
from glimpser.core.motion import BurstClosed, BurstEvent, BurstOpened, BurstPeak
from glimpser.egress.gate import Gate, GatePolicy
from glimpser.streaming.retouch import AS_IT_IS, Retouch, retouch_of
from glimpser.testing.clock import FakeClock
from tests.unit.capture.ingest.test_pixels import AtOnce, Seen
from tests.unit.capture.media import Outlet, encode, frame_of

NOW = datetime(2026, 3, 1, tzinfo=UTC)
WIDTH, HEIGHT = 1600, 900
LEFT = ((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0))
EVERYTHING = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))
HIDDEN = retouch_of((LEFT,))


def bright(width: int = WIDTH, height: int = HEIGHT) -> NDArray[np.uint8]:
    """Noise that is bright everywhere, so that every pixel that leaks is seen."""
    rng = np.random.default_rng(7)
    return rng.integers(170, 235, (height, width), np.uint8)


def gray(jpeg: bytes) -> NDArray[np.uint8]:
    return np.asarray(simplejpeg.decode_jpeg(jpeg, colorspace="GRAY")[..., 0], np.uint8)


def brightest_hidden(shown: NDArray[np.uint8]) -> int:
    """Of the masked half; a JPEG's block of 16 pixels on the border is both."""
    return int(shown[:, : shown.shape[1] // 2 - 16].max())


def darkest_seen(shown: NDArray[np.uint8]) -> int:
    return int(shown[:, shown.shape[1] // 2 + 16 :].min())


@dataclass
class Looker:
    """Keeps what the detectors are shown, and makes a burst of three frames of it."""

    shown: list[NDArray[np.uint8]] = field(default_factory=list)

    def process(self, gray: NDArray[np.uint8], captured_at: datetime) -> Seen:
        self.shown.append(gray)
        opened = BurstOpened(started_at=NOW, peak_at=captured_at, score=0.5, boxes=())
        peak = BurstPeak(started_at=NOW, peak_at=captured_at, score=0.5, boxes=())
        steps: dict[int, BurstEvent] = {1: opened, 2: peak}
        event = steps.get(len(self.shown))
        return Seen(best=True, events=[event] if event else [])

    def flush(self) -> Sequence[BurstClosed]:
        return [BurstClosed(started_at=NOW, peak_at=NOW, ended_at=NOW, score=0.5, boxes=())]


def everything_that_leaves(retouch: Retouch) -> tuple[Looker, list[NDArray[np.uint8]]]:
    """Run a view on which every path is used; gives what detectors saw, and every picture."""
    clock, outlet, looker = FakeClock(), Outlet(), Looker()
    pixels = Pixels(
        "A",
        outlet=outlet,
        bursts=BurstReporter("A", looker, outlet),
        detect_fps=20,
        encoders=AtOnce(),
        clock=clock,
        retouch=retouch,
    )
    pixels.set_wants(dict.fromkeys(WIDTHS, 0.0))
    for request, width in enumerate(WIDTHS):
        pixels.snapshot(request, width)  # answered by the next picture
    for number in range(3):
        pixels.show(frame_of(bright()), number / 20)
        clock.advance(0.05)
    for request, width in enumerate(WIDTHS):
        pixels.snapshot(request, width)  # answered at once
    pixels.flush("gone")  # the last picture, and that of the burst's end
    return looker, [gray(payload) for _, payload in outlet.sent if payload]


def test_on_no_path_does_a_masked_pixel_leave() -> None:
    looker, pictures = everything_that_leaves(HIDDEN)

    paths = len(WIDTHS)
    assert len(pictures) == 3 * paths + 2 * paths + 3 + 1  # streams, snapshots, the burst's steps, the last
    assert {picture.shape[1] for picture in pictures} == {320, 640, 1280, WIDTH}
    assert max(map(brightest_hidden, pictures)) < 12
    assert min(map(darkest_seen, pictures)) > 120
    assert max(map(brightest_hidden, looker.shown)) <= 16


def test_without_masks_everything_leaves() -> None:
    looker, pictures = everything_that_leaves(AS_IT_IS)

    assert min(map(brightest_hidden, (*pictures, *looker.shown))) > 120


def test_a_view_that_is_masked_all_over_is_black_and_works() -> None:
    looker, pictures = everything_that_leaves(retouch_of((EVERYTHING,)))

    assert max(int(picture.max()) for picture in pictures) < 12
    assert max(int(shown.max()) for shown in looker.shown) <= 16


@pytest.mark.parametrize(
    "pix_fmt", ["yuvj420p", "yuv422p", "yuv444p", "nv12", "yuv420p10le", "rgb24", "gray", "gbrp"]
)
@pytest.mark.parametrize("size", [(64, 48), (63, 47)], ids=["even", "odd"])
def test_frames_of_every_format_and_size_are_covered(pix_fmt: str, size: tuple[int, int]) -> None:
    frame = frame_of(bright(64, 48)).reformat(width=size[0], height=size[1], format=pix_fmt)

    shown = gray(Picture(frame, sequence=1, captured_at=NOW, retouch=HIDDEN).jpeg(0).data)

    assert brightest_hidden(shown) < 12
    assert darkest_seen(shown) > 120


def test_no_colour_is_left_behind_a_mask() -> None:
    red = np.zeros((48, 64, 3), np.uint8)
    red[..., 0] = 220
    frame = type(frame_of(bright(64, 48))).from_ndarray(red, format="rgb24").reformat(format="yuv420p")

    jpeg = Picture(frame, sequence=1, captured_at=NOW, retouch=HIDDEN).jpeg(0)

    assert np.asarray(simplejpeg.decode_jpeg(jpeg.data, colorspace="RGB"))[:, :16].max() < 25


def test_covering_leaves_the_decoders_own_frame_alone() -> None:
    frame = frame_of(bright(64, 48))

    Picture(frame, sequence=1, captured_at=NOW, retouch=HIDDEN).jpeg(0)

    assert np.array_equal(frame.to_ndarray()[:48], bright(64, 48))


def test_a_caption_is_in_every_picture_and_in_none_that_is_searched_for_motion() -> None:
    looker, pictures = everything_that_leaves(retouch_of((EVERYTHING,), Caption(name="Door", time=True)))

    assert min(int(picture[:40, :150].max()) for picture in pictures) > 200
    assert max(int(shown.max()) for shown in looker.shown) <= 16


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clips")
    encode(folder / "clip.mp4", count=5, size=(128, 64))
    return folder


def test_a_picture_taken_without_a_running_program_is_covered(clip: Path) -> None:
    opener = Opener(Gate(GatePolicy()), file_roots=[clip], stall_timeout_s=5)
    media = MediaInput(address="clip.mp4", is_file=True)

    open_picture = gray(take_picture(opener, media).data)
    covered = gray(take_picture(opener, media, retouch=retouch_of((EVERYTHING,))).data)

    assert open_picture.max() > 180
    assert covered.max() < 12
