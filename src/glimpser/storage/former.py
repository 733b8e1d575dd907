"""The store of before beside the one of now: what lies there is found, what is new goes to the new one."""

from collections.abc import AsyncIterable, AsyncIterator

from glimpser.core.ports import ObjectStore, StoredEntry, StoredObject


class MovingStore:
    """Implements `core.ports.ObjectStore`. The base URIs are what the URIs of the two stores begin with."""

    def __init__(
        self, store: ObjectStore, former: ObjectStore, *, base_uri: str, former_base_uri: str
    ) -> None:
        self._store = store
        self._former = former
        self._former_base_uri = former_base_uri
        self._is_first = base_uri < former_base_uri

    async def put(self, key: str, data: AsyncIterable[bytes], *, content_type: str) -> StoredObject:
        return await self._store.put(key, data, content_type=content_type)

    def get(self, uri: str, *, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        return self._home_of(uri).get(uri, start=start, end=end)

    async def delete(self, uri: str) -> None:
        await self._home_of(uri).delete(uri)

    async def list(self, prefix: str = "") -> AsyncIterator[StoredEntry]:
        """Give the entries of both in the order of their URIs."""
        both = (self._store, self._former) if self._is_first else (self._former, self._store)
        for store in both:
            async for entry in store.list(prefix):
                yield entry

    def _home_of(self, uri: str) -> ObjectStore:
        return self._former if uri.startswith(self._former_base_uri) else self._store
