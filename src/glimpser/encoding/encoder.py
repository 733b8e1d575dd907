"""Has videos encoded by a process that stands back from everything else and may take only so much."""

import asyncio
import json
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from glimpser.core.encoding import EncodedVideo, Still, VideoSpec
from glimpser.core.errors import Unavailable
from glimpser.encoding import wire
from glimpser.process.command import Command, Limits
from glimpser.process.runner import Child, Runner

NICENESS = 10
STALL_S = 120.0
"""So long the encoder may take for one picture, which is at most so many frames of it as a film has."""
FINISH_S = 900.0
"""So long it may take to write the index before a long file's frames: it is copied for that."""
_PROGRAM = "glimpser.encoding.encode_main"
LIMITS = Limits(memory_bytes=4 << 30, file_size_bytes=32 << 30, open_files=64)
_MAX_ANSWER_BYTES = 64 << 10
_FULL = "The disk is full: there is no room to make the video. Free some space."


class ChildEncoder:
    """Implements `core.ports.VideoEncoder`. Event loop's thread.

    Files are made in folders of their own below `scratch`, which is removed with everything in it when the
    program ends or starts. `check_room` raises Unavailable when the disk is too full to begin.
    """

    def __init__(
        self,
        runner: Runner,
        scratch: Path,
        check_room: Callable[[], Awaitable[None]],
        *,
        limits: Limits = LIMITS,
    ) -> None:
        self._limits = limits
        self._runner = runner
        self._scratch = scratch
        self._check_room = check_room

    @asynccontextmanager
    async def open(self, spec: VideoSpec) -> AsyncIterator["ChildEncoding"]:
        await self._check_room()
        with _folder(self._scratch) as folder:
            argv = (sys.executable, "-I", "-m", _PROGRAM)
            command = Command(
                name="encode",
                argv=argv,
                home=Path(folder),
                limits=self._limits,
                grace_s=1.0,
                niceness=NICENESS,
            )
            async with self._runner.start(command, stdin=True, stdout=True) as child:
                encoding = ChildEncoding(child, Path(folder) / "video.mp4")
                await encoding.begin(spec)
                yield encoding


class ChildEncoding:
    """Implements `core.encoding.Encoding`."""

    def __init__(self, child: Child, path: Path) -> None:
        self._child = child
        self._path = path

    async def begin(self, spec: VideoSpec) -> None:
        await self._tell(wire.spec_head(spec, str(self._path)))

    async def add(self, still: Still) -> None:
        await self._tell(wire.still_head(still), still.jpeg or b"")

    async def finish(self) -> EncodedVideo | None:
        await self._tell(wire.END)
        assert self._child.stdout is not None
        try:
            async with asyncio.timeout(FINISH_S):
                line = await self._child.stdout.readline()
                await self._child.wait()
        except TimeoutError:
            raise Unavailable("The encoder hangs: it was ended.") from None
        answer = _answer(line)
        if "error" in answer or "frames" not in answer:
            raise self._failure(answer)
        return await asyncio.to_thread(self._encoded, answer) if answer["frames"] else None

    def _encoded(self, answer: Mapping[str, Any]) -> EncodedVideo:
        return EncodedVideo(
            path=self._path,
            size_bytes=self._path.stat().st_size,
            codec=str(answer["codec"]),
            width_px=int(answer["width"]),
            height_px=int(answer["height"]),
            frames=int(answer["frames"]),
            unreadable=int(answer["unreadable"]),
            duration_s=float(answer["duration_s"]),
        )

    async def _tell(self, head: Mapping[str, object], picture: bytes = b"") -> None:
        assert self._child.stdin is not None
        try:
            async with asyncio.timeout(STALL_S):
                self._child.stdin.write(wire.pack(head, picture))
                await self._child.stdin.drain()
        except TimeoutError:
            raise Unavailable("The encoder hangs: it was ended.") from None
        except (ConnectionError, RuntimeError) as error:
            raise await self._why() from error

    async def _why(self) -> Unavailable:
        """Hear what an encoder said that has gone."""
        assert self._child.stdout is not None
        with suppress(TimeoutError):
            async with asyncio.timeout(STALL_S):
                answer = _answer(await self._child.stdout.read(_MAX_ANSWER_BYTES))
                await self._child.wait()
                return self._failure(answer)
        return Unavailable("The encoder hangs: it was ended.")

    def _failure(self, answer: Mapping[str, Any]) -> Unavailable:
        if answer.get("full"):
            return Unavailable(_FULL, 600)
        if "error" in answer:
            return Unavailable(f"The video cannot be encoded: {answer['error']}.", 60)
        return Unavailable(f"The encoder ended before the video did (status {self._child.status}).", 60)


def _folder(scratch: Path) -> "tempfile.TemporaryDirectory[str]":
    return tempfile.TemporaryDirectory(prefix="encode-", dir=scratch, ignore_cleanup_errors=True)


def _answer(line: bytes) -> Mapping[str, Any]:
    with suppress(ValueError):
        answer = json.loads(line)
        if isinstance(answer, dict):
            return answer
    return {}
