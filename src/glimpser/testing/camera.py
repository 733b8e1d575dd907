"""A fake IP camera: a child process that loops a clip over RTSP without an encoder.

Tests use the class:

    with FakeCamera(clip) as camera:
        av.open(camera.url)
        camera.freeze()

The same module is the child's program, `python -m glimpser.testing.camera CLIP`. It prints one JSON line with
its port when ready, then obeys one command a line on its standard input: freeze, thaw, stop-serving, serve,
quit. Each is answered by one JSON line once it is done. It ends when its input closes or its parent dies.
"""

import argparse
import asyncio
import ctypes
import itertools
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self
from urllib.parse import quote

import av
from av.bitstream import BitStreamFilterContext

from glimpser.core.errors import InvalidInput, Unavailable
from glimpser.streaming.rtsp import Lower, RtspServer

MAX_CLIP_BYTES: Final = 256 * 1024 * 1024
_HOST: Final = "127.0.0.1"
_ANSWER_S: Final = 15.0
_PR_SET_PDEATHSIG: Final = 1  # <linux/prctl.h>


class FakeCamera:
    """The parent's side: starts, steers and ends one camera process. Not for more than one thread.

    The camera also dies with the *thread* that started it (that is how Linux counts parents), so start it in
    one that lives as long as the test.
    """

    def __init__(
        self,
        clip: Path,
        *,
        path: str = "cam",
        login: tuple[str, str] | None = None,
        transports: Collection[Lower] = frozenset(Lower),
    ) -> None:
        """Prepare a camera that loops `clip` (H.264); `login` is the user and password it asks for."""
        self._arguments = [str(clip), "--path", path, "--transports", *sorted(transports)]
        if login is not None:
            self._arguments += [f"--user={login[0]}", f"--password={login[1]}"]
        self._path = path
        self._login = login
        self._process: subprocess.Popen[str] | None = None
        self.port = 0

    def __enter__(self) -> Self:
        """Start the camera and wait until it serves.

        Raises:
            Unavailable: it did not start; it has said why on its standard error.
        """
        self._start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            with suppress(Unavailable, OSError):
                self._ask("quit")
            self.kill()

    @property
    def url(self) -> str:
        """Where it is seen, with the login it asks for."""
        return self.url_as(self._login)

    def url_as(self, login: tuple[str, str] | None) -> str:
        """Give the URL with another login, or with none."""
        user_info = f"{quote(login[0], safe='')}:{quote(login[1], safe='')}@" if login else ""
        return f"rtsp://{user_info}{_HOST}:{self.port}/{self._path}"

    @property
    def pid(self) -> int | None:
        """The camera's process, None while there is none."""
        return None if self._process is None else self._process.pid

    def freeze(self) -> None:
        """Send no more packets, and keep every connection open."""
        self._ask("freeze")

    def thaw(self) -> None:
        """Go on where the picture stood still; its timestamps have moved on."""
        self._ask("thaw")

    def off(self) -> None:
        """Close the listening socket and every session, as a camera without power."""
        self._ask("stop-serving")

    def on(self) -> None:
        """Serve again on the same port, the clip from its beginning, as a camera after a restart."""
        self._ask("serve")

    def kill(self) -> None:
        """End the process by SIGKILL; without one, do nothing."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    with suppress(BrokenPipeError):
                        pipe.close()

    def restart(self) -> None:
        """Start a new process on the same port, after killing one that still runs."""
        self.kill()
        self._start()

    def _start(self) -> None:
        own = [f"--port={self.port}", f"--parent={os.getpid()}"]
        command = [sys.executable, "-m", "glimpser.testing.camera", *self._arguments, *own]
        self._process = subprocess.Popen(  # noqa: S603 - our own program; no shell reads the arguments
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        try:
            self.port = int(self._answer()["port"])
        except Unavailable:
            self.kill()
            raise

    def _ask(self, command: str) -> None:
        if self._process is None or self._process.stdin is None:
            raise Unavailable("the fake camera is not running")
        try:
            self._process.stdin.write(command + "\n")
            self._process.stdin.flush()
        except BrokenPipeError as error:
            raise Unavailable("the fake camera has ended") from error
        answer = self._answer()
        if answer.get("done") != command:
            raise Unavailable(f"the fake camera did not {command}: {answer.get('error')}")

    def _answer(self) -> dict[str, str]:
        """Read one line; there is never more than one on its way, so that waiting on the pipe is enough."""
        assert self._process is not None
        assert self._process.stdout is not None
        ready, _, _ = select.select([self._process.stdout], [], [], _ANSWER_S)
        line = self._process.stdout.readline() if ready else ""
        if not line:
            raise Unavailable("the fake camera has ended" if ready else "the fake camera does not answer")
        answer: dict[str, str] = json.loads(line)
        return answer


@dataclass(frozen=True, slots=True)
class ClipUnit:
    """One access unit (Annex B); times in seconds from the clip's first decoding time."""

    data: bytes
    dts_s: float
    pts_s: float
    key: bool


@dataclass(frozen=True, slots=True)
class Clip:
    """A clip's video, ready to be sent. `duration_s` is where its repetition starts."""

    units: tuple[ClipUnit, ...]
    duration_s: float

    def forever(self) -> Iterator[ClipUnit]:
        """Repeat the clip without end; times go on across the seam."""
        for base_s in itertools.count(0.0, self.duration_s):
            for unit in self.units:
                yield ClipUnit(unit.data, base_s + unit.dts_s, base_s + unit.pts_s, unit.key)


