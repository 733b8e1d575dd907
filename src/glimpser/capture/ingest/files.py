"""Opening files that people name, and nothing else."""

import errno
import heapq
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from glimpser.core.errors import InvalidInput

_POINTER = "/config/path"
SETTLED_S = 2.0
"""A file that nobody wrote to for so long is whole; a younger one may be half-written."""
_CANDIDATES = 8
"""So many of the newest files are tried: the newest may be of another sort, or not whole yet."""
_MAX_FILES = 100_000
_UNFINISHED = (".part", ".partial", ".tmp", ".crdownload", ".filepart", ".swp")
_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK


def place_of(path: str, roots: Sequence[Path]) -> tuple[Path, PurePosixPath]:
    """Split `path` into one of the allowed roots and what lies below it; looks at no file.

    A relative path is taken below the first root.

    Raises:
        InvalidInput: it leads out of the roots; the message names them and the setting.
    """
    if not roots:
        raise InvalidInput.field(_POINTER, "No folder is allowed: set capture.file_roots.")
    pure = PurePosixPath(path)
    if not path or "\0" in path or ".." in pure.parts or not _is_encodable(path):
        raise InvalidInput.field(_POINTER, "Give the path of a file, without '..'.")
    for root in roots if pure.is_absolute() else roots[:1]:
        below = pure.relative_to(root) if pure.is_absolute() and pure.is_relative_to(root) else pure
        if not below.is_absolute() and below.parts:
            return root, below
    allowed = ", ".join(str(root) for root in roots)
    raise InvalidInput.field(
        _POINTER, f"The file must lie in one of: {allowed}. More folders are allowed by capture.file_roots."
    )


def _is_encodable(path: str) -> bool:
    try:
        os.fsencode(path)
    except UnicodeEncodeError:  # half a pair of surrogates, which JSON can hold and no name of a file
        return False
    return True


def open_beneath(path: str, roots: Sequence[Path]) -> BinaryIO:
    """Open a regular file below one of the roots for reading, following no link on the way.

    Raises:
        InvalidInput: it lies elsewhere, does not exist, or is no regular file.
    """
    root, below = place_of(path, roots)
    try:
        descriptor = _walk(root, below)
    except OSError as error:
        raise InvalidInput.field(
            _POINTER, f"The file cannot be opened: {error.strerror}. Links are not followed."
        ) from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise InvalidInput.field(_POINTER, "This is not a regular file.")
    return os.fdopen(descriptor, "rb", buffering=0)


@contextmanager
def open_folder_beneath(path: str, roots: Sequence[Path]) -> Iterator[int]:
    """Give a descriptor of a folder below one of the roots, following no link on the way.

    Raises:
        InvalidInput: it lies elsewhere, does not exist, or is no folder.
    """
    root, below = place_of(path, roots)
    try:
        descriptor = _walk(root, below, os.O_DIRECTORY)
    except OSError as error:
        raise InvalidInput.field(
            _POINTER, f"The folder cannot be opened: {error.strerror}. Links are not followed."
        ) from error
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def open_in_folder(name: str, folder: int) -> BinaryIO:
    """Open a regular file of an open folder, no link.

    Raises:
        OSError: it is gone, or no regular file.
    """
    descriptor = os.open(name, _FLAGS, dir_fd=folder)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "it is no regular file")
    return os.fdopen(descriptor, "rb", buffering=0)


@dataclass(frozen=True, slots=True, order=True)
class Entry:
    """A file in a folder; the order is that of time, then of names."""

    modified_ns: int
    name: str
    size: int

    def has_settled(self, now_s: float) -> bool:
        """Tell whether nobody has written to it lately; `now_s` is in seconds since 1970."""
        return now_s - self.modified_ns / 1e9 >= SETTLED_S


def newest_files(folder: int) -> Sequence[Entry]:
    """Give the newest few files of an open folder, the newest first; none hidden or named as unfinished.

    Raises:
        OSError: it cannot be read.
    """
    return heapq.nlargest(_CANDIDATES, _entries(folder))


def _entries(folder: int) -> Iterator[Entry]:
    with os.scandir(folder) as found:
        for entry in islice(found, _MAX_FILES):
            if entry.name.startswith(".") or entry.name.lower().endswith(_UNFINISHED):
                continue
            known = entry.stat(follow_symlinks=False)
            if stat.S_ISREG(known.st_mode):
                yield Entry(known.st_mtime_ns, entry.name, known.st_size)


def _walk(root: Path, below: PurePosixPath, wanted: int = 0) -> int:
    folder = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for part in below.parts[:-1]:
            inner = os.open(part, _FLAGS | os.O_DIRECTORY, dir_fd=folder)
            os.close(folder)
            folder = inner
        return os.open(below.name, _FLAGS | wanted, dir_fd=folder)
    finally:
        os.close(folder)
