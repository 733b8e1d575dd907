"""The only code of a worker that touches its sockets. Camera threads put things in and go on."""

import os
import select
import socket
import threading
from collections import Counter, deque
from collections.abc import Callable

from glimpser.capture.ingest.wire import (
    AnyCommand,
    BrokenWire,
    FrameReport,
    MeasureReport,
    Reader,
    Report,
    Sender,
    decode_command,
    pack,
)

MAX_REPORTS = 1000
_FIGURES = -1
"""Stands for a width: figures wait among the frames, because of them too only the newest matter."""
EXIT_NOT_HEARD = 75
"""Exit status of a worker whose reports nobody takes (EX_TEMPFAIL): the pool starts another."""


class Outbox:
    """Reports in order and without loss; of frames the newest per view and width, of figures per view.

    `report` and `frame` may be called from any thread and never block on a socket.
    """

    def __init__(self, control: socket.socket, data: socket.socket) -> None:
        self._control = control
        self._lock = threading.Lock()
        self._reports: deque[tuple[Report, bytes]] = deque()
        self._frames: dict[tuple[str, int], tuple[FrameReport | MeasureReport, bytes]] = {}
        self._dropped: Counter[str] = Counter()
        self._wake_fd = os.eventfd(0, os.EFD_NONBLOCK)
        self._woken = False
        for sock in (control, data):
            sock.setblocking(False)
        self._senders = (
            (control, Sender(control, self._next_report)),
            (data, Sender(data, self._next_frame)),
        )

    def report(self, report: Report, payload: bytes = b"") -> None:
        """Send a report that must arrive."""
        with self._lock:
            if len(self._reports) >= MAX_REPORTS:
                os._exit(EXIT_NOT_HEARD)
            self._reports.append((report, payload))
            self._wake()

    def frame(self, report: FrameReport, jpeg: bytes) -> None:
        """Offer a frame; one of the same view and width that still waits is dropped."""
        key = (report.id, report.wanted)
        with self._lock:
            if key in self._frames:
                self._dropped[report.id] += 1
            self._frames[key] = (report, jpeg)
            self._wake()

    def measure(self, report: MeasureReport) -> None:
        """Offer a view's figures, in place of those that still wait."""
        with self._lock:
            self._frames[report.id, _FIGURES] = (report, b"")
            self._wake()

    def dropped(self, template_id: str) -> int:
        """Count the frames of a view that were dropped here."""
        with self._lock:
            return self._dropped[template_id]

    def run(self, on_command: Callable[[AnyCommand], None], on_tick: Callable[[], None]) -> None:
        """Be the worker's I/O loop on this thread; ends when the main process is gone.

        `on_tick` is called at least twice a second.
        """
        reader = Reader(self._control)
        poll = select.poll()
        poll.register(self._wake_fd, select.POLLIN)
        try:
            while True:
                self._flush(poll)
                poll.poll(500)
                self._sleep_again()
                for header, _ in reader.messages():
                    on_command(decode_command(header))
                on_tick()
        except BrokenWire:
            return

    def _flush(self, poll: select.poll) -> None:
        for sock, sender in self._senders:
            want_out = 0 if sender.flush() else select.POLLOUT
            poll.register(sock, want_out | (select.POLLIN if sock is self._control else 0))

    def _wake(self) -> None:
        if not self._woken:
            self._woken = True
            os.eventfd_write(self._wake_fd, 1)

    def _sleep_again(self) -> None:
        with self._lock:
            if self._woken:
                self._woken = False
                os.eventfd_read(self._wake_fd)

    def _next_report(self) -> list[memoryview]:
        with self._lock:
            if not self._reports:
                return []
            report, payload = self._reports.popleft()
        return pack(report, payload)

    def _next_frame(self) -> list[memoryview]:
        with self._lock:
            if not self._frames:
                return []
            report, jpeg = self._frames.pop(next(iter(self._frames)))
        return pack(report, jpeg)
