"""Pictures of every kind become one whole JPEG; whatever else comes is refused with the reason."""

import io
import struct
import zlib

import numpy as np
import pytest
import simplejpeg
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from glimpser.capture.pictures.reading import MAX_BYTES, read_picture
from glimpser.core.errors import InvalidInput

RED, BLUE = (200, 30, 30), (30, 30, 200)


def an_image(width: int = 48, height: int = 32, *, mode: str = "RGB") -> Image.Image:
    """Red at the left, blue at the right."""
    image = Image.new("RGB", (width, height), RED)
    image.paste(BLUE, (width // 2, 0, width, height))
    return image.convert(mode)


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def corner(jpeg: bytes, x: int, y: int) -> tuple[int, ...]:
    return tuple(int(value) for value in simplejpeg.decode_jpeg(jpeg)[y, x])


def is_about(colour: tuple[int, ...], wanted: tuple[int, ...]) -> bool:
    return all(abs(one - other) < 25 for one, other in zip(colour, wanted, strict=True))


def a_png_header(width: int, height: int) -> bytes:
    """A PNG of that size in a few bytes, all of whose rows are zero."""
    rows = zlib.compress(b"\0" * 1000)
    chunks = (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)),
        (b"IDAT", rows),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in chunks
    )


JPEG = saved(an_image(), "JPEG", quality=90)
PNG = saved(an_image(), "PNG")
GIF = saved(an_image(), "GIF")
WEBP = saved(an_image(), "WEBP", lossless=True)
BMP = saved(an_image(), "BMP")


# What is read ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(PNG, id="png"),
        pytest.param(GIF, id="gif"),
        pytest.param(WEBP, id="webp lossless"),
        pytest.param(saved(an_image(), "WEBP", quality=90), id="webp lossy"),
        pytest.param(saved(an_image(mode="RGBA"), "WEBP"), id="webp extended"),
        pytest.param(BMP, id="bmp"),
        pytest.param(saved(an_image().quantize(4), "PNG"), id="palette"),
        pytest.param(saved(an_image(mode="CMYK"), "JPEG", quality=90), id="cmyk jpeg"),
    ],
)
def test_every_kind_becomes_a_jpeg_of_its_size(data: bytes) -> None:
    shot = read_picture(data)

    assert simplejpeg.decode_jpeg_header(shot.jpeg)[:3] == (32, 48, "YCbCr")
    assert (shot.width, shot.height) == (48, 32)
    assert is_about(corner(shot.jpeg, 4, 4), RED)
    assert is_about(corner(shot.jpeg, 43, 28), BLUE)


@pytest.mark.parametrize("mode", ["L", "I;16"])
def test_grey_pictures_keep_their_brightness(mode: str) -> None:
    steps = np.full((32, 48), 180, np.uint8)
    image = Image.fromarray(steps if mode == "L" else (steps.astype(np.uint16) << 8))

    assert is_about(corner(read_picture(saved(image, "PNG")).jpeg, 20, 20), (180, 180, 180))


def test_what_lies_behind_transparent_pixels_is_white() -> None:
    image = Image.new("RGBA", (16, 16), (0, 0, 0, 0))

    assert is_about(corner(read_picture(saved(image, "PNG")).jpeg, 8, 8), (255, 255, 255))


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"subsampling": 0}], ids=str)
def test_a_plain_jpeg_keeps_its_bytes(options: dict[str, object]) -> None:
    data = saved(an_image(), "JPEG", quality=90, **options)

    assert read_picture(data).jpeg == data


def test_a_grey_jpeg_keeps_its_bytes() -> None:
    data = saved(an_image(mode="L"), "JPEG")

    assert read_picture(data).jpeg == data


@pytest.mark.parametrize(("orientation", "size", "red_at"), [(3, (48, 32), (43, 28)), (6, (32, 48), (16, 4))])
def test_a_jpeg_that_lies_on_its_side_is_set_upright(
    orientation: int, size: tuple[int, int], red_at: tuple[int, int]
) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation

    shot = read_picture(saved(an_image(), "JPEG", quality=90, exif=exif))

    assert (shot.width, shot.height) == size
    assert is_about(corner(shot.jpeg, *red_at), RED)


def test_metadata_goes_no_further() -> None:
    exif = Image.Exif()
    exif[0x010E] = "where the camera stands"

    shot = read_picture(saved(an_image(), "JPEG", quality=90, exif=exif, comment=b"and who owns it"))

    assert b"camera" not in shot.jpeg
    assert b"owns" not in shot.jpeg
    assert shot.jpeg == JPEG


def test_metadata_that_is_nonsense_does_no_harm() -> None:
    nonsense = b"\xff\xe1" + struct.pack(">H", 2 + 6 + 20) + b"Exif\0\0" + b"MM\0*" + b"\xff" * 16

    assert read_picture(JPEG[:2] + nonsense + JPEG[2:]).jpeg == JPEG


def test_of_a_moving_picture_the_first_is_read() -> None:
    frames = [Image.new("RGB", (16, 16), colour) for colour in (RED, BLUE)]
    data = saved(frames[0], "GIF", save_all=True, append_images=frames[1:])

    assert is_about(corner(read_picture(data).jpeg, 8, 8), RED)


