"""The one runner of other programs: nothing of ours leaks in, nothing of theirs stays behind."""

import asyncio
import os
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import IO, Protocol, cast

import structlog

from glimpser.core.clock import Clock
from glimpser.core.errors import Misconfigured, Unavailable
from glimpser.process.command import Command, Finished, Flooded, TimedOut
from glimpser.process.complaints import Complaints
from glimpser.process.launching import Launched, Story
from glimpser.process.leftovers import end_leftovers

_log = structlog.get_logger(__name__)

DEFAULT_TIMEOUT_S = 60.0
DEFAULT_MAX_OUTPUT_BYTES = 16 << 20
_LAST_RESORT_S = 5.0
"""So much longer than its grace a supervisor may need to leave nothing behind; then it is killed itself."""
_LAST_WORDS_S = 1.0
_MAX_HEARD_BYTES_PER_S = 1 << 20
"""What a program may write to stderr in a second before it has to wait."""
_KILLED = -9


class CommandRecorder(Protocol):
    """Takes figures of commands; `observability.Metrics` is one."""

    def command_succeeded(self, program: str) -> None: ...
    def command_timed_out(self, program: str) -> None: ...
    def command_ended(self, program: str, duration_s: float) -> None: ...


class Child:
    """A program that runs. Event loop's thread.

    `stdout` is there if it was asked for, and must be read: a program whose pipe is full waits. So is
    `stdin`: await its `drain` after each write, or what the program has not read yet is kept in memory.
    """

    def __init__(self, launched: Launched, clock: Clock) -> None:
        self._launched = launched
        self._loop = asyncio.get_running_loop()
        self._story = Story(launched.command.name)
        self._began = clock.monotonic()
        self._clock = clock
        self._started: asyncio.Future[int] = self._loop.create_future()
        self._ended: asyncio.Future[int] = self._loop.create_future()
        self._complaints = Complaints(launched.command.name, monotonic=clock.monotonic)
        self._ear = _Ear(self._complaints)
        self._pipes: list[asyncio.BaseTransport] = []
        self.stdout: asyncio.StreamReader | None = None
        self.stdin: asyncio.StreamWriter | None = None
        launched.control.setblocking(False)
        self._loop.add_reader(launched.control, self._on_control)

    @property
    def pid(self) -> int:
        """The program's own, which is also its process group's; good until it has ended."""
        return self._story.pid or 0

    @property
    def status(self) -> int | None:
        """As `Finished.status`; None while it runs."""
        return self._ended.result() if self._ended.done() else None

    @property
    def complaints(self) -> str:
        """The end of what it wrote to stderr so far, redacted."""
        return self._complaints.text

    @property
    def duration_s(self) -> float:
        return self._clock.monotonic() - self._began

    async def wait(self) -> int:
        """Give the status when the program, and all it started, have ended."""
        return await asyncio.shield(self._ended)

    async def end(self) -> int:
        """Ask it to end, and end it by force after its grace; gives its status."""
        self._launched.ask_to_end()
        try:
            async with asyncio.timeout(self._launched.command.grace_s + _LAST_RESORT_S):
                return await self.wait()
        except TimeoutError:
            _log.error("process.supervisor_killed", program=self._launched.command.name)
            self._bury(_KILLED)
            return _KILLED

    # For `Runner`.

    async def open_streams(self) -> None:
        """Listen to its pipes.

        Raises:
            Misconfigured: the program cannot be run.
        """
        process = self._launched.process
        if process.stderr is not None:
            await self._open(self._ear, process.stderr)
        if process.stdout is not None:
            self.stdout = asyncio.StreamReader()
            await self._open(asyncio.StreamReaderProtocol(self.stdout), process.stdout)
        if process.stdin is not None:
            self.stdin = await self._open_to_write(process.stdin)
        await asyncio.shield(self._started)

    async def close(self) -> None:
        """End it, hear its last words, and remove what was made for it."""
        await self.end()
        self._ear.listen()
        with suppress(TimeoutError):
            async with asyncio.timeout(_LAST_WORDS_S):
                await self._ear.closed
        for pipe in self._pipes:
            pipe.close()
        await asyncio.to_thread(self._launched.remove_home)

    async def _open(self, protocol: asyncio.Protocol, pipe: IO[bytes]) -> None:
        os.set_blocking(pipe.fileno(), False)
        transport, _ = await self._loop.connect_read_pipe(lambda: protocol, pipe)
        self._pipes.append(transport)

    async def _open_to_write(self, pipe: IO[bytes]) -> asyncio.StreamWriter:
        os.set_blocking(pipe.fileno(), False)
        reader = asyncio.StreamReader()  # nothing is ever read: the protocol wants one
        transport, protocol = await self._loop.connect_write_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), pipe
        )
        self._pipes.append(transport)
        return asyncio.StreamWriter(transport, protocol, None, self._loop)

    def _on_control(self) -> None:
        try:
            data = self._launched.control.recv(4096)
            self._story.hear(data)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        except Misconfigured as error:
            self._fail(error)
            return
        if self._story.pid is not None and not self._started.done():
            self._started.set_result(self._story.pid)
        if not data:
            self._bury(_KILLED if self._story.status is None else self._story.status)

    def _fail(self, error: Misconfigured) -> None:
        if not self._started.done():
            self._started.set_exception(error)
            self._started.exception()  # whoever waited may have been cancelled
        self._bury(_KILLED)

    def _bury(self, status: int) -> None:
        if self._ended.done():
            return
        self._loop.remove_reader(self._launched.control)
        self._launched.bury()
        self._ended.set_result(status)
        if not self._started.done():
            self._started.set_exception(Unavailable(f"{self._launched.command.name} was ended at its start."))
            self._started.exception()


