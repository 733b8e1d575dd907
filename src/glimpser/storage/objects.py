"""Which store a URL names, and what stands before and beside it."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from glimpser.core.errors import Misconfigured
from glimpser.core.ports import ObjectStore
from glimpser.storage.files import FileStore, open_files
from glimpser.storage.former import MovingStore
from glimpser.storage.mirror import MirroredStore
from glimpser.storage.s3 import S3Store
from glimpser.storage.settings import StoreSettings
from glimpser.storage.spool import SpooledStore

Run = Callable[[], Coroutine[Any, Any, None]]


@dataclass(frozen=True, slots=True)
class OpenStore:
    """The store as the program uses it. `base_uri` is what the URIs begin with that it gives now,
    `former_base_uri` those of the store before, if there is one.
    """

    store: ObjectStore
    base_uri: str
    spools: tuple[SpooledStore, ...] = ()
    runs: tuple[Run, ...] = field(default=(), repr=False)
    former_base_uri: str | None = None

    @property
    def bases(self) -> tuple[str, ...]:
        """Give what the URIs of all its objects may begin with."""
        return (self.base_uri, *([self.former_base_uri] if self.former_base_uri else []))

    @property
    def waiting(self) -> int:
        """Tell how many objects wait on this machine for a store that is away."""
        return sum(spool.waiting for spool in self.spools)


@asynccontextmanager
async def open_store(settings: StoreSettings, *, is_sending: bool = True) -> AsyncIterator[OpenStore]:
    """Open the store with its spool, its mirror and the one before it; at the end, finish what is written.

    With `is_sending` False nothing leaves the spool and nothing unfinished is swept away: another program
    sends and writes.

    Raises:
        Misconfigured: a URL cannot be used, or a directory cannot be made.
    """
    failure: Exception | None = None
    async with AsyncExitStack() as stack:
        opened = await _assembled(replace(settings, sweep=is_sending), stack)
        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(run()) for run in opened.runs] if is_sending else []
            try:
                yield opened
            except Exception as error:  # noqa: BLE001 - raised below, as it is: the group would wrap it
                failure = error
            finally:
                for task in running:
                    task.cancel()
    if failure is not None:
        raise failure


async def _assembled(settings: StoreSettings, stack: AsyncExitStack) -> OpenStore:
    opened = await _opened(settings.url, settings, stack)
    if settings.mirror_url:
        opened = await _mirrored(opened, settings.mirror_url, settings, stack)
    if not settings.former_url:
        return opened
    former = await _opened(settings.former_url, settings, stack)
    both = MovingStore(opened.store, former.store, base_uri=opened.base_uri, former_base_uri=former.base_uri)
    return OpenStore(
        both,
        opened.base_uri,
        spools=opened.spools + former.spools,
        runs=opened.runs + former.runs,
        former_base_uri=former.base_uri,
    )


async def _opened(url: str, settings: StoreSettings, stack: AsyncExitStack) -> OpenStore:
    """Open what a URL names; before one that may be away stands a spool."""
    if urlsplit(url).scheme != "s3":
        files = await stack.enter_async_context(open_files(file_root(url), sweep=settings.sweep))
        return OpenStore(files, files.uri_of(""))
    remote = S3Store(url, settings.s3)
    base_uri = remote.uri_of("")
    spool = SpooledStore(
        remote,
        await stack.enter_async_context(
            open_files(_state_of(base_uri, settings, "spool"), sweep=settings.sweep)
        ),
        base_uri=base_uri,
    )
    await spool.load()
    return OpenStore(spool, base_uri, spools=(spool,), runs=(spool.run,))


async def _mirrored(opened: OpenStore, url: str, settings: StoreSettings, stack: AsyncExitStack) -> OpenStore:
    """Put a mirror beside a store. It has no spool: what it lacks is noted, and read from the store."""
    mirror: S3Store | FileStore
    if urlsplit(url).scheme == "s3":
        mirror = S3Store(url, settings.s3)
    else:
        mirror = await stack.enter_async_context(open_files(file_root(url), sweep=settings.sweep))
    base_uri = mirror.uri_of("")
    mirrored = MirroredStore(
        opened.store,
        mirror,
        await stack.enter_async_context(
            open_files(_state_of(base_uri, settings, "mirror"), sweep=settings.sweep)
        ),
        base_uri=opened.base_uri,
        mirror_base_uri=base_uri,
    )
    return OpenStore(mirrored, opened.base_uri, spools=opened.spools, runs=(*opened.runs, mirrored.run))


async def _open_state(base_uri: str, settings: StoreSettings, name: str, stack: AsyncExitStack) -> FileStore:
    files = open_files(_state_of(base_uri, settings, name), sweep=settings.sweep)
    return await stack.enter_async_context(files)


def _state_of(base_uri: str, settings: StoreSettings, name: str) -> Path:
    """Give each store a folder of its own: what waits for one is never sent to another."""
    return settings.state / name / hashlib.sha256(base_uri.encode()).hexdigest()[:16]


def file_root(url: str) -> Path:
    """Take the directory out of a `file:///` URL (RFC 8089).

    Raises:
        Misconfigured: it is another store, names another machine, or is not absolute.
    """
    parts = urlsplit(url)
    path = unquote(parts.path)
    is_plain = not (parts.netloc or parts.query or parts.fragment or "\0" in path)
    if parts.scheme != "file" or not is_plain or not path.startswith("/"):
        raise Misconfigured(
            "storage.object_store_url: write file:///DIRECTORY, special characters as %XX, or s3://BUCKET."
        )
    return Path(path)
