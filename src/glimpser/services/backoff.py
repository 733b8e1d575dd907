"""When to try again: soon at first, then ever more rarely, and never all at the same moment."""

from collections.abc import Callable, Sequence
from datetime import timedelta

DELAYS_S = (5.0, 15.0, 60.0, 300.0, 900.0, 1800.0)
"""The pauses after the first attempts."""
LONGEST_S = 3600.0
"""The pause after all others, and the most that the other side can ask for."""
JITTER = 0.2
ATTEMPTS_OF_A_DAY = 31
"""So many attempts span 24 hours, whatever the jitter adds up to."""


def delay_after(
    attempts: int, asked_s: float, random: Callable[[], float], *, delays_s: Sequence[float] = DELAYS_S
) -> timedelta:
    """Give the pause after so many attempts (from 1).

    `asked_s` is what the other side asked for; `random` gives numbers from 0 (inclusive) to 1 (exclusive).
    """
    plain_s = delays_s[attempts - 1] if attempts <= len(delays_s) else LONGEST_S
    jittered_s = plain_s * (1 + JITTER * (2 * random() - 1))
    return timedelta(seconds=max(jittered_s, min(asked_s, LONGEST_S)))
