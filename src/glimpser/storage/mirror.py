"""A second store that gets a copy of everything, in its own time: for what must outlive this place.

What is still to be copied or deleted there is noted on the disk before it is done here, so that a mirror that
is away for a week misses nothing.
A note is an empty object; its key is the other's behind `put/` or `delete/`.
"""

import asyncio
import mimetypes
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator
from contextlib import aclosing

import structlog

from glimpser.core.errors import Damaged, NotFound, Unavailable
from glimpser.core.ports import ObjectStore, StoredEntry, StoredObject
from glimpser.storage.files import FileStore

_log = structlog.get_logger(__name__)

FIRST_DELAY_S = 1.0
LONGEST_DELAY_S = 300.0
_PUT, _DELETE = "put/", "delete/"
_UNKNOWN_TYPE = "application/octet-stream"


class MirroredStore:
    """Implements `core.ports.ObjectStore`: all is answered by `store`. Event loop's thread.

    The base URIs are what the URIs of the two stores begin with. `run` brings the mirror up to date.
    """

    def __init__(
        self,
        store: ObjectStore,
        mirror: ObjectStore,
        notes: FileStore,
        *,
        base_uri: str,
        mirror_base_uri: str,
        first_delay_s: float = FIRST_DELAY_S,
    ) -> None:
        self._store = store
        self._mirror = mirror
        self._notes = notes
        self._base_uri = base_uri
        self._mirror_base_uri = mirror_base_uri
        self._first_delay_s = first_delay_s
        self._being_put: set[str] = set()
        self._noted = asyncio.Event()

    async def run(self) -> None:
        """Copy and delete as noted; never returns."""
        delay_s = self._first_delay_s
        while True:
            self._noted.clear()
            try:
                await self._catch_up()
            except Unavailable as error:
                _log.warning("storage.mirror_waits", reason=error.detail, retry_in_s=delay_s)
                await asyncio.sleep(delay_s)
                delay_s = min(2 * delay_s, LONGEST_DELAY_S)
            else:
                delay_s = self._first_delay_s
                await self._noted.wait()

    async def put(self, key: str, data: AsyncIterable[bytes], *, content_type: str) -> StoredObject:
        self._being_put.add(key)  # first: the note can be seen before `_note` returns
        try:
            await self._note(_PUT + key)
            return await self._store.put(key, data, content_type=content_type)
        finally:
            self._being_put.discard(key)
            self._noted.set()

    def get(self, uri: str, *, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        return self._store.get(uri, start=start, end=end)

    async def delete(self, uri: str) -> None:
        if uri.startswith(self._base_uri):
            await self._note(_DELETE + uri.removeprefix(self._base_uri))
        await self._store.delete(uri)
        self._noted.set()

    def list(self, prefix: str = "") -> AsyncIterator[StoredEntry]:
        return self._store.list(prefix)

    async def _note(self, note: str) -> None:
        await self._notes.put(note, _nothing(), content_type=_UNKNOWN_TYPE)

    async def _catch_up(self) -> None:
        """Do what is noted, deletions first: a key is not used again after them."""
        async for entry in self._notes.list():
            kind, _, key = entry.key.partition("/")
            if key in self._being_put:
                continue
            if f"{kind}/" == _DELETE:
                await self._mirror.delete(self._mirror_base_uri + key)
                await self._notes.delete(self._notes.uri_of(_PUT + key))
            else:
                await self._copy(key)
            await self._notes.delete(entry.uri)

    async def _copy(self, key: str) -> None:
        media_type = mimetypes.guess_type(key)[0] or _UNKNOWN_TYPE
        try:
            async with aclosing(_as_generator(self._store.get(self._base_uri + key))) as data:
                await self._mirror.put(key, data, content_type=media_type)
        except NotFound:  # its put failed, or it was deleted since
            return
        except Damaged:  # nothing good comes of it later; the others must not wait for it
            _log.error("storage.not_mirrored", key=key, reason="damaged")


async def _nothing() -> AsyncIterator[bytes]:
    yield b""


async def _as_generator(pieces: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
    async for piece in pieces:
        yield piece
