"""The failpoints of the program, as its source names them, and which of them are on the way of an alert."""

import re
from collections.abc import Iterator
from pathlib import Path

import glimpser

ALERT_PATH = frozenset({"storage", "event", "alert", "job", "delivery"})
"""What stands before the dot in the names of those between the picture of an event and its delivery."""
ELSEWHERE = frozenset({"backup", "export", "migration", "move", "restore", "retention", "schedule"})
"""The same of those that no alert passes."""

_PASSAGE = re.compile(r'\bhit(?:\(|, )"([a-z_.]+)"')


def on_the_alert_path() -> tuple[str, ...]:
    """Name those where an alert passes.

    Raises:
        LookupError: of some it is not known, so that none is left out: say above where they are.
    """
    if strangers := {name for name in failpoints() if family(name) not in ALERT_PATH | ELSEWHERE}:
        raise LookupError(f"Where are {', '.join(sorted(strangers))}? Say so in ALERT_PATH or ELSEWHERE.")
    return tuple(sorted(name for name in failpoints() if family(name) in ALERT_PATH))


def failpoints() -> frozenset[str]:
    """Name every failpoint of the program."""
    return frozenset(_in_source())


def family(name: str) -> str:
    return name.partition(".")[0]


def _in_source() -> Iterator[str]:
    for source in Path(glimpser.__file__).parent.rglob("*.py"):
        yield from _PASSAGE.findall(source.read_text(encoding="utf-8"))
