"""uvicorn's side of a WebSocket (RFC 6455), with an end to its patience."""

import asyncio
from http import HTTPStatus
from typing import Any

from uvicorn import Config
from uvicorn._types import ASGISendEvent
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from glimpser.web.crowd import Crowd
from glimpser.web.refusals import refusal

PING_INTERVAL_S = 20.0
PING_TIMEOUT_S = 10.0
"""A client that has gone without a word is noticed 30 seconds later at most."""
CLOSING_S = 1.0
"""Time that a client has to take what is under way and to answer a close, before its connection is cut."""


class PatientSocket(WebSocketsSansIOProtocol):
    """Sends nothing ahead of its client, and does not wait for ever for one that reads nothing."""

    def __init__(self, config: Config, server_state: Crowd, app_state: dict[str, Any]) -> None:
        super().__init__(config, server_state, app_state)
        self._crowd = server_state

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        if transport.get_extra_info("ssl_object") is None:
            # Behind TLS uvloop never comes back from a limit of 0; up to 64 KiB wait there.
            self.transport.set_write_buffer_limits(high=0)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._crowd.leave(self.transport)

    def data_received(self, data: bytes) -> None:
        """Take bytes; the first are the whole head of a handshake."""
        super().data_received(data)
        if not self.handshake_initiated:
            self._refuse()

    async def send(self, message: ASGISendEvent) -> None:
        """Send a message, and return when all of it is in the kernel's hands: the next is then a newer one.

        Raises:
            ClientDisconnected: the socket has ended, from whichever side.
        """
        if self.close_sent:
            raise ClientDisconnected  # as after a lost connection; uvicorn would call it the caller's mistake
        await super().send(message)
        await self.writable.wait()

    def keepalive_timeout(self) -> None:
        super().keepalive_timeout()
        self._limit_closing()

    def on_task_complete(self, task: asyncio.Task[None]) -> None:
        super().on_task_complete(task)
        self._limit_closing()

    def shutdown(self) -> None:
        super().shutdown()
        self._limit_closing()

    def _limit_closing(self) -> None:
        self.loop.call_later(CLOSING_S, self.transport.abort)

    def _refuse(self) -> None:
        """Answer a handshake that is no proper HTTP; uvicorn would leave it lying."""
        if not self.transport.is_closing():
            self.transport.write(refusal(HTTPStatus.BAD_REQUEST, self.client[0] if self.client else None))
            self.transport.close()
            self._limit_closing()