class _Ear(asyncio.Protocol):
    """Hears what a program writes to stderr; one that floods it waits, and costs us little."""

    def __init__(self, complaints: Complaints) -> None:
        self._complaints = complaints
        self._loop = asyncio.get_running_loop()
        self._pipe: asyncio.ReadTransport | None = None
        self._heard_bytes = 0
        self.closed: asyncio.Future[None] = self._loop.create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._pipe = cast("asyncio.ReadTransport", transport)  # uvloop's is not called one

    def data_received(self, data: bytes) -> None:
        self._complaints.write(data)
        if not self._heard_bytes:
            self._loop.call_later(1, self.listen)
        self._heard_bytes += len(data)
        if self._heard_bytes > _MAX_HEARD_BYTES_PER_S and self._pipe:
            self._pipe.pause_reading()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  # asyncio's signature
        self._pipe = None
        self._complaints.close()
        if not self.closed.done():
            self.closed.set_result(None)

    def listen(self) -> None:
        """Go on hearing, should it have been too much."""
        if self._heard_bytes > _MAX_HEARD_BYTES_PER_S and self._pipe:
            self._pipe.resume_reading()
        self._heard_bytes = 0


class Runner:
    """Runs programs, each in a session of its own, with a clean environment and no more than its limits."""

    def __init__(self, scratch: Path, *, clock: Clock, recorder: CommandRecorder) -> None:
        """`scratch` is a directory of its own, for the homes of programs that have none."""
        self._scratch = scratch
        self._clock = clock
        self._recorder = recorder

    async def run(
        self,
        command: Command,
        *,
        timeout_s: float = DEFAULT_TIMEOUT_S,
        max_output_bytes: int = DEFAULT_MAX_OUTPUT_BYTES,
    ) -> Finished:
        """Run a program to its end; whatever its status is, it is no error here.

        Raises:
            TimedOut: it took too long. Flooded: it wrote too much. Either way nothing of it is left.
            Misconfigured: it cannot be run on this machine.
            Unavailable: there can be no more processes now.
        """
        async with self.start(command, stdout=True) as child:
            try:
                async with asyncio.timeout(timeout_s):
                    output = await _read_all(child, command.name, max_output_bytes)
                    status = await child.wait()
            except TimeoutError:
                self._recorder.command_timed_out(command.name)
                raise TimedOut(f"{command.name} took longer than {timeout_s:g} s.") from None
        return Finished(output, status, child.duration_s, child.complaints)

    @asynccontextmanager
    async def start(
        self, command: Command, *, stdin: bool = False, stdout: bool = False
    ) -> AsyncIterator[Child]:
        """Have a program run while the context is open; at its end nothing of it is left.

        Raises:
            Misconfigured: it cannot be run on this machine.
            Unavailable: there can be no more processes now.
        """
        launched = Launched(
            command,
            stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
            stdout=subprocess.PIPE if stdout else subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            scratch=self._scratch,
        )
        child = Child(launched, self._clock)
        try:
            await child.open_streams()
            yield child
        finally:
            await child.close()
            self._record(command.name, child)

    def _record(self, name: str, child: Child) -> None:
        self._recorder.command_ended(name, child.duration_s)
        if child.status == 0:
            self._recorder.command_succeeded(name)


@asynccontextmanager
async def open_runner(scratch: Path, *, clock: Clock, recorder: CommandRecorder) -> AsyncIterator[Runner]:
    """Make a runner; what an earlier program left in `scratch` is removed first, and all of it at the end."""
    await asyncio.to_thread(_empty, scratch)
    try:
        yield Runner(scratch, clock=clock, recorder=recorder)
    finally:
        await asyncio.to_thread(shutil.rmtree, scratch, ignore_errors=True)


def _empty(directory: Path) -> None:
    end_leftovers(directory)
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)


async def _read_all(child: Child, name: str, max_bytes: int) -> bytes:
    assert child.stdout is not None
    output = bytearray()
    while chunk := await child.stdout.read(1 << 16):
        output += chunk
        if len(output) > max_bytes:
            raise Flooded(f"{name} wrote more than {max_bytes} bytes.")
    return bytes(output)
