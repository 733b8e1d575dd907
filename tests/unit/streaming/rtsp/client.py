"""An RTSP player for tests that speaks the protocol line by line, and what it plays."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TypeVar

from glimpser.streaming.rtsp import Limits, Lower, Mount, RtspServer
from glimpser.testing.clock import FakeClock

T = TypeVar("T")

SPS, PPS = b"\x67\x42\xc0\x1e\x8c", b"\x68\xce\x3c\x80"
START = b"\0\0\0\1"
KEY = START + SPS + START + PPS + START + b"\x65key"
DELTA = START + b"\x41delta"
TCP = "RTP/AVP/TCP;unicast;interleaved=0-1"
LIMITS = Limits(send_buffer_bytes=64 * 1024, kernel_send_buffer_bytes=16 * 1024)


@dataclass
class Reply:
    status: int
    headers: list[tuple[str, str]]
    body: bytes = b""

    def __getitem__(self, name: str) -> str:
        return next(value for key, value in self.headers if key.lower() == name.lower())


@dataclass
class Client:
    """A player that speaks RTSP byte by byte; `rtp` collects what comes on even channels."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    url: str
    cseq: int = 0
    session: str = ""
    rtp: list[bytes] = field(default_factory=list)

    async def ask(self, method: str, path: str = "cam", **headers: str) -> Reply:
        self.cseq += 1
        if self.session:
            headers.setdefault("Session", self.session)
        lines = [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        head = [f"{method} {self.url}/{path} RTSP/1.0", f"CSeq: {self.cseq}", *lines, "", ""]
        self.writer.write("\r\n".join(head).encode())
        reply = await self.reply()
        assert reply["CSeq"] == str(self.cseq)
        return reply

    async def reply(self) -> Reply:
        while (first := await self._soon(self.reader.readexactly(1))) == b"$":
            await self._interleaved()
        lines = (first + await self._soon(self.reader.readuntil(b"\r\n\r\n"))).decode().split("\r\n")
        headers = [(name, value) for name, _, value in (line.partition(": ") for line in lines[1:-2])]
        reply = Reply(int(lines[0].split(" ")[1]), headers)
        with suppress(StopIteration):
            reply.body = await self._soon(self.reader.readexactly(int(reply["Content-Length"])))
        return reply

    async def packets(self, count: int) -> list[bytes]:
        while len(self.rtp) < count:
            assert await self._soon(self.reader.readexactly(1)) == b"$"
            await self._interleaved()
        taken, self.rtp = self.rtp[:count], self.rtp[count:]
        return taken

    async def play(self, transport: str = TCP) -> Reply:
        reply = await self.ask("SETUP", "cam/trackID=0", Transport=transport)
        self.session = reply["Session"].partition(";")[0]
        assert (await self.ask("PLAY")).status == 200
        return reply

    async def ended(self) -> bool:
        """Wait for the end of the connection."""
        with suppress(ConnectionError):
            while await self._soon(self.reader.read(65_536)):
                pass
        return True

    async def _interleaved(self) -> None:
        channel, high, low = await self._soon(self.reader.readexactly(3))
        payload = await self._soon(self.reader.readexactly(high << 8 | low))
        if channel % 2 == 0:
            self.rtp.append(payload)

    @staticmethod
    async def _soon(wait: Awaitable[T]) -> T:
        return await asyncio.wait_for(wait, 5)


Connect = Callable[[RtspServer], Awaitable[Client]]


async def until(condition: Callable[[], bool]) -> None:
    """Let the loop turn until something is so."""
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - the server has no event for each thing a test may wait for
            await asyncio.sleep(0.001)


def server_with(
    users: dict[str, str] | None = None,
    *,
    limits: Limits = LIMITS,
    clock: FakeClock | None = None,
    accepted: frozenset[Lower] = frozenset(Lower),
) -> RtspServer:
    return RtspServer("127.0.0.1", 0, users=users, limits=limits, clock=clock, accepted=accepted)


def ready_mount(server: RtspServer) -> Mount:
    mount = server.mount("cam")
    mount.push(KEY, 0, key=True)
    return mount


def payloads(packets: list[bytes]) -> list[bytes]:
    return [packet[12:] for packet in packets]
