from dataclasses import replace
from fractions import Fraction
from itertools import count, pairwise
from pathlib import Path
from typing import cast

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glimpser.capture.ingest.opening import MediaError, Patience
from glimpser.capture.ingest.reading import MediaTime, Read, read_camera, read_file, read_stream
from glimpser.capture.ingest.ring import VideoPacket
from glimpser.core.live import MediaInput
from tests.unit.capture.media import FPS, Waiting, encode, opened

FILE = MediaInput(address="x", is_file=True)
TICK = Fraction(1, 1000)


def packet(dts_ms: int | None, pts_ms: int | None = None) -> VideoPacket:
    made = cast("VideoPacket", av.Packet(b"x"))
    made.time_base = TICK
    made.dts = dts_ms
    made.pts = dts_ms if pts_ms is None else pts_ms
    return made


def times(stamps_ms: list[int | None], *, otherwise_s: float = 0.04) -> list[float]:
    clock = MediaTime(1.0)
    return [clock.of(packet(stamp), otherwise_s=otherwise_s) for stamp in stamps_ms]


# Streams that come in pieces


def test_a_stream_that_comes_at_once_is_shown_at_its_own_speed(clips: Path) -> None:
    time = Waiting()

    with opened(clips / "plain.mp4") as media:
        shown = [time.now - 100.0 for _ in read_stream(media, time, time.monotonic)]

    assert shown == pytest.approx([number / FPS for number in range(60)])


def test_what_the_network_delays_is_shown_later_and_is_no_lag(clips: Path) -> None:
    time, lags = Waiting(), []

    with opened(clips / "plain.mp4") as media:
        for number, read in enumerate(read_stream(media, time, Stepping(time, at=20, by_s=3.0))):
            lags.append(read.lag_s)
            assert time.now - 100.0 == pytest.approx(number / FPS + (2.95 if number >= 9 else 0))

    assert max(lags) == pytest.approx(0)


def test_what_this_machine_delays_is_lag(clips: Path) -> None:
    time, lags = Waiting(), []

    with opened(clips / "plain.mp4") as media:
        for read in read_stream(media, time, time.monotonic):
            lags.append(read.lag_s)
            time.now += 2 / FPS

    assert lags[-1] > 2


def test_a_paced_stream_ends_when_it_is_stopped(clips: Path) -> None:
    time = Waiting(end_at=1.0)

    with opened(clips / "plain.mp4") as media:
        assert len(list(read_stream(media, time, time.monotonic))) == FPS + 1


class Stepping:
    """A clock that is found to have gone on when it is read for the nth time, as after waiting for data."""

    def __init__(self, time: Waiting, *, at: int, by_s: float) -> None:
        self._time = time
        self._left = at
        self._by_s = by_s

    def __call__(self) -> float:
        self._left -= 1
        if self._left == 0:
            self._time.now += self._by_s
        return self._time.now


# MediaTime


def test_time_begins_at_zero_and_follows_the_stamps() -> None:
    assert times([5000, 5040, 5100, 5900]) == pytest.approx([0, 0.04, 0.1, 0.9])


def test_missing_stamps_take_the_step_the_reader_knows() -> None:
    assert times([None, None, None]) == pytest.approx([0, 0.04, 0.08])
    assert times([0, None, 80]) == pytest.approx([0, 0.04, 0.08])


