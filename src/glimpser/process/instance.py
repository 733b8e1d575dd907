"""One program per data directory."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from glimpser.core.errors import Misconfigured


@contextmanager
def sole_instance(data_dir: Path) -> Iterator[None]:
    """Hold the data directory for the time of the context. The kernel lets go when the process ends.

    Raises:
        Misconfigured: another program holds it; the message names its process id.
    """
    path = data_dir / "glimpser.lock"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(descriptor, 32, 0).decode(errors="replace").strip() or "unknown"
            raise Misconfigured(
                f"Another Glimpser (pid {holder}) works on {data_dir}: stop it, or give another --data-dir."
            ) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)
