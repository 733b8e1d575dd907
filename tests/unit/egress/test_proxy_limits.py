"""What no client and no server can make the proxy do: wait for ever, hold everything, or stay."""

import asyncio
import threading

import pytest

from glimpser.egress.gate import Gate, GatePolicy
from glimpser.egress.proxy import ProxyLimits, open_proxy
from tests.unit.egress.proxy_world import ALLOWED, OK, OPEN, quick, serving, until, world
from tests.unit.egress.test_proxy import connect, get, status_of

pytestmark = pytest.mark.anyio


async def never(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


async def test_a_request_that_drips_is_given_up() -> None:
    async with world(quick(request_head_s=0.2)) as here:
        reader, writer = await here.connect()
        writer.write(b"GET http://h/ HTTP/1.1\r\n")
        answer = await reader.read()
        writer.close()

    assert status_of(answer) == 408


async def test_a_connection_that_asks_nothing_is_closed_in_silence() -> None:
    async with world(quick(idle_s=0.1)) as here:
        assert await here.ask(b"") == b""


async def test_an_endless_head_is_refused() -> None:
    async with world() as here:
        answer = await here.ask(b"GET http://h/ HTTP/1.1\r\nX: " + b"a" * 70_000)

    assert status_of(answer) == 431


async def test_a_long_head_that_ends_is_read() -> None:
    async with world() as here, serving() as server:
        assert status_of(await here.ask(get(OPEN, server.port, "Cookie: " + "a" * 50_000))) == 200


async def test_a_server_that_never_answers_is_given_up() -> None:
    async with world(quick(response_head_s=0.1)) as here, serving(never) as server:
        assert status_of(await here.ask(get(OPEN, server.port))) == 504


async def test_a_server_with_an_endless_head_is_given_up() -> None:
    async with world() as here, serving(b"HTTP/1.1 200 OK\r\nX: " + b"a" * 70_000) as server:
        assert status_of(await here.ask(get(OPEN, server.port))) == 502


async def test_a_tunnel_in_which_nothing_moves_is_closed() -> None:
    async with world(quick(idle_s=0.1)) as here, serving(never) as server:
        with pytest.raises(ConnectionResetError):
            await here.ask(connect(OPEN, server.port))


async def test_a_resolver_that_hangs_is_given_up() -> None:
    hang = threading.Event()

    def resolve(host: str, port: int) -> list[str]:
        hang.wait(10)
        return [OPEN]

    limits = ProxyLimits(connect_s=0.1)
    try:
        async with open_proxy(Gate(GatePolicy(allowed=ALLOWED)), resolve=resolve, limits=limits) as proxy:
            reader, writer = await asyncio.open_connection("127.0.0.1", int(proxy.url.rpartition(":")[2]))
            writer.write(get("slow.example", 80))
            answer = await reader.read()
            writer.close()
    finally:
        hang.set()

    assert status_of(answer) == 504


async def test_connections_beyond_the_cap_are_refused_and_room_comes_back() -> None:
    async with world(ProxyLimits(max_connections=1)) as here, serving() as server:
        reader, writer = await here.connect()
        await until(lambda: here.proxy.connections == 1)
        refused = await here.ask(get(OPEN, server.port))
        writer.close()
        await reader.read()
        await until(lambda: here.proxy.connections == 0)
        served = await here.ask(get(OPEN, server.port))

    assert status_of(refused) == 503
    assert status_of(served) == 200


async def test_a_client_that_does_not_read_holds_the_server_back() -> None:
    sent = 0

    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(bytes(65536))
            await writer.drain()
            sent += 65536

    async with world(quick(idle_s=0.5)) as here, serving(flood) as server:
        _, writer = await here.connect()
        writer.transport.pause_reading()  # type: ignore[attr-defined]  # of a transport that reads
        writer.write(get(OPEN, server.port))
        await until(lambda: here.proxy.connections == 1)
        await until(lambda: here.proxy.connections == 0)  # idle for too long
        writer.close()

    assert sent < 32 * 1024 * 1024


async def test_a_client_that_leaves_ends_the_servers_connection() -> None:
    left = asyncio.Event()

    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        await reader.readuntil(b"\r\n\r\n")
        await reader.read()
        left.set()

    async with world() as here, serving(endless) as server:
        reader, writer = await here.connect()
        writer.write(get(OPEN, server.port))
        await reader.readuntil(b"\r\n\r\n")
        writer.close()
        await asyncio.wait_for(left.wait(), 5)


async def test_a_server_that_answers_before_it_has_heard_all_is_heard() -> None:
    async def too_large(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n")
        writer.write_eof()
        await reader.read()

    async with world() as here, serving(too_large) as server:
        head = f"POST http://{OPEN}:{server.port}/ HTTP/1.1\r\nContent-Length: 3000000\r\n\r\n".encode()
        assert status_of(await here.ask(head + bytes(3_000_000))) == 413


async def test_leaving_ends_what_runs() -> None:
    async with serving(never) as server:
        async with world() as here:
            reader, writer = await here.connect()
            writer.write(connect(OPEN, server.port))
            await reader.readuntil(b"\r\n\r\n")
        assert await asyncio.wait_for(reader.read(), 5) == b""
        writer.close()

    assert here.proxy.connections == 0


async def test_many_requests_at_once_are_all_answered() -> None:
    async with world() as here, serving() as server:
        answers = await asyncio.gather(*(here.ask(get(OPEN, server.port)) for _ in range(100)))

    assert all(answer.endswith(OK[-2:]) for answer in answers)
