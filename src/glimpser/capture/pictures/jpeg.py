"""The markers of a JPEG (ITU-T T.81, annex B): what it is, without decoding it."""

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

SOI = b"\xff\xd8"
EOI = 0xD9
_SOS = 0xDA
_DHT, _JPG, _DAC = 0xC4, 0xC8, 0xCC
_APP0, _APP1, _APP14, _APP15, _COM = 0xE0, 0xE1, 0xEE, 0xEF, 0xFE
_FRAMES = frozenset(range(0xC0, 0xD0)) - {_DHT, _JPG, _DAC}
_EVERYWHERE_READ = frozenset({0xC0, 0xC1, 0xC2})
"""Baseline, extended and progressive with Huffman codes: what every browser shows."""
_MAX_SCANS = 200
"""A scan of a progressive picture costs as much as the picture: no camera or program makes so many."""
_ORIENTATION, _SHORT = 0x0112, 3
_END_OF_SCAN = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
"""In coded data 0xff is followed by 0 or is a restart marker; before a marker there may be several."""


class NotWhole(ValueError):
    """This is no JPEG from its first to its last marker; the text says what is wrong with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JpegFile:
    """What the markers say. `data` is the file without metadata and without what follows its end.

    `orientation` is that of EXIF, 1 to 8 (Exif 2.32, section 4.6.4). `plain`: browsers and the program's own
    decoder read it as it is, in grey or YCbCr of eight bits.
    """

    data: bytes = field(repr=False)
    width: int
    height: int
    orientation: int
    plain: bool


@dataclass(slots=True)
class _Seen:
    kept: list[bytes] = field(default_factory=lambda: [SOI])
    frame: tuple[int, bytes] | None = None
    orientation: int = 1
    is_jfif: bool = False
    adobe_transform: int | None = None
    scans: int = 0


def read_jpeg(data: bytes) -> JpegFile:
    """Walk from marker to marker.

    Raises:
        NotWhole: it is cut off, or no JPEG.
    """
    seen = _Seen()
    for marker, segment, coded in _segments(data):
        _note(seen, marker, segment)
        if marker in (_APP0, _APP14) or not (_APP0 <= marker <= _APP15 or marker == _COM):
            seen.kept += (segment, coded)
    if seen.frame is None or not seen.scans:
        raise NotWhole("There is no picture in this JPEG.")
    marker, header = seen.frame
    precision, height, width, components = struct.unpack_from(">BHHB", header, 4)
    if not width or not height:
        raise NotWhole("This JPEG does not say how large it is.")
    is_ycc = components == 1 or (components == 3 and (seen.is_jfif or seen.adobe_transform in (None, 1)))
    return JpegFile(
        data=b"".join(seen.kept),
        width=width,
        height=height,
        orientation=seen.orientation,
        plain=marker in _EVERYWHERE_READ and precision == 8 and is_ycc,
    )


def _note(seen: _Seen, marker: int, segment: bytes) -> None:
    payload = segment[4:]
    if marker in _FRAMES:
        if seen.frame is not None or len(payload) < 6:
            raise NotWhole("This JPEG has not one picture but several, or none.")
        seen.frame = (marker, segment)
    elif marker == _SOS:
        seen.scans += 1
        if seen.scans > _MAX_SCANS:
            raise NotWhole(f"This JPEG has more than {_MAX_SCANS} scans: save it again by another program.")
    elif marker == _APP0 and payload.startswith(b"JFIF\0"):
        seen.is_jfif = True
    elif marker == _APP1 and payload.startswith(b"Exif\0\0"):
        seen.orientation = _orientation(payload)
    elif marker == _APP14 and payload.startswith(b"Adobe") and len(payload) >= 12:
        seen.adobe_transform = payload[11]


def _segments(data: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    """Give marker, segment and the coded data behind it, to the end marker, which is the last."""
    at = len(SOI)
    if not data.startswith(SOI):
        raise NotWhole("This is no JPEG.")
    while True:
        while data[at : at + 2] == b"\xff\xff":  # fill bytes (B.1.1.2)
            at += 1
        if len(data) < at + 2 or data[at] != 0xFF:
            raise NotWhole("This JPEG is cut off or damaged.")
        marker = data[at + 1]
        if marker == EOI:
            yield marker, data[at : at + 2], b""
            return
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if len(data) < end or end < at + 4:
            raise NotWhole("This JPEG is cut off or damaged.")
        behind = _end_of_scan(data, end) if marker == _SOS else end
        yield marker, data[at:end], data[end:behind]
        at = behind


def _end_of_scan(data: bytes, start: int) -> int:
    found = _END_OF_SCAN.search(data, start)
    if found is None:
        raise NotWhole("This JPEG is cut off.")
    return found.start()


def _orientation(payload: bytes) -> int:
    """Look the entry up in the first directory of the TIFF that EXIF is (TIFF 6.0, section 2).

    Many write their metadata badly; then the picture stands as it is.
    """
    tiff = payload[6:]
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None:
        return 1
    try:
        (at,) = struct.unpack_from(f"{order}I", tiff, 4)
        (count,) = struct.unpack_from(f"{order}H", tiff, at)
        for entry in range(count):
            tag, kind, _, value = struct.unpack_from(f"{order}HHIH", tiff, at + 2 + 12 * entry)
            if (tag, kind) == (_ORIENTATION, _SHORT):
                return value if 1 <= value <= 8 else 1
    except struct.error:
        pass
    return 1
