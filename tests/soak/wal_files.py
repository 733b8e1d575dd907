"""The files of SQLite's write-ahead log, as its authors describe them, and copies of them that are damaged.

https://sqlite.org/fileformat2.html#walformat and https://sqlite.org/walformat.html (the index, `-shm`).
"""

import random
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

LOG_HEADER_BYTES = 32
FRAME_HEADER_BYTES = 24
_INDEX_BYTES = 136
_HEADER = slice(0, 48)
_HEADER_AGAIN = slice(48, 96)
_PAGE_SIZE = slice(14, 16)
_FRAMES = slice(16, 20)
_SALT = slice(32, 40)
_MOVED = slice(128, 132)


@dataclass(frozen=True, slots=True)
class Position:
    """How far a log had been written.

    Attributes:
        salt: tells the log from those before it: it begins anew when all of it is in the database file.
        frames: so many pages were in it, all committed.
        moved: so many of them may be in the database file; before their end a log cannot break off, because
            it was synchronised before any of them was moved.
        page_bytes: the size of each.
    """

    salt: bytes
    frames: int
    moved: int
    page_bytes: int

    @property
    def end(self) -> int:
        """Where in the log its last commit ends, in bytes."""
        return self._after(self.frames)

    @property
    def earliest_cut(self) -> int:
        return self._after(self.moved) if self.moved else 0

    def _after(self, frames: int) -> int:
        return LOG_HEADER_BYTES + frames * (FRAME_HEADER_BYTES + self.page_bytes)


def position(index: bytes) -> Position | None:
    """Read an index; None while somebody writes it."""
    if len(index) < _INDEX_BYTES or index[_HEADER] != index[_HEADER_AGAIN]:
        return None
    (page_bytes,) = struct.unpack("=H", index[_PAGE_SIZE])
    (frames,) = struct.unpack("=I", index[_FRAMES])
    (moved,) = struct.unpack("=I", index[_MOVED])
    return Position(index[_SALT], frames, moved, 65536 if page_bytes == 1 else page_bytes)


def position_of(database: Path) -> Position | None:
    """Read the index beside a database that somebody has open."""
    with Path(f"{database}-shm").open("rb") as index:
        return position(index.read(_INDEX_BYTES))


def salt_of(log: bytes) -> bytes:
    """Tell which log this is; empty if its header is not there."""
    return log[16:24]


# What a disk may hold behind the place up to which it had written ---------------------------------------


def _nothing(log: bytes, cut: int, _chance: random.Random) -> bytes:
    return log[:cut]


def _garbage(log: bytes, cut: int, chance: random.Random) -> bytes:
    return log[:cut] + chance.randbytes(len(log) - cut)


def _zeros(log: bytes, cut: int, _chance: random.Random) -> bytes:
    return log[:cut] + bytes(len(log) - cut)


def _a_torn_sector(log: bytes, cut: int, chance: random.Random) -> bytes:
    """Leave what comes after it as it was, so that whole commits lie behind the damage."""
    torn = log[cut : cut + 512]
    return log[:cut] + bytes(byte ^ chance.randint(1, 255) for byte in torn) + log[cut + 512 :]


TAILS: Mapping[str, Callable[[bytes, int, random.Random], bytes]] = {
    "nothing": _nothing,
    "garbage": _garbage,
    "zeros": _zeros,
    "a torn sector": _a_torn_sector,
}
