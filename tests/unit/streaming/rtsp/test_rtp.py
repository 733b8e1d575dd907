import base64
import struct
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glimpser.streaming.rtsp.rtp import RtpSender, RtpUnit, packetize, split_annex_b
from glimpser.streaming.rtsp.sdp import ParameterSets, describe


def depacketize(payloads: tuple[bytes, ...]) -> list[bytes]:
    """Put NAL units together again, as a receiver does (RFC 6184, 5.6 and 5.8)."""
    units: list[bytes] = []
    partial = b""
    for payload in payloads:
        if payload[0] & 0x1F != 28:
            assert not partial
            units.append(payload)
            continue
        if payload[1] & 0x80:
            assert not partial
            partial = bytes([payload[0] & 0xE0 | payload[1] & 0x1F])
        assert partial
        partial += payload[2:]
        if payload[1] & 0x40:
            units.append(partial)
            partial = b""
    assert not partial
    return units


def sender(sequence: int = 0, offset: int = 0) -> RtpSender:
    return RtpSender(ssrc=0xCAFE, sequence=sequence, timestamp_offset=offset)


def test_start_codes_of_both_lengths_and_trailing_zeros_are_cut_away() -> None:
    assert split_annex_b(b"\0\0\0\1\x67ab\0\0\0\1\x68c\0\0\1\x65de\0\0") == [b"\x67ab", b"\x68c", b"\x65de"]


@pytest.mark.parametrize("access_unit", [b"", b"abc", b"\0\0\1", b"\0\0\1\0\0\1", b"\0\0"])
def test_without_nal_units_there_is_nothing_to_send(access_unit: bytes) -> None:
    assert packetize(split_annex_b(access_unit)) == ()


def test_delimiters_fillers_and_types_with_another_meaning_in_rtp_are_left_out() -> None:
    assert packetize([b"\x09\xf0", b"\x0c\xff", b"\x1cxx", b"\x18xx", b"\x00x", b"\x65ok"]) == (b"\x65ok",)


NAL_UNITS = st.builds(
    lambda head, body: bytes([head]) + body,
    st.sampled_from([0x61, 0x41, 0x65, 0x06]),
    st.binary(max_size=300),
)


@given(st.lists(NAL_UNITS, max_size=5), st.integers(3, 120))
def test_whatever_is_cut_can_be_put_together_again(units: list[bytes], size: int) -> None:
    payloads = packetize(units, max_payload_bytes=size)

    assert depacketize(payloads) == units
    assert all(len(payload) <= size for payload in payloads)


@given(st.binary(max_size=300))
def test_any_bytes_are_cut_without_raising(data: bytes) -> None:
    packetize(split_annex_b(b"\0\0\1" + data), max_payload_bytes=20)


def test_the_last_packet_of_a_picture_carries_the_marker_and_all_carry_its_time() -> None:
    packets = sender(sequence=0xFFFE, offset=0xFFFF_FFFF).packets(RtpUnit((b"a", b"b", b"c"), 11, key=True))

    headers = [struct.unpack(">BBHII", packet[:12]) for packet in packets]
    assert [header[1] for header in headers] == [96, 96, 96 | 0x80]
    assert [header[2] for header in headers] == [0xFFFE, 0xFFFF, 0]
    assert {header[3] for header in headers} == {10}
    assert {header[4] for header in headers} == {0xCAFE}
    assert [packet[12:] for packet in packets] == [b"a", b"b", b"c"]


def test_negative_times_wrap_around() -> None:
    [packet] = sender().packets(RtpUnit((b"a",), -1, key=False))

    assert packet[4:8] == b"\xff\xff\xff\xff"


def test_a_report_ties_the_media_time_to_the_wall_clock() -> None:
    subject = sender()
    subject.packets(RtpUnit((b"abc", b"de"), 0, key=True))

    report = subject.report(pts_90k=900, now=datetime(1970, 1, 1, 0, 0, 1, 500_000, tzinfo=UTC))

    assert struct.unpack(">BBHIIIIII", report) == (
        0x80,
        200,
        6,
        0xCAFE,
        2_208_988_801,
        1 << 31,
        900,
        2,
        5,
    )


def test_a_description_names_the_parameter_sets_and_the_profile() -> None:
    sets = ParameterSets(b"\x67\x42\xc0\x1e", (b"\x68\xce", b"\x68\xcf"))

    lines = describe(sets, name="cam").decode().split("\r\n")

    encoded = ",".join(base64.b64encode(unit).decode() for unit in sets)
    assert "s=cam" in lines
    assert "a=control:trackID=0" in lines
    assert "a=fmtp:96 packetization-mode=1;profile-level-id=42C01E;sprop-parameter-sets=" + encoded in lines
    assert lines[-1] == ""
