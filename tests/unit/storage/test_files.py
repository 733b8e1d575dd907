"""A store on a disk that fails, and in a directory that somebody prepared."""

import asyncio
import errno
import os
import resource
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from glimpser.core import failpoints
from glimpser.core.errors import Misconfigured, NotFound, Unavailable
from glimpser.storage import FileStore

pytestmark = pytest.mark.anyio


async def pieces_of(*pieces: bytes) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


async def put(store: FileStore, key: str = "a/b.jpg", data: bytes = b"12345") -> str:
    return (await store.put(key, pieces_of(data), content_type="image/jpeg")).uri


async def read(store: FileStore, uri: str) -> bytes:
    return b"".join([piece async for piece in store.get(uri)])


def files_below(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if not path.is_dir())


def open_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


class FailingDisk:
    """Syncs as told: the nth time it fails."""

    def __init__(self, failing: int, error: int) -> None:
        self.calls = 0
        self._failing = failing
        self._error = error

    def __call__(self, descriptor: int) -> None:
        self.calls += 1
        if self.calls == self._failing:
            raise OSError(self._error, os.strerror(self._error))


@contextmanager
def largest_file(size_bytes: int) -> Iterator[None]:
    """A real limit of the operating system on what may be written."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@contextmanager
def armed(specification: str) -> Iterator[None]:
    failpoints.arm(specification)
    try:
        yield
    finally:
        failpoints.arm("")


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO])
@pytest.mark.parametrize("nth", [1, 2, 3, 4])
async def test_never_acknowledges_what_could_not_be_synced(tmp_path: Path, error: int, nth: int) -> None:
    store = FileStore.open(tmp_path)
    store._directories.sync = disk = FailingDisk(nth, error)

    with pytest.raises(Unavailable):
        await put(store, "a/b/c.jpg")
    left = files_below(tmp_path)
    uri = await put(store, "a/b/c.jpg")

    assert left == []
    assert await read(store, uri) == b"12345"
    assert disk.calls > nth
    await store.close()


async def test_a_directory_whose_name_could_not_be_synced_is_made_again(tmp_path: Path) -> None:
    store = FileStore.open(tmp_path)
    store._directories.sync = FailingDisk(2, errno.EIO)

    with pytest.raises(Unavailable):
        await put(store, "a/b.jpg")
    left = (tmp_path / "a").exists()
    store._directories.sync = disk = FailingDisk(0, 0)
    await put(store, "a/b.jpg")

    assert not left
    assert disk.calls == 3  # the object, the directory's name, the object's name
    await store.close()


async def test_syncs_the_object_every_new_directory_and_the_name(tmp_path: Path) -> None:
    store = FileStore.open(tmp_path)
    store._directories.sync = disk = FailingDisk(0, 0)

    await put(store, "a/b/c.jpg")
    first = disk.calls
    await put(store, "a/b/d.jpg")

    assert first == 4
    assert disk.calls - first == 2
    await store.close()


async def test_says_that_the_disk_is_full_and_recovers_by_itself(tmp_path: Path) -> None:
    store = FileStore.open(tmp_path)
    store._directories.sync = FailingDisk(1, errno.ENOSPC)

    with pytest.raises(Unavailable, match="full"):
        await put(store)

    assert await read(store, await put(store)) == b"12345"
    await store.close()


async def test_leaves_nothing_of_an_object_the_disk_would_not_take(tmp_path: Path) -> None:
    store = FileStore.open(tmp_path)

    with largest_file(1_500_000), pytest.raises(Unavailable):
        await store.put("a.mp4", pieces_of(*[b"x" * 1_000_000] * 3), content_type="video/mp4")

    assert files_below(tmp_path) == []
    await store.close()


async def test_a_cancelled_put_leaves_nothing(tmp_path: Path) -> None:
    store = FileStore.open(tmp_path)
    started = asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        yield b"x" * 2_000_000
        started.set()
        await asyncio.Event().wait()

    async with asyncio.TaskGroup() as group:
        task = group.create_task(store.put("a.jpg", endless(), content_type="image/jpeg"))
        await started.wait()
        task.cancel()

    assert files_below(tmp_path) == []
    await store.close()


@pytest.mark.parametrize("place", ["storage.written", "storage.renamed"])
async def test_a_put_cancelled_while_the_disk_works_leaves_nothing(tmp_path: Path, place: str) -> None:
    store = FileStore.open(tmp_path)
    written = asyncio.Event()

    async def source() -> AsyncIterator[bytes]:
        yield b"12345"
        written.set()

    with armed(f"{place}:sleep:100"):
        async with asyncio.TaskGroup() as group:
            task = group.create_task(store.put("a.jpg", source(), content_type="image/jpeg"))
            await written.wait()
            await asyncio.to_thread(_wait_for_a_file, tmp_path)
            task.cancel()
        await store.close()

    assert task.cancelled()
    assert files_below(tmp_path) == []


def _wait_for_a_file(root: Path) -> None:
    while not files_below(root):
        pass


@pytest.mark.parametrize("place", ["storage.written", "storage.renamed"])
async def test_a_failure_at_any_place_leaves_nothing(tmp_path: Path, place: str) -> None:
    store = FileStore.open(tmp_path)

    with armed(f"{place}:raise"), pytest.raises(Unavailable):
        await put(store)

    assert files_below(tmp_path) == []
    await store.close()


@pytest.mark.parametrize(("place", "expected"), [("written", []), ("renamed", ["a/b.jpg"])])
def test_after_a_kill_an_object_is_there_whole_or_not_at_all(
    tmp_path: Path, place: str, expected: list[str]
) -> None:
    program = f"""
