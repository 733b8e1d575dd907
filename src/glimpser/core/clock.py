"""Time as a port, so that tests can turn it. The only home of the system clock."""

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Clock(Protocol):
    def now(self) -> datetime:
        """Give the wall clock: aware UTC. It may jump."""
        ...

    def monotonic(self) -> float:
        """Give seconds from an arbitrary start. They never jump."""
        ...


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()


def from_timestamp(seconds: float) -> datetime:
    """Turn seconds since 1970 into aware UTC."""
    return datetime.fromtimestamp(seconds, UTC)


def from_microseconds(microseconds: int) -> datetime:
    """Turn whole microseconds since 1970 into aware UTC; exact, unlike a fraction of seconds."""
    return _EPOCH + timedelta(0, 0, microseconds)


def to_microseconds(moment: datetime) -> int:
    """Turn an aware time into whole microseconds since 1970. Raises: TypeError for a naive one."""
    return (moment - _EPOCH) // _MICROSECOND
