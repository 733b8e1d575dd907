"""Whether an address can be reached: real sockets on loopback."""

import asyncio
import ipaddress
import socket
from collections.abc import Sequence

import pytest

from glimpser.core.errors import Denied, InvalidInput, Unavailable
from glimpser.egress.gate import Gate, GatePolicy
from glimpser.egress.reaching import Reach

pytestmark = pytest.mark.anyio

OPEN = Gate(GatePolicy((ipaddress.ip_network("127.0.0.0/8"),), setting="capture.camera_cidrs"))
CLOSED = Gate(GatePolicy())


async def test_what_listens_is_reached() -> None:
    arrived = asyncio.Event()

    async def serve(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        arrived.set()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    reach = Reach([CLOSED, OPEN])
    async with server:
        port = server.sockets[0].getsockname()[1]

        await reach.connect(await reach.resolve(f"rtsp://ann:pw@127.0.0.1:{port}/one"))

        await asyncio.wait_for(arrived.wait(), 5)


async def test_a_port_nobody_listens_on_is_said_in_plain_words() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    reach = Reach([OPEN])

    with pytest.raises(Unavailable, match=f"127.0.0.1 port {port}: the connection was refused"):
        await reach.connect(await reach.resolve(f"http://127.0.0.1:{port}/"))


async def test_an_address_closed_to_all_is_never_connected_to() -> None:
    with pytest.raises(Denied, match=r"capture\.egress_allow"):
        await Reach([CLOSED, CLOSED]).resolve("http://127.0.0.1/")


async def test_a_name_that_does_not_resolve_is_said() -> None:
    def resolve(_host: str, _port: int) -> Sequence[str]:
        raise socket.gaierror("no such name")

    with pytest.raises(Unavailable, match=r"cam\.example does not resolve"):
        await Reach([OPEN], resolve=resolve).resolve("rtsp://cam.example/")


async def test_what_is_no_address_is_refused() -> None:
    with pytest.raises(InvalidInput):
        await Reach([OPEN]).resolve("file:///etc/passwd")