def test_a_jpeg_with_a_few_bytes_too_many_is_mended() -> None:
    shot = read_picture(JPEG[:-2] + b"\x12\x34" + JPEG[-2:])

    assert simplejpeg.decode_jpeg(shot.jpeg).shape == (32, 48, 3)


# What is refused -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "words"),
    [
        pytest.param(b"", "nothing at all", id="nothing"),
        pytest.param(b"<!DOCTYPE html><title>Camera</title>", "web page", id="html"),
        pytest.param(b"  <html><img src=x>", "web page", id="html without doctype"),
        pytest.param(b'<?xml version="1.0"?><svg onload="x()"/>', "SVG", id="svg"),
        pytest.param(b"%PDF-1.7", "PDF", id="pdf"),
        pytest.param(b"\0\0\0\x18ftypisom", "video", id="mp4"),
        pytest.param(b'{"error": 1}', "JSON", id="json"),
        pytest.param(b"PK\3\4", "ZIP", id="zip"),
        pytest.param(b"II*\0", "TIFF", id="tiff"),
        pytest.param(b"abc", "something unknown", id="unknown"),
    ],
)
def test_what_is_no_picture_is_called_by_its_name(data: bytes, words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        read_picture(data)


def test_a_picture_bomb_is_refused_by_its_header() -> None:
    bomb = a_png_header(30_000, 30_000)
    assert len(bomb) < 200_000

    with pytest.raises(InvalidInput, match="30000 × 30000"):
        read_picture(bomb)


def test_a_large_picture_within_the_limit_is_read() -> None:
    shot = read_picture(saved(Image.new("L", (8000, 3000)), "PNG"))

    assert (shot.width, shot.height) == (8000, 3000)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"GIF89a" + struct.pack("<HH", 60000, 60000) + b"\0\0\0;", id="gif"),
        pytest.param(BMP[:18] + struct.pack("<ii", 50_000, -50_000) + BMP[26:], id="bmp"),
        pytest.param(WEBP[:21] + struct.pack("<I", 0x0FFFFFFF) + WEBP[25:], id="webp"),
        pytest.param(JPEG.replace(struct.pack(">HH", 32, 48), struct.pack(">HH", 60000, 60000)), id="jpeg"),
        pytest.param(a_png_header(1_000_000, 10), id="one long side"),
    ],
)
def test_bombs_of_other_kinds_are_refused_too(data: bytes) -> None:
    with pytest.raises(InvalidInput, match="pixels large"):
        read_picture(data)


def test_a_gif_whose_pictures_are_larger_than_its_canvas_is_measured_again() -> None:
    frame = b"," + struct.pack("<HHHH", 0, 0, 9000, 9000) + b"\x80" + b"\0" * 6 + b"\x02\x02\x44\x01\0;"

    with pytest.raises(InvalidInput):
        read_picture(b"GIF89a" + struct.pack("<HH", 16, 16) + b"\0\0\0" + frame)


def test_a_progressive_jpeg_of_endless_scans_is_refused() -> None:
    data = saved(an_image(), "JPEG", progressive=True)
    last_scan = data[data.rindex(b"\xff\xda") : -2]

    with pytest.raises(InvalidInput, match="scans"):
        read_picture(data[:-2] + last_scan * 300 + data[-2:])


def test_more_bytes_than_any_picture_has_are_not_looked_at() -> None:
    with pytest.raises(InvalidInput, match="32 MiB"):
        read_picture(JPEG + bytes(MAX_BYTES))


PNG_CHECKS_BYTES = 21
"""The end of a PNG without pixels: its data's last bits and their sum, two checks, the last chunk."""


@pytest.mark.parametrize(
    "data",
    [JPEG, PNG[:-PNG_CHECKS_BYTES], WEBP, BMP, saved(an_image(), "JPEG", progressive=True)],
    ids=["jpeg", "png", "webp", "bmp", "progressive"],
)
def test_a_picture_cut_off_anywhere_is_refused(data: bytes) -> None:
    for kept in range(len(data)):
        with pytest.raises(InvalidInput):
            read_picture(data[:kept])


@pytest.mark.parametrize("cut", range(1, PNG_CHECKS_BYTES + 1))
def test_a_png_that_lacks_its_checks_alone_is_whole(cut: int) -> None:
    assert read_picture(PNG[:-cut]) == read_picture(PNG)


@given(st.binary(max_size=400), st.sampled_from([JPEG, PNG, GIF, WEBP, BMP]), st.integers(0, 200))
@settings(max_examples=100, deadline=None)
def test_damaged_bytes_give_a_picture_or_a_reason(noise: bytes, data: bytes, at: int) -> None:
    try:
        shot = read_picture(data[:at] + noise + data[at + len(noise) :])
    except InvalidInput:
        return
    assert simplejpeg.decode_jpeg_header(shot.jpeg)[:2] == (shot.height, shot.width)


@pytest.mark.parametrize(
    "tail", [b"PK\3\4archive", b"<script>alert(1)</script>", b"\xff\xd8\xff\xe1second"], ids=repr
)
def test_of_a_file_that_is_two_things_only_the_picture_goes_on(tail: bytes) -> None:
    assert read_picture(JPEG + tail).jpeg == JPEG
    assert tail not in read_picture(PNG + tail).jpeg
