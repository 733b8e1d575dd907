"""Pictures in files and folders: a file is looked at again and again, of a folder the newest picture wins."""

import asyncio
import heapq
import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from glimpser.capture.ingest.files import open_folder_beneath, open_in_folder
from glimpser.capture.pictures.reader import PictureReader
from glimpser.capture.reading_files import read_beneath, read_open, reported
from glimpser.core.clock import Clock
from glimpser.core.errors import InvalidInput
from glimpser.core.health import HealthState
from glimpser.core.sources import Shot, ViewFailed

SETTLED_S = 2.0
"""A file that nobody wrote to for so long is whole; a younger one may be half-written."""
_CANDIDATES = 8
"""So many of the newest files are tried: the newest may be no picture, or not whole yet."""
_MAX_FILES = 100_000
_UNFINISHED = (".part", ".partial", ".tmp", ".crdownload", ".filepart", ".swp")


class PictureFile:
    """A picture in one file. Event loop's thread."""

    def __init__(self, path: str, roots: Sequence[Path], reader: PictureReader) -> None:
        self._path = path
        self._roots = roots
        self._reader = reader
        self._known: tuple[bytes, Shot] | None = None

    async def snapshot(self) -> Shot:
        """Read it; one that has not changed is not decoded again. Raises: ViewFailed."""
        data = await read_beneath(self._path, self._roots)
        if self._known is None or self._known[0] != data:
            self._known = (data, await _read(self._reader, data))
        return self._known[1]


@dataclass(frozen=True, slots=True, order=True)
class _Entry:
    """A file in a folder; the order is that of time, then of names."""

    modified_ns: int
    name: str
    size: int


class Folder:
    """The newest picture of a folder. Event loop's thread."""

    def __init__(self, path: str, roots: Sequence[Path], reader: PictureReader, clock: Clock) -> None:
        self._path = path
        self._roots = roots
        self._reader = reader
        self._clock = clock
        self._known: tuple[_Entry, Shot] | None = None
        self._seen: frozenset[_Entry] = frozenset()

    async def snapshot(self) -> Shot:
        """Give the newest whole picture.

        A file counts as whole when it has settled, or has the size and time it had at the last look; and
        when it can be decoded.

        Raises:
            ViewFailed: there is none.
        """
        newest = await asyncio.to_thread(self._look)
        whole = [entry for entry in newest if entry in self._seen or self._has_settled(entry)]
        self._seen = frozenset(newest)
        reason = "There is no picture in this folder yet."
        for entry in whole:
            if self._known is not None and self._known[0] == entry:
                return self._known[1]
            try:
                shot = await _read(self._reader, await asyncio.to_thread(self._content, entry))
            except ViewFailed as error:
                reason = f"{entry.name}: {error.detail}"
                continue
            self._known = (entry, shot)
            return shot
        raise ViewFailed(reason)

    def _has_settled(self, entry: _Entry) -> bool:
        age_s = self._clock.now().timestamp() - entry.modified_ns / 1e9
        return age_s >= SETTLED_S

    def _look(self) -> Sequence[_Entry]:
        """Find the newest files that may be pictures, the newest first."""
        with reported("folder"), open_folder_beneath(self._path, self._roots) as folder:
            return heapq.nlargest(_CANDIDATES, _entries(folder))

    def _content(self, entry: _Entry) -> bytes:
        with reported("file"), open_folder_beneath(self._path, self._roots) as folder:
            return read_open(open_in_folder(entry.name, folder))


def _entries(folder: int) -> Iterator[_Entry]:
    with os.scandir(folder) as found:
        for entry in islice(found, _MAX_FILES):
            if entry.name.startswith(".") or entry.name.lower().endswith(_UNFINISHED):
                continue
            known = entry.stat(follow_symlinks=False)
            if stat.S_ISREG(known.st_mode):
                yield _Entry(known.st_mtime_ns, entry.name, known.st_size)


async def _read(reader: PictureReader, data: bytes) -> Shot:
    try:
        return await reader.read(data)
    except InvalidInput as error:
        raise ViewFailed(error.detail, state=HealthState.ERROR_PAGE) from error
