"""How many requests somebody may make in a time. No I/O; event loop's thread.

A bucket is that of an address, for those who do not say who they are, or of a user or API key. It holds one
count for each limit, from the first request on; when the limit's time is over it is empty again ("fixed
window").
"""

import math
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from limits import RateLimitItem, parse_many
from limits.storage import Storage
from limits.strategies import FixedWindowRateLimiter

from glimpser.core.addresses import subscriber
from glimpser.core.clock import Clock
from glimpser.core.errors import TooMany

OFF = "off"
"""What a limit is called that is none."""
MAX_COUNTS = 65_536
"""Counts kept, about 20 MB: whoever comes from more addresses than that pushes out their own oldest."""

Limits = Sequence[RateLimitItem]


def parse_limits(text: str) -> Limits:
    """Read `100/second;3000/minute`, the notation of the library `limits`, or `off`.

    Raises:
        ValueError: it is neither.
    """
    return () if text == OFF else tuple(parse_many(text))


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimits:
    """Those of one address and of one user or API key; writes count for both of theirs. Empty: no limit."""

    address: Limits = ()
    address_writes: Limits = ()
    principal: Limits = ()
    principal_writes: Limits = ()


class Rates:
    """Counts requests and refuses those that are too many. A refused request counts too."""

    def __init__(self, clock: Clock, limits: RateLimits) -> None:
        self._clock = clock
        self._limits = limits
        self._windows = Windows(clock)
        self._limiter = FixedWindowRateLimiter(self._windows)

    def count_address(self, address: str | None, *, is_write: bool) -> None:
        """Count a request of somebody who has not said who they are.

        Raises:
            TooMany: with the time to wait.
        """
        who = f"address {subscriber(address)}"
        self._count(self._limits.address, who)
        if is_write:
            self._count(self._limits.address_writes, f"writes of {who}")

    def count_principal(self, principal_id: str, *, is_write: bool) -> None:
        """Count a request of a user or an API key. Raises as `count_address`."""
        who = f"principal {principal_id}"
        self._count(self._limits.principal, who)
        if is_write:
            self._count(self._limits.principal_writes, f"writes of {who}")

    def _count(self, limits: Limits, who: str) -> None:
        for limit in limits:
            if not self._limiter.hit(limit, who):
                ends_at, _ = self._limiter.get_window_stats(limit, who)
                wait_s = max(1, math.ceil(ends_at - self._clock.monotonic()))
                raise TooMany(f"More than {limit} requests: wait, then go on.", retry_after_s=wait_s)


class Windows(Storage):
    """Counts with the moments they end at, in the monotonic time of a clock: the library's own storage has no
    bound, and a thread to clean it.
    """

    STORAGE_SCHEME = None

    def __init__(self, clock: Clock, *, max_counts: int = MAX_COUNTS) -> None:
        super().__init__()
        self._clock = clock
        self._max_counts = max_counts
        self._counts: OrderedDict[str, tuple[int, float]] = OrderedDict()

    @property
    def base_exceptions(self) -> tuple[type[Exception], ...]:
        return ()

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        now_s = self._clock.monotonic()
        count, ends_at = self._counts.get(key, (0, 0.0))
        if now_s >= ends_at:
            count, ends_at = 0, now_s + expiry
            self._counts[key] = count, ends_at
            self._counts.move_to_end(key)
            if len(self._counts) > self._max_counts:
                self._counts.popitem(last=False)
        self._counts[key] = count + amount, ends_at
        return count + amount

    def get(self, key: str) -> int:
        count, ends_at = self._counts.get(key, (0, 0.0))
        return count if self._clock.monotonic() < ends_at else 0

    def get_expiry(self, key: str) -> float:
        return self._counts.get(key, (0, self._clock.monotonic()))[1]

    def check(self) -> bool:
        return True

    def reset(self) -> int | None:
        count = len(self._counts)
        self._counts.clear()
        return count

    def clear(self, key: str) -> None:
        self._counts.pop(key, None)

    def __len__(self) -> int:
        return len(self._counts)
