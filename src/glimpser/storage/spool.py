"""A store that may be away, with a disk before it: nothing is lost, and nothing overtakes what came before.

An object is on the disk first, durably, and then on its way. While the store is away objects wait on the
disk, where they are read too. When it is back they are sent in the order of their keys, that is, of time.
"""

import asyncio
import mimetypes
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator
from contextlib import aclosing

import structlog

from glimpser.core.errors import NotFound, Unavailable
from glimpser.core.keys import is_key
from glimpser.core.ports import ObjectStore, StoredEntry, StoredObject
from glimpser.storage.files import FileStore

_log = structlog.get_logger(__name__)

FIRST_DELAY_S = 1.0
LONGEST_DELAY_S = 30.0
_UNKNOWN_TYPE = "application/octet-stream"


class SpooledStore:
    """Implements `core.ports.ObjectStore`. Event loop's thread; `run` sends what waits.

    `base_uri` is what the URIs of `store` begin with.
    """

    def __init__(
        self, store: ObjectStore, spool: FileStore, *, base_uri: str, first_delay_s: float = FIRST_DELAY_S
    ) -> None:
        self._store = store
        self._spool = spool
        self._base_uri = base_uri
        self._first_delay_s = first_delay_s
        self._waiting: set[str] = set()
        self._sending = asyncio.Lock()
        self._arrived = asyncio.Event()

    @property
    def waiting(self) -> int:
        """Tell how many objects the store does not have yet."""
        return len(self._waiting)

    async def load(self) -> None:
        """Find what waited when the program ended. Call it before anything else."""
        self._waiting = {entry.key async for entry in self._spool.list()}

    async def run(self) -> None:
        """Send what waits; never returns."""
        delay_s = self._first_delay_s
        while True:
            if await self._send_all():
                delay_s = self._first_delay_s
                await self._arrived.wait()
                self._arrived.clear()
            else:
                await asyncio.sleep(delay_s)
                delay_s = min(2 * delay_s, LONGEST_DELAY_S)

    async def put(self, key: str, data: AsyncIterable[bytes], *, content_type: str) -> StoredObject:
        """Return when the object is durable on this machine's disk; it leaves from there."""
        spooled = await self._spool.put(key, data, content_type=content_type)
        self._waiting.add(key)
        self._arrived.set()
        return StoredObject(self._base_uri + key, spooled.size_bytes, spooled.sha256)

    async def get(self, uri: str, *, start: int = 0, end: int | None = None) -> AsyncGenerator[bytes, None]:
        key = self._key_of(uri)
        if key in self._waiting:
            try:
                async for piece in self._spooled(key, start, end):
                    yield piece
            except NotFound:  # it was sent a moment ago; the disk gave nothing of it
                pass
            else:
                return
        async for piece in self._store.get(uri, start=start, end=end):
            yield piece

    async def delete(self, uri: str) -> None:
        """Raises: Unavailable: the store is away and may have it."""
        key = self._key_of(uri)
        async with self._sending:  # what is on its way now is deleted when it has arrived
            await self._spool.delete(self._spool.uri_of(key))
            self._waiting.discard(key)
        await self._store.delete(uri)

    async def list(self, prefix: str = "") -> AsyncIterator[StoredEntry]:
        """Give what the store has and what waits for it, merged."""
        waiting = [entry async for entry in self._spool.list(prefix)]
        waiting.reverse()
        async for entry in self._store.list(prefix):
            while waiting and waiting[-1].key < entry.key:
                yield self._as_stored(waiting.pop())
            if waiting and waiting[-1].key == entry.key:
                waiting.pop()
            yield entry
        for entry in reversed(waiting):
            yield self._as_stored(entry)

    async def _send_all(self) -> bool:
        """Send in order until nothing waits, or until the store takes no more; tells which."""
        while self._waiting:
            key = min(self._waiting)
            try:
                async with self._sending:
                    await self._send(key)
            except Unavailable as error:
                _log.warning("storage.spooling", waiting=len(self._waiting), reason=error.detail)
                return False
        return True

    async def _send(self, key: str) -> None:
        """Send one object and take it from the disk; one that was deleted meanwhile is gone."""
        uri = self._spool.uri_of(key)
        media_type = mimetypes.guess_type(key)[0] or _UNKNOWN_TYPE
        try:
            async with aclosing(self._spool.get(uri)) as data:
                await self._store.put(key, data, content_type=media_type)
        except NotFound:
            self._waiting.discard(key)
            return
        self._waiting.discard(key)
        await self._spool.delete(uri)

    async def _spooled(self, key: str, start: int, end: int | None) -> AsyncIterator[bytes]:
        async with aclosing(self._spool.get(self._spool.uri_of(key), start=start, end=end)) as pieces:
            async for piece in pieces:
                yield piece

    def _key_of(self, uri: str) -> str:
        """Take the key out of a URI; of another store's, none that anything has."""
        key = uri.removeprefix(self._base_uri)
        return key if uri.startswith(self._base_uri) and is_key(key) else ""

    def _as_stored(self, entry: StoredEntry) -> StoredEntry:
        return StoredEntry(self._base_uri + entry.key, entry.key, entry.size_bytes)
