"""What a file is and how large its picture is, by its first bytes: before anything is decoded."""

import struct
from dataclasses import dataclass

_HEAD_BYTES = 1024


@dataclass(frozen=True, slots=True)
class Header:
    """`format` is Pillow's name of it; the size is in pixels, at least that of what decoding would make."""

    format: str
    width: int
    height: int


def picture_header(data: bytes) -> Header | None:
    """Read the header of a PNG, GIF, BMP or WebP; None for anything else, also for a header cut off."""
    try:
        if data.startswith(b"\x89PNG\r\n\x1a\n"):
            return _png(data)
        if data.startswith((b"GIF87a", b"GIF89a")):
            return Header("GIF", *struct.unpack_from("<HH", data, 6))
        if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
            return _webp(data)
        if data.startswith(b"BM"):
            return _bmp(data)
    except struct.error:
        pass
    return None


def _png(data: bytes) -> Header | None:
    """W3C PNG, section 11.2.1: IHDR is the first chunk."""
    if data[12:16] != b"IHDR":
        return None
    return Header("PNG", *struct.unpack_from(">II", data, 16))


def _bmp(data: bytes) -> Header:
    """BITMAPCOREHEADER has 12 bytes and short sizes; all later ones have long ones, a height of any sign."""
    if struct.unpack_from("<I", data, 14)[0] == 12:
        return Header("BMP", *struct.unpack_from("<HH", data, 18))
    width, height = struct.unpack_from("<ii", data, 18)
    return Header("BMP", abs(width), abs(height))


def _webp(data: bytes) -> Header | None:
    """RFC 9649, sections 2.5 to 2.7: lossy, lossless, and the canvas of the extended format."""
    match data[12:16]:
        case b"VP8 ":
            width, height = struct.unpack_from("<HH", data, 26)
            return Header("WEBP", width & 0x3FFF, height & 0x3FFF)
        case b"VP8L":
            (bits,) = struct.unpack_from("<I", data, 21)
            return Header("WEBP", (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
        case b"VP8X" if len(data) >= 30:
            width, height = (int.from_bytes(data[at : at + 3], "little") + 1 for at in (24, 27))
            return Header("WEBP", width, height)
    return None


def name_of(data: bytes) -> str:
    """Say what it is instead of a picture we read, for a person."""
    head = data[:_HEAD_BYTES].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if not data:
        return "nothing at all"
    if head.startswith((b"<!doctype html", b"<head", b"<body")) or b"<html" in head:
        return "a web page"
    if b"<svg" in head:
        return "an SVG drawing, which can hold scripts"
    if head.startswith(b"<"):
        return "XML"
    return next((name for magic, name in _OTHERS if data.startswith(magic)), None) or _boxed(data)


_OTHERS = (
    (b"%PDF-", "a PDF document"),
    (b"II*\0", "a TIFF picture"),
    (b"MM\0*", "a TIFF picture"),
    (b"\0\0\1\0", "an icon"),
    (b"\x1aE\xdf\xa3", "a video"),
    (b"#EXTM3U", "a playlist of a stream"),
    (b"{", "JSON"),
    (b"[", "JSON"),
    (b"PK\3\4", "a ZIP archive"),
    (b"\x1f\x8b", "compressed by gzip"),
)


def _boxed(data: bytes) -> str:
    """ISO base media files name their brand (ISO/IEC 14496-12, section 4.3)."""
    if data[4:8] != b"ftyp":
        return "something unknown"
    still = data[8:12] in (b"avif", b"avis", b"heic", b"heix", b"mif1", b"msf1", b"hevc")
    return "an AVIF or HEIC picture" if still else "a video"
