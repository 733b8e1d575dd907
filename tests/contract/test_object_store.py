"""What every object store keeps to, the one in memory as the one on disk."""

import hashlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from glimpser.core.errors import InvalidInput, NotFound
from glimpser.core.ports import ObjectStore
from glimpser.storage.objects import open_store
from glimpser.storage.s3 import S3Store
from glimpser.storage.settings import StoreSettings
from glimpser.testing.storage import MemoryStore
from tests.s3_service import S3Service, s3_service

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def s3() -> Iterator[S3Service]:
    with s3_service() as service:
        yield service


@pytest.fixture(params=["memory", "file", "s3", "spool", "mirror", "former"])
async def store(request: pytest.FixtureRequest, tmp_path: Path, s3: S3Service) -> AsyncIterator[ObjectStore]:
    if request.param == "memory":
        yield MemoryStore()
    elif request.param == "s3":
        yield S3Store(f"s3://{s3.new_bucket()}/some/prefix", s3.settings)
    else:
        async with open_store(settings_of(request.param, tmp_path, s3)) as opened:
            yield opened.store


def settings_of(kind: str, folder: Path, s3: S3Service) -> StoreSettings:
    """Say how the store is opened: files, a bucket behind its spool, with a mirror, or with one before."""
    files = (folder / "a store").as_uri()
    bucket = f"s3://{s3.new_bucket()}"
    state = folder / "state"
    if kind == "mirror":
        return StoreSettings(url=files, mirror_url=bucket, state=state, s3=s3.settings)
    if kind == "former":
        return StoreSettings(url=files, former_url=bucket, state=state, s3=s3.settings)
    return StoreSettings(url=bucket if kind == "spool" else files, state=state, s3=s3.settings)


async def pieces_of(*pieces: bytes) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


async def read(store: ObjectStore, uri: str, *, start: int = 0, end: int | None = None) -> bytes:
    return b"".join([piece async for piece in store.get(uri, start=start, end=end)])


async def put(store: ObjectStore, key: str, data: bytes = b"12345") -> str:
    return (await store.put(key, pieces_of(data), content_type="image/jpeg")).uri


async def test_gives_back_what_was_put_with_its_size_and_hash(store: ObjectStore) -> None:
    stored = await store.put("a/b/c.jpg", pieces_of(b"abc", b"", b"def"), content_type="image/jpeg")

    assert await read(store, stored.uri) == b"abcdef"
    assert stored.size_bytes == 6
    assert stored.sha256 == hashlib.sha256(b"abcdef").hexdigest()


async def test_keeps_an_object_of_many_pieces_and_megabytes(store: ObjectStore) -> None:
    piece = bytes(range(256)) * 1000

    stored = await store.put("large", pieces_of(*[piece] * 12), content_type="video/mp4")

    assert stored.size_bytes == 12 * len(piece)
    assert stored.sha256 == hashlib.sha256(piece * 12).hexdigest()
    assert await read(store, stored.uri) == piece * 12


async def test_keeps_an_empty_object(store: ObjectStore) -> None:
    stored = await store.put("empty", pieces_of(), content_type="text/plain")

    assert stored.size_bytes == 0
    assert await read(store, stored.uri) == b""


async def test_replaces_an_object_of_the_same_key(store: ObjectStore) -> None:
    first = await put(store, "a.jpg", b"old")

    second = await put(store, "a.jpg", b"new")

    assert first == second
    assert await read(store, second) == b"new"


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [(0, None, b"12345"), (1, 3, b"23"), (4, 100, b"5"), (5, None, b""), (9, None, b""), (2, 2, b"")],
)
async def test_reads_a_range(store: ObjectStore, start: int, end: int | None, expected: bytes) -> None:
    uri = await put(store, "a.jpg", b"12345")

    assert await read(store, uri, start=start, end=end) == expected


@pytest.mark.parametrize(("start", "end"), [(-1, None), (3, 2)])
async def test_refuses_what_is_no_range(store: ObjectStore, start: int, end: int | None) -> None:
    uri = await put(store, "a.jpg")

    with pytest.raises(InvalidInput):
        await read(store, uri, start=start, end=end)


async def test_does_not_know_what_was_never_put(store: ObjectStore) -> None:
    uri = await put(store, "a/b.jpg")

    for other in (uri + "x", uri.replace("a/b.jpg", "a"), uri + "/c", "s3://bucket/a/b.jpg", "a/b.jpg", ""):
        with pytest.raises(NotFound):
            await read(store, other)


async def test_deletes_and_does_not_mind_doing_it_twice(store: ObjectStore) -> None:
    uri = await put(store, "a/b.jpg")
    kept = await put(store, "a/c.jpg")

    await store.delete(uri)
    await store.delete(uri)
    await store.delete("s3://bucket/a/c.jpg")

    with pytest.raises(NotFound):
        await read(store, uri)
    assert await read(store, kept) == b"12345"


async def test_lists_by_prefix_in_the_order_of_keys_and_of_uris(store: ObjectStore) -> None:
    for key in ("a/z.jpg", "b/2/x", "a-b/x", "a.b", "b/10/x", "a/b/c.jpg", "b2"):
        await put(store, key)

    every = [entry async for entry in store.list()]
    below_b = [entry.key async for entry in store.list("b/")]
    part_of_name = [entry.key async for entry in store.list("a/z.")]

    assert [entry.key for entry in every] == ["a-b/x", "a.b", "a/b/c.jpg", "a/z.jpg", "b/10/x", "b/2/x", "b2"]
    assert [entry.uri for entry in every] == sorted(entry.uri for entry in every)
    assert {entry.size_bytes for entry in every} == {5}
    assert below_b == ["b/10/x", "b/2/x"]
    assert part_of_name == ["a/z.jpg"]
    assert [entry async for entry in store.list("nowhere/")] == []


@pytest.mark.parametrize(
    "key",
    [
        "",
        "/etc/passwd",
        "../x",
        "a/../../x",
        "a//b",
        "a/",
        ".",
        "a/.hidden",
        "a\0b",
        "a\\b",
        "ä",
        "a b",
        "a\n",
        "a%2e%2e",
        "x" * 600,
    ],
)
async def test_refuses_keys_that_could_mean_something_else(store: ObjectStore, key: str) -> None:
    with pytest.raises(InvalidInput):
        await put(store, key)

    assert [entry async for entry in store.list()] == []


@pytest.mark.parametrize("key", ["a", "a..b", "a/b-c_d.E9", "01JQ0000000000000000000000.jpg"])
async def test_takes_ordinary_keys(store: ObjectStore, key: str) -> None:
    assert await read(store, await put(store, key)) == b"12345"


async def test_leaves_nothing_of_an_object_whose_source_fails(store: ObjectStore) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b"x" * 2_000_000
        raise ConnectionError

    with pytest.raises(ConnectionError):
        await store.put("a.jpg", broken(), content_type="image/jpeg")

    assert [entry async for entry in store.list()] == []
