"""Whether an address can be reached at all: its name is resolved, and a connection opened and closed."""

import asyncio
import contextlib
from dataclasses import replace

from glimpser.core.errors import Denied, GlimpserError, Unavailable
from glimpser.egress.fetching import Fetch, Fetcher
from glimpser.egress.gate import Checked, Gate, Resolve, resolve_host
from glimpser.egress.pinned import SCHEMES, reason_of
from glimpser.egress.target import DEFAULT_PORTS, parse_target

_RESOLVE_WITHIN_S = 3.0
_CONNECT_WITHIN_S = 4.0


class Reach:
    """Event loop's thread. Cameras have a gate of their own, which holds for nothing else."""

    def __init__(
        self, gate: Gate, cameras: Gate, fetcher: Fetcher, *, resolve: Resolve = resolve_host
    ) -> None:
        """`fetcher` goes through `gate`."""
        self._gate = gate
        self._cameras = cameras
        self._fetcher = fetcher
        self._resolve = resolve

    async def resolve(self, url: str, *, camera: bool | None) -> Checked:
        """Find the address of a URL, within 3 s; `camera` says whether it is one, None: it may be.

        Raises:
            InvalidInput: it is no URL that may be used.
            Denied: it is closed; the sentence names the setting that would open it.
            Unavailable: its name does not resolve now.
        """
        try:
            async with asyncio.timeout(_RESOLVE_WITHIN_S):
                return await asyncio.to_thread(self._checked, url, camera)
        except TimeoutError:
            raise Unavailable("The name servers do not answer: check the network of this machine.") from None

    def _checked(self, url: str, camera: bool | None) -> Checked:  # noqa: FBT001  # as `resolve`
        target = parse_target(url, DEFAULT_PORTS)
        if camera or target.scheme not in SCHEMES:
            return self._cameras.check_target(target, resolve=self._resolve)
        try:
            return self._gate.check_target(target, resolve=self._resolve)
        except Denied:
            if camera is None:
                with contextlib.suppress(Denied):
                    return self._cameras.check_target(target, resolve=self._resolve)
            raise

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
