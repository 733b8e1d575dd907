"""From a decoded frame to what is looked at: luma for motion, JPEG for people.

Works on the decoder's planes as they are; swscale is used only for formats that have no 8-bit 4:2:0
planes. On 1080p that costs less than bare decoding's own noise, swscale costs a fifth more.
"""

import threading
from dataclasses import dataclass
from datetime import datetime

import cv2
import numpy as np
import simplejpeg
from av.video.frame import VideoFrame
from av.video.plane import VideoPlane
from numpy.typing import NDArray

from glimpser.core.motion import HEIGHT, WIDTH
from glimpser.streaming import caption
from glimpser.streaming.masking import Masks
from glimpser.streaming.retouch import AS_IT_IS, Retouch

Plane = NDArray[np.uint8]

JPEG_QUALITY = 75
_PLANAR_420 = frozenset({"yuv420p", "yuvj420p"})
_LUMA_FIRST = _PLANAR_420 | {"yuv422p", "yuvj422p", "yuv444p", "yuvj444p", "nv12", "nv21", "gray", "gray8"}
_FULL_RANGE = 2
"""AVCOL_RANGE_JPEG: luma from 0 to 255. Everything else is taken as limited, 16 to 235."""
_BLACK_OF_LIMITED = 16

_steps = np.arange(256, dtype=np.float32)
_LUMA_TO_FULL = np.clip((_steps - 16) * (255 / 219) + 0.5, 0, 255).astype(np.uint8)
_CHROMA_TO_FULL = np.clip((_steps - 128) * (255 / 224) + 128.5, 0, 255).astype(np.uint8)


@dataclass(frozen=True, slots=True)
class Jpeg:
    """One complete JFIF image and its size in pixels."""

    data: bytes
    width: int
    height: int


@dataclass(frozen=True, slots=True, eq=False)
class Planes:
    """A 4:2:0 picture: luma of even width and height, chroma of half of both."""

    y: Plane
    u: Plane
    v: Plane
    full_range: bool

    @property
    def width(self) -> int:
        return int(self.y.shape[1])

    @property
    def height(self) -> int:
        return int(self.y.shape[0])


class Picture:
    """A decoded frame with its time. JPEGs of it are made when asked for, once per width, on any thread.

    The frame leaves it retouched only: there is no other way to the pixels.
    """

    def __init__(
        self, frame: VideoFrame, *, sequence: int, captured_at: datetime, retouch: Retouch = AS_IT_IS
    ) -> None:
        self.sequence = sequence
        self.captured_at = captured_at
        self._frame = frame
        self._retouch = retouch
        self._lock = threading.Lock()
        self._covered: Planes | None = None
        self._jpegs: dict[int, Jpeg] = {}

    def jpeg(self, width: int) -> Jpeg:
        """Give the picture as wide as asked (0: native); never wider than it is."""
        with self._lock:
            if width not in self._jpegs:
                line = self._retouch.line(self.captured_at)
                self._jpegs[width] = encode_planes(self._planes(), width, line)
            return self._jpegs[width]

    def luma(self) -> Plane:
        """Give what motion is looked for in: 180 rows of 320 pixels, stretched to fit, without a caption."""
        if not self._retouch.masks:
            return luma(self._frame)
        with self._lock:
            return _resized(self._planes().y, WIDTH, HEIGHT)

    def _planes(self) -> Planes:
        if not self._retouch.masks:
            return planes_of(self._frame)
        if self._covered is None:
            self._covered = covered(planes_of(self._frame), self._retouch.masks)
        return self._covered


def luma(frame: VideoFrame) -> Plane:
    """Give the picture motion is looked for in: 180 rows of 320 pixels, stretched to fit."""
    if frame.format.name not in _LUMA_FIRST:
        frame = frame.reformat(format="gray")
    return _resized(_samples(frame.planes[0]), WIDTH, HEIGHT)


