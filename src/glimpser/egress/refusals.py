"""What a proxy refused, and a log of it that no page can flood."""

from dataclasses import dataclass

import structlog

from glimpser.core.clock import Clock

_log = structlog.get_logger(__name__)

LINES_PER_PERIOD = 20
PERIOD_S = 60.0


@dataclass(frozen=True, slots=True)
class Refusal:
    """A connection that was not made. `reason` is a sentence that names the setting to change, if any."""

    host: str
    port: int
    reason: str


class RefusalLog:
    """Writes one line a refusal, 20 a minute at most; the next line after that tells how many are missing."""

    def __init__(self, name: str, clock: Clock) -> None:
        self._name = name
        self._clock = clock
        self._began_at = clock.monotonic()
        self._lines = 0
        self._left_out = 0

    def tell(self, refusal: Refusal) -> None:
        now = self._clock.monotonic()
        if now - self._began_at >= PERIOD_S:
            self._began_at, self._lines = now, 0
        if self._lines >= LINES_PER_PERIOD:
            self._left_out += 1
            return
        self._lines += 1
        _log.warning(
            "egress.refused",
            proxy=self._name,
            host=refusal.host,
            port=refusal.port,
            reason=refusal.reason,
            left_out=self._left_out,
        )
        self._left_out = 0
