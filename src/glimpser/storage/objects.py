"""Which store a URL names."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import unquote, urlsplit

from glimpser.core.errors import Misconfigured
from glimpser.core.ports import ObjectStore
from glimpser.storage.files import FileStore


@asynccontextmanager
async def open_store(url: str) -> AsyncIterator[ObjectStore]:
    """Open the store of `storage.object_store_url` and, at the end, wait for what it still writes.

    Raises:
        Misconfigured: the URL cannot be used, or its directory cannot be made.
    """
    store = await asyncio.to_thread(FileStore.open, file_root(url))
    try:
        yield store
    finally:
        await store.close()


def file_root(url: str) -> Path:
    """Take the directory out of a `file:///` URL (RFC 8089).

    Raises:
        Misconfigured: it is another store, names another machine, or is not absolute.
    """
    parts = urlsplit(url)
    if parts.scheme != "file":
        raise Misconfigured(
            f"storage.object_store_url: {parts.scheme!r} is not in this version; use file:///DIRECTORY."
        )
    path = unquote(parts.path)
    if parts.netloc or parts.query or parts.fragment or not path.startswith("/") or "\0" in path:
        raise Misconfigured("storage.object_store_url: write file:///DIRECTORY, special characters as %XX.")
    return Path(path)
