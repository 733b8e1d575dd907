"""Decoding by the GPU: an ffmpeg child takes packets on its stdin and gives pictures on its stdout.

The child never opens anything itself: the packets are those this worker reads, so that it needs no network,
no address and no credentials, and recording has the camera's own packets as ever. When it fails, the CPU
takes over at the next key frame.
"""

import os
import queue
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import av
from av.bitstream import BitStreamFilterContext
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from glimpser.capture.ingest.ring import VideoPacket
from glimpser.core.errors import GlimpserError
from glimpser.core.redaction import redact
from glimpser.process.command import Command, Limits
from glimpser.process.launching import Launched

Acceleration = Literal["vaapi", "cuda", "qsv"]

FIRST_PICTURE_WITHIN_S = 5.0
_MAX_WAITING_BYTES = 8 << 20
"""A child that leaves so much untaken hangs."""
_MAX_PICTURES = 8
_DRAIN_S = 0.3
_MAX_SAID_BYTES = 4096
_FILTERS = {"h264": "h264_mp4toannexb", "hevc": "hevc_mp4toannexb"}
"""What makes of a codec's packets its byte stream (ITU-T H.264 and H.265, annex B), whose format is called
like the codec."""
_DELIMITERS = {"h264": b"\0\0\0\1\x09\xf0", "hevc": b"\0\0\0\1\x46\x01\x50"}
"""Access unit delimiters. With one behind a packet its end is known at once, not when the next one comes."""
_LIMITS = Limits(memory_bytes=None, file_size_bytes=1 << 20, open_files=256)
_START_CODE = b"\0\0\1"


class Codec(Protocol):
    """What decodes packets: libav's own codec context, or the child below."""

    def decode(self, packet: "VideoPacket | None" = None) -> list[VideoFrame]:
        """Take a packet, None at the end, and give the pictures that are ready, in order.

        Raises:
            av.error.FFmpegError: go on with the next key frame.
        """
        ...

    def flush_buffers(self) -> None: ...


def ffmpeg_command(program: str, how: Acceleration, *, bitstream: str) -> Command:
    """Make the child's command line: the device decodes or nothing does, and nothing but pipes is opened."""
    decoder = ("-c:v", f"{bitstream}_qsv") if how == "qsv" else ()
    return Command(
        name="ffmpeg",
        argv=(
            *(program, "-hide_banner", "-nostdin", "-loglevel", "error"),
            *("-protocol_whitelist", "pipe"),
            *("-hwaccel", how, "-hwaccel_output_format", how, *decoder),
            *("-fflags", "nobuffer", "-flags", "low_delay", "-probesize", "32768", "-analyzeduration", "0"),
            *("-f", bitstream, "-i", "pipe:0"),
            *("-map", "0:v:0", "-vf", "hwdownload,format=nv12,format=yuv420p", "-vsync", "passthrough"),
            *("-c:v", "rawvideo", "-f", "nut", "-flush_packets", "1", "pipe:1"),
        ),
        home=Path("/"),
        limits=_LIMITS,
        grace_s=0.5,
    )


@dataclass(frozen=True, slots=True)
class Device:
    """What is asked for: the way to decode, and the ffmpeg that knows it (None: there is none)."""

    how: Acceleration
    ffmpeg: str | None


