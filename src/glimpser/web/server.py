"""Runs uvicorn inside a task of ours: our listening socket, our signals, our limits."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator

import uvicorn
from starlette.types import ASGIApp

from glimpser.core.errors import Misconfigured
from glimpser.web.certificates import Certificates, Tls, fingerprint
from glimpser.web.crowd import Crowd, Limits
from glimpser.web.protocol import PatientProtocol
from glimpser.web.websocket import PING_INTERVAL_S, PING_TIMEOUT_S, PatientSocket

SEND_BUFFER_BYTES = 128 * 1024
"""What the kernel keeps for one reader that stalls: 500 of them cost 192 MB instead of 1.5 GB."""
BACKLOG = 1024
KEEP_ALIVE_S = 20
DRAIN_S = 5
FOLLOW_S = 30.0
"""Time between two looks at the files of the certificate."""
MAX_MESSAGE_BYTES = 16 * 1024
"""Of what a client sends over a WebSocket."""


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
    """Serves one application on one socket. All calls on the event loop's thread.

    `fingerprint` is that of a certificate which nobody can check otherwise.
    """

    def __init__(
        self,
        app: ASGIApp,
        listener: socket.socket,
        *,
        ending: asyncio.Event,
        limits: Limits | None = None,
        protocol: type[PatientProtocol] = PatientProtocol,
        tls: Tls | None = None,
    ) -> None:
        """Prepare.

        Raises:
            Misconfigured: there is no certificate where `tls` says.
        """
        self.port: int = listener.getsockname()[1]
        self.fingerprint = fingerprint(tls) if tls and tls.made_here else None
        self._listener = listener
        self._ending = ending
        self._certificates = certificates = Certificates(tls) if tls else None
        self._server = _Server(
            uvicorn.Config(
                app,
                http=protocol,
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
                timeout_keep_alive=KEEP_ALIVE_S,
                timeout_graceful_shutdown=DRAIN_S,
                ssl_context_factory=(lambda *_: certificates.context) if certificates else None,
            ),
            Crowd(limits or Limits()),
        )

    async def serve(self) -> None:
        """Serve until `stop`; then returns within `DRAIN_S`, whatever clients do."""
        try:
            async with asyncio.TaskGroup() as tasks:
                following = tasks.create_task(self._follow_certificates())
                await self._server.serve(sockets=[self._listener])
                following.cancel()
        finally:
            self._listener.close()

    async def _follow_certificates(self) -> None:
        """Have new connections see a certificate that was renewed, without a restart."""
        while self._certificates is not None:
            await asyncio.sleep(FOLLOW_S)
            await asyncio.to_thread(self._certificates.follow)

    def stop(self) -> None:
        """Tell streams to end, then stop accepting and let requests finish."""
        self._ending.set()
        self._server.should_exit = True


class _Server(uvicorn.Server):
    """uvicorn with our bounds, and without its signal handlers: the program handles signals, in one place."""

    def __init__(self, config: uvicorn.Config, crowd: Crowd) -> None:
        super().__init__(config)
        self.server_state = crowd

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _cannot_listen(host: str, port: int, error: OSError, setting: str) -> Misconfigured:
    return Misconfigured(
        f"Cannot listen on {host} port {port}: {error.strerror}. Choose another address or port by "
        f"{setting}.host and {setting}.port, or end the program that has it."
    )
