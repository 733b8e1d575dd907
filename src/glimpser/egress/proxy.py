"""The way out for programs that open connections by themselves: a forward proxy that applies the gate.

A browser, yt-dlp and libav follow redirects, playlists and whatever a page names. Sent through here, each of
their connections is parsed once, resolved once and checked, and made to an address that was checked. A client
connection carries one request: a second could name another host.

The proxy asks for no credentials. It listens on loopback, where whoever can reach it could connect to its
targets without it; Chromium cannot send credentials without being asked, and yt-dlp would show them in its
arguments. A web page cannot use it either: it answers nothing but requests that are meant for a proxy.
"""

import asyncio
import ipaddress
import socket
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from glimpser.core.clock import Clock, SystemClock
from glimpser.core.errors import Denied, InvalidInput, Unavailable
from glimpser.egress.exchange import ConnectionLimits, Exchange, Peer, Refused
from glimpser.egress.gate import Checked, Gate, Resolve, resolve_host
from glimpser.egress.refusals import Refusal, RefusalLog
from glimpser.egress.target import Target

__all__ = ["ConnectionLimits", "Proxy", "ProxyLimits", "Refusal", "local_listener", "open_proxy"]

_BACKLOG = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyLimits:
    """What the clients of a proxy may cost together, and each connection."""

    max_connections: int = 256
    resolvers: int = 16
    connect_s: float = 10.0
    """For looking a name up and reaching one of its addresses."""
    per_address_s: float = 2.0
    """For each address of a name but the last."""
    connection: ConnectionLimits = field(default_factory=ConnectionLimits)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Way:
    """How a proxy finds its targets. `told` hears of every refusal."""

    gate: Gate
    resolve: Resolve
    limits: ProxyLimits
    threads: ThreadPoolExecutor
    told: Callable[[Refusal], None]


class Proxy:
    """Event loop's thread; names are resolved in threads of its own."""

    def __init__(self, way: _Way, port: int) -> None:
        self._way = way
        self._port = port
        self._running: set[asyncio.Task[None]] = set()
        self._refused = 0
        self._ending = False

    @property
    def url(self) -> str:
        """What clients are given as their HTTP proxy, for http and https alike."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def connections(self) -> int:
        return len(self._running)

    @property
    def refused(self) -> int:
        """How many requests the gate has stopped."""
        return self._refused

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one client connection, from its first byte to its last."""
        task = asyncio.current_task()
        assert task is not None
        client = Peer(reader, writer)
        exchange = Exchange(client, self._connect, self._way.limits.connection)
        full = len(self._running) >= self._way.limits.max_connections
        self._running.add(task)
        try:
            if full:
                await exchange.refuse(503, "There are too many connections: try again later.")
            else:
                await exchange.run()
        except asyncio.CancelledError:
            if not self._ending:  # asyncio's streams take a cancelled handler for a fault
                raise
        finally:
            self._running.discard(task)
            client.abort()

    async def end(self) -> None:
        """End all connections."""
        self._ending = True
        running = list(self._running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def _connect(self, target: Target) -> Peer:
        """Check a target and connect to it.

        Raises:
            Refused: it is closed, or cannot be reached now.
        """
        try:
            async with asyncio.timeout(self._way.limits.connect_s):
                checked = await self._checked(target)
                return await self._reach(checked)
        except TimeoutError:
            raise Refused(504, f"{target.host} cannot be reached in time.") from None

    async def _checked(self, target: Target) -> Checked:
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._way.threads, self._check, target)
        except Denied as error:
            self._refused += 1
            self._way.told(Refusal(target.host, target.effective_port or 0, error.detail))
            raise Refused(403, error.detail) from error
        except InvalidInput as error:
            raise Refused(400, error.detail) from error
        except Unavailable as error:
            raise Refused(502, error.detail) from error

    def _check(self, target: Target) -> Checked:
        return self._way.gate.check_target(target, resolve=self._way.resolve)

    async def _reach(self, checked: Checked) -> Peer:
        """Connect to the first address that answers; a slow one does not keep the others waiting for long."""
        port = checked.target.effective_port or 0
        *others, last = checked.addresses
        for address in others:
            try:
                async with asyncio.timeout(self._way.limits.per_address_s):
                    return await Peer.connect(address, port)
            except OSError:  # a time-out is one
                continue
        try:
            return await Peer.connect(last, port)
        except TimeoutError:
            raise
        except OSError as error:
            reason = (
                "refuses the connection" if isinstance(error, ConnectionRefusedError) else "is unreachable"
            )
            raise Refused(502, f"{checked.target.host} port {port} {reason}.") from error


def local_listener() -> socket.socket:
    """Bind a socket for a proxy before it is opened, for those who must know its port earlier.

    Raises:
        OSError: loopback has no free port.
    """
    return socket.create_server(("127.0.0.1", 0), backlog=_BACKLOG)


@asynccontextmanager
async def open_proxy(
    gate: Gate,
    *,
    name: str = "egress",
    listener: socket.socket | None = None,
    on_refused: Callable[[Refusal], None] | None = None,
    limits: ProxyLimits | None = None,
    resolve: Resolve = resolve_host,
    clock: Clock | None = None,
) -> AsyncIterator[Proxy]:
    """Run a proxy while the context is open; it cannot be reached through itself.

    `name` tells proxies apart in the log. `on_refused` hears of each request the gate stops, on the loop's
    thread; it must not raise. Leaving ends all connections, and closes `listener`.
    """
    listening = listener or local_listener()
    bounds = limits or ProxyLimits()
    port = int(listening.getsockname()[1])
    log = RefusalLog(name, clock or SystemClock())

    def told(refusal: Refusal) -> None:
        log.tell(refusal)
        if on_refused is not None:
            on_refused(refusal)

    threads = ThreadPoolExecutor(bounds.resolvers, thread_name_prefix="proxy-resolve")
    own = gate.closed_to(ipaddress.ip_address("127.0.0.1"), port)
    proxy = Proxy(_Way(gate=own, resolve=resolve, limits=bounds, threads=threads, told=told), port)
    server = await asyncio.start_server(
        proxy.serve, sock=listening, limit=bounds.connection.buffer_bytes, backlog=_BACKLOG
    )
    try:
        yield proxy
    finally:
        server.close()
        await proxy.end()
        threads.shutdown(wait=False, cancel_futures=True)  # a resolver may take its time
