from datetime import UTC, datetime

import av
import numpy as np
import pytest
import simplejpeg
from numpy.typing import NDArray

from glimpser.capture.ingest.picture import Picture, encode_jpeg, luma
from tests.unit.capture.media import frame_of, steps

FULL = 2
"""AVCOL_RANGE_JPEG"""
FORMATS = [
    *(
        "yuv420p",
        "yuvj420p",
        "yuv422p",
        "yuvj422p",
        "yuv444p",
        "yuvj444p",
        "yuv440p",
        "yuv411p",
        "nv12",
        "nv21",
    ),
    *("yuv420p10le", "yuv422p10le", "yuv444p12le", "p010le", "gray", "gray10le", "rgb24", "gbrp"),
]


def decoded(jpeg: bytes) -> NDArray[np.uint8]:
    return np.asarray(simplejpeg.decode_jpeg(jpeg, colorspace="GRAY")[..., 0], np.uint8)


def stripes(picture: NDArray[np.uint8]) -> list[int]:
    """The brightness in the middle of each of the eight stripes."""
    height, width = picture.shape
    return [int(picture[int((number + 0.5) * height / 8), width // 2]) for number in range(8)]


EXPECTED = [round((level - 16) * 255 / 219) for level in stripes(steps())]


@pytest.mark.parametrize("pix_fmt", FORMATS)
def test_a_jpeg_shows_the_luma_of_the_frame_in_full_range_whatever_its_format(pix_fmt: str) -> None:
    jpeg = encode_jpeg(frame_of(steps(), pix_fmt), 0)

    assert (jpeg.width, jpeg.height) == (64, 64)
    assert stripes(decoded(jpeg.data)) == pytest.approx(EXPECTED, abs=3)


@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuv422p", "yuv444p", "nv12", "yuv420p10le"])
def test_a_frame_that_says_it_is_full_range_is_left_as_it_is(pix_fmt: str) -> None:
    limited = frame_of(steps())
    full = limited.reformat(format=pix_fmt, src_color_range=1, dst_color_range=FULL)
    full.color_range = FULL

    jpeg = encode_jpeg(full, 0)

    assert stripes(decoded(jpeg.data)) == pytest.approx(EXPECTED, abs=3)


@pytest.mark.parametrize("pix_fmt", FORMATS)
@pytest.mark.parametrize(("width", "height"), [(63, 64), (64, 63), (31, 33)])
def test_of_odd_sizes_all_but_the_last_row_and_column_is_encoded(
    pix_fmt: str, width: int, height: int
) -> None:
    frame = frame_of(steps()).reformat(width=width, height=height, format=pix_fmt, interpolation="POINT")

    jpegs = [encode_jpeg(frame, 0) for _ in range(3)]

    assert (jpegs[0].width, jpegs[0].height) == (width & ~1, height & ~1)
    assert decoded(jpegs[0].data).shape == (height & ~1, width & ~1)
    assert stripes(decoded(jpegs[0].data)) == pytest.approx(EXPECTED, abs=6)
    assert len({jpeg.data for jpeg in jpegs}) == 1


def test_colours_survive() -> None:
    reds = np.zeros((64, 64, 3), np.uint8)
    reds[..., 0] = 220
    frame = av.VideoFrame.from_ndarray(reds, format="rgb24").reformat(
        format="yuv420p", dst_colorspace="itu601"
    )

    shown = simplejpeg.decode_jpeg(encode_jpeg(frame, 0).data)

    assert shown[32, 32] == pytest.approx([220, 0, 0], abs=6)


@pytest.mark.parametrize(
    ("asked", "given"),
    [(32, (32, 18)), (33, (32, 18)), (1, (2, 2)), (128, (128, 72)), (4000, (128, 72)), (0, (128, 72))],
    ids=["smaller", "odd", "tiny", "as it is", "wider than it is", "native"],
)
def test_a_picture_is_as_wide_as_asked_and_never_wider_than_the_frame(
    asked: int, given: tuple[int, int]
) -> None:
    jpeg = encode_jpeg(frame_of(steps(128, 72)), asked)

    assert (jpeg.width, jpeg.height) == given
    assert decoded(jpeg.data).shape == given[::-1]


def test_a_smaller_picture_shows_the_same() -> None:
    jpeg = encode_jpeg(frame_of(steps(128, 128)), 64)

    assert stripes(decoded(jpeg.data)) == pytest.approx(EXPECTED, abs=4)


def test_a_jpeg_is_made_once_for_each_width_and_shared() -> None:
    picture = Picture(frame_of(steps()), sequence=1, captured_at=datetime(2026, 1, 1, tzinfo=UTC))

    assert picture.jpeg(32) is picture.jpeg(32)
    assert picture.jpeg(0) is not picture.jpeg(32)


@pytest.mark.parametrize("pix_fmt", FORMATS)
def test_what_motion_is_looked_for_in_has_one_size_and_the_frames_light(pix_fmt: str) -> None:
    gray = luma(frame_of(steps(), pix_fmt))

    assert gray.shape == (180, 320)
    assert gray.dtype == np.uint8
    seen = stripes(gray)
    assert seen == sorted(seen)
    assert seen[0] <= 17
    assert seen[-1] >= 230


def test_the_luma_of_a_frame_with_padded_lines_has_none_of_the_padding() -> None:
    frame = frame_of(steps()).reformat(width=50, height=50)
    assert frame.planes[0].line_size > 50

    gray = luma(frame)

    assert (gray[:, -1] == gray[:, 0]).all()
