"""The proxy with real sockets: what passes, what does not, and that each request is checked."""

import asyncio
import socket
from collections.abc import Callable

import pytest

from glimpser.egress.gate import Gate, GatePolicy
from glimpser.egress.proxy import local_listener, open_proxy
from tests.unit.egress.proxy_world import ALLOWED, CLOSED, OK, OPEN, serving, until, world

pytestmark = pytest.mark.anyio


def get(host: str, port: int, *fields: str, path: str = "/") -> bytes:
    lines = (f"GET http://{host}:{port}{path} HTTP/1.1", *fields, "", "")
    return "\r\n".join(lines).encode()


def connect(host: str, port: int) -> bytes:
    return f"CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode()


def status_of(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


async def test_a_request_to_an_open_address_is_answered() -> None:
    async with world() as here, serving() as server:
        answer = await here.ask(get(OPEN, server.port, path="/a?b"))

    assert answer == b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
    assert server.heads == [f"GET /a?b HTTP/1.1\r\nHost: {OPEN}:{server.port}\r\nConnection: close\r\n\r\n"]


@pytest.mark.parametrize("make", [get, connect], ids=["http", "connect"])
async def test_a_closed_address_is_refused_with_the_reason_and_never_connected_to(
    make: Callable[[str, int], bytes],
) -> None:
    async with world() as here, serving(host=CLOSED) as server:
        answer = await here.ask(make(CLOSED, server.port))

    assert status_of(answer) == 403
    assert b"capture.egress_allow" in answer
    assert server.connections == 0
    assert here.proxy.refused == 1
    assert [(told.host, told.port) for told in here.refusals] == [(CLOSED, server.port)]


async def test_a_tunnel_carries_bytes_both_ways_until_both_sides_end() -> None:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.read())

    async with world() as here, serving(echo) as server:
        reader, writer = await here.connect()
        writer.write(connect(OPEN, server.port) + b"early ")
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 200 Connected\r\n\r\n"
        writer.write(b"late")
        writer.write_eof()
        echoed = await reader.read()
        writer.close()

    assert echoed == b"early late"


async def test_a_name_is_checked_by_all_its_addresses() -> None:
    async with world() as here, serving() as server:
        here.names["both.example"] = [[OPEN, CLOSED]]
        here.names["good.example"] = [[OPEN]]

        mixed = await here.ask(get("both.example", server.port))
        good = await here.ask(get("good.example", server.port))

    assert status_of(mixed) == 403
    assert status_of(good) == 200


async def test_a_name_that_changes_between_requests_is_checked_each_time() -> None:
    async with world() as here, serving() as server, serving(host=CLOSED) as forbidden:
        here.names["rebind.example"] = [[OPEN], [CLOSED]]

        first = await here.ask(get("rebind.example", server.port))
        second = await here.ask(get("rebind.example", forbidden.port))

    assert (status_of(first), status_of(second)) == (200, 403)
    assert forbidden.connections == 0


async def test_a_name_that_changes_during_a_request_changes_nothing() -> None:
    async with world() as here, serving() as server:
        here.names["once.example"] = [[OPEN], [CLOSED]]

        answer = await here.ask(get("once.example", server.port))

    assert status_of(answer) == 200
    assert len(here.names["once.example"]) == 1  # asked once


async def test_the_next_address_is_tried_when_one_does_not_answer() -> None:
    async with world() as here, serving() as server:
        here.names["two.example"] = [["127.0.0.1", OPEN]]

        answer = await here.ask(get("two.example", server.port))

    assert status_of(answer) == 200


async def test_a_name_nobody_knows_is_told_and_is_no_refusal_of_the_gate() -> None:
    async with world() as here:
        answer = await here.ask(get("nowhere.example", 80))

    assert status_of(answer) == 502
    assert b"does not resolve" in answer
    assert here.proxy.refused == 0


async def test_a_port_where_nobody_listens_is_told() -> None:
    with socket.create_server((OPEN, 0)) as closed:
        port = closed.getsockname()[1]

    async with world() as here:
        assert b"refuses the connection" in await here.ask(get(OPEN, port))


