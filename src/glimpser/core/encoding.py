"""Videos made of pictures: what is to be encoded, and what came of it."""

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoSpec:
    """One video to be. Times in it are counted in ticks, of which there are `ticks_per_s`.

    `width_px` None: as the first picture, at most 1920. All pictures are fitted into the shape of the first
    one, with black bars where theirs is another. `fps` is what to expect, for the encoder's settings.
    """

    title: str
    comment: str
    created_at: datetime
    width_px: int | None = None
    ticks_per_s: int
    fps: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Still:
    """A picture (JPEG) on its way into a video; None is the one before it, dimmed: there was none then.

    It is shown from `at` on, counted in ticks and rising from still to still, in so many `frames` that follow
    each other tick by tick. `caption` is written into it.
    """

    jpeg: bytes | None = field(repr=False)
    at: int
    frames: int = 1
    caption: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodedVideo:
    """What came of it: `path` is there until the context closes. `unreadable` counts pictures left out."""

    path: Path
    size_bytes: int
    codec: str
    width_px: int
    height_px: int
    frames: int
    unreadable: int
    duration_s: float


class Encoding(Protocol):
    """One video in the making."""

    async def add(self, still: Still) -> None:
        """Hand a picture over; waits while the encoder is behind. One that cannot be read is left out.

        Raises:
            Unavailable: the encoder has ended, hangs, or has no room on the disk.
        """
        ...

    async def finish(self) -> EncodedVideo | None:
        """Give the whole video; None when not one picture could be read. Raises: Unavailable."""
        ...
