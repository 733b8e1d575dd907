"""A store that may be away, and a mirror that may be."""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from glimpser.core.errors import Damaged, NotFound, Unavailable
from glimpser.core.ports import ObjectStore, StoredObject
from glimpser.storage.files import FileStore, open_files
from glimpser.storage.mirror import MirroredStore
from glimpser.storage.spool import SpooledStore
from glimpser.testing.storage import MemoryStore

pytestmark = pytest.mark.anyio

AWAY = Unavailable("The store has gone away.")
BASE = "memory:///"


class OrderedStore(MemoryStore):
    """Remembers in which order things came; while `refuses` is set it takes nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.came: list[str] = []
        self.refuses: Unavailable | None = None

    async def put(self, key: str, data: AsyncIterable[bytes], *, content_type: str) -> StoredObject:
        if self.refuses:
            raise self.refuses
        stored = await super().put(key, data, content_type=content_type)
        self.came.append(f"{key} {content_type}")
        return stored


async def jpeg(data: bytes = b"12345") -> AsyncIterator[bytes]:
    yield data


async def put(store: ObjectStore, number: int) -> str:
    stored = await store.put(f"a/{number}.jpg", jpeg(b"%d" % number), content_type="image/jpeg")
    return stored.uri


async def read(store: ObjectStore, uri: str) -> bytes:
    return b"".join([piece async for piece in store.get(uri)])


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - the store knows no event
            await asyncio.sleep(0.005)


@asynccontextmanager
async def spooled(store: ObjectStore, folder: Path) -> AsyncIterator[SpooledStore]:
    async with open_files(folder) as spool, asyncio.TaskGroup() as tasks:
        made = SpooledStore(store, spool, base_uri=BASE, first_delay_s=0.01)
        await made.load()
        running = tasks.create_task(made.run())
        yield made
        running.cancel()


async def test_what_is_put_leaves_the_disk_when_the_store_has_it(tmp_path: Path) -> None:
    store = OrderedStore()
    async with spooled(store, tmp_path) as spool:
        stored = await spool.put("artifacts/a.jpg", jpeg(), content_type="image/jpeg")
        await until(lambda: spool.waiting == 0)

        assert stored.uri == BASE + "artifacts/a.jpg"
        assert store.objects == {"artifacts/a.jpg": b"12345"}
        assert store.came == ["artifacts/a.jpg image/jpeg"]
        assert await read(spool, stored.uri) == b"12345"
        assert files_below(tmp_path) == []


async def test_while_the_store_is_away_objects_wait_and_can_be_read(tmp_path: Path) -> None:
    store = OrderedStore()
    store.failure = AWAY
    async with spooled(store, tmp_path) as spool:
        uris = [
            (await spool.put(f"a/{n}.jpg", jpeg(b"%d" % n), content_type="image/jpeg")).uri for n in range(5)
        ]

        assert spool.waiting == 5
        assert [await read(spool, uri) for uri in uris] == [b"0", b"1", b"2", b"3", b"4"]
        assert [piece async for piece in spool.get(uris[3], start=0, end=1)] == [b"3"]

        store.failure = None
        await until(lambda: spool.waiting == 0)
        assert store.came == [f"a/{n}.jpg image/jpeg" for n in range(5)]


async def test_what_waited_when_the_program_ended_is_sent_by_the_next(tmp_path: Path) -> None:
    store = OrderedStore()
    store.failure = AWAY
    async with spooled(store, tmp_path) as spool:
        await spool.put("a/2.jpg", jpeg(), content_type="image/jpeg")
        await spool.put("a/1.jpg", jpeg(), content_type="image/jpeg")
    store.failure = None

    async with spooled(store, tmp_path) as spool:
        await until(lambda: len(store.came) == 2)

    assert [line.split()[0] for line in store.came] == ["a/1.jpg", "a/2.jpg"]


async def test_a_list_holds_what_the_store_has_and_what_waits_once_each(tmp_path: Path) -> None:
    store = OrderedStore()
    for key in ("a/1.jpg", "a/3.jpg", "a/5.jpg"):
        await store.put(key, jpeg(), content_type="image/jpeg")
    store.refuses = AWAY
    async with spooled(store, tmp_path) as spool:
        for key in ("a/6.jpg", "a/3.jpg", "a/2.jpg"):
            await spool.put(key, jpeg(), content_type="image/jpeg")

        listed = [entry async for entry in spool.list("a/")]

    assert [entry.key for entry in listed] == [f"a/{n}.jpg" for n in (1, 2, 3, 5, 6)]
    assert {entry.uri.removesuffix(entry.key) for entry in listed} == {BASE}


async def test_what_is_deleted_while_it_waits_is_never_sent(tmp_path: Path) -> None:
    store = OrderedStore()
    store.refuses = AWAY
    async with spooled(store, tmp_path) as spool:
        stored = await spool.put("a/1.jpg", jpeg(), content_type="image/jpeg")
        await spool.delete(stored.uri)
        store.refuses = None

        with pytest.raises(NotFound):
            await read(spool, stored.uri)
        await spool.put("a/2.jpg", jpeg(), content_type="image/jpeg")
        await until(lambda: spool.waiting == 0)
    assert list(store.objects) == ["a/2.jpg"]


# The mirror


@asynccontextmanager
async def mirrored(store: ObjectStore, mirror: ObjectStore, folder: Path) -> AsyncIterator[MirroredStore]:
    async with open_files(folder) as notes, asyncio.TaskGroup() as tasks:
        made = MirroredStore(store, mirror, notes, base_uri=BASE, mirror_base_uri=BASE, first_delay_s=0.01)
        running = tasks.create_task(made.run())
        yield made
        running.cancel()


def files_below(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*.jpg"))


async def test_a_mirror_gets_what_is_put_and_loses_what_is_deleted(tmp_path: Path) -> None:
    store, mirror = MemoryStore(), OrderedStore()
    async with mirrored(store, mirror, tmp_path) as both:
        first = await both.put("a/1.jpg", jpeg(), content_type="image/jpeg")
        await both.put("a/2.jpg", jpeg(), content_type="image/jpeg")
        await until(lambda: len(mirror.came) == 2)
        await both.delete(first.uri)
        await until(lambda: files_below(tmp_path) == [])

    assert list(store.objects) == list(mirror.objects) == ["a/2.jpg"]


async def test_a_note_that_is_read_before_its_object_is_there_is_kept(tmp_path: Path) -> None:
    class ReadAtOnce(FileStore):
        async def put(self, key: str, data: AsyncIterable[bytes], *, content_type: str) -> StoredObject:
            noted = await super().put(key, data, content_type=content_type)
            await both._catch_up()  # as `run` may, before whoever noted goes on
            return noted

    store, mirror, notes = MemoryStore(), OrderedStore(), ReadAtOnce.open(tmp_path)
    both = MirroredStore(store, mirror, notes, base_uri=BASE, mirror_base_uri=BASE)

    await both.put("a/1.jpg", jpeg(), content_type="image/jpeg")
    await both._catch_up()
    await notes.close()

    assert list(mirror.objects) == ["a/1.jpg"]


async def test_a_damaged_object_keeps_no_other_from_the_mirror(tmp_path: Path) -> None:
    class Decaying(MemoryStore):
        async def get(self, uri: str, *, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
            async for piece in super().get(uri, start=start, end=end):
                yield piece
            if uri.endswith("1.jpg"):
                raise Damaged("It is not what was stored.")

    store, mirror = Decaying(), OrderedStore()
    async with mirrored(store, mirror, tmp_path) as both:
        await both.put("a/1.jpg", jpeg(), content_type="image/jpeg")
        await both.put("a/2.jpg", jpeg(), content_type="image/jpeg")
        await until(lambda: files_below(tmp_path) == [])

    assert list(mirror.objects) == ["a/2.jpg"]


async def test_a_mirror_that_was_away_catches_up_after_a_restart(tmp_path: Path) -> None:
    store, mirror = MemoryStore(), OrderedStore()
    mirror.failure = AWAY
    async with mirrored(store, mirror, tmp_path) as both:
        gone = await both.put("a/1.jpg", jpeg(), content_type="image/jpeg")
        kept = await both.put("a/2.jpg", jpeg(), content_type="image/jpeg")
        await both.delete(gone.uri)
        assert await read(both, kept.uri) == b"12345"
    mirror.failure = None

    async with mirrored(store, mirror, tmp_path):
        await until(lambda: files_below(tmp_path) == [])

    assert mirror.came == ["a/2.jpg image/jpeg"]


async def test_a_note_of_what_was_never_stored_is_dropped(tmp_path: Path) -> None:
    store, mirror = MemoryStore(), OrderedStore()
    store.failure = AWAY
    async with mirrored(store, mirror, tmp_path) as both:
        with pytest.raises(Unavailable):
            await both.put("a/1.jpg", jpeg(), content_type="image/jpeg")
        store.failure = None
        await until(lambda: files_below(tmp_path) == [])

    assert mirror.objects == {}


def test_file_stores_name_their_objects_before_they_exist(tmp_path: Path) -> None:
    assert FileStore(tmp_path).uri_of("a/b.jpg") == (tmp_path / "a/b.jpg").as_uri()
