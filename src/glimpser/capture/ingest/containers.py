"""Telling a video by its first bytes."""

from collections.abc import Sequence

_BEGINNINGS = (b"\x1aE\xdf\xa3", b"FLV\x01", b"OggS", b"\x00\x00\x01\xba", b"\x00\x00\x01\xb3")
_STILL_BRANDS = (b"avif", b"avis", b"heic", b"heix", b"mif1", b"msf1", b"hevc")
_SYNC_BYTE, _TS_PACKET_BYTES = 0x47, 188


def begins_video(head: bytes) -> bool:
    """Tell whether a file that begins with these (some hundred) bytes is a container of video."""
    if head.startswith(_BEGINNINGS):
        return True
    if head[4:8] == b"ftyp":  # ISO/IEC 14496-12, section 4.3
        return head[8:12] not in _STILL_BRANDS
    if head.startswith(b"RIFF") and head[8:12] == b"AVI ":
        return True
    # ISO/IEC 13818-1, section 2.4.3.2: each packet of a transport stream begins with the same byte.
    starts: Sequence[int] = head[: 4 * _TS_PACKET_BYTES : _TS_PACKET_BYTES]
    return len(starts) == 4 and all(byte == _SYNC_BYTE for byte in starts)
