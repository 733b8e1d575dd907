"""Programs that do what a program should not, and a look for what is left of them."""

import os
from collections.abc import Mapping
from pathlib import Path

from glimpser.process.command import Command

SHELL = "/bin/sh"
MARK = "GLIMPSER_TEST_MARK"

SCRIPTS: Mapping[str, str] = {
    "hanging": "trap '' TERM INT HUP; while :; do sleep 100; done",
    "forking": "for i in 1 2 3 4 5 6 7 8; do (sleep 100; :) & done; wait",
    "leaving": "setsid sh -c 'trap \"\" TERM; (setsid sleep 100 &); sleep 100' & exit 0",
    "flooding": "while :; do echo flood flood flood flood flood flood flood flood; done",
    "complaining": "while :; do echo complaint complaint complaint >&2; done",
    "stopping itself": "kill -STOP $$; echo not reached",
    "crashing": "kill -SEGV $$",
    "well": "echo well",
}


def script(text: str, *, mark: str = "", grace_s: float = 0.2, **more: object) -> Command:
    """Make a command of a shell script; `mark` is found again by `marked`."""
    environment = {MARK: mark} if mark else {}
    return Command(
        name="sh",
        argv=(SHELL, "-c", text),
        environment=environment,
        grace_s=grace_s,
        **more,  # type: ignore[arg-type]
    )


def marked(mark: str) -> list[int]:
    """Name the processes that were started with this mark and are no zombies."""
    wanted = f"{MARK}={mark}".encode()
    return [int(path.name) for path in Path("/proc").glob("[0-9]*") if wanted in _environment(path)]


def zombies() -> list[int]:
    """Name our own children that ended and were not reaped."""
    return [pid for pid, state in _children() if state == "Z"]


def children() -> list[int]:
    return [pid for pid, _ in _children()]


def _children() -> list[tuple[int, str]]:
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            stat = (path / "stat").read_text()
        except OSError:
            continue
        state, parent = stat[stat.rindex(")") + 2 :].split()[:2]
        if int(parent) == os.getpid():
            found.append((int(path.name), state))
    return found


def _environment(path: Path) -> list[bytes]:
    try:
        return (path / "environ").read_bytes().split(b"\0")
    except OSError:
        return []
