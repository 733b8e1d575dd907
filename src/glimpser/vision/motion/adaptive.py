"""The detector for real cameras: it learns every pixel's noise and explains light, shake and rest away."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from cv2.typing import MatLike
from numpy.typing import NDArray

from glimpser.core.motion import HEIGHT, STILL, WIDTH, Motion
from glimpser.vision.masks import Region
from glimpser.vision.motion.background import Background
from glimpser.vision.motion.blobs import MARGIN_PX, connected, widened
from glimpser.vision.motion.detector import Blob, report
from glimpser.vision.motion.light import fit_light
from glimpser.vision.motion.settings import AdaptiveSettings
from glimpser.vision.motion.shake import ShakeFinder, shifted

_SPECK = np.ones((3, 3), np.uint8)
_NEIGHBOURHOOD = np.ones((9, 9), np.uint8)


@dataclass(slots=True, eq=False)
class _Comparison:
    """One picture against the background: all 180x320 uint8.

    `background` and `difference` are those after a shake was compensated; `tolerance` stays that of noise.
    """

    background: MatLike
    difference: MatLike
    tolerance: MatLike
    changed: MatLike
    changed_px: int
    shaken: bool = False


class AdaptiveDetector:
    """One view's detector; about half a millisecond of one core for each picture."""

    def __init__(self, region: Region, settings: AdaptiveSettings, *, threshold: float = 0.0) -> None:
        self._region = region
        self._settings = settings
        self._threshold = threshold
        self._shake = ShakeFinder(
            least_response=settings.shake_response,
            least_shift_px=settings.shake_least_px,
            most_shift_px=settings.shake_most_px,
        )
        self._background: Background | None = None
        self._changed_before: MatLike | None = None
        self._other_scene_frames = 0
        self._shaken_frames = 0

    def process(self, gray: NDArray[np.uint8]) -> Motion:
        """See `Detector.process`.

        Raises:
            ValueError: the picture is not 180x320 uint8.
        """
        picture = _denoised(gray)
        if self._background is None:
            self._background = Background(picture, self._settings)
            return STILL
        background = self._background
        background.begin_frame()
        self._follow_light(picture, background)
        comparison = self._compare(picture, background)
        if self._scene_is_another(picture, comparison, background):
            return STILL
        changed = self._cleaned(comparison)
        areas = None if changed is None else widened(changed)
        moving, resting = self._judge(picture, comparison, changed=changed, areas=areas)
        self._changed_before = changed
        background.follow(picture)
        if not comparison.shaken:
            background.learn(picture, comparison.difference, areas)
            background.absorb(picture, [blob.window for blob in resting])
        return report(moving, self._region, threshold=self._threshold) if background.settled else STILL

    def _follow_light(self, picture: MatLike, background: Background) -> None:
        """Put a change of light into the background, so that it is no difference."""
        light = fit_light(picture, background.picture)
        if light.exceeds(gain=self._settings.light_gain, offset=self._settings.light_offset):
            background.relight(light)

    def _compare(self, picture: MatLike, background: Background) -> _Comparison:
        comparison = _compared(picture, background.picture, background.tolerance)
        if comparison.changed_px > self._settings.shake_changed_px:
            return self._compensate_shake(picture, comparison)
        return comparison

    def _compensate_shake(self, picture: MatLike, seen: _Comparison) -> _Comparison:
        """Compare again with the background moved by the shift found, if that explains enough.

        Along edges a shift is never exact: there the tolerance grows with the local contrast.
        """
        shift = self._shake.find(picture, seen.background)
        if shift is None:
            return seen
        moved = _compared(picture, shifted(seen.background, shift), seen.tolerance)
        if moved.changed_px >= seen.changed_px * self._settings.shake_remaining:
            return seen
        contrast = cv2.morphologyEx(moved.background, cv2.MORPH_GRADIENT, _SPECK)
        along_edges = cv2.convertScaleAbs(contrast, alpha=self._settings.shake_edge_share)
        lenient = cv2.add(seen.tolerance, along_edges)
        moved.changed = cv2.compare(moved.difference, lenient, cv2.CMP_GT)
        moved.changed_px = cv2.countNonZero(moved.changed)
        moved.shaken = True
        return moved

    def _scene_is_another(self, picture: MatLike, comparison: _Comparison, background: Background) -> bool:
        """Whether this is not the scene learnt: covered, turned, cut to another, or moved for good.

        The second such frame in a row becomes the new scene; a single one (a flash) is passed over.
        """
        settings = self._settings
        self._shaken_frames = self._shaken_frames + 1 if comparison.shaken else 0
        another = comparison.changed_px > settings.scene_share * WIDTH * HEIGHT
        self._other_scene_frames = self._other_scene_frames + 1 if another else 0
        if self._other_scene_frames >= 2 or self._shaken_frames >= settings.shake_longest_frames:
            background.restart(picture)
            self._other_scene_frames = self._shaken_frames = 0
            another = True
        if another:
            self._changed_before = None
        return another

    def _cleaned(self, comparison: _Comparison) -> MatLike | None:
        """The changed pixels inside the region without single specks, or None if next to nothing is left."""
        if comparison.changed_px < self._settings.blob_px:
            return None
        watched = self._region.keep(comparison.changed)
        opened = cv2.morphologyEx(watched, cv2.MORPH_OPEN, _SPECK)
        return opened if cv2.countNonZero(opened) >= self._settings.opened_px else None

    def _judge(
        self, picture: MatLike, comparison: _Comparison, *, changed: MatLike | None, areas: MatLike | None
    ) -> tuple[Sequence[Blob], Sequence[Blob]]:
        """Tell the blobs that move from those that have come to rest; the others are neither."""
        moving: list[Blob] = []
        resting: list[Blob] = []
        if changed is None or areas is None:
            return moving, resting
        confirmed = self._confirmed(changed)
        for blob in connected(areas, changed, most=self._settings.most_blobs):
            if self._is_speck(blob) or not self._is_confirmed(blob, confirmed):
                continue
            if self._is_resting(blob, picture):
                resting.append(blob)
            elif not self._is_light(blob, picture, comparison):
                moving.append(blob)
        return moving, resting

    def _confirmed(self, changed: MatLike) -> MatLike | None:
        """The changed pixels near which something had changed in the previous frame already."""
        if self._changed_before is None:
            return None
        return cv2.bitwise_and(changed, cv2.dilate(self._changed_before, _NEIGHBOURHOOD))

    def _is_speck(self, blob: Blob) -> bool:
        settings = self._settings
        return blob.changed_px < settings.blob_px or min(blob.width, blob.height) < settings.blob_side_px

    def _is_confirmed(self, blob: Blob, confirmed: MatLike | None) -> bool:
        """Noise and rain are never twice at one place; what is too fast for that is large and compact."""
        settings = self._settings
        confirmed_px = 0 if confirmed is None else cv2.countNonZero(confirmed[blob.window])
        if confirmed_px >= settings.confirmed_share * blob.changed_px:
            return True
        inner_px = (blob.width - 2 * MARGIN_PX) * (blob.height - 2 * MARGIN_PX)
        compact = blob.changed_px >= settings.compact_fill * inner_px
        return compact and blob.changed_px >= settings.compact_px

    def _is_resting(self, blob: Blob, picture: MatLike) -> bool:
        """A parked car, or the hole it left: unlike the background, and yet no different from just now.

        Measured against the noise of the whole picture: where somebody has been moving for long, the pixels'
        own tolerance has grown, and would hide the small movements of one who stands there.
        """
        assert self._background is not None
        settings = self._settings
        difference = cv2.absdiff(picture[blob.window], self._background.recent(blob.window))
        cut_off = settings.recent_tolerance * self._background.typical_tolerance
        _, differing = cv2.threshold(difference, cut_off, 255, cv2.THRESH_BINARY)
        differing_px = cv2.countNonZero(differing)
        return differing_px < max(settings.recent_px, settings.recent_share * blob.changed_px)

    def _is_light(self, blob: Blob, picture: MatLike, comparison: _Comparison) -> bool:
        """A shadow or a beam changes the brightness of what is there and leaves its structure."""
        rows = slice(max(0, blob.y - MARGIN_PX), blob.y + blob.height + MARGIN_PX)
        columns = slice(max(0, blob.x - MARGIN_PX), blob.x + blob.width + MARGIN_PX)
        behind = comparison.background[rows, columns]
        if float(behind.std()) <= self._settings.texture:
            return False
        correlation = cv2.matchTemplate(picture[rows, columns], behind, cv2.TM_CCOEFF_NORMED)
        return float(correlation[0, 0]) > self._settings.same_structure


def _denoised(gray: NDArray[np.uint8]) -> MatLike:
    """A copy without salt-and-pepper noise; edges stay."""
    if gray.shape != (HEIGHT, WIDTH) or gray.dtype != np.uint8:
        raise ValueError(f"need {HEIGHT}x{WIDTH} uint8, got {gray.shape} {gray.dtype}")
    return cv2.medianBlur(gray, 3)


def _compared(picture: MatLike, background: MatLike, tolerance: MatLike) -> _Comparison:
    difference = cv2.absdiff(picture, background)
    changed = cv2.compare(difference, tolerance, cv2.CMP_GT)
    return _Comparison(background, difference, tolerance, changed, cv2.countNonZero(changed))
