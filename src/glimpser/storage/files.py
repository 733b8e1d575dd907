"""Objects as files under one directory.

An object is written under `.new/`, synced, and then renamed to its key: nobody ever reads half of one.
What lies under `.new/` at the start was being written when the program ended, and is removed.
"""

import asyncio
import errno
import itertools
import os
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import NoReturn, ParamSpec, TypeVar

from glimpser.core.errors import InvalidInput, Misconfigured, NotFound, Unavailable
from glimpser.core.keys import is_key, require_key
from glimpser.core.ports import StoredEntry, StoredObject
from glimpser.storage.directories import Directories, Sync
from glimpser.storage.upload import Upload

T = TypeVar("T")
P = ParamSpec("P")

_PIECE_BYTES = 256 * 1024
_HOP_BYTES = 1024 * 1024
"""What is gathered before a thread writes it: most pictures take one trip to a thread."""
_LIST_BATCH = 500
_THREADS = 16
_FULL = (errno.ENOSPC, errno.EDQUOT)


class FileStore:
    """Implements `core.ports.ObjectStore` for `file:///…`.

    Disk work is done by a few threads of its own. Links below the root are not followed. `sync` stands for
    `os.fsync` where a test needs a disk that fails.
    """

    def __init__(self, root: Path, *, sync: Sync = os.fsync) -> None:
        self._base_uri = root.absolute().as_uri().rstrip("/") + "/"
        self._directories = Directories(root.absolute(), sync)
        self._executor = ThreadPoolExecutor(_THREADS, thread_name_prefix="storage")

    @classmethod
    def open(cls, root: Path, *, sync: Sync = os.fsync, sweep: bool = True) -> "FileStore":
        """Make the directory if there is none, and remove what was never finished. Blocks.

        Without `sweep` that is left: beside a program that runs it may be on its way.

        Raises:
            Misconfigured: the directory cannot be used.
        """
        store = cls(root, sync=sync)
        try:
            store._directories.prepare(sweep=sweep)
        except OSError as error:
            raise Misconfigured(f"storage.object_store_url: cannot use {root}: {error.strerror}.") from error
        return store

    async def close(self) -> None:
        """Wait for what the threads still do."""
        await asyncio.to_thread(self._executor.shutdown)

    def uri_of(self, key: str) -> str:
        """Give the URI that an object of this key has."""
        return self._base_uri + key

    async def put(self, key: str, data: AsyncIterable[bytes], *, content_type: str) -> StoredObject:  # noqa: ARG002 - a file keeps no type
        """A put that is cancelled leaves nothing behind, like one that fails.

        Raises:
            InvalidInput: the key is none.
        """
        upload = Upload(self._directories, require_key(key))
        try:
            gathered = bytearray()
            async for piece in data:
                gathered += piece
                if len(gathered) >= _HOP_BYTES:
                    await self._run(upload.write, gathered)
                    gathered = bytearray()
            await self._run(upload.finish, gathered)
        except BaseException:
            await asyncio.shield(self._run(upload.discard))
            raise
        return StoredObject(self._base_uri + key, upload.size_bytes, upload.sha256)

    async def get(self, uri: str, *, start: int = 0, end: int | None = None) -> AsyncGenerator[bytes, None]:
        """Raises: InvalidInput: the range is none."""
        if start < 0 or (end is not None and end < start):
            raise InvalidInput(f"Bytes {start} to {end} are no range.")
        descriptor, size_bytes = await self._open(uri)
        try:
            stop = size_bytes if end is None else min(end, size_bytes)
            while start < stop:
                piece = await self._run(os.pread, descriptor, min(_PIECE_BYTES, stop - start), start)
                if not piece:
                    raise Unavailable("A stored object became shorter while it was read.")
                start += len(piece)
                yield piece
        finally:
            os.close(descriptor)

    async def delete(self, uri: str) -> None:
        key = self._key_of(uri)
        if key is not None:
            await self._run(self._directories.remove, key)

    async def list(self, prefix: str = "") -> AsyncIterator[StoredEntry]:
        found = self._directories.walk(prefix)
        while batch := await self._run(_take, found):
            for key, size_bytes in batch:
                yield StoredEntry(self._base_uri + key, key, size_bytes)

    async def _open(self, uri: str) -> tuple[int, int]:
        """Open for reading; gives descriptor and size."""
        key = self._key_of(uri)
        if key is None:
            raise NotFound("There is no object with this URI in this store.")
        future = self._executor.submit(self._directories.open_file, key)
        try:
            return await asyncio.wrap_future(future)
        except asyncio.CancelledError:
            future.add_done_callback(_close_opened)
            raise
        except (FileNotFoundError, NotADirectoryError) as error:
            raise NotFound("The object is gone from the store.") from error
        except OSError as error:
            _raise_unavailable(error)

    def _key_of(self, uri: str) -> str | None:
        """Take the key out of a URI of this store; None for any other text."""
        key = uri.removeprefix(self._base_uri)
        return key if uri.startswith(self._base_uri) and is_key(key) else None

    async def _run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return await asyncio.wrap_future(self._executor.submit(work, *args, **kwargs))
        except OSError as error:
            _raise_unavailable(error)


@asynccontextmanager
async def open_files(root: Path, *, sweep: bool = True) -> AsyncIterator[FileStore]:
    """Open a directory as a store, as `FileStore.open`; at the end, wait for what it still writes.

    Raises:
        Misconfigured: it cannot be used.
    """
    store = await asyncio.to_thread(partial(FileStore.open, root, sweep=sweep))
    try:
        yield store
    finally:
        await store.close()


def _take(found: Iterator[tuple[str, int]]) -> list[tuple[str, int]]:
    return list(itertools.islice(found, _LIST_BATCH))


def _close_opened(future: Future[tuple[int, int]]) -> None:
    """Nobody waits for the file any more."""
    if not future.cancelled() and future.exception() is None:
        os.close(future.result()[0])


def _raise_unavailable(error: OSError) -> NoReturn:
    if error.errno in _FULL:
        raise Unavailable("The disk that holds the artifacts is full: free some space.") from error
    raise Unavailable(f"The disk that holds the artifacts fails: {error.strerror}.") from error
