"""Making sure that libav stayed where it was sent.

A camera may answer `302 Found` (RFC 2326, 11.3), and libav follows to an address nobody checked; it has no
option against that. But a process sees whom its sockets are connected to.
"""

import ipaddress
import os
import socket
import stat
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeAlias

from glimpser.egress.target import IPAddress

Address: TypeAlias = tuple[IPAddress, int]


class Peers:
    """Knows which TCP connections of this process its cameras may have. Any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._expected: Counter[Address] = Counter()

    @contextmanager
    def expected(self, address: IPAddress, port: int) -> Iterator[frozenset[int]]:
        """Allow connections to an address meanwhile. Gives the strangers that are connected already."""
        with self._lock:
            self._expected[address, port] += 1
        try:
            yield self.strangers()
        finally:
            with self._lock:
                self._expected[address, port] -= 1
                self._expected += Counter()  # leaves out what nobody expects any more

    def led_astray(self, close: Callable[[], None], *, known: frozenset[int]) -> bool | None:
        """Tell whether a stream that was just opened is connected to somebody else than expected.

        None: it seems so and `close` was called, but the stranger belongs to another stream; open it anew.
        `known` are the strangers before it was opened.
        """
        with self._lock:
            strangers = self._strangers() - known
            if not strangers:
                return False
            close()
            return True if strangers - self._strangers() else None

    def strangers(self) -> frozenset[int]:
        """Give the inodes of TCP sockets that are connected to an address nobody expects."""
        with self._lock:
            return self._strangers()

    def _strangers(self) -> frozenset[int]:
        return frozenset(inode for inode, peer in _connections() if self._expected[peer] <= 0)


def _connections() -> Iterator[tuple[int, Address]]:
    """Give inode and remote address of each connected TCP socket of this process (Linux)."""
    for entry in Path("/proc/self/fd").iterdir():
        with suppress(OSError):  # closed meanwhile, or connected to nobody
            copy = os.dup(int(entry.name))
            try:
                inode = os.fstat(copy)
                peer = _peer(copy) if stat.S_ISSOCK(inode.st_mode) else None
            finally:
                os.close(copy)
            if peer:
                yield inode.st_ino, peer


def _peer(descriptor: int) -> Address | None:
    with socket.socket(fileno=os.dup(descriptor)) as known:
        if known.family not in (socket.AF_INET, socket.AF_INET6) or known.type != socket.SOCK_STREAM:
            return None
        host, port = known.getpeername()[:2]
    address = ipaddress.ip_address(host.partition("%")[0])
    mapped = getattr(address, "ipv4_mapped", None)
    return mapped or address, port
