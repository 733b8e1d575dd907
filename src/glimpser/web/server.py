"""Runs uvicorn inside a task of ours: our listening socket, our signals, our limits."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from glimpser.core.errors import Misconfigured
from glimpser.web.websocket import PING_INTERVAL_S, PING_TIMEOUT_S, PatientSocket

SEND_BUFFER_BYTES = 128 * 1024
"""What the kernel keeps for one reader that stalls: 500 of them cost 192 MB instead of 1.5 GB."""
BACKLOG = 1024
MAX_CONNECTIONS = 2048
SPARE = 64
"""Connections beyond the limit that are kept until they ask, to be told 503; more are cut off unheard."""
KEEP_ALIVE_S = 20
DRAIN_S = 5
MAX_HEAD_BYTES = 32 * 1024
MAX_MESSAGE_BYTES = 16 * 1024
"""Of what a client sends over a WebSocket."""


@dataclass(frozen=True, slots=True)
class Tls:
    certificate: Path
    key: Path


def listen(host: str, port: int, *, setting: str = "server") -> socket.socket:
    """Open a listening socket; accepted connections inherit its send buffer. `setting` names its section.

    Raises:
        Misconfigured: the address is taken, not this machine's, or not allowed.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise _cannot_listen(host, port, error, setting) from error
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        listener.bind(address)
        listener.listen(BACKLOG)
        listener.setblocking(False)
    except OSError as error:
        listener.close()
        raise _cannot_listen(host, port, error, setting) from error
    return listener


class WebServer:
    """Serves one application on one socket. All calls on the event loop's thread."""

    def __init__(
        self,
        app: ASGIApp,
        listener: socket.socket,
        *,
        ending: asyncio.Event,
        max_connections: int = MAX_CONNECTIONS,
        protocol: "type[PatientProtocol] | None" = None,
        tls: Tls | None = None,
    ) -> None:
        self.port: int = listener.getsockname()[1]
        self._listener = listener
        self._ending = ending
        self._server = _Server(
            uvicorn.Config(
                app,
                http=protocol or PatientProtocol,
                ws=PatientSocket,
                ws_max_size=MAX_MESSAGE_BYTES,
                ws_ping_interval=PING_INTERVAL_S,
                ws_ping_timeout=PING_TIMEOUT_S,
                ws_per_message_deflate=False,  # pictures are compressed already
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                backlog=BACKLOG,
                limit_concurrency=max_connections,
                timeout_keep_alive=KEEP_ALIVE_S,
                timeout_graceful_shutdown=DRAIN_S,
                ssl_certfile=tls.certificate if tls else None,
                ssl_keyfile=tls.key if tls else None,
            )
        )

    async def serve(self) -> None:
        """Serve until `stop`; then returns within `DRAIN_S`, whatever clients do."""
        try:
            await self._server.serve(sockets=[self._listener])
        finally:
            self._listener.close()

    def stop(self) -> None:
        """Tell streams to end, then stop accepting and let requests finish."""
        self._ending.set()
        self._server.should_exit = True


class PatientProtocol(HttpToolsProtocol):
    """Patient, but not without end: the head of a request has a time and a size it must keep to.

    So have bytes that no answer will follow: blank lines between requests, the rest of a refused body.
    """

    head_timeout_s = 15.0

    _deadline: asyncio.TimerHandle | None = None
    _in_head = True
    _head_bytes = 0
    _upgraded = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn does
        super().connection_made(transport)
        if self.limit_concurrency is not None and len(self.connections) > self.limit_concurrency + SPARE:
            transport.abort()
        else:
            self._start_deadline()

    def connection_lost(self, exc: Exception | None) -> None:
        self._clear_deadline()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._upgraded or self.transport.is_closing():  # refused at once: there is no request to look at
            return
        if self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD_BYTES:
                self._refuse(b"431 Request Header Fields Too Large")
        elif self._deadline is None and self.cycle.response_complete:
            self._start_deadline()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head, self._head_bytes = True, 0
        self._start_deadline()

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._clear_deadline()
        super().on_headers_complete()

    def handle_websocket_upgrade(self) -> None:
        """Hand the connection over; it counts among the others as before."""
        self._upgraded = True
        if self.limit_concurrency is not None and len(self.connections) > self.limit_concurrency:
            self._refuse(b"503 Service Unavailable")
        else:
            super().handle_websocket_upgrade()

    def _start_deadline(self) -> None:
        self._clear_deadline()
        self._deadline = self.loop.call_later(self.head_timeout_s, self._refuse, b"408 Request Timeout")

    def _clear_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _refuse(self, status: bytes) -> None:
        self._clear_deadline()
        if not self.transport.is_closing():
            self.transport.write(
                b"HTTP/1.1 " + status + b"\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
            )
            self.transport.close()


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers: the program handles signals, in one place."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _cannot_listen(host: str, port: int, error: OSError, setting: str) -> Misconfigured:
    return Misconfigured(
        f"Cannot listen on {host} port {port}: {error.strerror}. Choose another address or port by "
        f"{setting}.host and {setting}.port, or end the program that has it."
    )
