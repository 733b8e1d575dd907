"""Writes pictures into uvicorn's transports, past its `send`. All that leans on its inside stands here.

`send` frames and copies every body for every viewer and needs a task to be woken each time. Here all viewers
of a picture get the same bytes in one pass of the loop. For that two attributes of uvicorn's request cycle
are used that are none of its interface; `available` proves at start, on a real connection, that they still
mean the same. When they do not, `MjpegResponse` uses `send`.
"""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any, Protocol, Self

import structlog
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from glimpser.core.frames import Frame
from glimpser.streaming.subscriptions import Published

_POLL_S = 0.01
_LIMIT_S = 2.0
_log = structlog.get_logger(__name__)


class _Cycle(Protocol):
    """What is used of uvicorn's `RequestResponseCycle`."""

    transport: asyncio.Transport
    chunked_encoding: bool | None


class Connection:
    """One HTTP/1 response in progress. Used on the event loop's thread alone."""

    __slots__ = ("_cycle", "_transport")

    def __init__(self, cycle: _Cycle) -> None:
        self._cycle = cycle
        self._transport = cycle.transport

    @classmethod
    def of(cls, send: Send) -> Self | None:
        """Find the connection behind the server's `send`; None when it is wrapped or another server's."""
        cycle: Any = getattr(send, "__self__", None)
        transport = getattr(cycle, "transport", None)
        known = hasattr(cycle, "chunked_encoding") and hasattr(transport, "get_write_buffer_size")
        return cls(cycle) if known else None

    @property
    def chunked(self) -> bool:
        """Whether the body is in chunks (RFC 9112, section 7.1), once the response has started."""
        return bool(self._cycle.chunked_encoding)

    @property
    def idle(self) -> bool:
        """Whether all that was written is in the kernel's hands. Behind TLS up to 64 KiB may still wait."""
        return self._transport.get_write_buffer_size() == 0

    def leave_unchunked(self) -> None:
        """Have the body end with the connection, as HTTP/1.0 needs it (RFC 9112, 6.1). Call before the start.

        uvicorn would send chunks, which such a client may not understand.
        """
        self._cycle.chunked_encoding = False

    def write(self, data: bytes) -> None:
        """Send body bytes, framed by the caller if `chunked`. Never waits; what comes too late is lost."""
        if not self._transport.is_closing():
            self._transport.write(data)

    def write_at_once(self) -> None:
        """Have every write tried when it is made, and `send` wait until all before it has left.

        uvloop otherwise gathers up to 64 KiB a connection until its next turn: a copy of one picture for
        every viewer, gone from the processor's cache when the kernel reads it. Behind TLS there is a copy for
        every viewer in any case, and uvloop's TLS never comes back from a limit of 0.
        """
        if self._transport.get_extra_info("ssl_object") is None:
            self._transport.set_write_buffer_limits(high=0)

    def sink(self, make: Callable[[Frame], bytes], now: Callable[[], float]) -> "FastSink":
        """Make what writes pictures, in the form that `make` gives them, into this connection."""
        return FastSink(self._transport, make, now)

    async def emptied(self, *, within_s: float) -> bool:
        """Wait until all that was written has left; False when it has not in that time."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + within_s
        while not self.idle:
            if loop.time() >= deadline:
                return False
            await asyncio.sleep(_POLL_S)
        return True

    def limit_closing(self, within_s: float) -> None:
        """Drop a closing connection that has not taken all after `within_s`: a peer that reads nothing
        would keep it, and a server that stops, waiting.
        """
        if self._transport.is_closing():
            asyncio.get_running_loop().call_later(within_s, self._transport.abort)

    async def drop(self, receive: Receive, *, within_s: float) -> None:
        """Close the connection, with what it has not taken after `within_s`; returns when that is known."""
        self._transport.close()
        if not await self.emptied(within_s=within_s):
            self._transport.abort()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LIMIT_S):
                while (await receive())["type"] != "http.disconnect":
                    pass


class FastSink:
    """Writes each picture into one transport, unless an earlier one still waits there.

    `blocked_at` tells since when that has been so without a break, in the time that `now` gives; None: it is
    not. `take` runs for every viewer of every picture; it is flat for that reason.
    """

    __slots__ = ("_make", "_now", "_transport", "blocked_at")

    def __init__(
        self, transport: asyncio.Transport, make: Callable[[Frame], bytes], now: Callable[[], float]
    ) -> None:
        self.blocked_at: float | None = None
        self._transport = transport
        self._make = make
        self._now = now

    def take(self, picture: Published) -> bool:
        """Write the picture; False when it is lost."""
        transport = self._transport
        if transport.get_write_buffer_size():
            if self.blocked_at is None:
                self.blocked_at = self._now()
            return False
        if not transport.is_closing():
            transport.write(picture.form(self._make))
        if self.blocked_at is not None:
            self.blocked_at = None
        return True


async def available(kind: type[Connection] = Connection) -> bool:
    """Prove that a body written past `send` arrives byte for byte, in chunks and without.

    Logs a warning if it does not. Takes some milliseconds and a port on loopback. Run it once, before the
    server starts. `kind` is what `MjpegResponse` will use.
    """
    try:
        async with asyncio.timeout(_LIMIT_S):
            problem = await _find_problem(kind)
    except (OSError, TimeoutError, AttributeError, TypeError, ValueError) as error:
        problem = f"{type(error).__name__}: {error}"
    if problem is not None:
        _log.warning("mjpeg.fast_write_unavailable", reason=problem)
    return problem is None


async def _find_problem(kind: type[Connection]) -> str | None:
    body = bytes(range(256)) * 16
    chunk = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    for version, expected, header in (
        (b"1.1", chunk, b"transfer-encoding: chunked"),
        (b"1.0", body, b"connection: close"),
    ):
        answer = await _exchange(version, _probe(kind, body))
        head, _, rest = answer.partition(b"\r\n\r\n")
        if rest != expected or header not in head.lower().split(b"\r\n"):
            return f"HTTP/{version.decode()} gave other bytes than were written"
    return None


async def _exchange(version: bytes, app: ASGIApp) -> bytes:
    """Serve one response to ourselves, its body written past `send`."""
    config = Config(
        app, interface="asgi3", http="httptools", lifespan="off", log_config=None, access_log=False
    )
    config.load()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: HttpToolsProtocol(config, ServerState(), {}), "127.0.0.1", 0)
    async with server:
        host, port = server.sockets[0].getsockname()[:2]
        reader, writer = await asyncio.open_connection(host, port)
        writer.write(b"GET / HTTP/%b\r\nHost: localhost\r\nConnection: close\r\n\r\n" % version)
        answer = await reader.read()
        writer.close()
        await writer.wait_closed()
    return answer


def _probe(kind: type[Connection], body: bytes) -> ASGIApp:
    async def app(scope: Scope, _receive: Receive, send: Send) -> None:
        connection = kind.of(send)
        if connection is None:
            raise TypeError("the server's send has another inside")
        if scope["http_version"] == "1.0":
            connection.leave_unchunked()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        connection.write(b"%x\r\n%b\r\n" % (len(body), body) if connection.chunked else body)
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    return app
