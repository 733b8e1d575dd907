"""Stored pictures in the few widths that lists show them in."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable

from glimpser.core.errors import InvalidInput
from glimpser.core.events import Artifact
from glimpser.core.ports import ObjectStore

PICTURES = ("image/jpeg", "image/png", "image/webp")
"""What comes in other widths than its own."""
MAX_BYTES = 32 * 1024 * 1024
_KEPT_BYTES = 32 * 1024 * 1024
_AT_ONCE = 2
"""So many stored pictures are in memory at one time at most."""

Scale = Callable[[bytes, int], Awaitable[bytes]]
"""Makes the JPEG of a picture at most so many pixels wide. Raises: InvalidInput: it is none, or damaged."""


class Thumbnails:
    """Makes a picture narrower when somebody asks for it, and keeps what was asked for last.

    Event loop's thread; `scale` works beside it. Whether somebody may see the artifact is asked before.
    """

    def __init__(self, store: ObjectStore, scale: Scale, *, kept_bytes: int = _KEPT_BYTES) -> None:
        self._store = store
        self._scale = scale
        self._kept: OrderedDict[tuple[str, int], bytes] = OrderedDict()
        self._room_bytes = kept_bytes
        self._turns = asyncio.Semaphore(_AT_ONCE)

    async def get(self, artifact: Artifact, width_px: int) -> bytes:
        """Give the JPEG of an artifact, at most so wide; never wider than it is.

        Raises:
            InvalidInput: the artifact is no picture, or one that cannot be decoded.
            NotFound, Unavailable: its object is gone, or the store away.
        """
        key = artifact.sha256, width_px
        if key not in self._kept:
            async with self._turns:
                if key not in self._kept:  # while this one waited, another may have had it made
                    self._keep(key, await self._make(artifact, width_px))
        self._kept.move_to_end(key)
        return self._kept[key]

    async def _make(self, artifact: Artifact, width_px: int) -> bytes:
        if artifact.media_type not in PICTURES:
            raise InvalidInput("Only pictures come in other widths: leave the width out.")
        if artifact.size_bytes > MAX_BYTES:
            raise InvalidInput(f"The picture has more than {MAX_BYTES >> 20} MiB: leave the width out.")
        data = b"".join([piece async for piece in self._store.get(artifact.uri)])
        return await self._scale(data, width_px)

    def _keep(self, key: tuple[str, int], jpeg: bytes) -> None:
        """Let go of what was not asked for longest; the newest stays even if it is too large alone."""
        self._room_bytes -= len(jpeg) - len(self._kept.pop(key, b""))
        self._kept[key] = jpeg
        while self._room_bytes < 0 and len(self._kept) > 1:
            _, gone = self._kept.popitem(last=False)
            self._room_bytes += len(gone)
