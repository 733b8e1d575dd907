"""The open connections of a server, all together and those of each address. Event loop's thread."""

import asyncio
import ipaddress
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from http import HTTPStatus

from uvicorn.server import ServerState

from glimpser.core.addresses import subscriber
from glimpser.web.wiring import Network

SPARE = 64
"""Connections beyond the limit that are kept until they ask, to be told 503; more are cut off unheard."""
SPARE_OF_ONE = 8
"""The same for one address, which is told 429."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How many connections there may be, in all and from one address; proxies' are not counted by address."""

    connections: int = 2048
    per_client: int = 512
    proxies: Sequence[Network] = field(default=())


class Crowd(ServerState):
    """What uvicorn's connections share, and who they are from.

    A connection enters when it is made, and leaves when it is lost, whatever protocol it speaks by then.
    """

    def __init__(self, limits: Limits) -> None:
        super().__init__()
        self._limits = limits
        self._client_of: dict[asyncio.BaseTransport, str] = {}
        self._counts: Counter[str] = Counter()

    def enter(self, transport: asyncio.BaseTransport, address: str | None) -> bool:
        """Count a new connection; False when it is to be cut off unheard."""
        if address is not None and not self._is_proxy(address):
            client = self._client_of[transport] = subscriber(address)
            self._counts[client] += 1
        total, of_one = len(self.connections), self._count(transport)
        return total <= self._limits.connections + SPARE and of_one <= self._limits.per_client + SPARE_OF_ONE

    def leave(self, transport: asyncio.BaseTransport) -> None:
        """Count it no more; one that is not counted is passed over."""
        client = self._client_of.pop(transport, None)
        if client is not None:
            self._counts[client] -= 1
            if not self._counts[client]:
                del self._counts[client]

    def excess(self, transport: asyncio.BaseTransport) -> HTTPStatus | None:
        """Tell what requests on this connection are refused with, if there are too many connections."""
        if self._count(transport) > self._limits.per_client:
            return HTTPStatus.TOO_MANY_REQUESTS
        if max(len(self.connections), len(self.tasks)) > self._limits.connections:
            return HTTPStatus.SERVICE_UNAVAILABLE
        return None

    def _count(self, transport: asyncio.BaseTransport) -> int:
        return self._counts[self._client_of[transport]] if transport in self._client_of else 0

    def _is_proxy(self, address: str) -> bool:
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return False
        seen = getattr(parsed, "ipv4_mapped", None) or parsed  # as a socket of IPv6 reports one of IPv4
        return any(seen in network for network in self._limits.proxies)
