from datetime import UTC, datetime

import numpy as np
import pytest
import simplejpeg
from numpy.typing import NDArray

from glimpser.core.live import Caption
from glimpser.streaming.retouch import AS_IT_IS, retouch_of

NOW = datetime(2026, 3, 1, tzinfo=UTC)
RIGHT_HALF = ((0.5, 0.0), (1.0, 0.0), (1.0, 1.0), (0.5, 1.0))


def red(width: int = 64, height: int = 48) -> bytes:
    picture = np.zeros((height, width, 3), np.uint8)
    picture[..., 2] = 230
    return bytes(simplejpeg.encode_jpeg(picture, colorspace="BGR", quality=95))


def pixels(jpeg: bytes) -> NDArray[np.uint8]:
    return np.asarray(simplejpeg.decode_jpeg(jpeg, colorspace="BGR"))


def test_there_is_nothing_to_do_where_nothing_is_asked_for() -> None:
    assert not AS_IT_IS
    assert retouch_of((), Caption(time=True))
    assert retouch_of((RIGHT_HALF,))


def test_covered_areas_are_black_in_the_new_jpeg() -> None:
    shown = pixels(retouch_of((RIGHT_HALF,)).jpeg(red(), NOW))

    assert shown.shape == (48, 64, 3)
    assert shown[:, 40:].max() < 25
    assert shown[:, :24, 2].min() > 190


def test_the_caption_is_not_covered() -> None:
    everything = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))

    shown = pixels(retouch_of((everything,), Caption(name="Door")).jpeg(red(320, 180), NOW))

    assert shown[:20, :60].max() > 200
    assert shown[40:].max() < 25


@pytest.mark.parametrize(
    "jpeg",
    [b"", b"\xff\xd8\xff\xd9", red()[:40], b"GIF89a"],
    ids=["empty", "no picture", "cut off", "no JPEG"],
)
def test_what_cannot_be_read_is_not_let_through(jpeg: bytes) -> None:
    with pytest.raises(ValueError, match="cannot be read"):
        retouch_of((RIGHT_HALF,)).jpeg(jpeg, NOW)
