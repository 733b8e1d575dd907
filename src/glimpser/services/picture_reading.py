"""The stored pictures of an export, read one after the other; what cannot be used is left out and counted."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from glimpser.core.errors import NotFound
from glimpser.core.exports import StoredPicture
from glimpser.core.ports import ObjectStore

MAX_PICTURE_BYTES = 64 << 20
"""Larger ones are taken for damaged: one is in memory at a time."""


PictureState = Literal["stored", "missing", "damaged"]


@dataclass(slots=True)
class Tally:
    """How many pictures were used, and how many were not: gone from the store, or not what they were."""

    used: int = 0
    missing: int = 0
    damaged: int = 0

    @property
    def seen(self) -> int:
        return self.used + self.missing + self.damaged

    def count(self, state: PictureState) -> None:
        self.used += state == "stored"
        self.missing += state == "missing"
        self.damaged += state == "damaged"

    def as_result(self) -> Mapping[str, int]:
        return {"pictures": self.used, "missing": self.missing, "damaged": self.damaged}


class PictureReader:
    """Event loop's thread."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        self.tally = Tally()

    async def read(self, picture: StoredPicture) -> bytes | None:
        """Give a picture as it was stored; None: it is missing or damaged.

        Raises:
            Unavailable: the store is away.
        """
        state, data = await self.fetch(picture)
        return data if state == "stored" else None

    async def fetch(self, picture: StoredPicture) -> tuple[PictureState, bytes]:
        """As `read`, with the reason why there is nothing."""
        state, data = await self._fetch(picture)
        self.tally.count(state)
        return state, data

    async def _fetch(self, picture: StoredPicture) -> tuple[PictureState, bytes]:
        if picture.size_bytes > MAX_PICTURE_BYTES:
            return "damaged", b""
        data = bytearray()
        try:
            async for piece in self._store.get(picture.uri, end=picture.size_bytes + 1):
                data += piece
        except NotFound:
            return "missing", b""
        if hashlib.sha256(data).hexdigest() != picture.sha256:
            return "damaged", b""
        return "stored", bytes(data)
