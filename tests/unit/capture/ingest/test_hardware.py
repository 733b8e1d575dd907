import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import av
import pytest

from glimpser.capture.ingest.decoder import OnDemandDecoder
from glimpser.capture.ingest.hardware import Device, HardwareCodec, ffmpeg_command
from glimpser.process.launching import find_program
from glimpser.testing.clips import make_clip
from glimpser.testing.clock import FakeClock
from tests.unit.capture.ingest import fake_ffmpeg
from tests.unit.capture.media import opened

FRAMES = 60


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("hardware") / "clip.mp4"
    make_clip(path, seconds=FRAMES / 10, width=320, height=180, fps=10, gop=10)
    return path


@contextmanager
def codec(clip: Path, ffmpeg: str | None, clock: FakeClock | None = None) -> Iterator[HardwareCodec]:
    monotonic = clock.monotonic if clock else time.monotonic
    with av.open(str(clip)) as container:
        stream = container.streams.video[0]
        with closing(HardwareCodec(stream, Device("vaapi", ffmpeg), monotonic)) as codec:
            yield codec


def decode(clip: Path, codec: HardwareCodec, *, pause_s: float = 0.0) -> list[bytes]:
    """Decode a whole clip as a camera's thread does; gives the luma of its pictures.

    With a pause, the first picture is waited for after some packets, lest all are fed before a child runs.
    """
    decoder = OnDemandDecoder(codec)
    pictures = []
    with opened(clip) as media:
        packets = [packet for packet in media.container.demux(media.stream) if packet.size]
        for index, packet in enumerate(packets):
            pictures += list(decoder.feed(packet, wanted=True))
            time.sleep(pause_s)
            if pause_s and index == 12 and codec.trouble is None:
                with suppress(av.error.FFmpegError):
                    while not pictures:
                        pictures += codec.decode(None)
    return [luma(frame) for frame in [*pictures, *decoder.last()]]


def luma(frame: av.VideoFrame) -> bytes:
    return frame.to_ndarray(format="gray").tobytes()


def by_cpu(clip: Path) -> list[bytes]:
    with av.open(str(clip)) as container:
        return [luma(frame) for frame in container.decode(video=0)]


def test_the_child_opens_nothing_but_its_pipes_and_decodes_by_the_device_or_not_at_all() -> None:
    words = ffmpeg_command("/usr/bin/ffmpeg", "vaapi", bitstream="h264").words

    before, after = words[: words.index("-i")], words[words.index("-i") + 1 :]
    assert before[before.index("-protocol_whitelist") + 1] == "pipe"
    assert (
        before[before.index("-hwaccel") + 1] == before[before.index("-hwaccel_output_format") + 1] == "vaapi"
    )
    assert (before[-1], after[0], after[-1]) == ("h264", "pipe:0", "pipe:1")
    assert after[after.index("-vf") + 1].startswith("hwdownload")


def test_quick_sync_has_decoders_of_its_own() -> None:
    words = ffmpeg_command("/usr/bin/ffmpeg", "qsv", bitstream="hevc").words

    assert words[: words.index("-i")][words.index("-c:v") + 1] == "hevc_qsv"


def test_the_pictures_are_those_the_cpu_would_give(clip: Path, tmp_path: Path) -> None:
    with codec(clip, fake_ffmpeg.working(tmp_path)) as hardware:
        found = decode(clip, hardware, pause_s=0.02)

        assert hardware.trouble is None
    assert set(found) <= set(by_cpu(clip))
    assert len(found) > FRAMES // 2  # the last ones are still under way at the end


@pytest.mark.skipif(find_program("ffmpeg") is None, reason="ffmpeg is not installed")
def test_ffmpeg_itself_takes_the_packets_and_gives_the_pictures(clip: Path, tmp_path: Path) -> None:
    with codec(clip, fake_ffmpeg.real(tmp_path, str(find_program("ffmpeg")))) as hardware:
        found = decode(clip, hardware, pause_s=0.02)

        assert hardware.trouble is None
    assert set(found) <= set(by_cpu(clip))
    assert len(found) > FRAMES // 2


def test_one_that_cannot_start_leaves_decoding_to_the_cpu_and_says_why(clip: Path, tmp_path: Path) -> None:
    with codec(clip, fake_ffmpeg.failing(tmp_path)) as hardware:
        found = decode(clip, hardware, pause_s=0.02)

        assert hardware.trouble is not None
        assert "vaapi fails (No VA display found for rtsp://me:***@camera/)" in hardware.trouble
    assert found[-1] == by_cpu(clip)[-1]
    assert len(found) >= 10


def test_one_that_breaks_on_the_way_does_too(clip: Path, tmp_path: Path) -> None:
    with codec(clip, fake_ffmpeg.breaking(tmp_path)) as hardware:
        found = decode(clip, hardware, pause_s=0.02)

        assert "GPU hang" in str(hardware.trouble)
    assert found[-1] == by_cpu(clip)[-1]


def test_one_that_hangs_is_given_up_after_seconds(clip: Path, tmp_path: Path) -> None:
    clock = FakeClock()
    with codec(clip, fake_ffmpeg.hanging(tmp_path), clock) as hardware, opened(clip) as media:
        packets = [packet for packet in media.container.demux(media.stream) if packet.size]
        decoder = OnDemandDecoder(hardware)
        assert list(decoder.feed(packets[0], wanted=True)) == []

        clock.advance(5.1)
        found = [frame for packet in packets[1:] for frame in decoder.feed(packet, wanted=True)]

        assert "no picture came" in str(hardware.trouble)
    assert found


def test_without_ffmpeg_the_cpu_decodes(clip: Path) -> None:
    with codec(clip, None) as hardware:
        assert "ffmpeg is not installed" in str(hardware.trouble)
        assert decode(clip, hardware) == by_cpu(clip)


@pytest.mark.skipif(find_program("ffmpeg") is None, reason="ffmpeg is not installed")
def test_a_real_ffmpeg_without_the_device_leaves_decoding_to_the_cpu(clip: Path) -> None:
    if Path("/dev/dri").exists():
        pytest.skip("this machine may have the device")
    with codec(clip, find_program("ffmpeg")) as hardware:
        found = decode(clip, hardware, pause_s=0.02)

        assert hardware.trouble is not None
    assert found[-1] == by_cpu(clip)[-1]
