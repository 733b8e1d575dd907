"""Requests of one client that come all at once, begun a few at a time, so that others come in between."""

import asyncio
from collections import deque
from dataclasses import dataclass, field

from starlette.types import ASGIApp, Receive, Scope, Send

from glimpser.core.addresses import subscriber

AT_ONCE = 2
PAUSE_S = 0.001
"""Two in a millisecond are more than one loop can serve, so nobody gets less done than without turns."""


@dataclass(slots=True)
class _Line:
    """How many of a client's requests may still begin in this turn, and those that wait for the next."""

    free: int = AT_ONCE
    waiting: deque[asyncio.Future[None]] = field(default_factory=deque)

    def admit(self) -> bool:
        """Let the first ones begin; tell whether there were any."""
        self.free = AT_ONCE
        while self.waiting and self.free:
            place = self.waiting.popleft()
            if not place.done():  # whoever waited may have been cancelled
                place.set_result(None)
                self.free -= 1
        return self.free < AT_ONCE


class Turns:
    """A layer that lets each client begin `AT_ONCE` requests in a turn of `PAUSE_S`; the others wait in line.

    An event loop serves all that has come before it looks again, and meanwhile its threads hardly get the
    interpreter: whoever asks beside somebody's burst of requests would wait for the whole of it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._lines: dict[str, _Line] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket"):
            await self._take_turn(subscriber(scope["state"]["client_ip"]))
        await self._app(scope, receive, send)

    async def _take_turn(self, client: str) -> None:
        loop = asyncio.get_running_loop()
        line = self._lines.get(client)
        if line is None:
            line = self._lines[client] = _Line()
            loop.call_later(PAUSE_S, self._next_turn, client)
        if line.free:
            line.free -= 1
        else:
            place = loop.create_future()
            line.waiting.append(place)
            await place

    def _next_turn(self, client: str) -> None:
        if self._lines[client].admit():
            asyncio.get_running_loop().call_later(PAUSE_S, self._next_turn, client)
        else:
            del self._lines[client]
