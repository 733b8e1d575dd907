"""What a view looks like in outline, whatever the light: learned slowly, and compared with what is seen now.

An outline is the strength of edges beside that of the edges around them. So it is the same by day and night,
under a lamp and in fog; what moves through the picture is a small part of it, or a short one.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from cv2.typing import MatLike
from numpy.typing import NDArray

WIDTH, HEIGHT = 160, 90
"""Of the picture that outlines are taken from, in pixels."""

_SHIFT_PX = 4
"""A camera that sways by less, 2.5 % of the width, was not moved."""
_AROUND_PX = 25
_FAINT = 4.0
"""Edges of this strength are as good as none: so noise and smooth walls make no outline."""
_FINE_SIGMA_PX, _COARSE_SIGMA_PX = 0.8, 3.0
_NO_COARSE_EDGE = 1.5
_LEAST_SPREAD = 20.0
"""Gray levels between the darkest and the brightest of a picture in which outlines can be made out."""
_ORDINARY = (0.02, 0.98)
_MOVED_BELOW, _SAME_ABOVE = 0.38, 0.5
_BLURRED_BELOW, _SHARP_ABOVE = 0.66, 0.74
_LEARNED_LOOKS = 10
_FORGETS_IN_S = 120.0
"""Time constant in which a view that changes bit by bit becomes the new normal."""


@dataclass(frozen=True, slots=True, eq=False)
class Outline:
    """What one picture looks like.

    `edges` is 90x160 float32; `sharpness` compares fine with coarse edges; `spread` is in gray levels.
    """

    edges: MatLike
    sharpness: float
    spread: float


class OutlineReader:
    """Takes outlines of what can be seen: `visible` is 90x160 bool, None where there are no masks."""

    def __init__(self, visible: NDArray[np.bool_] | None) -> None:
        self._visible = visible

    def read(self, gray: MatLike) -> Outline:
        """Read a gray picture of any size, stretched to fit."""
        levels = cv2.resize(gray, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
        small = levels.astype(np.float32)
        fine = _edges(small, _FINE_SIGMA_PX)
        share = fine / (_edges(small, _COARSE_SIGMA_PX) + _NO_COARSE_EDGE)
        outline = np.sqrt(fine / (cv2.blur(fine, (_AROUND_PX, _AROUND_PX)) + _FAINT))
        if self._visible is not None:  # a mask's border is an edge that nothing can move
            outline = np.where(self._visible, outline, self._seen(outline).mean())
        return Outline(
            np.asarray(outline, np.float32),
            float(self._seen(share).mean()),
            spread=_spread(self._seen(levels)),
        )

    def _seen(self, picture: MatLike) -> MatLike:
        return picture if self._visible is None else np.asarray(picture[self._visible])


class Reference:
    """What the view looks like when all is well. One thread."""

    def __init__(self) -> None:
        self._edges = np.zeros((HEIGHT, WIDTH), np.float32)
        self._sharpness = 0.0
        self._looks = 0
        self._learned_at_s = 0.0

    @property
    def is_known(self) -> bool:
        return self._looks >= _LEARNED_LOOKS

    def learn(self, outline: Outline, at_s: float) -> None:
        """Take a picture in which all is well into account; the first ten alike, later ones by their time."""
        if outline.spread < _LEAST_SPREAD:
            return
        self._looks += 1
        elapsed_s, self._learned_at_s = max(0.0, at_s - self._learned_at_s), at_s
        weight = 1 / self._looks if self._looks <= _LEARNED_LOOKS else 1 - np.exp(-elapsed_s / _FORGETS_IN_S)
        self._edges += float(weight) * (outline.edges - self._edges)
        self._sharpness += float(weight) * (outline.sharpness - self._sharpness)

    def is_moved(self, outline: Outline, *, was: bool) -> bool | None:
        """Tell whether it shows something else; None: it cannot be made out. `was` is the last answer."""
        if outline.spread < _LEAST_SPREAD:
            return None
        return self.similarity(outline) < (_SAME_ABOVE if was else _MOVED_BELOW)

    def is_blurred(self, outline: Outline, *, was: bool) -> bool | None:
        """Tell whether it has lost what was fine in it; else as `is_moved`."""
        if outline.spread < _LEAST_SPREAD or self._sharpness <= 0:
            return None
        return outline.sharpness / self._sharpness < (_SHARP_ABOVE if was else _BLURRED_BELOW)

    def similarity(self, outline: Outline) -> float:
        """Give the best correlation over small shifts: 1 the same, about 0 something else."""
        inner = outline.edges[_SHIFT_PX:-_SHIFT_PX, _SHIFT_PX:-_SHIFT_PX]
        return float(cv2.matchTemplate(self._edges, inner, cv2.TM_CCOEFF_NORMED).max())


def _spread(levels: MatLike) -> float:
    """Give how far apart the levels lie, but for the darkest and the brightest 2 % of the pixels."""
    below = np.cumsum(np.bincount(levels.ravel(), minlength=256))
    low, high = np.searchsorted(below, np.multiply(_ORDINARY, below[-1]))
    return float(high - low)


def _edges(picture: MatLike, sigma_px: float) -> MatLike:
    smooth = cv2.GaussianBlur(picture, (0, 0), sigma_px)
    return cv2.magnitude(cv2.Sobel(smooth, cv2.CV_32F, 1, 0), cv2.Sobel(smooth, cv2.CV_32F, 0, 1))
