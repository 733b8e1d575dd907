"""A worker in this process: commands go in at one end of its sockets, reports come out."""

import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import pytest

from glimpser.capture.ingest.crashes import culprit
from glimpser.capture.ingest.motion import MotionWatch
from glimpser.capture.ingest.outbox import Outbox
from glimpser.capture.ingest.serve import EXIT_STUCK, IngestWorker
from glimpser.capture.ingest.wire import (
    AnyReport,
    Command,
    Configure,
    FrameReport,
    Ping,
    Pong,
    Reader,
    Snapshot,
    SnapshotReport,
    Start,
    StateReport,
    Stop,
    Want,
    decode_report,
    pack,
)
from glimpser.core.clock import SystemClock
from glimpser.core.errors import InvalidInput
from glimpser.core.ids import TemplateId
from glimpser.core.live import LiveSpec, MediaInput, State
from glimpser.core.motion import OFF, MotionSettings

ReportT = TypeVar("ReportT")


class World:
    def __init__(self, clips: Path) -> None:
        self.control, control = socket.socketpair()
        self.data, data = socket.socketpair()
        self._inner = (control, data)
        self._worker = IngestWorker(Outbox(control, data), make_watch=_make_watch, clock=SystemClock())
        self._thread = threading.Thread(target=self._worker.run)
        self._readers = {sock: Reader(sock) for sock in (self.control, self.data)}
        for sock in self._readers:
            sock.settimeout(30)
        self._thread.start()
        self.tell(Configure(allowed_networks=[], own_sockets=[], file_roots=[str(clips)], stall_timeout_s=8))

    def tell(self, *commands: Command) -> None:
        for command in commands:
            self.control.sendall(b"".join(pack(command)))

    def reports(self, sock: socket.socket) -> Iterator[AnyReport]:
        while True:
            for header, _ in self._readers[sock].messages(budget=1):
                yield decode_report(header)

    def next(self, kind: type[ReportT]) -> ReportT:
        return next(report for report in self.reports(self.control) if isinstance(report, kind))

    def cameras(self) -> list[threading.Thread]:
        return [thread for thread in threading.enumerate() if thread.name.startswith("camera-")]

    def end(self) -> None:
        for camera in list(self._worker._cameras):
            self.tell(Stop(id=camera))
        for thread in self.cameras():
            thread.join(30)
        self.control.close()
        self._thread.join(30)
        assert not self._thread.is_alive()
        for sock in (self.data, *self._inner):
            sock.close()


def _make_watch(spec: LiveSpec[MediaInput]) -> MotionWatch | None:
    if spec.motion.detector == "unknown":
        raise InvalidInput("There is no detector 'unknown'.")
    return None


@pytest.fixture
def world(clips: Path) -> Iterator[World]:
    made = World(clips)
    yield made
    made.end()


def start(name: str = "A", *, run: int = 1, detector: str = OFF) -> Start:
    media = MediaInput(address="plain.mp4", is_file=True, loop=True)
    settings = MotionSettings(detector=detector)
    return Start(spec=LiveSpec(template_id=TemplateId(name), feed=media, motion=settings), run=run)


def test_a_ping_is_answered(world: World) -> None:
    world.tell(Ping())

    assert world.next(Pong) == Pong()


def test_a_view_is_run_and_its_pictures_are_made_as_wanted(world: World) -> None:
    world.tell(start(run=5), Want(id="A", widths={32: 0.0}))

    states = [world.next(StateReport) for _ in range(2)]
    frame = next(report for report in world.reports(world.data) if isinstance(report, FrameReport))

    assert [state.state for state in states] == [State.CONNECTING, State.LIVE]
    assert {state.run for state in states} == {frame.run} == {5}
    assert (frame.wanted, frame.w) == (32, 32)


def test_settings_that_cannot_be_used_cost_one_view_not_the_worker(world: World) -> None:
    world.tell(start("BAD", detector="unknown", run=3), start("GOOD", run=4))

    bad = world.next(StateReport)
    good = world.next(StateReport)

    assert (bad.id, bad.run, bad.state, bad.reason) == (
        "BAD",
        3,
        State.FAILED,
        "There is no detector 'unknown'.",
    )
    assert good.id == "GOOD"


def test_starting_a_view_again_ends_its_first_camera(world: World) -> None:
    world.tell(start(run=1))
    while world.next(StateReport).state is not State.LIVE:
        pass
    [first] = world.cameras()

    world.tell(start(run=2))
    while world.next(StateReport).run != 2:
        pass
    first.join(30)

    assert not first.is_alive()
    assert len(world.cameras()) == 1


def test_a_snapshot_of_a_view_that_does_not_run_is_answered(world: World) -> None:
    world.tell(Snapshot(id="A", request=7, width=0))

    answer = world.next(SnapshotReport)

    assert answer.request == 7
    assert answer.error


def test_commands_for_views_that_do_not_run_are_ignored(world: World) -> None:
    world.tell(Stop(id="A"), Want(id="A", widths={0: 0.0}), Ping())

    assert world.next(Pong) == Pong()


STUCK = """
import socket
from glimpser.capture.ingest.outbox import Outbox
from glimpser.capture.ingest.serve import IngestWorker
from glimpser.core.clock import SystemClock

class Stuck:
    ident = 0xABC
    def tick(self): pass
    def is_stuck(self): return True

ends = [*socket.socketpair(), *socket.socketpair()]
worker = IngestWorker(Outbox(ends[0], ends[2]), make_watch=lambda spec: None, clock=SystemClock())
worker._cameras["A"] = Stuck()
worker.run()
"""


def test_a_worker_that_native_code_holds_ends_itself_and_names_the_camera() -> None:
    command = [sys.executable, "-c", STUCK]

    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    assert ended.returncode == EXIT_STUCK
    assert culprit(ended.stderr, {0xABC: "A"}) == "A"
