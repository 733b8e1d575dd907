"""Archives of stored pictures, streamed into the store while they are read; the index comes last."""

import asyncio
import csv
import io
import json
import re
import tempfile
import unicodedata
import zlib
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from typing import IO

from glimpser.core.errors import Rejected
from glimpser.core.exports import Export, Span, StoredPicture
from glimpser.core.ids import TemplateId
from glimpser.core.local_time import zone_of
from glimpser.core.ports import Database, ObjectStore
from glimpser.core.repositories import Transaction
from glimpser.services.film_making import Made, nothing_in, pictures_of, views_in
from glimpser.services.job_kinds import Progress
from glimpser.services.picture_reading import PictureReader, PictureState
from glimpser.services.zip_stream import ZipStream

COLUMNS = (
    *("file", "state", "captured_at", "local_time", "template_id", "template", "artifact_id"),
    *("width", "height", "size_bytes", "sha256"),
)
MAX_PICTURES = 200_000
"""In one archive: the end of it is put together in memory."""
_IN_MEMORY_BYTES = 1 << 20
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class _View:
    """A view, and the folder of its pictures: empty where there is but one."""

    id: TemplateId
    name: str
    folder: str


class ArchiveMaking:
    """Event loop's thread. Memory is needed for one picture and about a hundred bytes for each."""

    def __init__(self, database: Database, store: ObjectStore) -> None:
        self._database = database
        self._store = store

    async def make(self, export: Export, key: str, progress: Progress) -> Made:
        """Make an archive and store it under `key`.

        Raises:
            Rejected: there are no pictures, none that can be read, or too many.
            Unavailable: the store is away, or the disk is full.
        """
        archive = _Archive(self._database, self._store, export, progress)
        async with aclosing(archive.pieces()) as pieces:
            stored = await self._store.put(key, pieces, content_type="application/zip")
        notes: dict[str, object] = dict(archive.reader.tally.as_result())
        return Made(stored=stored, media_type="application/zip", width_px=None, height_px=None, notes=notes)


class _Archive:
    def __init__(self, database: Database, store: ObjectStore, export: Export, progress: Progress) -> None:
        self._database = database
        self._export = export
        self._progress = progress
        self._zone = zone_of(export.timezone)
        self._zip = ZipStream()
        self.reader = PictureReader(store)

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        """Give the whole archive."""
        with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY_BYTES, mode="w+b") as index:
            async with aclosing(self._pictures(index)) as entries:
                async for entry in entries:
                    yield entry
            if not self.reader.tally.used:
                raise Rejected(nothing_in(self._export, self.reader.tally.seen))
            await self._progress.report(None, "writing the index")
            for name, written in (("index.csv", _as_csv), ("index.json", _as_json)):
                yield await asyncio.to_thread(self._index_header, name, written(index))
                pieces = written(index)
                while piece := await asyncio.to_thread(next, pieces, b""):
                    yield piece
        yield self._zip.end()

    async def _pictures(self, index: IO[bytes]) -> AsyncGenerator[bytes, None]:
        export = self._export
        span, views = Span(export.start, export.end), await self._views()
        total = await self._count(views, span)
        for view in views:
            async for picture in pictures_of(self._database, view.id, span):
                state, data = await self.reader.fetch(picture)
                yield await asyncio.to_thread(self._entry, view, picture, state, data, index)
                seen = self.reader.tally.seen
                await self._progress.report(min(seen / total, 1.0), f"picture {seen} of {total}")

    async def _views(self) -> Sequence[_View]:
        export = self._export
        if export.template_id is not None:
            return [_View(export.template_id, export.title, "")]
        found = await views_in(self._database, export.group or "")
        return [
            _View(one.id, one.settings.name, f"{slug(one.settings.name)}_{one.id[-6:]}/") for one in found
        ]

    async def _count(self, views: Sequence[_View], span: Span) -> int:
        """Raises: Rejected: there are too many."""
        total = 0
        for view in views:
            count = partial(_count, view=view.id, span=span, at_most=MAX_PICTURES + 1 - total)
            total += await self._database.read(count)
            if total > MAX_PICTURES:
                raise Rejected(f"There are more than {MAX_PICTURES} pictures: choose a shorter time.")
        return max(total, 1)

    def _entry(
        self, view: _View, picture: StoredPicture, state: PictureState, data: bytes, index: IO[bytes]
    ) -> bytes:
        """Note a picture in the index, and give its entry. In a thread."""
        local = picture.captured_at.astimezone(self._zone)
        name = f"{view.folder}{picture.captured_at:%Y-%m-%d_%H-%M-%S}_{picture.id}.jpg"
        row = {
            "file": name if state == "stored" else None,
            "state": state,
            "captured_at": picture.captured_at.isoformat().replace("+00:00", "Z"),
            "local_time": local.isoformat(),
            "template_id": view.id,
            "template": view.name,
            "artifact_id": picture.id,
            "width": picture.width,
            "height": picture.height,
            "size_bytes": picture.size_bytes,
            "sha256": picture.sha256,
        }
        index.write(json.dumps(row).encode() + b"\n")
        return self._zip.entry(name, data, local) if state == "stored" else b""

    def _index_header(self, name: str, pieces: Iterator[bytes]) -> bytes:
        """Read the index once for its size and checksum. In a thread."""
        size_bytes = crc = 0
        for piece in pieces:
            size_bytes, crc = size_bytes + len(piece), zlib.crc32(piece, crc)
        at = self._export.created_at.astimezone(self._zone)
        return self._zip.header(name, size_bytes=size_bytes, crc=crc, at=at)


def slug(name: str) -> str:
    """Make of a name what every file system takes; it may be `view`."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return _UNSAFE.sub("-", plain).strip("-.")[:60] or "view"


def _count(tx: Transaction, *, view: TemplateId, span: Span, at_most: int) -> int:
    return tx.pictures.count(view, span, at_most=at_most)


def _rows(index: IO[bytes]) -> Iterator[Mapping[str, object]]:
    index.seek(0)
    yield from map(json.loads, index)


def _as_csv(index: IO[bytes]) -> Iterator[bytes]:
    """Write RFC 4180. A name that a spreadsheet would take for a formula gets an apostrophe before it."""
    yield _csv_line(COLUMNS)
    for row in _rows(index):
        yield _csv_line([row[column] for column in COLUMNS])


def _csv_line(values: Sequence[object]) -> bytes:
    line = io.StringIO()
    cells = [f"'{one}" if isinstance(one, str) and one.startswith(_FORMULA) else one for one in values]
    csv.writer(line).writerow(cells)
    return line.getvalue().encode()


def _as_json(index: IO[bytes]) -> Iterator[bytes]:
    separator = b"[\n"
    for row in _rows(index):
        yield separator + json.dumps(row, ensure_ascii=False).encode()
        separator = b",\n"
    yield b"\n]\n"
