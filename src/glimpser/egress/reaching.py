"""Whether an address can be reached at all: its name is resolved, and a connection opened and closed."""

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import replace

from glimpser.core.errors import Denied, GlimpserError, Unavailable
from glimpser.egress.fetching import Fetch, Fetcher
from glimpser.egress.gate import Checked, Gate, Resolve, resolve_host
from glimpser.egress.pinned import SCHEMES, reason_of
from glimpser.egress.target import DEFAULT_PORTS

_RESOLVE_WITHIN_S = 3.0
_CONNECT_WITHIN_S = 4.0


class Reach:
    """Event loop's thread. An address that one of the gates lets through is tried."""

    def __init__(self, gates: Sequence[Gate], fetcher: Fetcher, *, resolve: Resolve = resolve_host) -> None:
        self._gates = gates
        self._fetcher = fetcher
        self._resolve = resolve

    async def resolve(self, url: str) -> Checked:
        """Find the address of a URL, within 3 s.

        Raises:
            InvalidInput: it is no URL that may be used.
            Denied: all gates are closed to it; the sentence is that of the first.
            Unavailable: its name does not resolve now.
        """
        try:
            async with asyncio.timeout(_RESOLVE_WITHIN_S):
                return await asyncio.to_thread(self._checked, url)
        except TimeoutError:
            raise Unavailable("The name servers do not answer: check the network of this machine.") from None

    def _checked(self, url: str) -> Checked:
        closed: Denied | None = None
        for gate in self._gates:
            try:
                return gate.check(url, schemes=tuple(DEFAULT_PORTS), resolve=self._resolve)
            except Denied as error:
                closed = closed or error
        assert closed is not None
        raise closed

    async def connect(self, checked: Checked) -> None:
        """Open a connection to the first of the addresses, within 4 s, and close it.

        Raises:
            Unavailable: it cannot be opened; the sentence says why.
        """
        host, port = str(checked.address), checked.target.effective_port
        try:
            async with asyncio.timeout(_CONNECT_WITHIN_S):
                _, writer = await asyncio.open_connection(host, port)
        except TimeoutError:
            raise Unavailable(
                f"Nothing answers at {host} port {port}: is it on, and can it be reached from here?"
            ) from None
        except OSError as error:
            raise Unavailable(
                f"No connection to {host} port {port}: {reason_of(error)}. Check the address and its port."
            ) from error
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()

    async def hear(self, checked: Checked) -> None:
        """Wait until a web server answers, whatever it says; the caller bounds the time.

        What goes wrong is left to those who know what is to be there. Of other protocols nothing is asked.
        """
        if checked.target.scheme not in SCHEMES:
            return
        url = replace(checked.target, userinfo=None).url()
        with contextlib.suppress(GlimpserError):
            await self._fetcher.get(Fetch(url=url, only_head=True, max_bytes=1))