@pytest.mark.parametrize("jump_ms", [3_600_000, -3_600_000, 2**33 // 90])
def test_a_jump_of_the_streams_clock_is_one_ordinary_step(jump_ms: int) -> None:
    seen = times([1000, 1040, 1040 + jump_ms, 1080 + jump_ms])

    assert seen == pytest.approx([0, 0.04, 0.08, 0.12])


def test_a_clock_that_wraps_goes_on() -> None:
    wrap = 95_443_717  # 33 bits at 90 kHz (ISO/IEC 13818-1, 2.4.3.7), in milliseconds

    assert times([wrap - 40, wrap, 40, 80]) == pytest.approx([0, 0.04, 0.08, 0.12])


def test_stamps_in_order_of_presentation_never_turn_time_back_nor_hurry_it() -> None:
    clock = MediaTime(1.0)
    order = [0, 120, 40, 80, 240, 160, 200, 360, 280, 320]

    seen = [clock.of(packet(None, stamp), otherwise_s=0.04) for stamp in order]

    assert seen == sorted(seen)
    assert seen[-1] == pytest.approx(0.36)


def test_a_stream_that_begins_anew_goes_on_however_short_it_was() -> None:
    clock = MediaTime(10.0)
    stamps = [(0, False), (40, False), (80, False), (0, True), (40, False)]

    seen = [clock.of(packet(stamp), otherwise_s=0.04, anew=anew) for stamp, anew in stamps]

    assert seen == pytest.approx([0, 0.04, 0.08, 0.12, 0.16])


@given(st.lists(st.none() | st.integers(-(2**40), 2**40), max_size=40))
def test_time_never_falls_whatever_the_stamps_are(stamps: list[int | None]) -> None:
    seen = times(stamps)

    assert all(0 <= later - earlier <= 1.0 + 1e-3 for earlier, later in pairwise(seen))


# Files


def read(path: Path, how: MediaInput, waiting: Waiting) -> list[tuple[Read, float]]:
    """What is read of a file, each with the time it is given at."""
    with opened(path) as media:
        return [(one, waiting.now - 100.0) for one in read_file(media, how, waiting, waiting.monotonic)]


@pytest.mark.parametrize("kind", ["plain.mp4", "reordered.mp4"])
def test_a_file_is_read_at_its_own_speed_to_its_end(clips: Path, kind: str) -> None:
    seen = read(clips / kind, FILE, Waiting())

    assert len(seen) == 60
    assert [at for _, at in seen] == pytest.approx([number / FPS for number in range(60)], abs=0.001)
    assert not any(one.rewound for one, _ in seen)


@pytest.mark.parametrize("fps", [0.5, 5.0, 40.0])
def test_a_file_is_read_at_the_rate_that_was_asked_for(clips: Path, fps: float) -> None:
    seen = read(clips / "plain.mp4", replace(FILE, fps=fps), Waiting())

    assert [at for _, at in seen] == pytest.approx([number / fps for number in range(60)], abs=0.001)


def test_a_file_of_few_pictures_keeps_its_own_slow_speed(tmp_path: Path) -> None:
    path = encode(tmp_path / "slow.mp4", count=4, fps=Fraction(1, 5), options={"bf": "0"})

    seen = read(path, FILE, Waiting())

    assert [at for _, at in seen] == pytest.approx([0, 5, 10, 15])


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "avi", "ts", "flv", "mov", "nut"])
def test_a_file_of_any_container_is_read_again_and_again(tmp_path: Path, suffix: str) -> None:
    path = encode(tmp_path / f"clip.{suffix}", count=10, options={"bf": "0", "g": "5"})

    seen = read(path, replace(FILE, loop=True), Waiting(end_at=1.9))

    assert len(seen) >= 35
    assert [number for number, (one, _) in enumerate(seen) if one.rewound] == [10, 20, 30]
    assert all(one.packet.is_keyframe for one, _ in seen if one.rewound)
    steps_s = [later.media_s - earlier.media_s for (earlier, _), (later, _) in pairwise(seen)]
    assert steps_s == pytest.approx([1 / FPS] * len(steps_s), abs=0.011)


def test_a_bare_stream_which_cannot_be_rewound_is_played_once_and_says_so(tmp_path: Path) -> None:
    path = encode(tmp_path / "clip.h264", count=10, options={"bf": "0", "g": "5"})

    assert len(read(path, FILE, Waiting())) == 10
    with pytest.raises(MediaError, match="MP4") as refused:
        read(path, replace(FILE, loop=True), Waiting())

    assert refused.value.patience is Patience.NEVER


def test_a_file_of_one_picture_is_shown_again_and_again_without_hurry(tmp_path: Path) -> None:
    path = encode(tmp_path / "one.mp4", count=1)

    seen = read(path, replace(FILE, loop=True), Waiting(end_at=1.0))

    assert 10 <= len(seen) <= 30


def test_a_file_without_pictures_says_so_instead_of_being_read_for_ever(tmp_path: Path, clips: Path) -> None:
    with opened(clips / "plain.mp4") as media:
        for _ in media.container.demux(media.stream):
            pass  # what is left is nothing, as in a file that was cut off

        with pytest.raises(MediaError) as refused:
            list(read_file(media, replace(FILE, loop=True), Waiting(), Waiting().monotonic))

    assert refused.value.patience is Patience.NEVER
    assert "no picture" in refused.value.reason


def test_reading_a_file_stops_when_it_is_told_to(clips: Path) -> None:
    assert 9 <= len(read(clips / "plain.mp4", FILE, Waiting(end_at=0.5))) <= 11


def test_a_reader_of_a_file_that_is_late_says_by_how_much(clips: Path) -> None:
    waiting = Waiting()
    with opened(clips / "plain.mp4") as media:
        reads = read_file(media, FILE, waiting, waiting.monotonic)
        next(reads)
        waiting.now += 2.0

        late = next(reads)

    assert late.lag_s == pytest.approx(2.0 - 1 / FPS)


def test_a_file_whose_reader_slept_goes_on_from_where_it_was(clips: Path) -> None:
    waiting = Waiting()
    with opened(clips / "plain.mp4") as media:
        reads = read_file(media, FILE, waiting, waiting.monotonic)
        next(reads)
        waiting.now += 3600
        woke_at = waiting.now

        next(reads), next(reads)

    assert waiting.now - woke_at == pytest.approx(1 / FPS)


# Cameras


def test_a_camera_is_read_as_it_comes_and_its_end_is_no_packet(clips: Path) -> None:
    with opened(clips / "plain.mp4") as media:
        seen = list(read_camera(media, Waiting().monotonic))

    assert len(seen) == 60
    assert seen[-1].media_s == pytest.approx(59 / FPS)
    assert all(one.packet.size for one in seen)


def test_pictures_without_time_stamps_were_taken_when_they_came(clips: Path) -> None:
    every_half_second = count(0, 0.5)  # asked twice for each packet: when it came, and when it had been read

    with opened(clips / "plain.mp4") as media:
        seen = list(read_camera(replace(media, stamped=False), lambda: float(next(every_half_second))))

    assert [one.media_s for one in seen[:4]] == [0.0, 1.0, 2.0, 3.0]
    assert seen[-1].media_s == 59.0
