"""Kind `file` for pictures: single ones, and the newest of a folder."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from glimpser.capture.file import file_kind
from glimpser.capture.pictures.reader import open_reader
from glimpser.core.kinds import Kind
from glimpser.core.live import MediaInput, Polled
from glimpser.core.sources import Source, ViewFailed
from glimpser.testing.clock import START, FakeClock
from glimpser.testing.live import fake_jpeg

pytestmark = pytest.mark.anyio

DARK, BRIGHT = fake_jpeg(64, 36, brightness=20), fake_jpeg(64, 36, brightness=220)


@pytest.fixture
def kind(tmp_path: Path) -> Iterator[Kind]:
    with open_reader() as reader:
        yield file_kind([tmp_path], reader, clock=FakeClock())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "camera"
    folder.mkdir()
    return folder


def put(file: Path, data: bytes, *, age_s: float) -> None:
    """Write a file that was last written to so long before the clock's time."""
    file.write_bytes(data)
    at = START.timestamp() - age_s
    os.utime(file, (at, at))


def source_of(kind: Kind, path: str) -> Source:
    feed = kind.feed(kind.parse({"path": path, "interval_s": 2}))
    assert isinstance(feed, Polled)
    assert feed.interval_s == 2
    return feed.source


async def test_a_picture_is_told_from_a_video_by_its_bytes(kind: Kind, tmp_path: Path) -> None:
    (tmp_path / "picture.mp4").write_bytes(DARK)
    (tmp_path / "video.jpg").write_bytes(b"\0\0\0\x18ftypisom")

    shot = await source_of(kind, "picture.mp4").snapshot()

    assert shot.jpeg == DARK
    assert isinstance(kind.feed({"path": "video.jpg"}), MediaInput)
    assert isinstance(kind.feed({"path": "comes later.mp4"}), MediaInput)


async def test_a_picture_is_read_again_when_it_has_changed(kind: Kind, tmp_path: Path) -> None:
    (tmp_path / "now.jpg").write_bytes(DARK)
    source = source_of(kind, "now.jpg")
    first, second = await source.snapshot(), await source.snapshot()

    (tmp_path / "now.jpg").write_bytes(BRIGHT)

    assert second is first
    assert (await source.snapshot()).jpeg == BRIGHT


async def test_a_picture_that_is_gone_or_torn_may_come_back(kind: Kind, tmp_path: Path) -> None:
    file = tmp_path / "now.jpg"
    file.write_bytes(DARK)
    source = source_of(kind, "now.jpg")
    file.write_bytes(DARK[:-30])
    with pytest.raises(ViewFailed, match="cut off"):
        await source.snapshot()
    file.unlink()
    with pytest.raises(ViewFailed, match="cannot be opened"):
        await source.snapshot()

    file.write_bytes(BRIGHT)

    assert (await source.snapshot()).jpeg == BRIGHT


async def test_of_a_folder_the_newest_picture_is_shown(kind: Kind, folder: Path) -> None:
    put(folder / "b.jpg", DARK, age_s=60)
    put(folder / "a.jpg", BRIGHT, age_s=30)
    source = source_of(kind, "camera")

    first = await source.snapshot()
    put(folder / "0.jpg", DARK, age_s=10)

    assert first.jpeg == BRIGHT
    assert (await source.snapshot()).jpeg == DARK


async def test_what_is_no_picture_is_passed_over(kind: Kind, folder: Path) -> None:
    put(folder / "old.jpg", DARK, age_s=60)
    put(folder / "index.html", b"<html>", age_s=20)
    put(folder / "torn.jpg", BRIGHT[:-30], age_s=10)
    put(folder / ".hidden.jpg", BRIGHT, age_s=9)
    put(folder / "coming.jpg.part", BRIGHT, age_s=8)
    (folder / "below").mkdir()

    assert (await source_of(kind, "camera").snapshot()).jpeg == DARK


async def test_a_file_that_is_being_written_is_waited_for(kind: Kind, folder: Path) -> None:
    put(folder / "old.jpg", DARK, age_s=60)
    put(folder / "new.jpg", BRIGHT, age_s=0.5)  # whole already, which nobody can know
    source = source_of(kind, "camera")

    first = await source.snapshot()
    second = await source.snapshot()  # neither its size nor its time has changed

    assert first.jpeg == DARK
    assert second.jpeg == BRIGHT


async def test_links_out_of_the_folder_are_not_followed(kind: Kind, folder: Path, tmp_path: Path) -> None:
    outside = tmp_path.parent / f"{tmp_path.name} outside"
    outside.mkdir()
    put(outside / "secret.jpg", BRIGHT, age_s=10)
    (folder / "link.jpg").symlink_to(outside / "secret.jpg")
    (tmp_path / "linked").symlink_to(outside)
    os.mkfifo(folder / "pipe.jpg")

    with pytest.raises(ViewFailed, match="no picture"):
        await source_of(kind, "camera").snapshot()
    assert isinstance(kind.feed({"path": "linked"}), MediaInput)
    assert isinstance(kind.feed({"path": "linked/secret.jpg"}), Polled) is False


async def test_a_folder_without_pictures_says_so_until_one_comes(kind: Kind, folder: Path) -> None:
    source = source_of(kind, "camera")
    with pytest.raises(ViewFailed, match="no picture"):
        await source.snapshot()

    put(folder / "first.jpg", DARK, age_s=5)

    assert (await source.snapshot()).jpeg == DARK
