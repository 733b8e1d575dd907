import gc
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from glimpser.capture.ingest.files import open_beneath, place_of
from glimpser.core.errors import InvalidInput


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "videos"
    (folder / "inner").mkdir(parents=True)
    (folder / "clip.mp4").write_bytes(b"clip")
    (folder / "inner" / "deep.mp4").write_bytes(b"deep")
    (tmp_path / "secret.txt").write_bytes(b"secret")
    return folder


@pytest.fixture
def hostile(root: Path) -> Iterator[Path]:
    outside = root.parent
    (root / "link.mp4").symlink_to(outside / "secret.txt")
    (root / "inside_link.mp4").symlink_to(root / "clip.mp4")
    (root / "folder_link").symlink_to(outside)
    (root / "inner_link").symlink_to(root / "inner")
    os.mkfifo(root / "pipe.mp4")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(root / "sock.mp4"))
        yield root


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.mark.parametrize(
    "path",
    [
        "../secret.txt",
        "inner/../../secret.txt",
        "inner/../clip.mp4",
        "..",
        "/etc/passwd",
        "//etc/passwd",
        "/proc/self/environ",
        "link.mp4",
        "inside_link.mp4",
        "folder_link/secret.txt",
        "inner_link/deep.mp4",
        "pipe.mp4",
        "sock.mp4",
        "inner",
        ".",
        "",
        "/",
        "clip.mp4\0.txt",
        "missing.mp4",
        "missing/clip.mp4",
        "clip.mp4/x",
        "x" * 5000,
        "\ud800.mp4",
    ],
)
def test_a_trick_opens_nothing_and_says_what_is_wrong(hostile: Path, path: str) -> None:
    gc.collect()
    before = open_files()

    with pytest.raises(InvalidInput) as refused:
        open_beneath(path, [hostile])

    assert refused.value.errors[0].pointer == "/config/path"
    assert open_files() <= before


@pytest.mark.parametrize(
    "path", ["{root}/../secret.txt", "{root}x/clip.mp4", "{root}", "{parent}/secret.txt"]
)
def test_an_absolute_path_cannot_leave_the_root_either(hostile: Path, path: str) -> None:
    with pytest.raises(InvalidInput):
        open_beneath(path.format(root=hostile, parent=hostile.parent), [hostile])


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("clip.mp4", b"clip"),
        ("./clip.mp4", b"clip"),
        ("inner/deep.mp4", b"deep"),
        ("inner//deep.mp4", b"deep"),
        ("{root}/clip.mp4", b"clip"),
        ("{root}/inner/deep.mp4", b"deep"),
    ],
)
def test_a_file_below_the_root_is_opened(hostile: Path, path: str, content: bytes) -> None:
    with open_beneath(path.format(root=hostile), [hostile]) as file:
        assert file.read() == content


def test_a_name_with_dots_and_letters_of_any_kind_is_a_name(root: Path) -> None:
    (root / "..clip… ä.mp4").write_bytes(b"odd")

    with open_beneath("..clip… ä.mp4", [root]) as file:
        assert file.read() == b"odd"


def test_an_absolute_path_may_lie_in_any_root_and_a_relative_one_in_the_first(
    root: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "only here.mp4").write_bytes(b"here")

    with open_beneath(f"{other}/only here.mp4", [root, other]) as file:
        assert file.read() == b"here"
    with pytest.raises(InvalidInput):
        open_beneath("only here.mp4", [root, other])


def test_a_file_that_becomes_a_link_after_it_was_named_is_refused(root: Path) -> None:
    place_of("clip.mp4", [root])
    (root / "clip.mp4").unlink()
    (root / "clip.mp4").symlink_to(root.parent / "secret.txt")

    with pytest.raises(InvalidInput):
        open_beneath("clip.mp4", [root])


def test_a_refusal_names_the_roots_and_the_setting(root: Path) -> None:
    with pytest.raises(InvalidInput, match=r"capture\.file_roots") as refused:
        place_of("/etc/passwd", [root])

    assert str(root) in refused.value.detail


def test_without_roots_nothing_is_allowed() -> None:
    with pytest.raises(InvalidInput, match=r"capture\.file_roots"):
        place_of("clip.mp4", [])


def test_what_is_opened_is_not_passed_on_to_children(root: Path) -> None:
    with open_beneath("clip.mp4", [root]) as file:
        assert not os.get_inheritable(file.fileno())
