import numpy as np
import pytest
import simplejpeg
from cv2.typing import MatLike

from glimpser.streaming.banner import burn


def jpeg_of(width: int, height: int, value: int = 200) -> bytes:
    pixels = np.full((height, width, 3), value, np.uint8)
    return bytes(simplejpeg.encode_jpeg(pixels, colorspace="BGR"))


def decoded(jpeg: bytes) -> MatLike:
    return np.array(simplejpeg.decode_jpeg(jpeg, colorspace="GRAY"))[:, :, 0]


@pytest.mark.parametrize("width", [320, 640, 1280])
def test_the_sentence_stands_on_a_band_at_the_foot_of_the_dimmed_picture(width: int) -> None:
    picture = decoded(burn(jpeg_of(640, 360), "offline since 12:00", width))

    assert picture.shape == (width * 9 // 16, width)
    above, foot = picture[: picture.shape[0] // 2], picture[-picture.shape[0] // 10 :]
    assert 60 < above.mean() < 120
    assert foot.max() > 200
    assert np.median(foot) < 60


def test_the_shape_of_the_picture_is_kept() -> None:
    assert decoded(burn(jpeg_of(480, 640), "offline", 240)).shape == (320, 240)


@pytest.mark.parametrize("damaged", [None, b"", b"no picture", jpeg_of(64, 36)[:40]])
def test_a_placeholder_stands_for_a_picture_that_cannot_be_read(damaged: bytes | None) -> None:
    picture = decoded(burn(damaged, "offline", 640))

    assert picture.shape == (360, 640)
    assert picture[:180].max() < 60
    assert picture[-40:].max() > 200


def test_a_long_sentence_fits_into_the_picture() -> None:
    picture = decoded(burn(None, "offline since ever: " + "reason " * 20, 320))

    edges = np.concatenate([picture[:, :4].ravel(), picture[:, -4:].ravel()])
    assert edges.max() < 90
    assert picture.max() > 90


def test_other_letters_and_tiny_pictures_do_no_harm() -> None:
    assert decoded(burn(jpeg_of(16, 16), "caméra\n離線", 16)).shape == (16, 16)
