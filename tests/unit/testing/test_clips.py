from pathlib import Path

import av
import numpy as np
import pytest

from glimpser.core.errors import InvalidInput
from glimpser.testing.clips import Picture, make_clip


def decode(path: Path) -> list[Picture]:
    """Give the luma planes."""
    with av.open(str(path)) as container:
        return [frame.to_ndarray()[: frame.height].astype(np.uint8) for frame in container.decode(video=0)]


def key_frames(path: Path) -> list[int]:
    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.dts is not None]
        return [number for number, packet in enumerate(packets) if packet.is_keyframe]


def test_a_clip_has_the_asked_size_length_and_key_frames(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"

    make_clip(path, seconds=2, width=320, height=180, fps=10, gop=7)

    pictures = decode(path)
    assert len(pictures) == 20
    assert pictures[0].shape == (180, 320)
    assert key_frames(path) == [0, 7, 14]


def test_the_box_is_in_every_frame_of_its_spans_and_in_no_other(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"

    make_clip(path, seconds=3, width=320, height=180, fps=10, gop=10, motion=[(0.5, 1.2), (2, 3)])

    pictures = decode(path)
    differs = [int(np.sum(np.abs(picture.astype(int) - pictures[0]) > 30)) for picture in pictures]
    with_box = [number for number, count in enumerate(differs) if count > 500]
    assert with_box == [5, 6, 7, 8, 9, 10, 11, *range(20, 30)]
    assert max(count for number, count in enumerate(differs) if number not in with_box) < 20


def test_a_still_room_has_the_noise_of_a_sensor(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"

    make_clip(path, seconds=1, width=320, height=180, fps=10, gop=1)

    first, second, *_ = decode(path)
    assert 0.5 < float(np.std(first.astype(int) - second)) < 5


def test_the_same_arguments_give_the_same_bytes_and_another_seed_does_not(tmp_path: Path) -> None:
    paths = [tmp_path / f"{number}.mp4" for number in range(3)]
    for path, seed in zip(paths, (1, 1, 2), strict=True):
        make_clip(path, seconds=0.5, width=128, height=96, fps=10, gop=5, motion=[(0, 0.5)], seed=seed)

    first, again, other = (path.read_bytes() for path in paths)

    assert first == again
    assert first != other


@pytest.mark.parametrize(
    "wrong",
    [
        {"seconds": 0.0},
        {"fps": 0},
        {"gop": 0},
        {"width": 321},
        {"height": 32},
        {"motion": [(1.0, 0.5)]},
        {"motion": [(0.5, 9.0)]},
        {"motion": [(-1.0, 0.5)]},
    ],
)
def test_a_clip_that_cannot_be_is_refused(tmp_path: Path, wrong: dict[str, object]) -> None:
    arguments: dict[str, object] = {"seconds": 1.0, "width": 320, "height": 180, **wrong}

    with pytest.raises(InvalidInput):
        make_clip(tmp_path / "clip.mp4", **arguments)  # type: ignore[arg-type]  # mixed on purpose
