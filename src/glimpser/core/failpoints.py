"""Places in the program where a test can make it fail on purpose; inert unless armed at start.

Specification: `name:kill`, `name:raise` or `name:sleep:MILLISECONDS`, each with an optional
`:nth` (act at the nth passage only, from 1); several are separated by commas.
"""

import os
import re
import signal
import time
from dataclasses import dataclass

from glimpser.core.errors import Misconfigured, Unavailable

_FORM = re.compile(
    r"(?P<name>[^\s:,]+):(?:(?P<action>kill|raise)|sleep:(?P<sleep_ms>\d{1,9}))(?::(?P<nth>[1-9]\d{0,8}))?",
    re.ASCII,
)


@dataclass(slots=True)
class _Failpoint:
    action: str
    sleep_ms: int
    nth: int | None
    passages: int = 0

    def is_due(self) -> bool:
        self.passages += 1
        return self.nth is None or self.passages == self.nth


_armed: dict[str, _Failpoint] = {}


def arm(specification: str) -> None:
    """Replace what is armed. Call once, before the program's first task; an empty text disarms.

    Raises:
        Misconfigured: the specification cannot be read.
    """
    parsed = dict(_parse(part) for part in specification.split(",") if part.strip())
    _armed.clear()
    _armed.update(parsed)


def hit(name: str) -> None:
    """Pass the place `name`. Blocks for `sleep`, so only threads that may block pass such places."""
    point = _armed.get(name)
    if point is None or not point.is_due():
        return
    if point.action == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif point.action == "sleep":
        time.sleep(point.sleep_ms / 1000)
    else:
        raise Unavailable(f"failpoint {name}")


def _parse(part: str) -> tuple[str, _Failpoint]:
    form = _FORM.fullmatch(part.strip())
    if form is None:
        raise Misconfigured(
            f"GLIMPSER_FAILPOINT: {part!r} is not name:kill, name:raise or name:sleep:MS, each with :nth"
        )
    return form["name"], _Failpoint(
        action=form["action"] or "sleep",
        sleep_ms=int(form["sleep_ms"] or 0),
        nth=int(form["nth"]) if form["nth"] else None,
    )
