"""Pictures in files and folders: a file is looked at again and again, of a folder the newest picture wins."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from glimpser.capture.ingest.files import Entry, newest_files, open_folder_beneath, open_in_folder
from glimpser.capture.pictures.reader import PictureReader
from glimpser.capture.reading_files import read_beneath, read_open, reported
from glimpser.core.clock import Clock
from glimpser.core.errors import InvalidInput
from glimpser.core.health import HealthState
from glimpser.core.sources import Shot, ViewFailed


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


class Folder:
    """The newest picture of a folder. Event loop's thread."""

    def __init__(self, path: str, roots: Sequence[Path], reader: PictureReader, clock: Clock) -> None:
        self._path = path
        self._roots = roots
        self._reader = reader
        self._clock = clock
        self._known: tuple[Entry, Shot] | None = None
        self._seen: frozenset[Entry] = frozenset()

    async def snapshot(self) -> Shot:
        """Give the newest whole picture.

        A file counts as whole when it has settled, or has the size and time it had at the last look; and
        when it can be decoded.

        Raises:
            ViewFailed: there is none.
        """
        newest = await asyncio.to_thread(self._look)
        now_s = self._clock.now().timestamp()
        whole = [entry for entry in newest if entry in self._seen or entry.has_settled(now_s)]
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

    def _look(self) -> Sequence[Entry]:
        """Find the newest files that may be pictures, the newest first."""
        with reported("folder"), open_folder_beneath(self._path, self._roots) as folder:
            return newest_files(folder)

    def _content(self, entry: Entry) -> bytes:
        with reported("file"), open_folder_beneath(self._path, self._roots) as folder:
            return read_open(open_in_folder(entry.name, folder))


async def _read(reader: PictureReader, data: bytes) -> Shot:
    try:
        return await reader.read(data)
    except InvalidInput as error:
        raise ViewFailed(error.detail, state=HealthState.ERROR_PAGE) from error
