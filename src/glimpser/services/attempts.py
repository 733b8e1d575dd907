"""How often somebody may be wrong about a secret before they must wait. No I/O; event loop's thread."""

import math
from collections import Counter, OrderedDict, deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from glimpser.core.addresses import subscriber
from glimpser.core.clock import Clock
from glimpser.core.errors import Denied, TooMany, Unauthenticated

MAX_KEYS = 4096
"""Failures of so many are remembered. Each has cost a password's hash, so that flooding this is slow."""

_Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Limit:
    """At most so many failures within so many seconds."""

    failures: int
    window_s: float


LIMITS = (Limit(5, 60), Limit(20, 3600))


class Attempts:
    """Counts failures for each account and address together: nobody locks out the owner elsewhere.

    Attempts under way count as failures, so that many at once gain nothing. One that fails for another
    reason, such as a busy server, does not count; a success wipes the slate.
    """

    def __init__(self, clock: Clock, limits: Sequence[Limit] = LIMITS) -> None:
        self._clock = clock
        self._limits = limits
        self._kept = max((limit.failures for limit in limits), default=0)
        self._failed: OrderedDict[_Key, deque[float]] = OrderedDict()
        self._under_way: Counter[_Key] = Counter()

    @contextmanager
    def one(self, account: str, address: str | None) -> Iterator[None]:
        """Make one attempt inside the context, which fails by raising Unauthenticated or Denied.

        Raises:
            TooMany: there were too many; nothing was tried.
        """
        key = (account, subscriber(address))
        self._refuse_too_many(key)
        self._under_way[key] += 1
        try:
            yield
        except TooMany:  # nothing was tried
            raise
        except (Unauthenticated, Denied):
            self._note_failure(key)
            raise
        else:
            self._failed.pop(key, None)
        finally:
            self._under_way[key] -= 1
            self._under_way += Counter()  # drops what has come to zero

    def is_exhausted(self, account: str, address: str | None) -> bool:
        """Tell whether a next attempt would be refused."""
        try:
            self._refuse_too_many((account, subscriber(address)))
        except TooMany:
            return True
        return False

    def _refuse_too_many(self, key: _Key) -> None:
        now_s = self._clock.monotonic()
        for limit in self._limits:
            recent = [at_s for at_s in self._failed.get(key, ()) if now_s - at_s < limit.window_s]
            excess = len(recent) + self._under_way[key] - limit.failures
            if excess >= 0:
                wait_s = recent[excess] + limit.window_s - now_s if excess < len(recent) else 1.0
                raise TooMany("Too many attempts: wait, then try again.", retry_after_s=math.ceil(wait_s))

    def _note_failure(self, key: _Key) -> None:
        self._failed.setdefault(key, deque(maxlen=self._kept)).append(self._clock.monotonic())
        self._failed.move_to_end(key)
        if len(self._failed) > MAX_KEYS:
            self._failed.popitem(last=False)
