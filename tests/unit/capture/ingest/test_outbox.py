import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from glimpser.capture.ingest.outbox import EXIT_NOT_HEARD, Outbox
from glimpser.capture.ingest.wire import (
    AnyCommand,
    AnyReport,
    FrameReport,
    MeasureReport,
    Ping,
    Pong,
    Reader,
    SnapshotReport,
    Stop,
    decode_report,
    pack,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Pair:
    """A worker's outbox running on a thread, and the main process' ends of its sockets."""

    def __init__(self) -> None:
        self.control, control = socket.socketpair()
        self.data, data = socket.socketpair()
        self.outbox = Outbox(control, data)
        self.commands: list[AnyCommand] = []
        self.obeyed = threading.Event()
        self.ticks = 0
        self.thread = threading.Thread(target=self.outbox.run, args=(self._obey, self._tick), daemon=True)
        self.inner = (control, data)

    def _obey(self, command: AnyCommand) -> None:
        self.commands.append(command)
        self.obeyed.set()

    def _tick(self) -> None:
        self.ticks += 1

    def read(self, sock: socket.socket, count: int) -> list[tuple[AnyReport, bytes]]:
        sock.settimeout(10)
        reader = Reader(sock)
        found: list[tuple[AnyReport, bytes]] = []
        while len(found) < count:
            found += [(decode_report(h), bytes(p)) for h, p in reader.messages(budget=1)]
        return found


@pytest.fixture
def pair() -> Iterator[Pair]:
    pair = Pair()
    yield pair
    for sock in (pair.control, pair.data):
        sock.close()
    if pair.thread.ident:
        pair.thread.join(10)
    for sock in pair.inner:
        sock.close()


def frame(seq: int, *, wanted: int = 320, name: str = "A") -> FrameReport:
    return FrameReport(id=name, seq=seq, ts=NOW, w=2, h=2, wanted=wanted)


def figures(restarts: int) -> MeasureReport:
    return MeasureReport(id="A", fps=1, last_packet_age_s=0, dropped_frames=0, restarts=restarts)


def test_reports_arrive_in_order_and_without_loss(pair: Pair) -> None:
    for request in range(500):
        pair.outbox.report(SnapshotReport(id="A", request=request), b"x" * 1000)
    pair.thread.start()

    found = pair.read(pair.control, 500)

    assert [report.request for report, _ in found if isinstance(report, SnapshotReport)] == list(range(500))
    assert {payload for _, payload in found} == {b"x" * 1000}


def test_of_frames_that_wait_the_newest_of_each_width_and_view_is_sent_and_the_others_are_counted(
    pair: Pair,
) -> None:
    for seq in (1, 2, 3):
        pair.outbox.frame(frame(seq), b"%d" % seq)
    pair.outbox.frame(frame(4, wanted=0), b"4")
    pair.outbox.frame(frame(5, name="B"), b"5")
    pair.thread.start()

    found = pair.read(pair.data, 3)

    assert [payload for _, payload in found] == [b"3", b"4", b"5"]
    assert (pair.outbox.dropped("A"), pair.outbox.dropped("B")) == (2, 0)


def test_figures_replace_those_that_wait_and_are_not_counted_as_lost_frames(pair: Pair) -> None:
    for restarts in range(2000):
        pair.outbox.measure(figures(restarts))
    pair.thread.start()

    [(report, _)] = pair.read(pair.data, 1)

    assert report == figures(1999)
    assert pair.outbox.dropped("A") == 0


def test_commands_are_obeyed_while_nobody_takes_the_frames(pair: Pair) -> None:
    pair.thread.start()
    for seq in range(50):
        pair.outbox.frame(frame(seq, wanted=seq), bytes(100_000))

    pair.control.sendall(b"".join(pack(Stop(id="A"))))

    assert pair.obeyed.wait(10)
    assert pair.commands == [Stop(id="A")]


def test_a_report_of_another_thread_wakes_the_loop(pair: Pair) -> None:
    pair.thread.start()
    pair.control.sendall(b"".join(pack(Ping())))
    assert pair.obeyed.wait(10)

    pair.outbox.report(Pong())

    assert pair.read(pair.control, 1) == [(Pong(), b"")]


@pytest.mark.parametrize("which", ["control", "data"])
def test_the_loop_ends_when_the_main_process_is_gone(pair: Pair, which: str) -> None:
    pair.thread.start()

    getattr(pair, which).close()
    pair.outbox.report(Pong())
    pair.outbox.frame(frame(1), b"x")
    pair.thread.join(10)

    assert not pair.thread.is_alive()


def test_the_loop_ends_when_the_main_process_sends_garbage(pair: Pair) -> None:
    pair.thread.start()

    pair.control.sendall(b"GET / HTTP/1.1\r\n\r\n")
    pair.thread.join(10)

    assert not pair.thread.is_alive()


def test_it_ticks_without_any_traffic(pair: Pair) -> None:
    pair.thread.start()
    deadline = threading.Event()

    while pair.ticks < 2 and not deadline.wait(0.02):
        assert pair.thread.is_alive()

    assert pair.ticks >= 2


def test_a_worker_whose_reports_nobody_takes_ends_itself() -> None:
    program = """
import socket
from glimpser.capture.ingest.outbox import MAX_REPORTS, Outbox
from glimpser.capture.ingest.wire import Pong
ends = [*socket.socketpair(), *socket.socketpair()]
outbox = Outbox(ends[0], ends[2])
for number in range(MAX_REPORTS):
    outbox.report(Pong())
print("full", flush=True)
outbox.report(Pong())
print("not ended", flush=True)
"""
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False
    )

    assert (ended.stdout, ended.returncode) == ("full\n", EXIT_NOT_HEARD), ended.stderr
