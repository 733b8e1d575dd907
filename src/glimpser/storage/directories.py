"""A directory tree in which no link leads anywhere: every step is opened by itself, relative to the last."""

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from glimpser.core.keys import is_key

NEW = ".new"
"""Where objects are written before they have their key; no key begins with a dot."""

Sync = Callable[[int], None]

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
# Without O_NONBLOCK a pipe somebody put there would hold the thread for ever.
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class Directories:
    """All calls block and raise OSError. `root` itself may be a link to the operator's disk."""

    def __init__(self, root: Path, sync: Sync) -> None:
        self._root = root
        self.sync = sync

    def prepare(self, *, sweep: bool) -> None:
        """Make the root and sweep away what was never finished; not where another program may be at it."""
        self._root.mkdir(parents=True, exist_ok=True)
        with self.opened(NEW, create=True) as directory:
            if not sweep:
                return
            with os.scandir(directory) as entries:
                names = [entry.name for entry in entries]
            for name in names:
                os.unlink(name, dir_fd=directory)

    @contextmanager
    def opened(self, path: str, *, create: bool = False) -> Iterator[int]:
        """Open a directory below the root ("" is the root itself); gives its descriptor."""
        descriptor = os.open(self._root, _DIRECTORY)
        try:
            for name in filter(None, path.split("/")):
                below = self._below(name, descriptor, create=create)
                os.close(descriptor)
                descriptor = below
            yield descriptor
        finally:
            os.close(descriptor)

    def open_file(self, key: str) -> tuple[int, int]:
        """Open a regular file for reading; gives its descriptor and size.

        Raises:
            FileNotFoundError: there is none, or something else lies there.
        """
        directory, name = _split(key)
        with self.opened(directory) as parent:
            if not _is_file(name, parent):
                raise FileNotFoundError(key)
            descriptor = os.open(name, _FILE, dir_fd=parent)
        return descriptor, os.fstat(descriptor).st_size

    def remove(self, key: str) -> None:
        """Remove a file durably: when this returns, no power cut brings it back."""
        directory, name = _split(key)
        with suppress(FileNotFoundError, NotADirectoryError), self.opened(directory) as parent:
            os.unlink(name, dir_fd=parent)
            self.sync(parent)

    def walk(self, prefix: str, directory: str = "") -> Iterator[tuple[str, int]]:
        """Give keys that begin with `prefix`, in their order, with sizes; `directory` ends with a slash."""
        for key, size_bytes in self._entries(directory, prefix):
            if size_bytes is None:
                yield from self.walk(prefix, key)
            else:
                yield key, size_bytes

    def _entries(self, directory: str, prefix: str) -> list[tuple[str, int | None]]:
        """Read one directory: files with sizes, directories with a slash at the end and None."""
        with suppress(FileNotFoundError, NotADirectoryError), self.opened(directory) as descriptor:
            with os.scandir(descriptor) as entries:
                found = [_place(entry, directory, prefix) for entry in entries]
            return sorted(place for place in found if place is not None)
        return []

    def _below(self, name: str, parent: int, *, create: bool) -> int:
        """Open a directory; it is nearly always there."""
        try:
            return os.open(name, _DIRECTORY | os.O_NOFOLLOW, dir_fd=parent)
        except FileNotFoundError:
            if not create:
                raise
        self._make(name, parent)
        return os.open(name, _DIRECTORY | os.O_NOFOLLOW, dir_fd=parent)

    def _make(self, name: str, parent: int) -> None:
        with suppress(FileExistsError):
            os.mkdir(name, mode=0o700, dir_fd=parent)
        try:
            self.sync(parent)
        except OSError:
            with suppress(OSError):  # else the next one would find it and take its name to be durable
                os.rmdir(name, dir_fd=parent)
            raise


def _place(entry: "os.DirEntry[str]", directory: str, prefix: str) -> tuple[str, int | None] | None:
    """Tell where an entry stands in the list of keys; None if in no place."""
    key = directory + entry.name
    if not is_key(key):
        return None
    if entry.is_dir(follow_symlinks=False):
        below = f"{key}/"
        return (below, None) if below.startswith(prefix) or prefix.startswith(below) else None
    if key.startswith(prefix) and entry.is_file(follow_symlinks=False):
        with suppress(FileNotFoundError):
            return key, entry.stat(follow_symlinks=False).st_size
    return None


def _split(key: str) -> tuple[str, str]:
    directory, _, name = key.rpartition("/")
    return directory, name


def _is_file(name: str, directory: int) -> bool:
    return stat.S_ISREG(os.stat(name, dir_fd=directory, follow_symlinks=False).st_mode)
