"""Clips as cameras make them, made once: a textured scene, sensor noise, and now and then a moving box."""

import hashlib
import os
import tempfile
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

_NOISE_DEVIATION = 3.0
_NOISE_MARGIN_PX = 64
_BOX_EVERY_S, _BOX_FOR_S = 10.0, 4.0
_ENCODER_OPTIONS = {"preset": "veryfast", "profile": "main", "bf": "0", "sc_threshold": "0"}


@dataclass(frozen=True, slots=True)
class Shape:
    """A stream's shape; a key frame comes every two seconds."""

    width: int
    height: int
    fps: int
    bits_per_s: int
    seconds: int


CAMERA_1080P15 = Shape(1920, 1080, 15, 4_000_000, 20)
CAMERA_360P5 = Shape(640, 360, 5, 300_000, 20)


def footage(shape: Shape, count: int = 4) -> Sequence[Path]:
    """Give `count` different clips; they are kept in the system's folder for temporary files."""
    folder = Path(tempfile.gettempdir()) / f"glimpser-bench-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    key = hashlib.sha256(repr((astuple(shape), _ENCODER_OPTIONS)).encode()).hexdigest()[:12]
    clips = [folder / f"{shape.height}p{shape.fps}-{key}-{seed}.mp4" for seed in range(count)]
    for seed, clip in enumerate(clips):
        if not clip.exists():
            part = clip.with_suffix(".part.mp4")
            _make(part, shape, seed)
            part.rename(clip)
    return clips


def _make(path: Path, shape: Shape, seed: int) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=shape.fps)
        stream.width, stream.height, stream.pix_fmt = shape.width, shape.height, "yuv420p"
        stream.bit_rate = shape.bits_per_s
        stream.options = {**_ENCODER_OPTIONS, "g": str(2 * shape.fps), "maxrate": str(shape.bits_per_s)}
        stream.options |= {"bufsize": str(shape.bits_per_s)}
        scene = _Scene(shape, seed)
        for number in range(shape.seconds * shape.fps):
            picture = scene.picture(number / shape.fps)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="yuv420p")))
        container.mux(stream.encode())


class _Scene:
    def __init__(self, shape: Shape, seed: int) -> None:
        self._width, self._height = shape.width, shape.height
        self._random = np.random.default_rng(seed)
        self._room = self._texture()
        size = shape.height + _NOISE_MARGIN_PX, shape.width + _NOISE_MARGIN_PX
        self._noise = (self._random.standard_normal(size) * _NOISE_DEVIATION).astype(np.int16)
        self._box = self._random.integers(30, 220, (shape.height // 4, shape.width // 12), np.int16)

    def picture(self, now_s: float) -> NDArray[np.uint8]:
        """Draw one frame: planar YUV 4:2:0, (height × 3/2, width)."""
        luma = self._room.copy()
        walked = now_s % _BOX_EVERY_S / _BOX_FOR_S
        if walked < 1:
            rows, columns = self._box.shape
            top, left = self._height // 2, int(walked * (self._width - columns))
            luma[top : top + rows, left : left + columns] = self._box
        down, right = self._random.integers(0, _NOISE_MARGIN_PX, 2)
        luma += self._noise[down : down + self._height, right : right + self._width]
        chroma = np.full((self._height // 2, self._width), 126, np.uint8)
        return np.concatenate((np.clip(luma, 16, 235).astype(np.uint8), chroma))

    def _texture(self) -> NDArray[np.int16]:
        """Structure at several scales, as walls, furniture and leaves have it."""
        total = np.full((self._height, self._width), 110.0)
        for grain_px, contrast in ((120, 40), (24, 20), (6, 10)):
            cells = self._random.uniform(
                -contrast, contrast, (self._height // grain_px + 1, self._width // grain_px + 1)
            )
            total += np.kron(cells, np.ones((grain_px, grain_px)))[: self._height, : self._width]
        return total.astype(np.int16)
