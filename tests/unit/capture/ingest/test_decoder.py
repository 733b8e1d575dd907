from pathlib import Path
from typing import cast

import av
import pytest

from glimpser.capture.ingest.decoder import OnDemandDecoder
from glimpser.capture.ingest.hardware import software_codec
from glimpser.capture.ingest.ring import GopRing, VideoPacket
from glimpser.testing.clips import make_clip
from tests.unit.capture.media import opened

KINDS = ["plain.mp4", "reordered.mp4"]


def packets_of(path: Path) -> list[VideoPacket]:
    with opened(path) as media:
        return [packet for packet in media.container.demux(media.stream) if packet.size]


def decoder_of(path: Path, **options: int) -> OnDemandDecoder:
    container = av.open(str(path))
    return OnDemandDecoder(software_codec(container.streams.video[0]), **options)


def picture(frame: av.VideoFrame) -> bytes:
    return frame.to_ndarray().tobytes()


def outputs(path: Path) -> list[list[bytes]]:
    """What full decoding gives at each packet."""
    decoder = decoder_of(path)
    return [[picture(frame) for frame in decoder.feed(packet, wanted=True)] for packet in packets_of(path)]


# The ring


def test_a_ring_holds_what_came_since_the_last_key_frame(clips: Path) -> None:
    ring = GopRing()
    packets = packets_of(clips / "plain.mp4")

    for packet in packets[:50]:
        ring.add(packet)

    assert list(ring.packets) == packets[40:50]
    assert ring.packets[0].is_keyframe


def test_a_ring_takes_nothing_before_the_first_key_frame(clips: Path) -> None:
    ring = GopRing()

    for packet in packets_of(clips / "plain.mp4")[5:15]:
        ring.add(packet)

    assert not ring.packets


def test_a_group_that_is_too_large_is_given_up_whole_until_the_next_one(clips: Path) -> None:
    packets = packets_of(clips / "plain.mp4")
    ring = GopRing(max_bytes=sum(packet.size for packet in packets[:10]))

    for packet in packets[:15]:
        ring.add(packet)
    assert not ring.packets

    ring.add(packets[20])
    assert list(ring.packets) == [packets[20]]


# The decoder


@pytest.mark.parametrize("start", [1, 13, 19, 20, 21, 39, 55])
@pytest.mark.parametrize("kind", KINDS)
def test_the_first_frame_after_wanting_begins_is_that_of_full_decoding(
    clips: Path, kind: str, start: int
) -> None:
    packets, full = packets_of(clips / kind), outputs(clips / kind)
    decoder = decoder_of(clips / kind)
    for packet in packets[:start]:
        assert list(decoder.feed(packet, wanted=False)) == []

    seen = [[picture(f) for f in decoder.feed(packet, wanted=True)] for packet in packets[start:]]

    first = next(number for number, frames in enumerate(seen) if frames)
    assert first <= 2  # reordering holds back no more than that after a key frame
    assert seen[first:] == full[start + first :]


def test_a_made_clip_is_caught_up_with_bit_by_bit(tmp_path: Path) -> None:
    path = tmp_path / "made.mp4"
    make_clip(path, seconds=2, width=128, height=72, fps=15, gop=15, motion=[(0.2, 1.8)])
    packets, full = packets_of(path), outputs(path)
    decoder = decoder_of(path)
    for packet in packets[:25]:
        list(decoder.feed(packet, wanted=False))

    [frame] = decoder.feed(packets[25], wanted=True)

    assert [picture(frame)] == full[25]


@pytest.mark.parametrize("kind", KINDS)
def test_pausing_and_wanting_again_gives_the_frames_of_full_decoding(clips: Path, kind: str) -> None:
    packets, full = packets_of(clips / kind), outputs(clips / kind)
    decoder = decoder_of(clips / kind)
    wanted = [not 10 <= number < 33 for number in range(len(packets))]

    seen = [
        [picture(f) for f in decoder.feed(packet, wanted=wanted[number])]
        for number, packet in enumerate(packets)
    ]

    assert seen[:10] == full[:10]
    assert not any(seen[10:33])
    assert seen[36:] == full[36:]


