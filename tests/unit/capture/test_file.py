"""Kind `file`: video files."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from glimpser.capture.file import file_kind
from glimpser.capture.pictures.reader import PictureReader, open_reader
from glimpser.core.clock import SystemClock
from glimpser.core.errors import InvalidInput
from glimpser.core.kinds import Kind
from glimpser.core.live import MediaInput


@pytest.fixture
def reader() -> Iterator[PictureReader]:
    with open_reader() as reader:
        yield reader


@pytest.fixture
def kind(tmp_path: Path, reader: PictureReader) -> Kind:
    return file_kind([tmp_path], reader, clock=SystemClock())


def test_defaults_are_filled_in(kind: Kind) -> None:
    assert kind.parse({"path": "a.mp4"}) == {"path": "a.mp4", "loop": True, "interval_s": 5}


def test_what_was_set_reaches_the_worker(kind: Kind) -> None:
    config = kind.parse({"path": "a.mp4", "loop": False, "fps": 2.5})

    assert kind.feed(config) == MediaInput(address="a.mp4", is_file=True, loop=False, fps=2.5)


@pytest.mark.parametrize("fps", [0.01, 120])
def test_slow_motion_and_fast_are_taken(kind: Kind, fps: float) -> None:
    expected = MediaInput(address="a.mp4", is_file=True, loop=True, fps=fps)

    assert kind.feed(kind.parse({"path": "a.mp4", "fps": fps})) == expected


@pytest.mark.parametrize(
    ("config", "pointer"),
    [
        ({}, "/config/path"),
        ({"path": ""}, "/config/path"),
        ({"path": "   "}, "/config/path"),
        ({"path": "../a.mp4"}, "/config/path"),
        ({"path": "/etc/passwd"}, "/config/path"),
        ({"path": "a\0b"}, "/config/path"),
        ({"path": "\ud800"}, "/config/path"),
        ({"path": "x" * 5000}, "/config/path"),
        ({"path": 5}, "/config/path"),
        ({"path": "a.mp4", "fps": 0}, "/config/fps"),
        ({"path": "a.mp4", "fps": 1e-300}, "/config/fps"),
        ({"path": "a.mp4", "fps": 121}, "/config/fps"),
        ({"path": "a.mp4", "fps": "inf"}, "/config/fps"),
        ({"path": "a.mp4", "loop": "maybe"}, "/config/loop"),
        ({"path": "a.mp4", "format": "concat"}, "/config/format"),
    ],
)
def test_a_hostile_config_is_refused_by_name_of_the_field(
    kind: Kind, config: dict[str, object], pointer: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        kind.parse(config)

    assert [error.pointer for error in refused.value.errors] == [pointer]


def test_a_file_need_not_be_there_yet(kind: Kind) -> None:
    assert kind.parse({"path": "tomorrow/a.mp4"})["path"] == "tomorrow/a.mp4"


def test_without_folders_the_setting_is_named(reader: PictureReader) -> None:
    with pytest.raises(InvalidInput, match=r"capture\.file_roots"):
        file_kind([], reader, clock=SystemClock()).parse({"path": "a.mp4"})


def test_the_schema_describes_every_field_for_a_form(kind: Kind) -> None:
    schema = json.loads(json.dumps(kind.schema))

    assert schema["required"] == ["path"]
    assert schema["additionalProperties"] is False
    assert all(field["title"] for field in schema["properties"].values())
