"""Time that moves only when a test says so."""

from datetime import UTC, datetime, timedelta

START = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)


class FakeClock:
    """A `core.clock.Clock`. One thread turns it; others may read it."""

    def __init__(self, now: datetime = START) -> None:
        if now.tzinfo is None:
            raise ValueError("the wall clock is aware UTC: give a time with tzinfo=UTC")
        self._now = now.astimezone(UTC)
        self._monotonic_s = 0.0

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._monotonic_s

    def advance(self, seconds: float) -> None:
        """Let time pass on both clocks.

        Raises:
            ValueError: `seconds` is negative; time does not run backwards, only `jump` does.
        """
        if seconds < 0:
            raise ValueError("time passes forwards: use jump for a wall clock that was set back")
        self._now += timedelta(seconds=seconds)
        self._monotonic_s += seconds

    def jump(self, seconds: float) -> None:
        """Set the wall clock forwards or back, as an operator or NTP does; the other clock is not moved."""
        self._now += timedelta(seconds=seconds)
