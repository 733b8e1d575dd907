"""Makes small H.264 clips whose motion is known to the frame, for tests of cameras and detectors."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import av
import numpy as np
from av.codec.codec import UnknownCodecError
from numpy.typing import NDArray

from glimpser.core.errors import InvalidInput, Misconfigured

_ENCODER: Final = "libx264"
_NOISE_MARGIN_PX: Final = 64
_NOISE_DEVIATION: Final = 2.5
_GRAIN_PX: Final = 20
_BLACK, _WHITE = 16, 235  # limited range (ITU-R BT.601)
_ROOM_CHROMA, _BOX_CHROMA = (122, 134), (148, 104)  # Cb, Cr: a warm room, a blue box

Picture = NDArray[np.uint8]
Spans = Sequence[tuple[float, float]]


def make_clip(
    path: Path,
    *,
    seconds: float,
    width: int = 640,
    height: int = 360,
    fps: int = 25,
    gop: int = 25,
    motion: Spans = (),
    seed: int = 0,
) -> None:
    """Write a clip of a still room with sensor noise, through which a box walks during the given spans.

    `motion` holds (start, end) in seconds: the box is whole and inside every frame with start ≤ t < end, goes
    from the left edge to the right one, and is in no other frame. Key frames come every `gop` frames, there
    are no B-frames, and the container follows from the suffix of `path`. The same arguments and encoder give
    the same bytes.

    Raises:
        InvalidInput: the sizes are odd or too small, or a span lies outside the clip.
        Misconfigured: this PyAV cannot encode H.264; no other codec is taken instead.
    """
    _check(seconds, (width, height), (fps, gop), motion)
    with av.open(str(path), "w") as container:
        try:
            stream = container.add_stream(_ENCODER, rate=fps)
        except UnknownCodecError as error:
            raise Misconfigured(f"PyAV was built without {_ENCODER}: clips cannot be made") from error
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.codec_context.thread_count = 1  # the bytes must not depend on the machine
        stream.options = {"preset": "ultrafast", "tune": "zerolatency", "g": str(gop), "sc_threshold": "0"}
        for picture in _pictures(_Scene(width, height, seed), round(seconds * fps), fps, motion):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="yuv420p")))
        container.mux(stream.encode())


def _check(seconds: float, size: tuple[int, int], rates: tuple[int, int], motion: Spans) -> None:
    if seconds <= 0 or min(rates) < 1 or round(seconds * rates[0]) < 1:
        raise InvalidInput("a clip needs a length, a frame rate and a key frame distance above zero")
    if min(size) < 64 or any(side % 2 for side in size):
        raise InvalidInput("a clip's width and height must be even and at least 64")
    if any(not 0 <= start < end <= seconds for start, end in motion):
        raise InvalidInput("motion must start before it ends, inside the clip")


def _pictures(scene: "_Scene", count: int, fps: int, motion: Spans) -> Iterator[Picture]:
    for number in range(count):
        now_s = number / fps
        span = next((s for s in motion if s[0] <= now_s < s[1]), None)
        yield scene.picture(None if span is None else (now_s - span[0]) / (span[1] - span[0]))


@dataclass(frozen=True, slots=True)
class _Box:
    """The walker: `luma` is its texture, `top_px` where its head is; even sizes, for the chroma planes."""

    luma: NDArray[np.int16]
    top_px: int

    @property
    def height_px(self) -> int:
        return int(self.luma.shape[0])

    @property
    def width_px(self) -> int:
        return int(self.luma.shape[1])


class _Scene:
    def __init__(self, width: int, height: int, seed: int) -> None:
        self._size = width, height
        self._random = np.random.default_rng(seed)
        self._room = _room(self._random, width, height)
        self._noise = (
            self._random.standard_normal((height + _NOISE_MARGIN_PX, width + _NOISE_MARGIN_PX))
            * _NOISE_DEVIATION
        ).astype(np.int16)
        self._chroma = np.repeat(np.array(_ROOM_CHROMA, np.uint8), height // 2 * (width // 2))
        self._box = _box(self._random, width, height)

    def picture(self, progress: float | None) -> Picture:
        """Draw one frame: planar YUV 4:2:0, (height × 3/2, width); the box at `progress` 0..1 of its walk."""
        width, height = self._size
        luma = self._room
        chroma = self._chroma
        if progress is not None:
            luma, chroma = luma.copy(), chroma.copy()
            self._draw_box(luma, chroma.reshape(2, height // 2, width // 2), progress)
        down, right = self._random.integers(0, _NOISE_MARGIN_PX, 2)
        noisy = luma + self._noise[down : down + height, right : right + width]
        top = np.clip(noisy, _BLACK, _WHITE).astype(np.uint8)
        return np.concatenate((top, chroma.reshape(height // 2, width)))

    def _draw_box(self, luma: NDArray[np.int16], chroma: Picture, progress: float) -> None:
        box = self._box
        left = int(progress * (self._size[0] - box.width_px)) & ~1
        luma[box.top_px : box.top_px + box.height_px, left : left + box.width_px] = box.luma
        rows = slice(box.top_px // 2, (box.top_px + box.height_px) // 2)
        chroma[:, rows, left // 2 : (left + box.width_px) // 2] = np.array(_BOX_CHROMA).reshape(2, 1, 1)


def _room(random: np.random.Generator, width: int, height: int) -> NDArray[np.int16]:
    """Paint a wall above a darker floor, a few pieces of furniture, and a coarse grain over all of it."""
    shape = height // _GRAIN_PX + 1, width // _GRAIN_PX + 1
    grain = np.kron(random.integers(-9, 10, shape), np.ones((_GRAIN_PX, _GRAIN_PX), np.int16))
    room = grain[:height, :width] + np.linspace(150, 120, height).reshape(-1, 1)
    room[height * 2 // 3 :] -= 35
    for _ in range(6):
        top, left = int(random.integers(height * 2 // 3)), int(random.integers(width * 4 // 5))
        room[top : top + height // 5, left : left + width // 8] += int(random.integers(-45, 46))
    return np.asarray(room, np.int16)


def _box(random: np.random.Generator, width: int, height: int) -> _Box:
    rows, columns = height // 3 & ~1, width // 10 & ~1
    luma = random.integers(40, 80, (rows, columns), np.int16)
    luma[: rows // 4] += 110  # a bright head
    return _Box(luma, top_px=height // 2 & ~1)
