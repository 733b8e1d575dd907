"""What the view looks like when nothing moves: a slow and a recent memory of it, and its noise."""

from collections.abc import Iterable

import cv2
import numpy as np
from cv2.typing import MatLike

from glimpser.vision.motion.light import Light
from glimpser.vision.motion.settings import AdaptiveSettings

Window = tuple[slice, slice]


class Background:
    """Running means, per pixel, of the picture and of its noise; 180x320 float32 each.

    The slow mean is what a picture is compared with. The recent mean follows within seconds: where a picture
    differs from the slow one only, something has come to rest, or has left a hole behind.
    """

    def __init__(self, picture: MatLike, settings: AdaptiveSettings) -> None:
        self._settings = settings
        self._deviation = np.full(picture.shape, settings.first_deviation, np.float32)
        self._frames = 0
        self.restart(picture)

    def restart(self, picture: MatLike) -> None:
        """Take the picture for the scene. The noise is the sensor's and stays."""
        self._slow = picture.astype(np.float32)
        self._recent = self._slow.copy()
        self._picture = picture
        self._scene_began = self._frames
        self._measure_tolerance()

    @property
    def picture(self) -> MatLike:
        """The slow mean as uint8, as it was when the frame began, in the frame's light; to be read only."""
        return self._picture

    def recent(self, window: Window) -> MatLike:
        """The recent mean inside a window, as uint8."""
        return cv2.convertScaleAbs(self._recent[window])

    @property
    def tolerance(self) -> MatLike:
        """Difference, in gray levels, that noise alone explains; uint8 per pixel, to be read only."""
        return self._tolerance

    @property
    def typical_tolerance(self) -> float:
        """The tolerance of the median pixel, in gray levels: the noise of the sensor."""
        return self._typical_tolerance

    @property
    def settled(self) -> bool:
        """Whether enough frames were learnt to tell motion from a scene not known yet."""
        return not self._first

    def begin_frame(self) -> None:
        """Count a frame and, every few frames, measure the tolerance anew."""
        self._frames += 1
        self._picture = cv2.convertScaleAbs(self._slow)
        if self._learning_noise_fast or self._frames % self._settings.tolerance_every_frames == 0:
            self._measure_tolerance()

    def relight(self, light: Light) -> None:
        """Put new light on the scene at once, instead of learning it over minutes."""
        self._slow = self._slow * light.gain + light.offset
        self._recent = self._recent * light.gain + light.offset
        self._picture = cv2.convertScaleAbs(self._slow)

    def follow(self, picture: MatLike) -> None:
        """Remember the picture for a second or two."""
        cv2.accumulateWeighted(picture, self._recent, self._settings.recent_rate)

    def learn(self, picture: MatLike, difference: MatLike, moving: MatLike | None) -> None:
        """Learn the picture where nothing moves (`moving`: 255 where something does, None: nowhere).

        The first frames are learnt whole: at first, leaves that sway all day look like motion.
        """
        still = None if moving is None or self._first else cv2.bitwise_not(moving)
        cv2.accumulateWeighted(picture, self._slow, self._slow_rate, mask=still)
        in_turn = self._frames % self._settings.noise_every_frames == 0
        if in_turn or self._learning_noise_fast:
            fast = still is None and self._learning_noise_fast
            rate = self._settings.first_noise_rate if fast else self._settings.noise_rate
            cv2.accumulateWeighted(difference, self._deviation, rate, mask=still)
        if still is not None and in_turn:
            self._leak(picture, difference)

    def absorb(self, picture: MatLike, windows: Iterable[Window]) -> None:
        """Learn quickly what has come to rest inside these windows."""
        for window in windows:
            cv2.accumulateWeighted(picture[window], self._slow[window], self._settings.absorb_rate)

    def _leak(self, picture: MatLike, difference: MatLike) -> None:
        """Learn a little where something moves too: what never stops (leaves, water) becomes noise."""
        cv2.accumulateWeighted(picture, self._slow, self._settings.leak_rate)
        cv2.accumulateWeighted(difference, self._deviation, self._settings.leak_rate / 2)

    @property
    def _slow_rate(self) -> float:
        new_scene = self._frames - self._scene_began < self._settings.first_frames
        return self._settings.first_slow_rate if new_scene else self._settings.slow_rate

    @property
    def _first(self) -> bool:
        return self._frames < self._settings.first_frames

    @property
    def _learning_noise_fast(self) -> bool:
        return self._frames < self._settings.first_noise_frames

    def _measure_tolerance(self) -> None:
        deviations = self._settings.tolerance_deviations
        if self._learning_noise_fast:
            deviations *= self._settings.first_tolerance
        scaled = cv2.convertScaleAbs(self._deviation, alpha=deviations)
        self._tolerance = np.maximum(scaled, np.uint8(self._settings.tolerance_floor))
        self._typical_tolerance = float(np.median(self._tolerance[::4, ::4]))