import asyncio, pathlib
from glimpser.core import failpoints
from glimpser.storage import FileStore
async def source():
    yield b"12345"
failpoints.arm("storage.{place}:kill")
store = FileStore.open(pathlib.Path({str(tmp_path)!r}))
asyncio.run(store.put("a/b.jpg", source(), content_type="image/jpeg"))
"""

    killed = subprocess.run([sys.executable, "-c", program], timeout=60, check=False)
    FileStore.open(tmp_path)

    assert killed.returncode == -signal.SIGKILL
    assert files_below(tmp_path) == expected
    assert all((tmp_path / name).read_bytes() == b"12345" for name in expected)


async def test_reads_and_deletes_nothing_through_links(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.jpg").write_bytes(b"secret")
    root = tmp_path / "root"
    store = FileStore.open(root)
    legal = await put(store, "directory/inside.jpg")
    (root / "link").symlink_to(outside)
    (root / "link.jpg").symlink_to(outside / "secret.jpg")

    for key in ("link/secret.jpg", "link.jpg"):
        uri = legal.replace("directory/inside.jpg", key)
        with pytest.raises(NotFound):
            await read(store, uri)
        await store.delete(uri)
    with pytest.raises(Unavailable):
        await put(store, "link/new.jpg")

    assert files_below(outside) == ["secret.jpg"]
    assert [entry.key async for entry in store.list()] == ["directory/inside.jpg"]
    assert await read(store, legal) == b"12345"
    await store.close()


async def test_a_put_over_a_link_replaces_the_link(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_bytes(b"untouched")
    store = FileStore.open(tmp_path / "root")
    (tmp_path / "root" / "a.jpg").symlink_to(target)

    await put(store, "a.jpg")

    assert target.read_bytes() == b"untouched"
    assert (tmp_path / "root" / "a.jpg").read_bytes() == b"12345"
    await store.close()


async def test_a_pipe_in_the_tree_holds_nobody(tmp_path: Path) -> None:
    store = FileStore.open(tmp_path)
    uri = await put(store, "a.jpg")
    os.mkfifo(tmp_path / "pipe.jpg")

    with pytest.raises(NotFound):
        await read(store, uri.replace("a.jpg", "pipe.jpg"))

    assert [entry.key async for entry in store.list()] == ["a.jpg"]
    await store.close()


async def test_the_root_itself_may_be_a_link_to_a_disk(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "root").symlink_to(tmp_path / "disk")
    store = FileStore.open(tmp_path / "root")

    uri = await put(store, "a.jpg")

    assert uri == (tmp_path / "root").as_uri() + "/a.jpg"
    assert await read(store, uri) == b"12345"
    await store.close()


async def test_objects_are_for_our_eyes_only(tmp_path: Path) -> None:
    store = FileStore.open(tmp_path)

    await put(store, "a/b.jpg")

    assert (tmp_path / "a/b.jpg").stat().st_mode & 0o077 == 0
    assert (tmp_path / "a").stat().st_mode & 0o077 == 0
    await store.close()


def test_sweeps_what_was_never_finished_at_the_start(tmp_path: Path) -> None:
    FileStore.open(tmp_path)
    (tmp_path / ".new" / "half").write_bytes(b"12")
    (tmp_path / "whole.jpg").write_bytes(b"12345")

    FileStore.open(tmp_path)

    assert files_below(tmp_path) == ["whole.jpg"]


def test_says_what_is_wrong_with_a_directory_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")

    with pytest.raises(Misconfigured, match="object_store_url"):
        FileStore.open(tmp_path / "file")


async def test_an_abandoned_read_leaves_no_file_open(tmp_path: Path) -> None:
    store = FileStore.open(tmp_path)
    uri = await put(store, "a.jpg", b"x" * 1_000_000)
    before = open_files()

    reading = store.get(uri)
    await anext(reading)
    await reading.aclose()

    assert open_files() == before
    await store.close()
