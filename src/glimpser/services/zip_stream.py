"""A ZIP archive written from front to back, byte by byte as it leaves (APPNOTE.TXT 6.3.10, PKWARE).

Entries are stored as they are: pictures are compressed already. Names are UTF-8. Whatever lies behind the
first 4 GiB or the first 65,534 entries is told by the ZIP64 structures (sections 4.3.14 and 4.5.3).
"""

import struct
import zlib
from datetime import datetime

_LOCAL = struct.Struct("<4s5H3I2H")
_CENTRAL = struct.Struct("<4s6H3I5H2I")
_END = struct.Struct("<4s4H2IH")
_END_64 = struct.Struct("<4sQ2H2I4Q")
_LOCATOR = struct.Struct("<4sIQI")
_EXTRA_64 = struct.Struct("<2HQ")
_STORED = 0
_UTF_8 = 1 << 11
_VERSION, _VERSION_64 = 20, 45
_UNIX = 3 << 8
_FILE_MODE = 0o100644 << 16
_MOST_16, _MOST_32 = 0xFFFF, 0xFFFFFFFF
_FIRST_YEAR = 1980


class ZipStream:
    """Gives the bytes before and behind what is stored; whoever calls writes them in order.

    For every entry it keeps about a hundred bytes until the end. `offset_bytes` is where the archive begins.
    """

    def __init__(self, *, offset_bytes: int = 0) -> None:
        self._offset_bytes = offset_bytes
        self._directory = bytearray()
        self._count = 0

    def entry(self, name: str, data: bytes, at: datetime) -> bytes:
        """Give one whole entry: header and data."""
        return self.header(name, size_bytes=len(data), crc=zlib.crc32(data), at=at) + data

    def header(self, name: str, *, size_bytes: int, crc: int, at: datetime) -> bytes:
        """Give what comes before so many bytes (below 4 GiB) with this CRC-32. `at` is told as it is."""
        encoded, when = name.encode(), _dos_time(at)
        sizes = (crc, size_bytes, size_bytes)
        local = _LOCAL.pack(b"PK\x03\x04", _VERSION, _UTF_8, _STORED, *when, *sizes, len(encoded), 0)
        is_far = self._offset_bytes >= _MOST_32
        extra = _EXTRA_64.pack(1, 8, self._offset_bytes) if is_far else b""
        needed = _VERSION_64 if is_far else _VERSION
        self._directory += _CENTRAL.pack(
            b"PK\x01\x02", _UNIX | _VERSION_64, needed, _UTF_8, _STORED, *when, *sizes,
            len(encoded), len(extra), 0, 0, 0, _FILE_MODE, min(self._offset_bytes, _MOST_32),
        )  # fmt: skip
        self._directory += encoded + extra
        self._count += 1
        self._offset_bytes += len(local) + len(encoded) + size_bytes
        return local + encoded

    def end(self) -> bytes:
        """Give the central directory; nothing comes behind it."""
        size_bytes, offset_bytes, count = len(self._directory), self._offset_bytes, self._count
        behind = b""
        if count >= _MOST_16 or offset_bytes >= _MOST_32 or size_bytes >= _MOST_32:
            behind = _END_64.pack(
                b"PK\x06\x06", _END_64.size - 12, _UNIX | _VERSION_64, _VERSION_64, 0, 0,
                count, count, size_bytes, offset_bytes,
            )  # fmt: skip
            behind += _LOCATOR.pack(b"PK\x06\x07", 0, offset_bytes + size_bytes, 1)
        shown = min(count, _MOST_16)
        behind += _END.pack(
            b"PK\x05\x06", 0, 0, shown, shown, min(size_bytes, _MOST_32), min(offset_bytes, _MOST_32), 0
        )
        return bytes(self._directory) + behind


def _dos_time(at: datetime) -> tuple[int, int]:
    """Write a time in the calendar of MS-DOS, which begins in 1980 and counts every other second."""
    year = max(at.year, _FIRST_YEAR)
    time = at.hour << 11 | at.minute << 5 | at.second // 2
    return time, (year - _FIRST_YEAR) << 9 | at.month << 5 | at.day
