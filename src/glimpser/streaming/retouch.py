"""What is done to every picture of a view before anything else is: private areas covered, a caption written.

Views that are decoded here are retouched on their planes, before motion is looked for and before any JPEG is
made; views that come as JPEGs are retouched where they come from.
"""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import simplejpeg

from glimpser.core.live import Caption
from glimpser.core.motion import Polygon
from glimpser.streaming import caption
from glimpser.streaming.masking import Masks

_QUALITY = 85
_BLACK = (0, 0, 0)


@dataclass(frozen=True, slots=True, eq=False)
class Retouch:
    """For one view. Any thread."""

    masks: Masks
    caption: Caption

    def __bool__(self) -> bool:
        """Tell whether there is anything to do."""
        return bool(self.masks or self.caption.name or self.caption.time)

    def line(self, captured_at: datetime) -> str:
        """Give what is written into the picture of this moment; it may be empty."""
        return caption.text_of(self.caption, captured_at)

    def jpeg(self, jpeg: bytes, captured_at: datetime) -> bytes:
        """Retouch a whole JPEG; takes some ten milliseconds for a large one, so call it in a thread.

        Raises:
            ValueError: it cannot be read, and so not be covered: it must go no further.
        """
        try:
            picture = np.array(simplejpeg.decode_jpeg(jpeg, colorspace="BGR"))
        except ValueError as error:
            raise ValueError("The picture cannot be read.") from error
        self.masks.cover(picture, _BLACK)
        caption.write(picture, self.line(captured_at))
        return bytes(simplejpeg.encode_jpeg(picture, quality=_QUALITY, colorspace="BGR"))


def retouch_of(privacy_masks: tuple[Polygon, ...] = (), wanted: Caption | None = None) -> Retouch:
    """Make what a view needs."""
    return Retouch(Masks(privacy_masks), wanted or Caption())


AS_IT_IS = retouch_of()
