"""What the server refuses before it is a request: too long, too many, no HTTP; all as problem documents."""

import asyncio
import json
from collections.abc import AsyncIterator
from ipaddress import ip_network
from pathlib import Path

import pytest

from glimpser.web.crowd import SPARE, SPARE_OF_ONE, Limits
from glimpser.web.refusals import MAX_HEAD_BYTES, MAX_TARGET_BYTES
from tests.integration.test_api import Running, running

pytestmark = pytest.mark.anyio

OPENING = b"GET /api/live HTTP/1.1\r\nUpgrade: websocket\r\nConnection: upgrade\r\n"


@pytest.fixture
async def served(data_dir: Path) -> AsyncIterator[Running]:
    async with running(data_dir) as opened:
        yield opened


def read_problem(answer: bytes, status: int) -> dict[str, object]:
    """Read a refusal that a program can read, and that closes the connection."""
    head, _, body = answer.partition(b"\r\n\r\n")
    lines = head.decode().lower().split("\r\n")
    assert lines[0].startswith(f"http/1.1 {status} ")
    assert "content-type: application/problem+json" in lines
    assert "connection: close" in lines
    assert "x-content-type-options: nosniff" in lines
    assert f"content-length: {len(body)}" in lines
    problem: dict[str, object] = json.loads(body)
    assert problem["status"] == status
    assert problem["request_id"]
    return problem


def head(target: bytes = b"/healthz", filler_bytes: int = 0) -> bytes:
    filler = b"X-Filler: " + b"x" * filler_bytes + b"\r\n" if filler_bytes else b""
    return b"GET " + target + b" HTTP/1.1\r\n" + filler + b"Connection: close\r\n\r\n"


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (head(b"/" + b"a" * MAX_TARGET_BYTES), 414),
        (head(b"/healthz?q=" + b"a" * MAX_TARGET_BYTES), 414),
        (b"GET /" + b"a" * (MAX_HEAD_BYTES + 1), 414),
        (head(filler_bytes=MAX_HEAD_BYTES), 431),
        (b"GET / HTTP/1.1\r\nX-Filler: " + b"x" * (MAX_HEAD_BYTES + 1), 431),
        (b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * (MAX_HEAD_BYTES // 6 + 1) + b"\r\n", 431),
        (OPENING + b"X-Filler: " + b"x" * MAX_HEAD_BYTES + b"\r\n\r\n", 431),
        (OPENING.replace(b"/api/live", b"/" + b"a" * MAX_TARGET_BYTES) + b"\r\n", 414),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01", 400),
        (b"GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n", 400),
        (OPENING + b"Sec-WebSocket-Version: 13\r\nBad Name: x\r\n\r\n", 400),
    ],
    ids=[
        "path", "query", "path-without-end", "header", "header-without-end", "many-headers",
        "socket-header", "socket-path", "tls", "length", "socket-garbage",
    ],
)  # fmt: skip
async def test_what_is_too_long_or_no_http_is_told_so(
    served: Running, request_bytes: bytes, status: int
) -> None:
    problem = read_problem(await served.send(request_bytes), status)

    assert problem["detail"]
    assert (await served.client.get("/healthz")).status_code == 200


@pytest.mark.parametrize(
    "request_bytes",
    [head(b"/healthz?q=" + b"a" * (MAX_TARGET_BYTES - 11)), head(filler_bytes=MAX_HEAD_BYTES - 200)],
    ids=["target", "header"],
)
async def test_what_is_just_short_enough_is_served(served: Running, request_bytes: bytes) -> None:
    assert (await served.send(request_bytes)).startswith(b"HTTP/1.1 200 ")


async def test_a_refusal_of_a_whole_head_is_logged_and_counted_like_any_answer(served: Running) -> None:
    await served.send(head(filler_bytes=MAX_HEAD_BYTES))

    assert ("GET", "(unmatched)", 431) in served.world.recorder.served


async def silent(served: Running, count: int) -> list[asyncio.StreamWriter]:
    opened = [await asyncio.open_connection("127.0.0.1", served.server.port) for _ in range(count)]
    return [writer for _, writer in opened]


async def test_silent_connections_are_bounded_and_leave_a_server_that_serves(data_dir: Path) -> None:
    async with running(data_dir, limits=Limits(connections=2)) as served:
        writers = await silent(served, 2)
        assert read_problem(await served.send(head()), 503)["title"] == "Service Unavailable"
        writers += await silent(served, SPARE)

        assert (await served.send(b"")) == b""

        for writer in writers:
            writer.close()
        async with asyncio.timeout(5):
            while (await served.client.get("/healthz")).status_code != 200:
                pass


async def test_one_address_has_so_many_connections_and_not_more(data_dir: Path) -> None:
    async with running(data_dir, limits=Limits(connections=100, per_client=3)) as served:
        writers = await silent(served, 3)
        answer = await served.send(head())
        assert read_problem(answer, 429)["detail"] == (
            "Your address has as many connections open as one may: close some first."
        )
        assert b"retry-after: " in answer
        assert read_problem(await served.send(OPENING + b"\r\n"), 429)
        writers += await silent(served, SPARE_OF_ONE)

        assert (await served.send(head())) == b""

        for writer in writers:
            writer.close()
        async with asyncio.timeout(5):
            while not (await served.send(head())).startswith(b"HTTP/1.1 200 "):
                pass


async def test_connections_of_a_trusted_proxy_are_not_those_of_one_client(data_dir: Path) -> None:
    limits = Limits(connections=100, per_client=1, proxies=[ip_network("127.0.0.0/8")])
    async with running(data_dir, limits=limits) as served:
        writers = await silent(served, 5)

        assert (await served.send(head())).startswith(b"HTTP/1.1 200 ")
        for writer in writers:
            writer.close()


async def test_a_socket_that_has_ended_counts_no_more(data_dir: Path) -> None:
    async with running(data_dir, limits=Limits(connections=100, per_client=2)) as served:
        handshake = OPENING + b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n"
        token = (await served.world.sign_in())["Authorization"].encode()
        for _ in range(4):
            reader, writer = await asyncio.open_connection("127.0.0.1", served.server.port)
            writer.write(handshake + b"Authorization: " + token + b"\r\n\r\n")
            assert (await reader.readline()).startswith(b"HTTP/1.1 101 ")
            writer.close()
            await writer.wait_closed()
            await asyncio.sleep(0.02)

        assert (await served.send(head())).startswith(b"HTTP/1.1 200 ")