def load_clip(path: Path) -> Clip:
    """Read the packets of an H.264 file without decoding them.

    Raises:
        InvalidInput: it cannot be read, holds no H.264, or more than 256 MiB of it.
    """
    try:
        with av.open(str(path)) as container:
            if not container.streams.video or container.streams.video[0].codec.name != "h264":
                raise InvalidInput(f"{path.name} holds no H.264 video")
            units = tuple(_read_units(container))
    except (av.FFmpegError, OSError) as error:
        raise InvalidInput(f"{path.name} cannot be read: {error}") from error
    if len(units) < 2:
        raise InvalidInput(f"{path.name} holds less than two pictures")
    first_s, last_s = units[0].dts_s, units[-1].dts_s
    moved = tuple(ClipUnit(u.data, u.dts_s - first_s, u.pts_s - first_s, u.key) for u in units)
    return Clip(moved, (last_s - first_s) * len(units) / (len(units) - 1))


def _read_units(container: av.container.InputContainer) -> Iterator[ClipUnit]:
    stream = container.streams.video[0]
    annex_b = BitStreamFilterContext("h264_mp4toannexb", stream)
    size_bytes = 0
    for packet in container.demux(stream):
        if packet.dts is None or packet.pts is None:
            continue
        dts_s, pts_s = float(packet.dts * packet.time_base), float(packet.pts * packet.time_base)
        size_bytes += packet.size
        if size_bytes > MAX_CLIP_BYTES:
            raise InvalidInput(f"the clip is larger than {MAX_CLIP_BYTES >> 20} MiB")
        key = packet.is_keyframe
        yield ClipUnit(b"".join(bytes(part) for part in annex_b.filter(packet)), dts_s, pts_s, key)


class Player:
    """Gives a clip's units at their own speed, without end."""

    def __init__(
        self,
        clip: Clip,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._clip = clip
        self._clock = clock
        self._sleep = sleep
        self._running = asyncio.Event()
        self._running.set()

    def freeze(self) -> None:
        self._running.clear()

    def thaw(self) -> None:
        self._running.set()

    async def play(self, push: Callable[[ClipUnit], None]) -> None:
        """Push each unit when it is due. Frozen time is added to every later timestamp."""
        origin_s, frozen_s = self._clock(), 0.0
        for unit in self._clip.forever():
            await self._sleep(origin_s + frozen_s + unit.dts_s - self._clock())
            if not self._running.is_set():
                stopped_s = self._clock()
                await self._running.wait()
                frozen_s += self._clock() - stopped_s
            push(ClipUnit(unit.data, unit.dts_s + frozen_s, unit.pts_s + frozen_s, unit.key))


class Program:
    """The child's side: obeys commands about one clip, one server and one player."""

    def __init__(self, clip: Clip, options: argparse.Namespace) -> None:
        self._player = Player(clip)
        self._options = options
        self._served: AbstractAsyncContextManager[int] | None = None

    async def serve(self) -> int:
        """Begin to serve and give the port; later ones are the same."""
        if self._served is None:
            self._served = self._serving()
            self._options.port = await self._served.__aenter__()
        return int(self._options.port)

    async def stop_serving(self) -> None:
        served, self._served = self._served, None
        if served is not None:
            await served.__aexit__(None, None, None)

    async def obey(self, command: str) -> None:
        """Carry out one command.

        Raises:
            InvalidInput: there is no such command.
        """
        match command:
            case "freeze":
                self._player.freeze()
            case "thaw":
                self._player.thaw()
            case "stop-serving" | "quit":
                await self.stop_serving()
            case "serve":
                await self.serve()
            case _:
                raise InvalidInput(f"unknown command {command!r}")

    @asynccontextmanager
    async def _serving(self) -> AsyncIterator[int]:
        options = self._options
        users = None if options.user is None else {options.user: options.password}
        accepted = frozenset(Lower(name) for name in options.transports)
        async with (
            RtspServer(_HOST, options.port, users=users, accepted=accepted) as server,
            asyncio.TaskGroup() as group,
        ):
            mount = server.mount(options.path)
            playing = group.create_task(
                self._player.play(lambda u: mount.push(u.data, round(u.pts_s * 90_000), key=u.key))
            )
            try:
                yield server.port
            finally:
                playing.cancel()


async def _run(options: argparse.Namespace) -> None:
    program = Program(load_clip(options.clip), options)
    commands = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)
    try:
        _say(port=await program.serve())
        while line := await commands.readline():
            command = line.decode(errors="replace").strip()
            try:
                await program.obey(command)
            except (InvalidInput, OSError) as error:
                _say(error=str(error))
            else:
                _say(done=command)
            if command == "quit":
                break
    finally:
        await program.stop_serving()


def _say(**values: str | int) -> None:
    sys.stdout.write(json.dumps(values) + "\n")
    sys.stdout.flush()


def _die_with_parent(parent: int) -> None:
    """Ask the kernel for SIGKILL at the parent's death, then make sure that it has not died before."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit(0)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the camera until it is told to quit or its standard input (a pipe or a terminal) closes."""
    parser = argparse.ArgumentParser(description="Loop an H.264 clip as an RTSP camera.")
    parser.add_argument("clip", type=Path)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--path", default="cam")
    parser.add_argument("--user")
    parser.add_argument("--password", default="")
    parser.add_argument("--transports", nargs="+", choices=[*Lower], default=[*Lower])
    parser.add_argument("--parent", type=int, help="die with this process")
    options = parser.parse_args(arguments)
    if options.parent is not None:
        _die_with_parent(options.parent)
    asyncio.run(_run(options))


if __name__ == "__main__":
    main()
