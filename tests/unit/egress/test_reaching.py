"""Whether an address can be reached: real sockets on loopback."""

import asyncio
import ipaddress
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from glimpser.core.errors import Denied, InvalidInput, Unavailable
from glimpser.egress.fetching import open_fetcher
from glimpser.egress.gate import Gate, GatePolicy, Resolve, resolve_host
from glimpser.egress.reaching import Reach

pytestmark = pytest.mark.anyio

OPEN = Gate(GatePolicy((ipaddress.ip_network("127.0.0.0/8"),), setting="capture.camera_cidrs"))
CLOSED = Gate(GatePolicy())
CLOSED_TO_CAMERAS = Gate(GatePolicy(setting="capture.camera_cidrs"))


@asynccontextmanager
async def reaching(
    gate: Gate, cameras: Gate = CLOSED, *, resolve: Resolve = resolve_host
) -> AsyncIterator[Reach]:
    async with open_fetcher(gate, agent="test") as fetcher:
        yield Reach(gate, cameras, fetcher, resolve=resolve)


@dataclass
class Server:
    """Gives `answer` to the first line it hears; then ends, unless it is to be `silent` from then on."""

    answer: bytes = b""
    silent: bool = False
    port: int = 0
    heard: list[bytes] = field(default_factory=list)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = await reader.readline()
        self.heard.append(line)
        self.arrived.set()
        writer.write(self.answer)
        if self.silent and line:
            await reader.read()  # until the other side has had enough
        writer.close()


@asynccontextmanager
async def listening(server: Server) -> AsyncIterator[Server]:
    opened = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    async with opened:
        server.port = opened.sockets[0].getsockname()[1]
        yield server


async def test_what_listens_is_reached() -> None:
    async with listening(Server()) as server, reaching(CLOSED, OPEN) as reach:
        await reach.connect(await reach.resolve(f"rtsp://ann:pw@127.0.0.1:{server.port}/one", camera=None))

        await asyncio.wait_for(server.arrived.wait(), 5)


async def test_a_port_nobody_listens_on_is_said_in_plain_words() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

    async with reaching(OPEN) as reach:
        with pytest.raises(Unavailable, match=f"127.0.0.1 port {port}: the connection was refused"):
            await reach.connect(await reach.resolve(f"http://127.0.0.1:{port}/", camera=None))


@pytest.mark.parametrize(
    ("url", "camera", "setting"),
    [
        ("http://127.0.0.1/", False, "egress_allow"),
        ("http://127.0.0.1/", True, "camera_cidrs"),
        ("http://127.0.0.1/", None, "egress_allow"),
        ("rtsp://127.0.0.1/", None, "camera_cidrs"),
    ],
    ids=["page", "camera", "unknown", "unknown-rtsp"],
)
async def test_a_closed_address_is_refused_by_the_setting_that_would_open_it(
    url: str, setting: str, *, camera: bool | None
) -> None:
    async with reaching(CLOSED, CLOSED_TO_CAMERAS) as reach:
        with pytest.raises(Denied, match=rf"capture\.{setting}"):
            await reach.resolve(url, camera=camera)


async def test_what_is_open_to_cameras_alone_is_so() -> None:
    async with reaching(CLOSED, OPEN) as reach:
        await reach.resolve("http://127.0.0.1/", camera=True)
        await reach.resolve("http://127.0.0.1/", camera=None)
        with pytest.raises(Denied, match=r"capture\.egress_allow"):
            await reach.resolve("http://127.0.0.1/", camera=False)


async def test_a_name_that_does_not_resolve_is_said() -> None:
    def resolve(_host: str, _port: int) -> Sequence[str]:
        raise socket.gaierror("no such name")

    async with reaching(CLOSED, OPEN, resolve=resolve) as reach:
        with pytest.raises(Unavailable, match=r"cam\.example does not resolve"):
            await reach.resolve("rtsp://cam.example/", camera=None)


async def test_what_is_no_address_is_refused() -> None:
    async with reaching(OPEN) as reach:
        with pytest.raises(InvalidInput):
            await reach.resolve("file:///etc/passwd", camera=None)


@pytest.mark.parametrize(
    "answer",
    [b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx", b"HTTP/1.1 500 Oops\r\n\r\n", b"SSH-2.0-x\r\n", b""],
    ids=["good", "error", "no-http", "end"],
)
async def test_any_answer_is_one(answer: bytes) -> None:
    async with listening(Server(answer)) as server, reaching(OPEN) as reach:
        checked = await reach.resolve(f"http://ann:pw@127.0.0.1:{server.port}/one", camera=None)
        async with asyncio.timeout(5):
            await reach.hear(checked)

        assert server.heard == [b"GET /one HTTP/1.1\r\n"]


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200 OK\r\nContent-Type:"], ids=["nothing", "half"])
async def test_silence_is_waited_for(answer: bytes) -> None:
    async with listening(Server(answer, silent=True)) as server, reaching(OPEN) as reach:
        checked = await reach.resolve(f"http://127.0.0.1:{server.port}/", camera=None)

        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await reach.hear(checked)


@pytest.mark.parametrize("scheme", ["rtsp", "http"])
async def test_who_speaks_another_protocol_or_is_open_to_cameras_alone_is_not_asked(scheme: str) -> None:
    async with listening(Server()) as server, reaching(CLOSED, OPEN) as reach:
        await reach.hear(await reach.resolve(f"{scheme}://127.0.0.1:{server.port}/", camera=None))

        assert server.heard == []