class HardwareCodec:
    """A `Codec` that a child runs, and after its first failure the CPU. One thread; close it."""

    def __init__(
        self, stream: VideoStream, device: Device, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._software = software_codec(stream)
        self._monotonic = monotonic
        self._child: _Child | None = None
        self._fed_since: float | None = None
        self._gave_picture = False
        self.trouble: str | None = None
        """Why the CPU decodes, in plain words; None while the hardware does."""
        try:
            self._child = _start(stream, device)
        except (GlimpserError, OSError, av.error.FFmpegError, ValueError) as error:
            self._give_up(device.how, str(error))
        self._how = device.how

    def decode(self, packet: "VideoPacket | None" = None) -> list[VideoFrame]:
        """Take a packet and give what is ready; pictures come a packet or two late."""
        if self._child is None:
            return self._software.decode(packet)
        now = self._monotonic()
        self._fed_since = now if self._fed_since is None else self._fed_since
        try:
            frames = self._child.take() if packet is None else self._child.feed(packet)
        except (OSError, av.error.FFmpegError) as error:
            raise self._failed(str(error)) from error
        self._gave_picture = self._gave_picture or bool(frames)
        if not self._gave_picture and now - self._fed_since > FIRST_PICTURE_WITHIN_S:
            raise self._failed("no picture came")
        return frames

    def flush_buffers(self) -> None:
        """Forget what was not given yet."""
        if self._child is None:
            self._software.flush_buffers()
        else:
            self._child.forget()

    def close(self) -> None:
        """End the child."""
        if self._child is not None:
            self._child.close()
            self._child = None

    def _failed(self, why: str) -> av.error.FFmpegError:
        assert self._child is not None
        said = self._child.last_words()
        self.close()
        self._give_up(self._how, said or why)
        return av.error.InvalidDataError(0, "the hardware decodes no more")

    def _give_up(self, how: str, why: str) -> None:
        self.trouble = f"Decoding by {how} fails ({why}): the CPU decodes."


def _start(stream: VideoStream, device: Device) -> "_Child":
    name = stream.codec_context.name
    if device.ffmpeg is None:
        raise ValueError("ffmpeg is not installed")
    if name not in _FILTERS:
        raise ValueError(f"it is for H.264 and HEVC, and this is {name}")
    command = ffmpeg_command(device.ffmpeg, device.how, bitstream=name)
    return _Child(command, stream, _DELIMITERS[name])


def software_codec(stream: VideoStream) -> Codec:
    """Give libav's decoder of a stream, without threads of its own."""
    codec = stream.codec_context
    codec.thread_type = "NONE"
    codec.thread_count = 1
    return codec


def _parameters(stream: VideoStream) -> bytes:
    """Give the parameter sets that come apart from the stream, if they are in its form already."""
    extradata = stream.codec_context.extradata or b""
    return bytes(extradata) if _START_CODE in extradata[:4] else b""


class _Child:
    """The running ffmpeg. A thread reads its pictures, so that neither pipe can block the other."""

    def __init__(self, command: Command, stream: VideoStream, delimiter: bytes) -> None:
        """Raises: Unavailable, av.error.FFmpegError."""
        self._filtering = BitStreamFilterContext(_FILTERS[stream.codec_context.name], in_stream=stream)
        self._delimiter = delimiter
        head = _parameters(stream)
        pipe = subprocess.PIPE
        self._launched = Launched(command, stdin=pipe, stdout=pipe, stderr=pipe, scratch=Path("/"))
        self._untaken: deque[memoryview] = deque([memoryview(head)] if head else [])
        self._untaken_bytes = len(head)
        self._pictures: queue.Queue[VideoFrame] = queue.Queue(_MAX_PICTURES)
        self._said = bytearray()
        process = self._launched.process
        assert process.stdin is not None
        self._stdin_fd = process.stdin.fileno()
        os.set_blocking(self._stdin_fd, False)
        self._ended = threading.Event()
        self._threads = [
            threading.Thread(target=read, name=f"ffmpeg-{what}", daemon=True)
            for what, read in (("pictures", self._read_pictures), ("stderr", self._read_stderr))
        ]
        for thread in self._threads:
            thread.start()

    def feed(self, packet: VideoPacket) -> list[VideoFrame]:
        """Hand a packet over. Raises: OSError, av.error.FFmpegError."""
        copy = av.Packet(bytes(packet))  # the filter takes what it is given, and the ring keeps the packet
        copy.pts, copy.dts, copy.time_base = packet.pts, packet.dts, packet.time_base
        for filtered in self._filtering.filter(copy):
            data = memoryview(bytes(filtered) + self._delimiter)
            self._untaken.append(data)
            self._untaken_bytes += len(data)
        self._write()
        if self._ended.is_set():
            raise OSError("it ended")
        if self._untaken_bytes > _MAX_WAITING_BYTES:
            raise OSError("it hangs")
        return list(self._ready())

    def take(self) -> list[VideoFrame]:
        """Give what still comes, within a moment. Raises: OSError."""
        with suppress(OSError):
            self._write()
        with suppress(queue.Empty):
            return [self._pictures.get(timeout=_DRAIN_S), *self._ready()]
        if self._ended.is_set():
            raise OSError("it ended")
        return []

    def forget(self) -> None:
        for _ in self._ready():
            pass

    def last_words(self) -> str:
        """Give the last line it wrote to stderr."""
        self._threads[1].join(_DRAIN_S)
        lines = self._said.decode(errors="replace").strip().splitlines()
        return redact(lines[-1].strip()) if lines else ""

    def close(self) -> None:
        """End it and what reads from it."""
        process = self._launched.process
        with suppress(OSError):
            assert process.stdin is not None
            process.stdin.close()
        self._launched.end()
        while any(thread.is_alive() for thread in self._threads):
            self.forget()  # the reader may wait for room
            for thread in self._threads:
                thread.join(0.05)
        for pipe in (process.stdout, process.stderr):
            assert pipe is not None
            pipe.close()

    def _write(self) -> None:
        while self._untaken:
            data = self._untaken[0]
            try:
                written = os.write(self._stdin_fd, data)
            except BlockingIOError:
                return
            self._untaken_bytes -= written
            if written < len(data):
                self._untaken[0] = data[written:]
            else:
                self._untaken.popleft()

    def _ready(self) -> Iterator[VideoFrame]:
        with suppress(queue.Empty):
            while True:
                yield self._pictures.get_nowait()

    def _read_pictures(self) -> None:
        stdout = self._launched.process.stdout
        try:
            with av.open(stdout, "r", format="nut", options={"fpsprobesize": "0"}) as container:
                for frame in container.decode(video=0):
                    self._pictures.put(frame)
        except (av.error.FFmpegError, OSError, ValueError):
            pass  # it ended, and said why to stderr
        finally:
            self._ended.set()

    def _read_stderr(self) -> None:
        stderr = self._launched.process.stderr
        assert stderr is not None
        while chunk := os.read(stderr.fileno(), 4096):
            self._said += chunk
            del self._said[:-_MAX_SAID_BYTES]
