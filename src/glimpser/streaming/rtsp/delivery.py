"""The last metre to one viewer: RTP inside the RTSP connection, or in UDP datagrams beside it.

Neither ever waits, raises or grows without bound: when a viewer does not keep up, `congested` says so and
its subscription drops to the next key frame. Everything runs on the event loop's thread.
"""

import asyncio
import socket
from collections import deque
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Final, Protocol

from glimpser.streaming.rtsp.transport import Offer

_BURST_PACKETS: Final = 32
_BURST_GAP_S: Final = 0.002
_MAX_QUEUED_PACKETS: Final = 2_048
_PORT_PAIR_TRIES: Final = 16


class Delivery(Protocol):
    """Where a subscription sends its packets."""

    @property
    def congested(self) -> bool:
        """Whether the viewer is behind, so that nothing more should be sent."""
        ...

    def send(self, packets: Sequence[bytes]) -> None:
        """Send complete RTP packets, in order."""
        ...

    def send_report(self, report: bytes) -> None:
        """Send one complete RTCP packet."""
        ...

    def close(self) -> None: ...


class InterleavedDelivery:
    """RTP and RTCP framed into the RTSP connection (RFC 2326, 10.12); the connection stays its owner's."""

    def __init__(self, transport: asyncio.WriteTransport, offer: Offer, *, max_buffer_bytes: int) -> None:
        self._transport = transport
        self._offer = offer
        self._max_buffer_bytes = max_buffer_bytes

    @property
    def congested(self) -> bool:
        return self._transport.get_write_buffer_size() > self._max_buffer_bytes

    def send(self, packets: Sequence[bytes]) -> None:
        self._write(self._offer.rtp, packets)

    def send_report(self, report: bytes) -> None:
        self._write(self._offer.rtcp, [report])

    def close(self) -> None:
        """Leave the connection open: it belongs to the client's next request."""

    def _write(self, channel: int, packets: Iterable[bytes]) -> None:
        if self._transport.is_closing():
            return
        parts: list[bytes] = []
        for packet in packets:
            parts += (bytes((0x24, channel)), len(packet).to_bytes(2, "big"), packet)
        self._transport.write(b"".join(parts))


class UdpDelivery:
    """A pair of sockets aimed at one viewer.

    A large picture leaves in bursts of 32 packets every 2 ms (about 180 Mbit/s): sent at once, it would
    overflow the receive buffer that players get by default. What comes back (RTCP, echoes) is never read;
    the kernel drops it at a small bound.
    """

    def __init__(self, local_host: str, peer_host: str, offer: Offer) -> None:
        """Open an even and the next odd port.

        Raises:
            OSError: no ports are free, or the peer cannot be reached from here.
        """
        self._rtp, self._rtcp = _open_pair(local_host)
        try:
            self._rtp.connect((peer_host, offer.rtp))
            self._rtcp.connect((peer_host, offer.rtcp))
        except OSError:
            self._close_sockets()
            raise
        self._queue: deque[bytes] = deque()
        self._timer: asyncio.TimerHandle | None = None

    @property
    def ports(self) -> tuple[int, int]:
        return self._rtp.getsockname()[1], self._rtcp.getsockname()[1]

    @property
    def congested(self) -> bool:
        return len(self._queue) > _MAX_QUEUED_PACKETS

    def send(self, packets: Sequence[bytes]) -> None:
        self._queue.extend(packets)
        if self._timer is None:
            self._flush()

    def send_report(self, report: bytes) -> None:
        with suppress(OSError):
            self._rtcp.send(report)

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._queue.clear()
        self._close_sockets()

    def _flush(self) -> None:
        self._timer = None
        for _ in range(min(_BURST_PACKETS, len(self._queue))):
            try:
                self._rtp.send(self._queue[0])
            except BlockingIOError:
                break  # the interface is busy: try again with the next burst
            except OSError:
                pass  # nobody listens there now (ICMP); a viewer that is gone ends with its connection
            self._queue.popleft()
        if self._queue:
            self._timer = asyncio.get_running_loop().call_later(_BURST_GAP_S, self._flush)

    def _close_sockets(self) -> None:
        self._rtp.close()
        self._rtcp.close()


def _open_pair(host: str) -> tuple[socket.socket, socket.socket]:
    """Bind an even port and the odd one above it (RFC 3550, section 11), as old players expect."""
    for _ in range(_PORT_PAIR_TRIES):
        first = _bound_socket(host, 0)
        port = first.getsockname()[1]
        try:
            second = _bound_socket(host, port ^ 1)
        except OSError:
            first.close()
            continue
        return (first, second) if port % 2 == 0 else (second, first)
    msg = "no free pair of UDP ports"
    raise OSError(msg)


def _bound_socket(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    opened = socket.socket(family, socket.SOCK_DGRAM)
    try:
        opened.setblocking(False)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)  # the kernel rounds up to its smallest
        opened.bind((host, port))
    except OSError:
        opened.close()
        raise
    return opened
