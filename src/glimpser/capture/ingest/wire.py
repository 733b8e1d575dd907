"""What main process and ingest workers say to each other, over two socket pairs each.

message = u32 length of the rest, u16 length of the header (both little-endian), header, raw payload.
The header is a msgpack map whose key `t` names the message; the payload is a JPEG or nothing.
*Control* carries commands down, states and bursts up, and drops nothing. *Data* carries frames up and
of each view, and of its figures, the newest.
"""

import socket
import struct
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Literal, TypeVar

import msgspec

from glimpser.core.health import HealthState
from glimpser.core.live import LiveSpec, MediaInput, State
from glimpser.core.motion import Box

PREFIX = struct.Struct("<IH")
MAX_MESSAGE_BYTES = 32 << 20


class Message(msgspec.Struct, tag_field="t", omit_defaults=True, frozen=True):
    """The base of all; a subclass's tag is its name in lower case."""


class Command(Message, frozen=True):
    """From main process to worker."""


class Configure(Command, tag="configure", frozen=True):
    """The first command: what holds for all cameras of this worker."""

    allowed_networks: list[str]
    own_sockets: list[tuple[str, int]]
    file_roots: list[str]
    stall_timeout_s: float


class Start(Command, tag="start", frozen=True):
    """Run a view. All it reports carries `run`, which no start before had."""

    spec: LiveSpec[MediaInput]
    run: int
    first_epoch: int = 1


class Stop(Command, tag="stop", frozen=True):
    id: str


class Want(Command, tag="want", frozen=True):
    """Pictures to make of one view: width (0: native) → frames per second (0: every one)."""

    id: str
    widths: dict[int, float]


class Snapshot(Command, tag="snapshot", frozen=True):
    id: str
    request: int
    width: int


class Ping(Command, tag="ping", frozen=True):
    pass


class Report(Message, frozen=True):
    """From worker to main process."""


class Pong(Report, tag="pong", frozen=True):
    pass


class ViewReport(Report, frozen=True, kw_only=True):
    """About one view; `run` says of which of its starts, so that what a stopped one said last is known."""

    id: str
    run: int = 0


class StateReport(ViewReport, tag="state", frozen=True):
    """`ident` is the camera thread's, as a crash dump of the worker names it."""

    state: State
    since: datetime
    epoch: int
    reason: str | None = None
    fps: float | None = None
    w: int | None = None
    h: int | None = None
    codec: str | None = None
    ident: int = 0


class BurstReport(ViewReport, tag="burst", frozen=True):
    """A step of a burst. Payload: its new best picture, if there is one."""

    step: Literal["opened", "peak", "closed"]
    started_at: datetime
    peak_at: datetime
    score: float
    boxes: list[Box]
    ended_at: datetime | None = None
    seq: int = 0
    w: int = 0
    h: int = 0


class JudgedReport(ViewReport, tag="judged", frozen=True):
    """The pictures of a view came to another verdict; a new epoch begins without one."""

    state: HealthState
    at: datetime
    reason: str | None = None


class SnapshotReport(ViewReport, tag="shot", frozen=True):
    """The answer to a Snapshot; without payload `error` says why."""

    request: int
    seq: int = 0
    ts: datetime | None = None
    w: int = 0
    h: int = 0
    error: str | None = None


class FrameReport(ViewReport, tag="frame", frozen=True):
    """Payload: a JPEG of `w` × `h` pixels, made because of a want for width `wanted`."""

    seq: int
    ts: datetime
    w: int
    h: int
    wanted: int


class MeasureReport(ViewReport, tag="measure", frozen=True):
    fps: float
    last_packet_age_s: float
    dropped_frames: int
    restarts: int


AnyCommand = Configure | Start | Stop | Want | Snapshot | Ping
AnyReport = Pong | StateReport | BurstReport | JudgedReport | SnapshotReport | FrameReport | MeasureReport

MessageT = TypeVar("MessageT")

_encoder = msgspec.msgpack.Encoder()
_commands: msgspec.msgpack.Decoder[AnyCommand] = msgspec.msgpack.Decoder(AnyCommand)
_reports: msgspec.msgpack.Decoder[AnyReport] = msgspec.msgpack.Decoder(AnyReport)


class BrokenWire(Exception):
    """The other side is gone, or sends what is not a message."""


def decode_command(header: bytes | memoryview) -> AnyCommand:
    """Read a command. Raises: BrokenWire."""
    return _decode(_commands, header)


def decode_report(header: bytes | memoryview) -> AnyReport:
    """Read a report. Raises: BrokenWire."""
    return _decode(_reports, header)


def _decode(decoder: "msgspec.msgpack.Decoder[MessageT]", header: bytes | memoryview) -> MessageT:
    try:
        return decoder.decode(header)
    except (msgspec.DecodeError, ValueError) as error:  # ValueError: text that is not UTF-8
        raise BrokenWire("not a message we know") from error


def pack(message: Message, payload: bytes = b"") -> list[memoryview]:
    """Give the pieces of one message, for a gathering write."""
    header = _encoder.encode(message)
    prefix = PREFIX.pack(2 + len(header) + len(payload), len(header))
    return [memoryview(prefix + header), memoryview(payload)] if payload else [memoryview(prefix + header)]


class Reader:
    """Takes whole messages out of a non-blocking stream socket.

    Each body is read straight into a buffer of its own, so a payload is copied once at most.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._prefix = bytearray(PREFIX.size)
        self._body: bytearray | None = None
        self._header_size = 0
        self._have = 0

    def messages(self, budget: int = 32) -> Iterator[tuple[memoryview, memoryview]]:
        """Give (header, payload) of what has come, at most `budget` messages.

        Raises:
            BrokenWire: end of file, or not our framing.
        """
        while budget and self._fill():
            if self._body is None:
                self._begin_body()
            else:
                view, self._body = memoryview(self._body), None
                budget -= 1
                yield view[: self._header_size], view[self._header_size :]

    def _fill(self) -> bool:
        """Read on; true when the current buffer (prefix or body) is full."""
        into = self._prefix if self._body is None else self._body
        while self._have < len(into):
            try:
                count = self._sock.recv_into(memoryview(into)[self._have :])
            except BlockingIOError:
                return False
            except OSError as error:
                raise BrokenWire(str(error)) from error
            if count == 0:
                raise BrokenWire("end of file")
            self._have += count
        self._have = 0
        return True

    def _begin_body(self) -> None:
        size, self._header_size = PREFIX.unpack(self._prefix)
        if not 0 < self._header_size <= size - 2 <= MAX_MESSAGE_BYTES:
            raise BrokenWire("not a message")
        self._body = bytearray(size - 2)


class Sender:
    """Writes to a non-blocking stream socket what it takes, and keeps the rest.

    `more` gives the next message in pieces, or an empty list when there is none.
    """

    def __init__(self, sock: socket.socket, more: Callable[[], list[memoryview]]) -> None:
        self._sock = sock
        self._more = more
        self._pending: list[memoryview] = []

    def flush(self) -> bool:
        """Send; false when the socket is full and must be waited for.

        Raises:
            BrokenWire: the other side is gone.
        """
        while pending := self._pending or self._more():
            self._pending = pending
            try:
                sent = self._sock.sendmsg(pending)
            except BlockingIOError:
                return False
            except OSError as error:
                raise BrokenWire(str(error)) from error
            self._advance(sent)
        return True

    def _advance(self, sent: int) -> None:
        while self._pending and sent >= len(self._pending[0]):
            sent -= len(self._pending.pop(0))
        if self._pending:
            self._pending[0] = self._pending[0][sent:]
