"""The disks that must not fill up."""

import os
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path

from glimpser.core.disk import DiskUsage
from glimpser.core.ports import ObjectStore, StoredEntry, StoredObject


def fullest(paths: Sequence[Path]) -> DiskUsage:
    """Measure the fullest of the disks that hold these paths, as `df` does. Blocks.

    Raises:
        OSError: one of them cannot be asked.
    """
    return max((_usage(path) for path in paths), key=lambda usage: usage.share)


def _usage(path: Path) -> DiskUsage:
    """What only root may write counts neither as used nor as free (statvfs(3))."""
    found = os.statvfs(path)
    used = (found.f_blocks - found.f_bfree) * found.f_frsize
    return DiskUsage(str(path), used, found.f_bavail * found.f_frsize)


class GuardedStore:
    """Implements `core.ports.ObjectStore`: asks for room before it writes; all else goes on.

    `check_room` raises Unavailable when there is none.
    """

    def __init__(self, store: ObjectStore, check_room: Callable[[], Awaitable[None]]) -> None:
        self._store = store
        self._check_room = check_room

    async def put(self, key: str, data: AsyncIterable[bytes], *, content_type: str) -> StoredObject:
        await self._check_room()
        return await self._store.put(key, data, content_type=content_type)

    def get(self, uri: str, *, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        return self._store.get(uri, start=start, end=end)

    async def delete(self, uri: str) -> None:
        await self._store.delete(uri)

    def list(self, prefix: str = "") -> AsyncIterator[StoredEntry]:
        return self._store.list(prefix)
