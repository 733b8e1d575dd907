"""Requests that should not be, as bytes on a socket, and the answers that are documented for them."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

ANSWERED_WITHIN_S = 45.0
"""Longer than the server waits for the slowest body."""
DRIP_EVERY_S = 1.0
_DEEP = b'{"email":' + b"[" * 5000 + b"]" * 5000 + b"}"
_JSON = "Content-Type: application/json\r\n"


@dataclass(frozen=True, slots=True)
class Hostile:
    """What is sent, and which status it is documented to get; too many of anything get 429.

    So many are sent `at_once`, again and again. With `drip`, bytes come one by one and the last never.
    """

    name: str
    sent: bytes
    status: int
    at_once: int = 1
    drip: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. `is_problem`: in the form of every refusal, which names its own status."""

    status: int
    headers: Mapping[str, str]
    is_problem: bool


def _request(target: str, fields: str = "", body: bytes | None = None) -> bytes:
    method = "GET" if body is None else "POST"
    length = "" if body is None or "Content-Length" in fields else f"Content-Length: {len(body)}\r\n"
    head = f"{method} {target} HTTP/1.1\r\nHost: localhost\r\n{fields}{length}\r\n"
    return head.encode() + (body or b"")


LOGIN = "/api/auth/login"
HOSTILE = (
    Hostile("anonymous", _request("/api/templates"), 401, at_once=20),
    Hostile("oversized", _request(LOGIN, f"{_JSON}Content-Length: {1 << 24}\r\n", b"{"), 413),
    Hostile("deep", _request(LOGIN, _JSON, _DEEP), 422),
    Hostile("malformed JSON", _request(LOGIN, _JSON, b'{"email":'), 400),
    Hostile("wrong content type", _request(LOGIN, "Content-Type: text/xml\r\n", b"<login/>"), 415),
    Hostile("no HTTP", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),
    Hostile("long target", _request("/api/templates?q=" + "a" * 9000), 414),
    Hostile("long head", _request("/healthz", "X-Long: " + "a" * 40_000 + "\r\n"), 431),
    Hostile("slow head", _request("/healthz"), 408, at_once=50, drip=True),
    Hostile("slow body", _request(LOGIN, _JSON, b'"' + b"a" * 900 + b'"'), 408, at_once=50, drip=True),
)


async def ask(host: str, port: int, hostile: Hostile, *, source: str) -> Answer:
    """Send it from the address `source` on a connection of its own, and read the answer.

    Raises:
        OSError, TimeoutError: there was none.
    """
    reader, writer = await asyncio.open_connection(host, port, local_addr=(source, 0))
    try:
        async with asyncio.timeout(ANSWERED_WITHIN_S), asyncio.TaskGroup() as tasks:
            sending = tasks.create_task(_send(writer, hostile))
            answer = await _read(reader)
            sending.cancel()
            return answer
    finally:
        writer.close()


async def _send(writer: asyncio.StreamWriter, hostile: Hostile) -> None:
    try:
        async for piece in _pieces(hostile):
            writer.write(piece)
            await writer.drain()
    except ConnectionError:
        """It has been refused; what it was told is read elsewhere."""


async def _pieces(hostile: Hostile) -> AsyncIterator[bytes]:
    if not hostile.drip:
        yield hostile.sent
        return
    head, separator, body = hostile.sent.partition(b"\r\n\r\n")
    start = head + separator if body else head[:-1]
    yield start
    for byte in hostile.sent[len(start) : -1]:
        await asyncio.sleep(DRIP_EVERY_S)
        yield bytes([byte])
    await asyncio.sleep(ANSWERED_WITHIN_S)


async def _read(reader: asyncio.StreamReader) -> Answer:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    status = int(head.split(" ", 2)[1])
    lines = (line.partition(":") for line in head.split("\r\n")[1:] if line)
    headers = {name.lower(): value.strip() for name, _, value in lines}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    is_problem = headers.get("content-type") == "application/problem+json"
    return Answer(status, headers, is_problem and json.loads(body)["status"] == status)
