"""An object store in memory, for tests of what stands on one."""

import hashlib
from collections.abc import AsyncIterable, AsyncIterator

from glimpser.core.errors import GlimpserError, InvalidInput, NotFound
from glimpser.core.keys import is_key, require_key
from glimpser.core.ports import StoredEntry, StoredObject

_BASE_URI = "memory:///"
_PIECE_BYTES = 64 * 1024


class MemoryStore:
    """Implements `core.ports.ObjectStore`; `objects` maps keys to bytes and may be changed by a test.

    While `failure` is set, every call raises it, as a store that is away does.
    """

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.failure: GlimpserError | None = None

    async def put(self, key: str, data: AsyncIterable[bytes], *, content_type: str) -> StoredObject:  # noqa: ARG002 - nobody asks for it
        require_key(key)
        self._fail_if_told()
        whole = b"".join([piece async for piece in data])
        self.objects[key] = whole
        return StoredObject(_BASE_URI + key, len(whole), hashlib.sha256(whole).hexdigest())

    async def get(self, uri: str, *, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        self._fail_if_told()
        if start < 0 or (end is not None and end < start):
            raise InvalidInput(f"Bytes {start} to {end} are no range.")
        whole = self.objects.get(_key_of(uri))
        if whole is None:
            raise NotFound("There is no object with this URI in this store.")
        wanted = whole[start:end]
        for position in range(0, len(wanted), _PIECE_BYTES):
            yield wanted[position : position + _PIECE_BYTES]

    async def delete(self, uri: str) -> None:
        self._fail_if_told()
        self.objects.pop(_key_of(uri), None)

    async def list(self, prefix: str = "") -> AsyncIterator[StoredEntry]:
        self._fail_if_told()
        for key in sorted(key for key in self.objects if key.startswith(prefix)):
            if key in self.objects:
                yield StoredEntry(_BASE_URI + key, key, len(self.objects[key]))

    def _fail_if_told(self) -> None:
        if self.failure is not None:
            raise self.failure


def _key_of(uri: str) -> str:
    key = uri.removeprefix(_BASE_URI)
    return key if uri.startswith(_BASE_URI) and is_key(key) else ""
