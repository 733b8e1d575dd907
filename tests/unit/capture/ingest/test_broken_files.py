"""Videos that are damaged or cut off anywhere: pictures or a reason come of them, in their time."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from glimpser.capture.ingest.opening import MediaError, Opener
from glimpser.core.live import MediaInput
from glimpser.egress.gate import Gate, GatePolicy
from glimpser.testing.clips import make_clip

FRAMES = 10
pytestmark = pytest.mark.timeout(30)


@pytest.fixture(scope="module", params=["mp4", "mkv", "ts"])
def clip(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clips") / f"whole.{request.param}"
    make_clip(path, seconds=1, fps=FRAMES, gop=5, width=128, height=96)
    return path


def pictures_of(path: Path) -> int:
    """Count the pictures until the end, or until libav says what is wrong. Raises: MediaError."""
    opener = Opener(Gate(GatePolicy()), file_roots=(path.parent,), stall_timeout_s=4)
    with opener.open(MediaInput(address=str(path), is_file=True)) as media:
        return sum(1 for _ in media.container.decode(media.stream))


def damaged(data: bytes, seed: int) -> Iterator[bytes]:
    """Cut it, overwrite a stretch of it, leave one out, or put one in; anywhere."""
    chance = random.Random(seed)
    at = chance.randrange(len(data))
    noise = chance.randbytes(chance.choice((1, 4, 64, 2000)))
    yield data[:at]
    yield data[:at] + noise + data[at + len(noise) :]
    yield data[:at] + data[at + len(noise) :]
    yield data[:at] + noise + data[at:]


def test_a_whole_file_gives_all_its_pictures(clip: Path) -> None:
    assert pictures_of(clip) == FRAMES


def outcome_of(path: Path) -> int | str:
    """Give the number of pictures, or the reason why there are none."""
    try:
        return pictures_of(path)
    except MediaError as error:
        return error.reason


def test_a_file_that_is_damaged_anywhere_gives_pictures_or_a_reason(clip: Path, tmp_path: Path) -> None:
    whole = clip.read_bytes()
    outcomes: list[int | str] = []
    for number, data in enumerate(data for seed in range(25) for data in damaged(whole, seed)):
        broken = tmp_path / f"{number}{clip.suffix}"
        broken.write_bytes(data)
        outcomes.append(outcome_of(broken))

    shown = [outcome for outcome in outcomes if isinstance(outcome, int)]
    told = [outcome for outcome in outcomes if isinstance(outcome, str)]
    assert len(outcomes) == 100
    assert 0 < max(shown) <= 2 * FRAMES
    assert all(told)
    assert not any(str(tmp_path) in reason for reason in told)


def test_the_first_bytes_alone_give_a_reason(clip: Path, tmp_path: Path) -> None:
    begun = tmp_path / f"begun{clip.suffix}"
    begun.write_bytes(clip.read_bytes()[:20])

    with pytest.raises(MediaError) as told:
        pictures_of(begun)

    assert told.value.reason
