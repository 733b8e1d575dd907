"""How much memory a browser takes: all processes of its group together."""

from collections.abc import Iterator
from pathlib import Path

_PROC = Path("/proc")
_KIB = 1024
_GROUP_FIELD = 2
"""Of what follows the name in /proc/PID/stat (proc_pid_stat(5)): state, parent, group."""


def members(group: int, proc: Path = _PROC) -> Iterator[int]:
    """Give the processes of a group, as far as they can be seen."""
    for entry in proc.iterdir():
        if entry.name.isdigit() and _group_of(entry) == group:
            yield int(entry.name)


def group_memory_bytes(group: int, proc: Path = _PROC) -> int:
    """Add up what the processes of a group have for themselves and what they share with each other. Blocks.

    Files that are mapped, the browser's own code above all, do not count: the system can drop them.
    """
    return sum(_own_bytes(proc / str(process)) for process in members(group, proc))


def _group_of(entry: Path) -> int | None:
    try:
        _, _, rest = (entry / "stat").read_text().rpartition(")")
    except (OSError, UnicodeDecodeError):  # it has just ended
        return None
    return int(rest.split()[_GROUP_FIELD])


def _own_bytes(entry: Path) -> int:
    try:
        lines = (entry / "status").read_text(errors="replace").splitlines()
    except OSError:
        return 0
    fields = dict(line.split(":", 1) for line in lines if ":" in line)
    names = ("RssAnon", "RssShmem")
    return sum(int(fields[name].split()[0]) * _KIB for name in names if name in fields)