def planes_of(frame: VideoFrame) -> Planes:
    """View a frame as 4:2:0 planes, converted where it is something else. Valid as long as the frame lives.

    The last row or column of an odd size is left off: the encoder reads luma in pairs of both, beyond the
    end of a plane that has an odd one (libjpeg-turbo, `tj3CompressFromYUVPlanes8`).
    """
    if frame.format.name not in _PLANAR_420:
        frame = frame.reformat(format="yuvj420p", dst_color_range=_FULL_RANGE)
    full_range = frame.color_range == _FULL_RANGE or frame.format.name == "yuvj420p"
    return Planes(*_even(*(_samples(plane) for plane in frame.planes[:3])), full_range=full_range)


def covered(planes: Planes, masks: Masks) -> Planes:
    """Give a copy with the masked areas black: the decoder still needs its own for the frames to come."""
    y, u, v = (np.array(plane) for plane in (planes.y, planes.u, planes.v))
    masks.cover(y, 0 if planes.full_range else _BLACK_OF_LIMITED)
    for chroma in (u, v):
        masks.cover_chroma(chroma, planes.width, planes.height)
    return Planes(y, u, v, full_range=planes.full_range)


def encode_jpeg(frame: VideoFrame, width: int) -> Jpeg:
    """Encode a frame as it is."""
    return encode_planes(planes_of(frame), width)


def encode_planes(planes: Planes, width: int, line: str = "") -> Jpeg:
    """Encode as wide as asked, never wider than the planes; 0 means native. `line` is written into it."""
    y, u, v = planes.y, planes.u, planes.v
    if 0 < width < planes.width:
        y, u, v = _shrink((y, u, v), width, planes.height * width // planes.width)
    if not planes.full_range:
        y, u, v = _map(y, _LUMA_TO_FULL), _map(u, _CHROMA_TO_FULL), _map(v, _CHROMA_TO_FULL)
    if line:
        y, u, v = _inscribed((y, u, v), line)
    contiguous = (np.ascontiguousarray(plane) for plane in (y, u, v))
    data: bytes = simplejpeg.encode_jpeg_yuv_planes(*contiguous, quality=JPEG_QUALITY, fastdct=True)
    return Jpeg(data, width=y.shape[1], height=y.shape[0])


def _inscribed(planes: tuple[Plane, Plane, Plane], line: str) -> tuple[Plane, Plane, Plane]:
    """Write a line into a copy of full-range planes, without the colours of what was behind it."""
    y, u, v = (np.array(plane) for plane in planes)
    box = caption.write(y, line)
    for chroma in (u, v):
        chroma[: box.height // 2, : box.width // 2] = 128
    return y, u, v


def _samples(plane: VideoPlane) -> Plane:
    """View a plane's samples without its padding. Valid as long as the frame lives."""
    samples = np.frombuffer(memoryview(plane), np.uint8)
    return samples.reshape(plane.height, plane.line_size)[:, : plane.width]


def _even(y: Plane, u: Plane, v: Plane) -> tuple[Plane, Plane, Plane]:
    rows, columns = y.shape[0] // 2, y.shape[1] // 2
    return y[: 2 * rows, : 2 * columns], u[:rows, :columns], v[:rows, :columns]


def _map(plane: Plane, table: Plane) -> Plane:
    return np.asarray(cv2.LUT(plane, table), dtype=np.uint8)


def _shrink(planes: tuple[Plane, Plane, Plane], width: int, height: int) -> tuple[Plane, Plane, Plane]:
    """Scale 4:2:0 planes to even sizes."""
    width, height = max(2, width & ~1), max(2, height & ~1)
    sizes = ((width, height), (width // 2, height // 2), (width // 2, height // 2))
    y, u, v = (_scaled(plane, *size) for plane, size in zip(planes, sizes, strict=True))
    return y, u, v


def _scaled(plane: Plane, width: int, height: int) -> Plane:
    """Scale down without aliasing: halve by the mean of four samples, then interpolate the rest below two.

    Costs a quarter of one step by INTER_AREA, and is as close to it as eight bits and the eye can tell.
    """
    rows, columns = plane.shape
    while columns >= 2 * width and rows >= 2 * height:
        rows, columns = rows // 2, columns // 2
        plane = _resized(plane, columns, rows)
    return _resized(plane, width, height)


def _resized(plane: Plane, width: int, height: int) -> Plane:
    return np.asarray(cv2.resize(plane, (width, height), interpolation=cv2.INTER_LINEAR), dtype=np.uint8)
