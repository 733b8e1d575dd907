"""H.264 into RTP (RFC 6184, packetisation mode 1) and the sender's reports of RTCP (RFC 3550, 6.4.1).

Written out instead of left to a muxer: an access unit is cut once, and the pieces are shared by every
viewer, who gets sequence numbers of its own, so that a viewer who skips to the next key frame sees no loss.
It needs no libav in the process that serves viewers. No I/O.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

PAYLOAD_TYPE: Final = 96
CLOCK_HZ: Final = 90_000
HEADER_BYTES: Final = 12
MAX_PAYLOAD_BYTES: Final = 1_400 - HEADER_BYTES
"""Leaves room for IP and UDP headers, a tunnel's too, inside an Ethernet frame of 1,500 bytes."""

NAL_SPS: Final = 7
NAL_PPS: Final = 8
_NAL_DELIMITER: Final = 9
_NAL_FILLER: Final = 12
_NAL_LAST: Final = 23  # 24 and above mean something else inside RTP
_FU_A: Final = 28
_NTP_EPOCH_S: Final = 2_208_988_800  # 1970 in seconds since 1900 (RFC 868)


@dataclass(frozen=True, slots=True)
class RtpUnit:
    """One access unit cut into RTP payloads, in sending order; never empty. `pts_90k` has no bound."""

    payloads: tuple[bytes, ...]
    pts_90k: int
    key: bool


def nal_type(nal_unit: bytes) -> int:
    return nal_unit[0] & 0x1F


def split_annex_b(access_unit: bytes) -> list[bytes]:
    """Cut an Annex B byte stream into its NAL units; what stands before the first start code is dropped."""
    units = []
    start = access_unit.find(b"\0\0\1")
    while start >= 0:
        end = access_unit.find(b"\0\0\1", start + 3)
        unit = access_unit[start + 3 : end if end >= 0 else None].rstrip(
            b"\0"
        )  # a NAL unit never ends in zero
        if unit:
            units.append(unit)
        start = end
    return units


def packetize(nal_units: Sequence[bytes], *, max_payload_bytes: int = MAX_PAYLOAD_BYTES) -> tuple[bytes, ...]:
    """Cut NAL units into payloads: whole where they fit, FU-A fragments where not (RFC 6184, 5.6 and 5.8)."""
    payloads: list[bytes] = []
    for unit in nal_units:
        if not 0 < nal_type(unit) <= _NAL_LAST or nal_type(unit) in {_NAL_DELIMITER, _NAL_FILLER}:
            continue
        if len(unit) <= max_payload_bytes:
            payloads.append(unit)
        else:
            payloads += _fragments(unit, max_payload_bytes - 2)
    return tuple(payloads)


def _fragments(unit: bytes, size: int) -> list[bytes]:
    indicator, kind = unit[0] & 0xE0 | _FU_A, nal_type(unit)
    starts = range(1, len(unit), size)
    return [
        bytes((indicator, kind | (start == 1) << 7 | (start == starts[-1]) << 6)) + unit[start : start + size]
        for start in starts
    ]


class RtpSender:
    """One viewer's RTP stream: its source identifier, sequence numbers, time offset and counts."""

    def __init__(self, *, ssrc: int, sequence: int, timestamp_offset: int) -> None:
        """Take random starts (RFC 3550, 5.1): 32, 16 and 32 bits."""
        self.ssrc = ssrc
        self.next_sequence = sequence
        self._offset = timestamp_offset
        self._packets = 0
        self._octets = 0

    def packets(self, unit: RtpUnit) -> list[bytes]:
        """Put headers before the payloads; the last packet carries the marker: the picture is complete."""
        timestamp = self._timestamp(unit.pts_90k)
        packets = []
        for left, payload in enumerate(unit.payloads, start=1 - len(unit.payloads)):
            kind = PAYLOAD_TYPE | (0x80 if left == 0 else 0)
            packets.append(
                struct.pack(">BBHII", 0x80, kind, self.next_sequence, timestamp, self.ssrc) + payload
            )
            self.next_sequence = (self.next_sequence + 1) & 0xFFFF
            self._octets += len(payload)
        self._packets += len(packets)
        return packets

    def report(self, *, pts_90k: int, now: datetime) -> bytes:
        """Write a sender's report that ties a media time to the aware wall clock."""
        seconds = now.timestamp() + _NTP_EPOCH_S
        ntp = int(seconds * (1 << 32)) & 0xFFFF_FFFF_FFFF_FFFF
        counts = self._packets & 0xFFFF_FFFF, self._octets & 0xFFFF_FFFF
        return struct.pack(">BBHIQIII", 0x80, 200, 6, self.ssrc, ntp, self._timestamp(pts_90k), *counts)

    def _timestamp(self, pts_90k: int) -> int:
        return (pts_90k + self._offset) & 0xFFFF_FFFF