def test_a_group_larger_than_the_ring_goes_on_being_decoded(clips: Path) -> None:
    packets, full = packets_of(clips / "plain.mp4"), outputs(clips / "plain.mp4")
    decoder = decoder_of(clips / "plain.mp4", ring_bytes=packets[0].size + 1)

    seen = [[picture(f) for f in decoder.feed(packet, wanted=True)] for packet in packets]

    assert seen == full


@pytest.mark.parametrize("kind", KINDS)
def test_key_frames_alone_are_given_at_once_even_by_a_codec_that_reorders(clips: Path, kind: str) -> None:
    packets = packets_of(clips / kind)
    decoder = decoder_of(clips / kind)

    counts = [len(list(decoder.feed(packet, wanted=True, keys_only=True))) for packet in packets]

    assert counts == [int(packet.is_keyframe) for packet in packets]


@pytest.mark.parametrize("kind", KINDS)
def test_after_key_frames_alone_full_decoding_resumes_at_the_next_one(clips: Path, kind: str) -> None:
    packets, full = packets_of(clips / kind), outputs(clips / kind)
    decoder = decoder_of(clips / kind)
    for packet in packets[:25]:
        list(decoder.feed(packet, wanted=True, keys_only=True))

    seen = [[picture(f) for f in decoder.feed(packet, wanted=True)] for packet in packets[25:]]

    assert not any(seen[:15])
    assert seen[18:] == full[43:]


def test_a_broken_packet_is_counted_and_pictures_come_again_from_the_next_key_frame(clips: Path) -> None:
    packets, full = packets_of(clips / "plain.mp4"), outputs(clips / "plain.mp4")
    decoder = decoder_of(clips / "plain.mp4")
    broken = cast("VideoPacket", av.Packet(b"\x00\x00\x00\x08garbage!" * 4))

    seen = [[picture(f) for f in decoder.feed(packet, wanted=True)] for packet in packets[:5]]
    list(decoder.feed(broken, wanted=True))
    after = [[picture(f) for f in decoder.feed(packet, wanted=True)] for packet in packets[6:]]

    assert decoder.errors == 1
    assert seen == full[:5]
    assert not any(after[:14])
    assert after[14:] == full[20:]


def test_catching_up_goes_no_further_than_a_broken_packet(clips: Path) -> None:
    packets, full = packets_of(clips / "plain.mp4"), outputs(clips / "plain.mp4")
    decoder = decoder_of(clips / "plain.mp4")
    broken = cast("VideoPacket", av.Packet(b"\x00\x00\x00\x08garbage!" * 4))
    for packet in (*packets[:4], broken, *packets[5:8]):
        list(decoder.feed(packet, wanted=False))

    [frame] = decoder.feed(packets[8], wanted=True)

    assert [picture(frame)] == full[3]
    assert list(decoder.feed(packets[9], wanted=True)) == []


@pytest.mark.parametrize("kind", KINDS)
def test_draining_gives_every_frame_that_was_held_back(clips: Path, kind: str) -> None:
    decoder = decoder_of(clips / kind)
    count = sum(len(list(decoder.feed(packet, wanted=True))) for packet in packets_of(clips / kind))

    held_back = len(list(decoder.drain()))

    assert count + held_back == 60


@pytest.mark.parametrize("kind", KINDS)
def test_the_last_frame_is_to_be_had_though_nobody_wanted_any(clips: Path, kind: str) -> None:
    with opened(clips / kind) as media:
        *_, last = media.container.decode(media.stream)
    decoder = decoder_of(clips / kind)
    for packet in packets_of(clips / kind):
        list(decoder.feed(packet, wanted=False))

    *_, frame = decoder.last()

    assert picture(frame) == picture(last)


def test_a_decoder_that_was_drained_can_begin_anew(clips: Path) -> None:
    packets, full = packets_of(clips / "reordered.mp4"), outputs(clips / "reordered.mp4")
    decoder = decoder_of(clips / "reordered.mp4")
    for packet in packets[:30]:
        list(decoder.feed(packet, wanted=True))
    list(decoder.drain())

    seen = [[picture(f) for f in decoder.feed(packet, wanted=True)] for packet in packets]

    assert seen == full


def test_a_stream_that_is_gone_before_anything_came_has_no_last_frame(clips: Path) -> None:
    assert list(decoder_of(clips / "plain.mp4").last()) == []
