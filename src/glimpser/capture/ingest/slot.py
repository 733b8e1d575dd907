"""A place for one ingest worker: when the worker dies, another takes its place and its views."""

import asyncio
from collections.abc import Mapping
from typing import Protocol

import structlog

from glimpser.capture.ingest.crashes import CrashRecord
from glimpser.capture.ingest.process import Spawn, Worker
from glimpser.capture.ingest.wire import AnyReport, Command, Configure, Start, Stop, Want
from glimpser.core.live import LiveSpec, MediaInput

_log = structlog.get_logger(__name__)

_FIRST_DELAY_S = 0.2
_DELAY_STEP_S = 0.25
_MAX_DELAY_S = 2.0


class SlotOwner(Protocol):
    """Told what happens in a slot, on the event loop's thread."""

    def on_report(self, report: AnyReport, payload: memoryview) -> None: ...
    def on_death(self, slot: "WorkerSlot", last_words: str) -> None: ...
    def command_to_start(self, spec: LiveSpec[MediaInput]) -> Start:
        """Begin a run of a view; what an earlier one still reports is ignored from now on."""
        ...

    def widths(self, template_id: str) -> Mapping[int, float]: ...


class WorkerSlot:
    """Event loop's thread."""

    def __init__(
        self,
        owner: SlotOwner,
        configure: Configure,
        *,
        spawn: Spawn,
        loop: asyncio.AbstractEventLoop,
        isolated: bool = False,
    ) -> None:
        self._owner = owner
        self._configure = configure
        self._loop = loop
        self._spawn_worker = spawn
        self._worker: Worker | None = None
        self._restart: asyncio.TimerHandle | None = None
        self._deaths = CrashRecord()
        self.isolated = isolated
        """Whether the one view in it is kept apart because it brings workers down."""
        self.specs: dict[str, LiveSpec[MediaInput]] = {}

    @property
    def pid(self) -> int | None:
        """The worker's process id; None while it is being replaced, or was never needed."""
        return self._worker.pid if self._worker else None

    def start(self, spec: LiveSpec[MediaInput]) -> None:
        """Run a view here."""
        self.specs[str(spec.template_id)] = spec
        if self._worker:
            self._begin(spec)
        elif not self._restart:
            self._spawn()

    def stop(self, template_id: str) -> None:
        """Run it no longer; the last one takes the worker with it."""
        del self.specs[template_id]
        if self.specs:
            self.tell(Stop(id=template_id))
        else:
            self.close()

    def tell(self, command: Command) -> None:
        """Send a command to the worker; its successor is told by `start` alone."""
        if self._worker:
            self._worker.tell(command)

    def ping(self) -> None:
        if self._worker:
            self._worker.ping()

    def listen(self, *, to_reports: bool) -> None:
        """Go on or pause taking the worker's reports."""
        if self._worker:
            self._worker.listen(to_reports=to_reports)

    def close(self) -> None:
        """End the worker for good."""
        if self._restart:
            self._restart.cancel()
            self._restart = None
        if self._worker:
            self._worker.close()
            self._worker = None

    def on_report(self, worker: Worker, report: AnyReport, payload: memoryview) -> None:
        if worker is self._worker:
            self._owner.on_report(report, payload)

    def on_death(self, worker: Worker, last_words: str) -> None:
        if worker is not self._worker:
            return
        self._worker = None
        deaths = self._deaths.add(self._loop.time())
        delay_s = min(_FIRST_DELAY_S + _DELAY_STEP_S * (deaths - 1), _MAX_DELAY_S)
        _log.error("ingest.worker_died", pid=worker.pid, views=len(self.specs), restart_in_s=delay_s)
        self._restart = self._loop.call_later(delay_s, self._spawn)
        self._owner.on_death(self, last_words)

    def _spawn(self) -> None:
        self._restart = None
        try:
            self._worker = self._spawn_worker(self)
        except OSError as error:
            _log.error("ingest.cannot_start", reason=error.strerror, retry_in_s=_MAX_DELAY_S)
            self._restart = self._loop.call_later(_MAX_DELAY_S, self._spawn)
            return
        self._worker.tell(self._configure)
        for spec in self.specs.values():
            self._begin(spec)

    def _begin(self, spec: LiveSpec[MediaInput]) -> None:
        template_id = str(spec.template_id)
        self.tell(self._owner.command_to_start(spec))
        widths = self._owner.widths(template_id)
        if widths:
            self.tell(Want(id=template_id, widths=dict(widths)))
