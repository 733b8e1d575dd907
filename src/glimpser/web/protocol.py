"""HTTP/1.1 as uvicorn speaks it, with bounds: how long a request may be, how long it may take to come, and
how many connections there may be. What lies beyond is refused with a problem document.
"""

import asyncio
from http import HTTPStatus

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from glimpser.web.crowd import Crowd
from glimpser.web.refusals import MAX_HEAD_BYTES, MAX_TARGET_BYTES, REFUSED, refusal


class PatientProtocol(HttpToolsProtocol):
    """Patient, but not without end: the head of a request has a time and a size it must keep to.

    So have bytes that no answer will follow: blank lines between requests, the rest of a refused body.
    """

    head_timeout_s = 15.0
    server_state: Crowd

    _deadline: asyncio.TimerHandle | None = None
    _in_head = True
    _head_bytes = 0
    _fields_bytes = 0
    _upgraded = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn does
        super().connection_made(transport)
        if self.server_state.enter(transport, self.client[0] if self.client else None):
            self._start_deadline()
        else:
            transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._clear_deadline()
        self.server_state.leave(self.transport)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._upgraded or self.transport.is_closing():  # refused at once: there is no request to look at
            return
        if self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD_BYTES:
                self._refuse(self._excess() or HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        elif self._deadline is None and self.cycle.response_complete:
            self._start_deadline()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head, self._head_bytes, self._fields_bytes = True, 0, 0
        self._start_deadline()

    def on_header(self, name: bytes, value: bytes) -> None:
        super().on_header(name, value)
        self._fields_bytes += len(name) + len(value) + len(b": \r\n")

    def on_headers_complete(self) -> None:
        """Begin to answer; a request that is refused for its head is marked, for the application."""
        self._in_head = False
        self._clear_deadline()
        status = self._excess() or self.server_state.excess(self.transport)
        if status is not None:
            self.scope["state"][REFUSED] = status
        super().on_headers_complete()

    def handle_websocket_upgrade(self) -> None:
        """Hand the connection over; it counts among the others as before."""
        self._upgraded = True
        refused = self.scope["state"].get(REFUSED)
        if refused is not None:
            self._refuse(refused)
        else:
            super().handle_websocket_upgrade()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002  # uvicorn's, which says no more
        """Refuse what is no HTTP."""
        self._refuse(HTTPStatus.BAD_REQUEST)

    def _excess(self) -> HTTPStatus | None:
        """Tell what the head that has come so far is too long for."""
        if len(self.url) > MAX_TARGET_BYTES:
            return HTTPStatus.REQUEST_URI_TOO_LONG
        if self._fields_bytes > MAX_HEAD_BYTES:
            return HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
        return None

    def _start_deadline(self) -> None:
        self._clear_deadline()
        self._deadline = self.loop.call_later(self.head_timeout_s, self._refuse, HTTPStatus.REQUEST_TIMEOUT)

    def _clear_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _refuse(self, status: HTTPStatus) -> None:
        self._clear_deadline()
        if not self.transport.is_closing():
            self.transport.write(refusal(status, self.client[0] if self.client else None))
            self.transport.close()
