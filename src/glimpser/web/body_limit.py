"""How large a body may be, and how long it may take to come."""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from glimpser.web.problems import DETAILS, problem

BODY_TIMEOUT_S = 30.0
SLOWEST_BYTES_PER_S = 256 * 1024
"""What a body larger than that time allows for must keep up: 32 MiB may take two minutes."""


@dataclass(frozen=True, slots=True)
class LargerBody:
    """A route that takes larger bodies than others, by its method and the form of its path."""

    method: str
    path: re.Pattern[str]
    max_bytes: int


class BodyLimit:
    """Refuses a body that is too large, by its declared length at once, a chunked one as it grows; and one
    that takes too long.

    What still comes of a refused body is dropped by the server, and the connection stays open: closing it
    with bytes unread would reset it before the client has read the answer (RFC 9112, section 9.6).
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        max_bytes: int,
        larger: Sequence[LargerBody] = (),
        timeout_s: float = BODY_TIMEOUT_S,
    ) -> None:
        self._app = app
        self._max_bytes = max_bytes
        self._larger = tuple(larger)
        self._timeout_s = timeout_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        max_bytes = self._limit_of(scope)
        if self._declared_bytes(scope) > max_bytes:
            status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
            refusal = problem(scope, status, detail=DETAILS[status])
            await refusal(scope, receive, send)
        else:
            await self._app(scope, self._counting(receive, max_bytes), send)

    def _limit_of(self, scope: Scope) -> int:
        for route in self._larger:
            if route.method == scope["method"] and route.path.match(scope["path"]):
                return max(route.max_bytes, self._max_bytes)
        return self._max_bytes

    def _declared_bytes(self, scope: Scope) -> int:
        declared = Headers(scope=scope).get("content-length", "0")
        return int(declared[:20]) if declared.isascii() and declared.isdigit() else 0

    def _counting(self, receive: Receive, max_bytes: int) -> Receive:
        """Count what comes in. Its errors are those that FastAPI does not take for a broken body."""
        received_bytes, complete = 0, False
        patience_s = max(self._timeout_s, max_bytes / SLOWEST_BYTES_PER_S)
        deadline_s = asyncio.get_running_loop().time() + patience_s

        async def counted() -> Message:
            nonlocal received_bytes, complete
            try:
                # After the body comes nothing but the client's leaving, which a stream waits for.
                async with asyncio.timeout_at(None if complete else deadline_s):
                    message = await receive()
            except TimeoutError as error:
                raise HTTPException(HTTPStatus.REQUEST_TIMEOUT, headers={"Connection": "close"}) from error
            complete = not message.get("more_body", False)
            received_bytes += len(message.get("body", b""))
            if received_bytes > max_bytes:
                raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            return message

        return counted
