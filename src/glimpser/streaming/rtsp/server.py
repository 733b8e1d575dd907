"""The listening server and its mounts: the only module here that a user of the package has to know."""

import asyncio
import logging
import re
import socket
from collections.abc import Collection, Mapping
from types import TracebackType
from typing import Final, Self

from glimpser.core.clock import Clock, SystemClock
from glimpser.core.errors import Conflict, InvalidInput, NotFound
from glimpser.streaming.rtsp.connection import Connection, Limits, Service
from glimpser.streaming.rtsp.mount import Mount, OnDemand
from glimpser.streaming.rtsp.transport import Lower

__all__ = ["Limits", "RtspServer"]

_log = logging.getLogger(__name__)

_PATH: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~-]*(?:/[A-Za-z0-9][A-Za-z0-9._~-]*)*")
_MAX_PATH_CHARACTERS: Final = 256
_SWEEP_PERIOD_S: Final = 0.5


class RtspServer:
    """Serves mounted H.264 streams to players at `rtsp://host:port/path`.

    An async context manager: it listens from entering to leaving, and leaving ends every session. It
    starts no task; all of it, `Mount.push` included, belongs to the thread of the loop it was entered on.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        users: Mapping[str, str] | None = None,
        accepted: Collection[Lower] = frozenset(Lower),
        limits: Limits | None = None,
        clock: Clock | None = None,
    ) -> None:
        """Prepare a server; `port` 0 lets the kernel choose, `users` (name to password) None lets all in."""
        self._address = host, port
        self._mounts: dict[str, Mount] = {}
        self._connections: set[Connection] = set()
        self._clock = clock or SystemClock()
        self._limits = limits or Limits()
        self._service = Service(
            self._mounts, self._connections, users, "Glimpser", accepted, self._limits, self._clock
        )
        self._server: asyncio.Server | None = None
        self._sweep_timer: asyncio.TimerHandle | None = None

    async def __aenter__(self) -> Self:
        """Listen.

        Raises:
            OSError: the address is taken or not ours.
        """
        loop = asyncio.get_running_loop()
        host, port = self._address
        self._server = await loop.create_server(
            lambda: Connection(self._service), host, port, reuse_address=True, start_serving=False
        )
        for listening in self._server.sockets:
            # Accepted sockets inherit it: a reader who never reads costs this much of the kernel, no more.
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, self._limits.kernel_send_buffer_bytes)
        self._port = int(self._server.sockets[0].getsockname()[1])
        await self._server.start_serving()
        self._schedule_sweep()
        _log.info("rtsp listening", extra={"host": host, "port": self._port})
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        if self._sweep_timer is not None:
            self._sweep_timer.cancel()
        for path in tuple(self._mounts):
            self.unmount(path)
        for connection in tuple(self._connections):
            connection.abort()
        await self._server.wait_closed()
        await asyncio.sleep(0)  # aborted connections say goodbye in the loop's next round

    @property
    def port(self) -> int:
        """The port it listens on; known once entered, and after leaving."""
        return self._port

    @property
    def connections(self) -> int:
        return len(self._connections)

    def mount(self, path: str, *, on_demand: OnDemand | None = None) -> Mount:
        """Offer a stream under `path`: letters, digits and `._~-`, in segments between slashes.

        `on_demand` hears True when somebody asks for the mount and nobody did before, False when the last
        has gone: the caller may start and stop the camera by it. It must not wait and must not raise.

        Raises:
            InvalidInput: such a path cannot be served.
            Conflict: something is mounted there.
        """
        if len(path) > _MAX_PATH_CHARACTERS or not _PATH.fullmatch(path):
            raise InvalidInput(f"cannot serve RTSP under the path {path!r}")
        if path in self._mounts:
            raise Conflict(f"an RTSP stream is already served under {path!r}")
        self._mounts[path] = mount = Mount(path, on_demand=on_demand)
        return mount

    def unmount(self, path: str) -> None:
        """Withdraw a stream and close the connections of its viewers.

        Raises:
            NotFound: nothing is mounted there.
        """
        mount = self._mounts.pop(path, None)
        if mount is None:
            raise NotFound(f"no RTSP stream is served under {path!r}")
        mount.remove()

    def sweep(self) -> None:
        """Give up on clients that have used up their time; happens twice a second by itself."""
        now_s = self._clock.monotonic()
        for connection in tuple(self._connections):
            connection.expire(now_s)

    def _schedule_sweep(self) -> None:
        self._sweep_timer = asyncio.get_running_loop().call_later(_SWEEP_PERIOD_S, self._sweep_and_again)

    def _sweep_and_again(self) -> None:
        self._schedule_sweep()
        self.sweep()
