from collections.abc import Sequence

from glimpser.streaming.rtsp.mount import MAX_ACCESS_UNIT_BYTES, Mount, Subscription
from glimpser.testing.clock import FakeClock

SPS, PPS = b"\x67\x42\xc0\x1e\x8c", b"\x68\xce\x3c\x80"
START = b"\0\0\0\1"
KEY = START + SPS + START + PPS + START + b"\x65key"
BARE_KEY = START + b"\x65bare"
DELTA = START + b"\x41delta"


class FakeDelivery:
    def __init__(self) -> None:
        self.congested = False
        self.packets: list[bytes] = []
        self.reports: list[bytes] = []

    def send(self, packets: Sequence[bytes]) -> None:
        self.packets += packets

    def send_report(self, report: bytes) -> None:
        self.reports.append(report)

    def close(self) -> None: ...

    @property
    def payloads(self) -> list[bytes]:
        return [packet[12:] for packet in self.packets]

    @property
    def sequences(self) -> list[int]:
        return [int.from_bytes(packet[2:4], "big") for packet in self.packets]


class FakeViewer:
    def __init__(self) -> None:
        self.heard: list[str] = []

    def mount_ready(self) -> None:
        self.heard.append("ready")

    def mount_removed(self) -> None:
        self.heard.append("removed")


def playing(mount: Mount, clock: FakeClock | None = None) -> tuple[FakeDelivery, Subscription]:
    delivery = FakeDelivery()
    subscription = Subscription(delivery, clock=clock or FakeClock())
    mount.play(subscription)
    return delivery, subscription


def test_a_viewer_begins_with_a_key_frame() -> None:
    mount = Mount("cam")
    delivery, _ = playing(mount)

    mount.push(DELTA, 0, key=False)
    mount.push(KEY, 1, key=True)
    mount.push(DELTA, 2, key=False)

    assert delivery.payloads == [SPS, PPS, b"\x65key", b"\x41delta"]


def test_a_key_frame_without_parameter_sets_gets_those_known() -> None:
    mount = Mount("cam")
    mount.push(KEY, 0, key=True)
    delivery, _ = playing(mount)

    mount.push(BARE_KEY, 1, key=True)

    assert delivery.payloads == [SPS, PPS, b"\x65bare"]


def test_before_parameter_sets_are_known_nothing_is_played() -> None:
    mount = Mount("cam")
    delivery, _ = playing(mount)

    mount.push(BARE_KEY, 0, key=True)
    mount.push(DELTA, 1, key=False)

    assert delivery.packets == []
    assert mount.parameter_sets is None


def test_a_sequence_parameter_set_too_short_to_describe_is_not_learnt() -> None:
    mount = Mount("cam")

    mount.push(START + b"\x67\x42" + START + PPS + START + b"\x65key", 0, key=True)

    assert mount.parameter_sets is None


def test_new_parameter_sets_replace_the_old_ones() -> None:
    mount = Mount("cam")
    mount.push(KEY, 0, key=True)
    other = SPS + b"x"

    mount.push(START + other + START + PPS + START + b"\x65key", 1, key=True)

    assert mount.parameter_sets is not None
    assert mount.parameter_sets.sps == other


def test_a_congested_viewer_skips_to_the_next_key_frame_without_a_gap_and_holds_nobody_up() -> None:
    mount = Mount("cam")
    slow, subscription = playing(mount)
    quick, _ = playing(mount)
    mount.push(KEY, 0, key=True)
    slow.congested = True
    mount.push(DELTA, 1, key=False)
    mount.push(KEY, 2, key=True)
    slow.congested = False
    mount.push(DELTA, 3, key=False)

    mount.push(KEY, 4, key=True)

    assert slow.payloads == [SPS, PPS, b"\x65key"] * 2
    assert slow.sequences == [(slow.sequences[0] + n) & 0xFFFF for n in range(6)]
    assert subscription.dropped_units == 3
    assert len(quick.packets) == 3 * 3 + 2


def test_an_oversized_unit_is_dropped_and_everybody_waits_for_a_key_frame() -> None:
    mount = Mount("cam")
    delivery, _ = playing(mount)
    mount.push(KEY, 0, key=True)

    mount.push(START + b"\x41" + bytes(MAX_ACCESS_UNIT_BYTES), 1, key=False)
    mount.push(DELTA, 2, key=False)

    assert delivery.payloads == [SPS, PPS, b"\x65key"]
    assert mount.dropped_units == 1


def test_a_paused_viewer_gets_nothing_and_goes_on_with_a_key_frame() -> None:
    mount = Mount("cam")
    delivery, subscription = playing(mount)
    mount.push(KEY, 0, key=True)
    mount.pause(subscription)
    mount.push(DELTA, 1, key=False)
    mount.play(subscription)

    mount.push(DELTA, 2, key=False)

    assert len(delivery.packets) == 3
    assert mount.playing == 1


def test_reports_go_out_with_key_frames_at_most_every_five_seconds() -> None:
    mount, clock = Mount("cam"), FakeClock()
    delivery, _ = playing(mount, clock)
    for second in range(8):
        mount.push(KEY, second * 90_000, key=True)
        clock.advance(1)

    assert len(delivery.reports) == 2


def test_viewers_hear_that_the_mount_is_ready_once_and_that_it_is_gone() -> None:
    mount, viewer = Mount("cam"), FakeViewer()
    mount.enter(viewer)

    mount.push(KEY, 0, key=True)
    mount.push(KEY, 1, key=True)
    mount.remove()

    assert viewer.heard == ["ready", "removed"]


def test_the_stream_is_called_for_by_the_first_viewer_and_released_by_the_last() -> None:
    calls: list[bool] = []
    mount = Mount("cam", on_demand=calls.append)
    first, second = FakeViewer(), FakeViewer()

    for viewer in (first, first, second):
        mount.enter(viewer)
    for viewer in (first, first, second, second):
        mount.leave(viewer)

    assert calls == [True, False]
    assert mount.viewers == 0
