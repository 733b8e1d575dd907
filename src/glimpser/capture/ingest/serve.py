"""An ingest worker: it keeps one camera per view and does what the main process says."""

import ipaddress
import os
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from glimpser.capture.ingest.camera import Camera, Surroundings
from glimpser.capture.ingest.crashes import last_words
from glimpser.capture.ingest.judging import HealthWatch
from glimpser.capture.ingest.motion import MotionWatch
from glimpser.capture.ingest.opening import Opener
from glimpser.capture.ingest.outbox import Outbox
from glimpser.capture.ingest.wire import (
    AnyCommand,
    Configure,
    Ping,
    Pong,
    Snapshot,
    SnapshotReport,
    Start,
    StateReport,
    Stop,
    Want,
)
from glimpser.core.clock import Clock
from glimpser.core.errors import GlimpserError
from glimpser.core.live import LiveSpec, MediaInput, State
from glimpser.egress.gate import Gate, GatePolicy
from glimpser.process.launching import find_program

MakeWatch = Callable[[LiveSpec[MediaInput]], MotionWatch | None]
"""Raises GlimpserError for settings it cannot use."""
MakeHealthWatch = Callable[[LiveSpec[MediaInput]], HealthWatch | None]
"""Raises likewise."""
EXIT_STUCK = 70
"""Exit status of a worker that holds a thread it cannot end (EX_SOFTWARE): the pool starts another."""


class IngestWorker:
    """Lives on the worker's I/O thread; `make_watch` and `make_health_watch` give what looks at a view."""

    def __init__(
        self,
        outbox: Outbox,
        *,
        make_watch: MakeWatch,
        make_health_watch: MakeHealthWatch = lambda _spec: None,
        clock: Clock,
    ) -> None:
        self._outbox = outbox
        self._make_watch = make_watch
        self._make_health_watch = make_health_watch
        self._clock = clock
        self._around: Surroundings | None = None
        self._cameras: dict[str, Camera] = {}
        self._leaving: list[Camera] = []
        self._encoders = ThreadPoolExecutor(max_workers=1, thread_name_prefix="encoder")
        self._ticked_at = clock.monotonic()

    def run(self) -> None:
        """Work until the main process is gone."""
        self._outbox.run(self._obey, self._tick)

    def _tick(self) -> None:
        now = self._clock.monotonic()
        if now - self._ticked_at < 1:
            return
        self._ticked_at = now
        for camera in self._cameras.values():
            camera.tick()
        self._leaving = [camera for camera in self._leaving if camera.is_alive()]
        for camera in (*self._cameras.values(), *self._leaving):
            if camera.is_stuck():
                _end_because_of(camera)

    def _obey(self, command: AnyCommand) -> None:
        match command:
            case Ping():
                self._outbox.report(Pong())
            case Configure():
                self._around = self._settle(command)
            case Start():
                self._start(command)
            case Stop():
                self._stop(command.id)
            case Want() if command.id in self._cameras:
                self._cameras[command.id].set_wants(command.widths)
            case Snapshot():
                self._snapshot(command)

    def _settle(self, command: Configure) -> Surroundings:
        policy = GatePolicy(
            allowed=tuple(ipaddress.ip_network(network) for network in command.allowed_networks),
            own=frozenset((ipaddress.ip_address(address), port) for address, port in command.own_sockets),
            setting="capture.camera_cidrs",
        )
        opener = Opener(
            Gate(policy),
            file_roots=[Path(root) for root in command.file_roots],
            stall_timeout_s=command.stall_timeout_s,
        )
        return Surroundings(
            opener=opener,
            outlet=self._outbox,
            encoders=self._encoders,
            clock=self._clock,
            stall_timeout_s=command.stall_timeout_s,
            ffmpeg=find_program("ffmpeg"),
        )

    def _start(self, command: Start) -> None:
        assert self._around is not None, "Configure comes first"
        template_id = str(command.spec.template_id)
        self._stop(template_id)
        try:
            watch, health = self._make_watch(command.spec), self._make_health_watch(command.spec)
        except GlimpserError as error:
            self._refuse(command, error.detail)
            return
        camera = self._cameras[template_id] = Camera(command, self._around, watch=watch, health=health)
        camera.start()

    def _refuse(self, command: Start, reason: str) -> None:
        report = StateReport(
            id=str(command.spec.template_id),
            run=command.run,
            state=State.FAILED,
            since=self._clock.now(),
            epoch=command.first_epoch,
            reason=reason,
        )
        self._outbox.report(report)

    def _stop(self, template_id: str) -> None:
        camera = self._cameras.pop(template_id, None)
        if camera:
            camera.stop()
            self._leaving.append(camera)

    def _snapshot(self, command: Snapshot) -> None:
        if command.id in self._cameras:
            self._cameras[command.id].snapshot(command.request, command.width)
        else:
            error = "The view does not run."
            self._outbox.report(SnapshotReport(id=command.id, request=command.request, error=error))


def _end_because_of(camera: Camera) -> None:
    """End this worker: native code that does not return cannot be ended in any other way."""
    sys.stderr.write(last_words(camera.ident or 0))
    sys.stderr.flush()
    os._exit(EXIT_STUCK)