async def test_the_proxy_is_not_reached_through_itself() -> None:
    async with open_proxy(Gate(GatePolicy(allowed=ALLOWED))) as proxy:
        port = int(proxy.url.rpartition(":")[2])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(connect("127.0.0.1", port))
        answer = await reader.read()
        writer.close()

    assert status_of(answer) == 403
    assert b"this program itself" in answer


async def test_a_listener_bound_before_is_used_and_closed() -> None:
    listener = local_listener()
    port = listener.getsockname()[1]

    async with open_proxy(Gate(GatePolicy()), listener=listener) as proxy:
        assert proxy.url == f"http://127.0.0.1:{port}"

    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", port)


async def test_what_a_web_page_can_send_to_it_is_no_request_for_a_proxy() -> None:
    async with world() as here:
        answer = await here.ask(b"GET / HTTP/1.1\r\nHost: rebound.example\r\n\r\n")

    assert status_of(answer) == 400


# One request a connection


async def test_a_second_request_on_a_connection_goes_nowhere() -> None:
    async with world() as here, serving() as server, serving(host=CLOSED) as forbidden:
        answer = await here.ask(get(OPEN, server.port) + get(CLOSED, forbidden.port) + get(OPEN, server.port))

    assert answer.count(b"HTTP/1.1 ") == 1
    assert server.connections == len(server.heads) == 1
    assert forbidden.connections == 0


async def test_a_body_goes_on_to_its_announced_length_and_not_further() -> None:
    bodies: list[bytes] = []

    async def post(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        bodies.append(await reader.readexactly(5))
        writer.write(OK)
        await writer.drain()
        writer.write_eof()
        bodies.append(await reader.read())

    async with world() as here, serving(post) as server:
        request = f"POST http://{OPEN}:{server.port}/ HTTP/1.1\r\nContent-Length: 5\r\n\r\n12345"
        answer = await here.ask(request.encode() + get(OPEN, server.port))
        await until(lambda: len(bodies) == 2)

    assert status_of(answer) == 200
    assert bodies == [b"12345", b""]


async def test_an_interim_answer_is_passed_on_before_the_real_one() -> None:
    async with world() as here, serving(b"HTTP/1.1 100 Continue\r\n\r\n" + OK) as server:
        answer = await here.ask(get(OPEN, server.port, "Expect: 100-continue"))

    assert answer.startswith(b"HTTP/1.1 100 Continue\r\n")
    assert answer.endswith(b"\r\n\r\nok")


async def test_websocket_over_plain_http_becomes_a_tunnel() -> None:
    async def websocket(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        assert b"Upgrade: websocket\r\n" in head
        writer.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\nhello ")
        writer.write(await reader.readexactly(4))
        await writer.drain()

    async with world() as here, serving(websocket) as server:
        reader, writer = await here.connect()
        writer.write(get(OPEN, server.port, "Connection: Upgrade", "Upgrade: websocket"))
        head = await reader.readuntil(b"\r\n\r\n")
        writer.write(b"ping")
        said = await reader.read()
        writer.close()

    assert head.startswith(b"HTTP/1.1 101 ")
    assert said == b"hello ping"


@pytest.mark.parametrize(
    "answer",
    [b"", b"SSH-2.0-x\r\n\r\n", b"HTTP/1.1 101 Switching\r\n\r\n", b"HTTP/1.1 200 OK\r\nX: y"],
    ids=["nothing", "another protocol", "an upgrade nobody asked for", "half a head"],
)
async def test_an_answer_that_is_no_http_is_told(answer: bytes) -> None:
    async with world() as here, serving(answer) as server:
        assert status_of(await here.ask(get(OPEN, server.port))) == 502


async def test_an_answer_that_breaks_off_does_not_look_complete() -> None:
    async def break_off(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n\r\nhalf")
        await writer.drain()
        await asyncio.sleep(0.05)  # so that the half is read before the end
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        writer.transport.abort()

    async with world() as here, serving(break_off) as server:
        with pytest.raises(ConnectionResetError):
            await here.ask(get(OPEN, server.port))
