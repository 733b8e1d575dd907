"""Which camera brought a worker down, and how often workers fell."""

import re
from collections import deque
from collections.abc import Mapping

_CRASHED_THREAD = re.compile(r"(?:Current|Stuck) thread 0x([0-9a-f]+)")
WINDOW_S = 300.0
MAX_CRASHES = 10


def culprit(last_words: str, camera_threads: Mapping[int, str]) -> str | None:
    """Name the camera whose thread crashed or hung, from what `faulthandler` or `last_words` wrote.

    None if it does not say.
    """
    found = _CRASHED_THREAD.search(last_words)
    return camera_threads.get(int(found[1], 16)) if found else None


def last_words(thread: int) -> str:
    """Say, as `faulthandler` does, which camera's thread a worker ends itself for."""
    return f"Stuck thread 0x{thread:x}\n"


class CrashRecord:
    """Counts within five minutes."""

    def __init__(self) -> None:
        self._times: deque[float] = deque()

    def add(self, now: float) -> int:
        """Note a crash; gives how many there were within the window."""
        self._times.append(now)
        return self.count(now)

    def count(self, now: float) -> int:
        """Tell how many there were within the window."""
        while self._times and self._times[0] < now - WINDOW_S:
            self._times.popleft()
        return len(self._times)
