"""Name and time of a view, written into its pictures."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import cv2
import numpy as np
from numpy.typing import NDArray

from glimpser.core.live import Caption
from glimpser.core.local_time import zone_of

_FONT = cv2.FONT_HERSHEY_SIMPLEX
_BOX = 16
_INK = 255
_LEAST_SCALE = 0.32
"""Of the font: capitals of seven pixels, the least that can be read."""
_WIDTH_AT_FULL_SCALE_PX = 1700
_MOST_OF_WIDTH = 0.96


@dataclass(frozen=True, slots=True)
class Size:
    """Of the box the text stands in, from the top left of the picture, in pixels; both even."""

    width: int
    height: int


NOTHING = Size(0, 0)


def text_of(caption: Caption, captured_at: datetime) -> str:
    """Give the line to write; empty: none. The time says which zone it is of."""
    parts = [caption.name] if caption.name else []
    if caption.time:
        zone = None if caption.timezone is None else zone_of(caption.timezone)
        parts.append(f"{captured_at.astimezone(zone):%Y-%m-%d %H:%M:%S %Z}")
    return "  ".join(parts)


def write(picture: NDArray[np.uint8], text: str) -> Size:
    """Write light on dark into the top left corner, of luma or of BGR; gives the box, for what else it needs.

    A line that is too long is written smaller, and then cut. Accents are left off and what is not Latin
    becomes `?`: the font has no others.
    """
    if not text:
        return NOTHING
    height, width = picture.shape[:2]
    line, scale = _fitted(_latin(text), width)
    (text_width, text_height), baseline = cv2.getTextSize(line, _FONT, scale, _thickness(scale))
    pad = max(2, text_height // 2)
    box = Size(_even(text_width + 2 * pad, width), _even(text_height + baseline + 2 * pad, height))
    colours: Sequence[int] = (_INK, _INK, _INK)
    picture[: box.height, : box.width] = _BOX
    origin = (pad, pad + text_height)
    cv2.putText(picture, line, origin, _FONT, scale, colours, _thickness(scale), cv2.LINE_AA)
    return box


def _fitted(line: str, width_px: int) -> tuple[str, float]:
    """Choose the size of the letters; gives what of the line there is room for, and the scale."""
    scale = max(width_px / _WIDTH_AT_FULL_SCALE_PX, _LEAST_SCALE)
    room = width_px * _MOST_OF_WIDTH
    wanted = _width(line, scale)
    if wanted > room:
        scale = max(_LEAST_SCALE, scale * room / wanted)
    while len(line) > 1 and _width(line, scale) > room:
        line = line[: -max(1, len(line) // 20)]
    return line, scale


def _width(line: str, scale: float) -> int:
    return cv2.getTextSize(line, _FONT, scale, _thickness(scale))[0][0]


def _thickness(scale: float) -> int:
    return max(1, round(scale * 1.6))


def _latin(text: str) -> str:
    letters = (letter for letter in unicodedata.normalize("NFKD", text) if not unicodedata.combining(letter))
    return "".join(letters).encode("ascii", "replace").decode().replace("\n", " ")


def _even(size: int, limit: int) -> int:
    return min((size + 1) & ~1, limit & ~1)
