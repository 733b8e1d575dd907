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

Plane = NDArray[np.uint8]

JPEG_QUALITY = 75
_PLANAR_420 = frozenset({"yuv420p", "yuvj420p"})
_LUMA_FIRST = _PLANAR_420 | {"yuv422p", "yuvj422p", "yuv444p", "yuvj444p", "nv12", "nv21", "gray", "gray8"}
_FULL_RANGE = 2
"""AVCOL_RANGE_JPEG: luma from 0 to 255. Everything else is taken as limited, 16 to 235."""

_steps = np.arange(256, dtype=np.float32)
_LUMA_TO_FULL = np.clip((_steps - 16) * (255 / 219) + 0.5, 0, 255).astype(np.uint8)
_CHROMA_TO_FULL = np.clip((_steps - 128) * (255 / 224) + 128.5, 0, 255).astype(np.uint8)


@dataclass(frozen=True, slots=True)
class Jpeg:
    """One complete JFIF image and its size in pixels."""

    data: bytes
    width: int
    height: int


class Picture:
    """A decoded frame with its time. JPEGs of it are made when asked for, once per width, on any thread."""

    def __init__(self, frame: VideoFrame, *, sequence: int, captured_at: datetime) -> None:
        self.sequence = sequence
        self.captured_at = captured_at
        self._frame = frame
        self._lock = threading.Lock()
        self._jpegs: dict[int, Jpeg] = {}

    def jpeg(self, width: int) -> Jpeg:
        """Give the picture as wide as asked (0: native); never wider than it is."""
        with self._lock:
            if width not in self._jpegs:
                self._jpegs[width] = encode_jpeg(self._frame, width)
            return self._jpegs[width]


def luma(frame: VideoFrame) -> Plane:
    """Give the picture motion is looked for in: 180 rows of 320 pixels, stretched to fit."""
    if frame.format.name not in _LUMA_FIRST:
        frame = frame.reformat(format="gray")
    return _resized(_samples(frame.planes[0]), WIDTH, HEIGHT)


def encode_jpeg(frame: VideoFrame, width: int) -> Jpeg:
    """Encode as wide as asked, never wider than the frame; 0 means native.

    The last row or column of an odd size is left off: the encoder reads luma in pairs of both, beyond the
    end of a plane that has an odd one (libjpeg-turbo, `tj3CompressFromYUVPlanes8`).
    """
    if frame.format.name not in _PLANAR_420:
        frame = frame.reformat(format="yuvj420p", dst_color_range=_FULL_RANGE)
    full_range = frame.color_range == _FULL_RANGE or frame.format.name == "yuvj420p"
    y, u, v = _even(*(_samples(plane) for plane in frame.planes[:3]))
    if 0 < width < frame.width:
        y, u, v = _shrink((y, u, v), width, frame.height * width // frame.width)
    if not full_range:
        y, u, v = _map(y, _LUMA_TO_FULL), _map(u, _CHROMA_TO_FULL), _map(v, _CHROMA_TO_FULL)
    planes = (np.ascontiguousarray(plane) for plane in (y, u, v))
    data: bytes = simplejpeg.encode_jpeg_yuv_planes(*planes, quality=JPEG_QUALITY, fastdct=True)
    return Jpeg(data, width=y.shape[1], height=y.shape[0])


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
