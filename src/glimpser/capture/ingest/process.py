"""One ingest worker seen from the main process: started, spoken to, watched, and ended."""

import asyncio
import os
import socket
import subprocess
import sys
from collections import deque
from collections.abc import Callable
from contextlib import ExitStack
from typing import Protocol

import structlog

from glimpser.capture.ingest.wire import (
    AnyReport,
    BrokenWire,
    Command,
    Ping,
    Pong,
    Reader,
    Sender,
    decode_report,
    pack,
)
from glimpser.core.redaction import redact

_log = structlog.get_logger(__name__)

MAX_UNANSWERED_PINGS = 15
"""Counted in pings, not seconds: a main process that was itself stopped blames nobody."""
_MAX_STDERR_BYTES = 256 << 10
"""A crash dump of all threads is long, and the one that crashed may stand anywhere in it."""
_MAX_LOGGED_BYTES = 16 << 10
"""Of what one worker writes so much is logged, lest a chatty one fills the log."""
_MAX_REAP_S = 2.0
_ENVIRONMENT = {"PATH": os.defpath, "LANG": "C.UTF-8"}
"""A worker's whole environment: it needs none, and secrets may be in ours."""


class Worker(Protocol):
    """What a slot needs of a worker."""

    @property
    def pid(self) -> int: ...
    def tell(self, command: Command) -> None: ...
    def ping(self) -> None: ...
    def listen(self, *, to_reports: bool) -> None: ...
    def close(self) -> None: ...


class WorkerOwner(Protocol):
    def on_report(self, worker: Worker, report: AnyReport, payload: memoryview) -> None: ...
    def on_death(self, worker: Worker, last_words: str) -> None: ...


Spawn = Callable[[WorkerOwner], Worker]
"""Starts a worker for its owner. Raises OSError when there can be none now."""


class WorkerProcess:
    """Lives on the event loop's thread, and must be made on it.

    The kernel kills the worker when the thread that started it ends, so that no worker outlives us.
    """

    def __init__(
        self,
        owner: WorkerOwner,
        *,
        loop: asyncio.AbstractEventLoop,
        max_unanswered_pings: int = MAX_UNANSWERED_PINGS,
    ) -> None:
        """Start a worker.

        Raises:
            OSError: there can be no more processes or files now.
        """
        self._owner = owner
        self._loop = loop
        self._max_unanswered_pings = max_unanswered_pings
        self._listening = True
        self._logged_bytes = 0
        self._outgoing: deque[list[memoryview]] = deque()
        self._unanswered = 0
        self._stderr = bytearray()
        with ExitStack() as if_it_fails:
            self._control, control = (if_it_fails.enter_context(end) for end in socket.socketpair())
            self._data, data = (if_it_fails.enter_context(end) for end in socket.socketpair())
            self._process = self._spawn(control.fileno(), data.fileno())
            if_it_fails.pop_all()
        control.close()
        data.close()
        self._sender = Sender(self._control, self._next_message)
        self._open_ears()

    @property
    def pid(self) -> int:
        return self._process.pid

    def tell(self, command: Command) -> None:
        """Send a command; they arrive in order. Lost if the worker dies: its successor is told anew."""
        self._outgoing.append(pack(command))
        self._flush()

    def ping(self) -> None:
        """Ask for a sign of life, once a second; a worker that gave none for long is killed.

        While we do not listen nobody is asked: the answer would wait with the reports.
        """
        if not self._listening:
            return
        self._unanswered += 1
        if self._unanswered > self._max_unanswered_pings:
            _log.warning("ingest.hung", pid=self.pid, unanswered=self._unanswered)
            self._process.kill()
            return
        self.tell(Ping())

    def listen(self, *, to_reports: bool) -> None:
        """Go on or pause taking reports; frames are taken all the time."""
        self._listening = to_reports
        if to_reports:
            self._loop.add_reader(self._control, self._read_messages, self._control_reader)
        else:
            self._loop.remove_reader(self._control)

    def close(self) -> None:
        """End the worker now. It has nothing to lose: what it reported is here."""
        for stream in (self._control, self._data, self._stderr_pipe):
            self._loop.remove_reader(stream)
        self._loop.remove_writer(self._control)
        self._control.close()
        self._data.close()
        self._stderr_pipe.close()
        self._process.kill()
        try:
            self._process.wait(_MAX_REAP_S)
        except subprocess.TimeoutExpired:
            _log.warning("ingest.not_reaped", pid=self.pid)  # it hangs in the kernel, on a dead disk perhaps

    def _spawn(self, control_fd: int, data_fd: int) -> subprocess.Popen[bytes]:
        arguments = ["-m", "glimpser.ingest_main", str(control_fd), str(data_fd), str(os.getpid())]
        return subprocess.Popen(  # noqa: S603  # our own program with our own arguments
            [sys.executable, "-I", *arguments],
            pass_fds=(control_fd, data_fd),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env=_ENVIRONMENT,
        )

    def _open_ears(self) -> None:
        assert self._process.stderr is not None
        self._stderr_pipe = self._process.stderr
        os.set_blocking(self._stderr_pipe.fileno(), False)
        self._loop.add_reader(self._stderr_pipe, self._read_stderr)
        self._control.setblocking(False)
        self._data.setblocking(False)
        self._control_reader = Reader(self._control)
        self._loop.add_reader(self._control, self._read_messages, self._control_reader)
        self._loop.add_reader(self._data, self._read_messages, Reader(self._data))

    def _read_messages(self, reader: Reader) -> None:
        try:
            for header, payload in reader.messages():
                report = decode_report(header)
                if isinstance(report, Pong):
                    self._unanswered = 0
                else:
                    self._owner.on_report(self, report, payload)
        except BrokenWire:
            self._die()

    def _next_message(self) -> list[memoryview]:
        return self._outgoing.popleft() if self._outgoing else []

    def _flush(self) -> None:
        if self._control.fileno() < 0:
            return
        try:
            done = self._sender.flush()
        except BrokenWire:
            return  # the reader gets its end of file and buries the worker
        if done:
            self._loop.remove_writer(self._control)
        else:
            self._loop.add_writer(self._control, self._flush)

    def _read_stderr(self) -> None:
        chunk = self._stderr_pipe.read()
        if chunk:
            self._stderr += chunk
            del self._stderr[:-_MAX_STDERR_BYTES]
            self._log_stderr(chunk)
        else:
            self._loop.remove_reader(self._stderr_pipe)

    def _log_stderr(self, chunk: bytes) -> None:
        text = chunk[: _MAX_LOGGED_BYTES - self._logged_bytes].decode(errors="replace")
        self._logged_bytes += len(text)
        if text:
            _log.warning("ingest.stderr", pid=self.pid, text=redact(text))

    def _die(self) -> None:
        self._read_stderr()
        self.close()
        self._owner.on_death(self, self._stderr.decode(errors="replace"))
