"""From the bytes of a picture of any kind to one whole JPEG. Blocks for as long as decoding takes."""

import io
from typing import Any

import numpy as np
import simplejpeg
from numpy.typing import NDArray
from PIL import Image, ImageOps

from glimpser.capture.pictures.headers import Header, name_of, picture_header
from glimpser.capture.pictures.jpeg import JpegFile, NotWhole, read_jpeg
from glimpser.core.errors import InvalidInput
from glimpser.core.sources import Shot

MAX_BYTES = 32 * 1024 * 1024
MAX_PIXELS = 50_000_000
"""A picture of 8,660 by 5,773 pixels; decoding takes four bytes for each."""
MAX_SIDE_PX = 65_500
"""What a JPEG can be wide or high (libjpeg)."""
QUALITY = 88
READ = "JPEG, PNG, WebP, GIF and BMP"
_BEHIND = (255, 255, 255)
"""What is seen through transparent pixels."""
_WORDS_OF_TORN_DATA = "extraneous bytes"


def read_picture(data: bytes) -> Shot:
    """Recognise, measure, decode and turn upright; of moving pictures the first.

    A JPEG that can be shown as it is keeps its bytes, without metadata: cameras write where they stand into
    it. Nothing but the picture goes on, whatever else the file may be to other programs.

    Raises:
        InvalidInput: it is none, too large, or not whole. The sentence goes on from the name of the thing.
    """
    if len(data) > MAX_BYTES:
        raise InvalidInput(f"The picture has more than {MAX_BYTES >> 20} MiB: make it smaller.")
    if data.startswith(b"\xff\xd8"):
        return _jpeg(data)
    header = picture_header(data)
    if header is None:
        raise InvalidInput(f"This is {name_of(data)}; pictures are read as {READ}.")
    _check_size(header.width, header.height)
    return _encoded(_decoded(data, header))


def _check_size(width: int, height: int) -> None:
    if not width or not height:
        raise InvalidInput("The picture has no size.")
    if width * height > MAX_PIXELS or max(width, height) > MAX_SIDE_PX:
        raise InvalidInput(
            f"The picture is {width} × {height} pixels large; read are at most"
            f" {MAX_PIXELS // 1_000_000} million pixels, and {MAX_SIDE_PX} on a side."
        )


def _jpeg(data: bytes) -> Shot:
    try:
        file = read_jpeg(data)
    except NotWhole as error:
        raise InvalidInput(str(error)) from error
    _check_size(file.width, file.height)
    if file.plain and file.orientation == 1 and _is_sound(file):
        return Shot(jpeg=file.data, width=file.width, height=file.height)
    decoded = _decoded(file.data, Header("JPEG", file.width, file.height))
    return _encoded(_upright(decoded, file.orientation))


def _is_sound(file: JpegFile) -> bool:
    """Decode it, at an eighth of its size; False when it can be shown, but not to strict decoders.

    Raises:
        InvalidInput: parts of it are missing or damaged.
    """
    try:
        simplejpeg.decode_jpeg(file.data, colorspace="GRAY", min_width=1, min_height=1, min_factor=8.0)
    except ValueError as error:
        if _WORDS_OF_TORN_DATA in str(error):
            return False  # a few bytes too many between markers, as some cameras write
        raise InvalidInput("The picture is cut off or damaged.") from error
    return True


def _decoded(data: bytes, header: Header) -> Image.Image:
    """Decode the first picture. Its size is looked at again: a GIF's pictures may reach over its canvas."""
    try:
        image = Image.open(io.BytesIO(data), formats=[header.format])
        _check_size(image.width, image.height)
        image.load()
    except InvalidInput:
        raise
    except Exception as error:  # Pillow's readers raise whatever they stumble over
        raise InvalidInput("The picture is cut off or damaged.") from error
    return image


def _upright(image: Image.Image, orientation: int) -> Image.Image:
    image.getexif()[0x0112] = orientation
    return ImageOps.exif_transpose(image)


def _encoded(image: Image.Image) -> Shot:
    pixels = _rgb(image)
    jpeg = bytes(simplejpeg.encode_jpeg(pixels, quality=QUALITY, colorspace="RGB", colorsubsampling="420"))
    return Shot(jpeg=jpeg, width=pixels.shape[1], height=pixels.shape[0])


def _rgb(image: Image.Image) -> NDArray[np.uint8]:
    if image.mode.startswith(("I", "F")):  # sixteen bits a pixel, of which a screen shows the upper eight
        values: NDArray[Any] = np.asarray(image)
        image = Image.fromarray((np.clip(values, 0, 65535).astype(np.uint32) >> 8).astype(np.uint8))
    if image.has_transparency_data:
        behind = Image.new("RGB", image.size, _BEHIND)
        seen = image.convert("RGBA")
        behind.paste(seen, mask=seen.getchannel("A"))
        image = behind
    return np.ascontiguousarray(np.asarray(image.convert("RGB"), dtype=np.uint8))
