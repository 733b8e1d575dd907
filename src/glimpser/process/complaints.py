"""What programs write to stderr: into the log, so much of it, and its end kept for whoever asks why."""

from collections.abc import Callable

import structlog

from glimpser.core.redaction import redact

_log = structlog.get_logger(__name__)

MAX_LINES_PER_S = 100
_MAX_LINE_BYTES = 2048
_MAX_KEPT_BYTES = 8192


class Complaints:
    """Takes the bytes of one program's stderr as they come. One thread.

    At most `MAX_LINES_PER_S` lines a second are logged; of the others their number is.
    """

    def __init__(self, name: str, *, level: str = "info", monotonic: Callable[[], float]) -> None:
        self._name = name
        self._log = getattr(_log, level)
        self._monotonic = monotonic
        self._line = bytearray()
        self._kept = bytearray()
        self._second = monotonic()
        self._logged = 0
        self._left_out = 0

    @property
    def text(self) -> str:
        """The end of what was written, redacted."""
        return redact(self._kept.decode(errors="replace"))

    def write(self, data: bytes) -> None:
        """Take bytes in."""
        self._kept += data
        del self._kept[:-_MAX_KEPT_BYTES]
        *lines, rest = data.split(b"\n")
        for line in lines:
            self._end_line(line)
        self._line += rest[: _MAX_LINE_BYTES - len(self._line)]

    def close(self) -> None:
        """Log the last line, if it did not end, and how many were left out."""
        if self._line:
            self._end_line(b"")
        self._tell_left_out()

    def _end_line(self, end: bytes) -> None:
        whole = bytes(self._line) + end[: max(0, _MAX_LINE_BYTES - len(self._line))]
        self._line.clear()
        now = self._monotonic()
        if now - self._second >= 1:
            self._tell_left_out()
            self._second, self._logged = now, 0
        if not whole.strip():
            return
        if self._logged >= MAX_LINES_PER_S:
            self._left_out += 1
            return
        self._logged += 1
        self._log("process.stderr", program=self._name, line=redact(whole.decode(errors="replace")))

    def _tell_left_out(self) -> None:
        if self._left_out:
            _log.warning("process.stderr_left_out", program=self._name, lines=self._left_out)
            self._left_out = 0
