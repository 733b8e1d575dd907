"""Time in a camera's life: when to try again, what is due, and whether it keeps up. No clock in here."""

import random
from collections.abc import Callable

_FIRST_DELAYS_S = (0.5, 1.0, 2.0, 4.0, 5.0)
_EAGER_S = 60.0
_SLOW_DELAY_S = 30.0
_JITTER = 0.2


class Backoff:
    """Waits between tries: half a second, doubling to five in an outage's first minute, then thirty.

    Every wait is varied by a fifth, so that cameras behind one switch do not come back in step.
    """

    def __init__(self, vary: Callable[[float, float], float] = random.uniform) -> None:
        self._vary = vary
        self._tries = 0
        self._outage_began: float | None = None

    def succeeded(self) -> None:
        self._tries = 0
        self._outage_began = None

    def next_delay_s(self, now: float, *, slow: bool = False) -> float:
        """Say how long to wait after a failure at `now`; `slow` where haste does harm (locked accounts)."""
        if self._outage_began is None:
            self._outage_began = now
        if slow or now - self._outage_began > _EAGER_S:
            delay = _SLOW_DELAY_S
        else:
            delay = _FIRST_DELAYS_S[min(self._tries, len(_FIRST_DELAYS_S) - 1)]
        self._tries += 1
        return delay * self._vary(1 - _JITTER, 1 + _JITTER)


class Due:
    """Picks frames at a rate, by their own time; keeps the rate on average whatever the source's is."""

    def __init__(self, fps: float) -> None:
        self.fps = fps
        self._interval_s = 1 / fps if fps > 0 else 0.0
        self._next_s: float | None = None

    def is_due(self, at_s: float) -> bool:
        """Tell whether the frame at `at_s` is one to take; a rate of 0 takes every frame."""
        if self._next_s is None or at_s >= self._next_s + 10 or at_s < self._next_s - 10:
            self._next_s = at_s
        tolerance_s = self._interval_s / 10
        if at_s < self._next_s - tolerance_s:
            return False
        self._next_s = max(self._next_s + self._interval_s, at_s - self._interval_s)
        return True


class LagMeter:
    """Tells how far the reading of a stream is behind its source.

    Whenever the reader had to wait for a packet it had caught up, and the distance of wall clock and
    media time at that moment is zero lag. What the distance grows by without any waiting is lag.
    """

    _WAITED_S = 0.005

    def __init__(self) -> None:
        self._zero_s: float | None = None

    def lag_s(self, now: float, media_s: float, *, waited_s: float) -> float:
        distance = now - media_s
        if self._zero_s is None or waited_s >= self._WAITED_S or distance < self._zero_s:
            self._zero_s = distance
        return distance - self._zero_s


class RateMeter:
    """Counts events per second over the time since it was last read."""

    def __init__(self, now: float) -> None:
        self._since = now
        self._count = 0

    def count(self) -> None:
        self._count += 1

    def read(self, now: float) -> float:
        elapsed_s = now - self._since
        rate = self._count / elapsed_s if elapsed_s > 0 else 0.0
        self._since, self._count = now, 0
        return rate
