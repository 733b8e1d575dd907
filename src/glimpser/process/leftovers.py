"""Programs that outlived the one that started them, which takes a kill of all that watched over them."""

import os
import signal
from contextlib import suppress
from pathlib import Path

import structlog

_log = structlog.get_logger(__name__)
_PROC = Path("/proc")


def end_leftovers(scratch: Path, proc: Path = _PROC) -> int:
    """End every process that has its home below `scratch`; gives how many there were. Blocks.

    Nobody else's processes have: the directory is ours, and its name is in their environment.
    """
    found = [
        int(entry.name) for entry in proc.iterdir() if entry.name.isdigit() and _lives_in(entry, scratch)
    ]
    others = [process for process in found if process != os.getpid()]
    for process in others:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(process, signal.SIGKILL)
    if others:
        _log.warning("process.leftovers_ended", count=len(others))
    return len(others)


def _lives_in(entry: Path, scratch: Path) -> bool:
    marker = f"HOME={scratch}/".encode()
    try:
        return marker in b"\0" + (entry / "environ").read_bytes()
    except OSError:
        return False
