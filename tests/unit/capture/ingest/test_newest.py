"""The newest video of a folder."""

import os
import struct
from pathlib import Path

import pytest

from glimpser.capture.file import file_kind
from glimpser.capture.ingest.failures import MediaError
from glimpser.capture.ingest.files import SETTLED_S
from glimpser.capture.ingest.newest import newest_video
from glimpser.capture.ingest.opening import Opener
from glimpser.capture.pictures.reader import open_reader
from glimpser.core.clock import SystemClock
from glimpser.core.errors import InvalidInput
from glimpser.core.live import MediaInput, Polled
from glimpser.egress.gate import Gate, GatePolicy
from tests.unit.capture.media import encode

_NOW_S = 2_000_000_000.0
_MP4 = b"\0\0\0\x18ftypisom" + bytes(64)
_PNG = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", 4, 3) + bytes(64)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "recordings"
    folder.mkdir()
    return folder


def put(folder: Path, name: str, content: bytes = _MP4, *, age_s: float) -> Path:
    path = folder / name
    path.write_bytes(content)
    os.utime(path, (_NOW_S - age_s, _NOW_S - age_s))
    return path


def newest(folder: Path) -> str:
    return newest_video(folder.name, [folder.parent], now_s=_NOW_S)


def test_the_newest_video_wins(folder: Path) -> None:
    put(folder, "b.mp4", age_s=100)
    put(folder, "a.mp4", age_s=50)

    assert newest(folder) == "recordings/a.mp4"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (".hidden.mp4", _MP4),
        ("next.mp4.part", _MP4),
        ("list.txt", b"a list of recordings"),
        ("poster.png", _PNG),
        ("still.avif", b"\0\0\0\x18ftypavif" + bytes(64)),
        ("empty.mp4", b""),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_video_is_passed_over(folder: Path, name: str, content: bytes) -> None:
    put(folder, "a.mp4", age_s=100)
    put(folder, name, content, age_s=50)

    assert newest(folder) == "recordings/a.mp4"


def test_a_recording_that_goes_on_is_waited_for(folder: Path) -> None:
    put(folder, "a.mp4", age_s=100)
    growing = put(folder, "b.mp4", age_s=SETTLED_S / 2)
    assert newest(folder) == "recordings/a.mp4"

    os.utime(growing, (_NOW_S - SETTLED_S, _NOW_S - SETTLED_S))

    assert newest(folder) == "recordings/b.mp4"


def test_links_are_not_followed(folder: Path) -> None:
    outside = put(folder.parent, "secret.mp4", age_s=50)
    put(folder, "a.mp4", age_s=100)
    (folder / "link.mp4").symlink_to(outside)

    assert newest(folder) == "recordings/a.mp4"


def test_a_folder_without_videos_says_so(folder: Path) -> None:
    with pytest.raises(MediaError, match="no video in this folder yet"):
        newest(folder)


def test_a_folder_outside_is_refused(folder: Path) -> None:
    with pytest.raises(InvalidInput):
        newest_video("../recordings", [folder], now_s=_NOW_S)


def test_the_file_that_is_open_is_outdated_when_a_newer_one_is_whole(folder: Path) -> None:
    encode(folder / "a.mp4", count=5)
    os.utime(folder / "a.mp4", (1, 1))
    opener = Opener(Gate(GatePolicy(setting="x")), file_roots=[folder.parent], stall_timeout_s=8)

    with opener.open(MediaInput(address="recordings", is_file=True, newest=True)) as media:
        assert len(list(media.container.decode(media.stream))) == 5
        assert not media.is_outdated()
        encode(folder / "b.mp4", count=3)
        os.utime(folder / "b.mp4", (2, 2))
        assert media.is_outdated()


@pytest.mark.parametrize(
    ("newest_name", "newest_content", "is_played"),
    [("z.mp4", _MP4, True), ("z.png", _PNG, False), ("z.txt", b"words", True)],
    ids=["video", "picture", "words"],
)
def test_a_folder_is_taken_for_what_its_newest_file_is(
    folder: Path, newest_name: str, newest_content: bytes, *, is_played: bool
) -> None:
    put(folder, "a.mp4", age_s=100)
    put(folder, newest_name, newest_content, age_s=50)
    with open_reader() as reader:
        kind = file_kind([folder.parent], reader, clock=SystemClock())

        feed = kind.feed(kind.parse({"path": "recordings", "fps": 2}))

    if is_played:
        assert feed == MediaInput(address="recordings", is_file=True, newest=True, loop=True, fps=2)
    else:
        assert isinstance(feed, Polled)
