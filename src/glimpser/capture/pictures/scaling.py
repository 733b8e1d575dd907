"""A picture in the widths that people want, and without what nobody may see. Blocks: runs in threads."""

from dataclasses import replace
from datetime import datetime

import cv2
import numpy as np
import simplejpeg
from cv2.typing import MatLike

from glimpser.core.errors import Unavailable
from glimpser.core.frames import NATIVE_WIDTH
from glimpser.core.sources import Shot
from glimpser.streaming.retouch import Retouch

QUALITY = 80


def scaled(shot: Shot, width: int) -> Shot:
    """Give the picture as wide as asked (0: native); never wider than it is.

    Raises:
        Unavailable: it cannot be decoded.
    """
    if width == NATIVE_WIDTH or width >= shot.width:
        return shot
    height = max(1, round(shot.height * width / shot.width))
    # The decoder leaves out what will not be seen: by halves, down to no less than what is wanted.
    picture = _decoded(shot, min_width=width, min_height=height)
    return _encoded(shot, cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA))


def retouched(shot: Shot, retouch: Retouch, at: datetime) -> Shot:
    """Give the picture with what is private covered and its caption written.

    Raises:
        Unavailable: it cannot be decoded, so that nothing of it may be shown.
    """
    try:
        return replace(shot, jpeg=retouch.jpeg(shot.jpeg, at))
    except ValueError as error:
        raise Unavailable("The picture is damaged.") from error


def _decoded(shot: Shot, *, min_width: int = 0, min_height: int = 0) -> MatLike:
    try:
        picture = simplejpeg.decode_jpeg(
            shot.jpeg, colorspace="BGR", min_width=min_width, min_height=min_height
        )
    except ValueError as error:
        raise Unavailable("The picture is damaged.") from error
    return np.array(picture)


def _encoded(shot: Shot, picture: MatLike) -> Shot:
    jpeg = bytes(simplejpeg.encode_jpeg(np.ascontiguousarray(picture), quality=QUALITY, colorspace="BGR"))
    return replace(shot, jpeg=jpeg, width=picture.shape[1], height=picture.shape[0])
