"""One program per data directory, and one at a time for what only one may do."""

import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from glimpser.core.errors import Misconfigured, Unavailable

_INSTANCE = "glimpser.lock"
_PEEK_S = 0.05
"""Longer than anybody takes to see whether a lock is free, which they do by holding it."""


def is_worked_on(data_dir: Path) -> bool:
    """Tell whether a program runs on a data directory. Blocks."""
    try:
        with _held(data_dir / _INSTANCE):
            return False
    except _Taken:
        return True


@contextmanager
def sole_instance(data_dir: Path) -> Iterator[None]:
    """Hold the data directory for the time of the context. The kernel lets go when the process ends.

    Raises:
        Misconfigured: another program holds it; the message names its process id.
    """
    try:
        with _held(data_dir / _INSTANCE):
            yield
    except _Taken as taken:
        raise Misconfigured(
            f"Another Glimpser (pid {taken.holder}) works on {data_dir}: stop it, or give another --data-dir."
        ) from None


@contextmanager
def sole_workshop(data_dir: Path, name: str) -> Iterator[Path]:
    """Give an empty directory to one process at a time; what a killed one left there is removed. Blocks.

    Raises:
        Unavailable: another one works in it; the message names its process id.
    """
    directory = data_dir / "work" / name
    directory.parent.mkdir(parents=True, exist_ok=True)
    try:
        with _held(directory.with_suffix(".lock")):
            shutil.rmtree(directory, ignore_errors=True)
            directory.mkdir(mode=0o700)
            try:
                yield directory
            finally:
                shutil.rmtree(directory, ignore_errors=True)
    except _Taken as taken:
        raise Unavailable(
            f"Another {name} is under way (pid {taken.holder}): wait until it is done."
        ) from None


class _Taken(Exception):
    def __init__(self, holder: str) -> None:
        super().__init__(holder)
        self.holder = holder


@contextmanager
def _held(path: Path) -> Iterator[None]:
    """Hold a lock, in whose file our process id stands meanwhile. Raises: _Taken."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        if not _locked(descriptor):
            holder = os.pread(descriptor, 32, 0).decode(errors="replace").strip() or "unknown"
            raise _Taken(holder)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)


def _locked(descriptor: int) -> bool:
    """Take the lock, also when somebody just looks whether it is free."""
    for pause_s in (_PEEK_S, 0.0):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(pause_s)
        else:
            return True
    return False
