"""Stored pictures made narrower, once for everybody."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from glimpser.core.errors import InvalidInput, NotFound, Unavailable
from glimpser.core.events import Artifact
from glimpser.services.thumbnails import MAX_BYTES, Thumbnails
from glimpser.testing.storage import MemoryStore
from tests.contract.samples import artifact

pytestmark = pytest.mark.anyio


class Scaler:
    """Makes every picture as many bytes as pixels are asked for, and counts."""

    def __init__(self) -> None:
        self.made: list[tuple[bytes, int]] = []
        self.at_once = 0
        self.most_at_once = 0
        self.failure: Exception | None = None

    async def __call__(self, data: bytes, width: int) -> bytes:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await asyncio.sleep(0)
        self.at_once -= 1
        if self.failure:
            raise self.failure
        self.made.append((data, width))
        return data[:1] * width


async def stored(store: MemoryStore, number: int, media_type: str = "image/jpeg") -> Artifact:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"%d" % number
        yield b" picture"

    kept = await store.put(f"artifacts/{number}.jpg", pieces(), content_type=media_type)
    return replace(
        artifact(), uri=kept.uri, size_bytes=kept.size_bytes, sha256=kept.sha256, media_type=media_type
    )


async def test_a_picture_is_made_once_in_each_width(scaler: Scaler) -> None:
    store = MemoryStore()
    thumbnails = Thumbnails(store, scaler)
    picture = await stored(store, 1)

    first = await thumbnails.get(picture, 320)
    again = await thumbnails.get(picture, 320)
    wider = await thumbnails.get(picture, 640)

    assert (first, again, wider) == (b"1" * 320, b"1" * 320, b"1" * 640)
    assert scaler.made == [(b"1 picture", 320), (b"1 picture", 640)]


async def test_many_who_ask_at_once_have_it_made_few_at_a_time(scaler: Scaler) -> None:
    store = MemoryStore()
    thumbnails = Thumbnails(store, scaler)
    pictures = [await stored(store, number) for number in range(5)]

    await asyncio.gather(*(thumbnails.get(picture, 320) for picture in pictures * 4))

    assert scaler.most_at_once == 2
    assert len(scaler.made) <= 10  # two that begin together may both make one


async def test_what_was_not_asked_for_longest_is_let_go_of(scaler: Scaler) -> None:
    store = MemoryStore()
    thumbnails = Thumbnails(store, scaler, kept_bytes=700)
    first, second, third = [await stored(store, number) for number in range(3)]

    for picture in (first, second, first, third, first, second):
        await thumbnails.get(picture, 320)

    assert [data[:1] for data, _ in scaler.made] == [b"0", b"1", b"2", b"1"]


async def test_one_too_large_to_keep_is_given_all_the_same(scaler: Scaler) -> None:
    store = MemoryStore()
    thumbnails = Thumbnails(store, scaler, kept_bytes=10)

    assert await thumbnails.get(await stored(store, 1), 1280) == b"1" * 1280
    assert await thumbnails.get(await stored(store, 2), 1280) == b"2" * 1280


@pytest.mark.parametrize("media_type", ["video/mp4", "text/plain", "image/svg+xml", ""])
async def test_only_pictures_come_in_other_widths(scaler: Scaler, media_type: str) -> None:
    store = MemoryStore()
    thumbnails = Thumbnails(store, scaler)

    with pytest.raises(InvalidInput, match="Only pictures"):
        await thumbnails.get(await stored(store, 1, media_type), 320)

    assert await thumbnails.get(await stored(store, 2, "image/png"), 320)


async def test_a_picture_that_is_too_large_is_not_even_read(scaler: Scaler) -> None:
    store = MemoryStore()
    thumbnails = Thumbnails(store, scaler)
    large = replace(await stored(store, 1), size_bytes=MAX_BYTES + 1)

    with pytest.raises(InvalidInput, match="32 MiB"):
        await thumbnails.get(large, 320)


async def test_a_failure_is_not_kept(scaler: Scaler) -> None:
    store = MemoryStore()
    thumbnails = Thumbnails(store, scaler)
    picture = await stored(store, 1)

    scaler.failure = InvalidInput("damaged")
    with pytest.raises(InvalidInput):
        await thumbnails.get(picture, 320)
    scaler.failure = None
    store.failure = Unavailable("away")
    with pytest.raises(Unavailable):
        await thumbnails.get(picture, 320)
    store.failure = None

    assert await thumbnails.get(picture, 320) == b"1" * 320


async def test_one_whose_object_is_gone_is_not_found(scaler: Scaler) -> None:
    store = MemoryStore()
    picture = await stored(store, 1)
    await store.delete(picture.uri)

    with pytest.raises(NotFound):
        await Thumbnails(store, scaler).get(picture, 320)


@pytest.fixture
def scaler() -> Scaler:
    return Scaler()
