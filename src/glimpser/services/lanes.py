"""Turns: so many at a time in all, and fewer for those that lean on one and the same thing."""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from glimpser.core.clock import Clock

_MINUTE_S = 60.0
_ENOUGH = 1 << 30


class Lanes:
    """Event loop's thread. First come, first served within a lane."""

    def __init__(self, total: int, per_lane: int, max_waiting: int) -> None:
        """Let `total` run at a time, of one lane `per_lane`; `max_waiting` more may wait in a lane."""
        self._total = asyncio.Semaphore(total)
        self._per_lane = per_lane
        self._most = per_lane + max_waiting
        self._lanes: dict[str, asyncio.Semaphore] = {}
        self._inside: Counter[str] = Counter()

    def reserve(self, lane: str) -> bool:
        """Take a place in a lane, to be given back by `release`; False when all are taken."""
        if self._inside[lane] >= self._most:
            return False
        self._inside[lane] += 1
        return True

    def release(self, lane: str) -> None:
        self._inside[lane] -= 1
        if not self._inside[lane]:
            del self._inside[lane]
            self._lanes.pop(lane, None)

    @asynccontextmanager
    async def turn(self, lane: str) -> AsyncIterator[None]:
        """Wait in a reserved place for a turn; who waits for its lane is in nobody else's way."""
        async with self._lanes.setdefault(lane, asyncio.Semaphore(self._per_lane)), self._total:
            yield


class Budget:
    """So many beginnings in any minute. Event loop's thread."""

    def __init__(self, per_minute: int | None, clock: Clock) -> None:
        self._per_minute = per_minute
        self._clock = clock
        self._spent: deque[tuple[float, int]] = deque()

    def left(self) -> int:
        """Give how many may begin now."""
        if self._per_minute is None:
            return _ENOUGH
        now_s = self._clock.monotonic()
        while self._spent and now_s - self._spent[0][0] >= _MINUTE_S:
            self._spent.popleft()
        return max(0, self._per_minute - sum(count for _, count in self._spent))

    def spend(self, count: int) -> None:
        """Note that so many begin now."""
        if self._per_minute is not None:
            self._spent.append((self._clock.monotonic(), count))
