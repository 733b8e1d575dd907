"""WebDriver BiDi, the part of it that is needed: commands, their answers, and events, over one WebSocket.

Protocol: https://www.w3.org/TR/webdriver-bidi/
"""

import asyncio
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from glimpser.core.errors import GlimpserError

MAX_MESSAGE_BYTES = 96 << 20
"""Room for the largest picture as base64; a page that makes the browser say more loses the connection."""
ENDED = "glimpser.ended"
_ENDED = "The browser has ended."
_OPEN_TIMEOUT_S = 10.0
_CLOSE_TIMEOUT_S = 0.5

Params = Mapping[str, Any]
Event = tuple[str, Params]
Hear = Callable[[str, Params], None]


class BidiError(Exception):
    """The browser did not do it; `code` is the standard's word for why."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


class BrowserLost(GlimpserError):
    """The browser, or the connection to it, is gone: start another."""


class BrowserHung(BrowserLost):
    """A page does not let the browser answer: end it."""


class Link:
    """One connection to one browser. Event loop's thread; any number of tasks may use it at once."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._answers: dict[int, asyncio.Future[Params]] = {}
        self._hearers: list[Hear] = []
        self._last_id = 0
        self.lost = False

    async def run(self) -> None:
        """Take in what comes, until the connection ends. Does not raise."""
        try:
            with suppress(WebSocketException, OSError):
                async for text in self._socket:
                    self._take(json.loads(text))
        finally:
            self.lost = True
            for answer in self._answers.values():
                _settle(answer, BrowserLost(_ENDED))
            for hear in tuple(self._hearers):
                hear(ENDED, {})
            await self._socket.close()

    async def send(self, method: str, /, **params: object) -> Params:
        """Have a command carried out; gives its result.

        Raises:
            BidiError: the browser refuses it.
            BrowserLost: there is no browser any more.
        """
        if self.lost:
            raise BrowserLost(_ENDED)
        self._last_id += 1
        number = self._last_id
        answer: asyncio.Future[Params] = asyncio.get_running_loop().create_future()
        self._answers[number] = answer
        try:
            await self._transmit({"id": number, "method": method, "params": params})
            return await answer
        finally:
            del self._answers[number]

    async def _transmit(self, message: Params) -> None:
        try:
            await self._socket.send(json.dumps(message))
        except (WebSocketException, OSError) as error:
            self.lost = True
            raise BrowserLost(_ENDED) from error

    @contextmanager
    def listening(self, hear: Hear) -> Iterator[None]:
        """Have `hear` called with every event, while the context is open. It must not raise.

        The last event there can be is `ENDED`, which is our own.
        """
        self._hearers.append(hear)
        try:
            yield
        finally:
            self._hearers.remove(hear)

    async def close(self) -> None:
        """Hang up; whoever waits for an answer is told that the browser is lost."""
        await self._socket.close()

    def _refusal(self, code: str, message: str) -> Exception:
        if code == "invalid session id" or "disconnected" in message:
            self.lost = True
            return BrowserLost(_ENDED)
        return BidiError(code, message)

    def _take(self, message: Params) -> None:
        match message:
            case {"type": "event", "method": str(method), "params": dict(params)}:
                for hear in tuple(self._hearers):
                    hear(method, params)
            case {"type": "success", "id": number, "result": result} if number in self._answers:
                _settle(self._answers[number], result)
            case {"type": "error", "id": number, "error": str(code)} if number in self._answers:
                _settle(self._answers[number], self._refusal(code, str(message.get("message", ""))))
            case _:
                pass  # an answer nobody waits for any more


def _settle(answer: asyncio.Future[Params], outcome: Params | Exception) -> None:
    if answer.done():
        return  # whoever waited was cancelled a moment ago
    if isinstance(outcome, Exception):
        answer.set_exception(outcome)
    else:
        answer.set_result(outcome)


async def open_link(url: str) -> Link:
    """Connect; whoever opened it runs `Link.run` and closes it.

    Raises:
        BrowserLost: nobody answers there.
    """
    try:
        socket = await connect(
            url,
            max_size=MAX_MESSAGE_BYTES,
            open_timeout=_OPEN_TIMEOUT_S,
            close_timeout=_CLOSE_TIMEOUT_S,
            ping_interval=None,  # every wait has a time-out of its own
            compression=None,
            proxy=None,
        )
    except (WebSocketException, OSError) as error:
        raise BrowserLost("The browser takes no connection.") from error
    return Link(socket)
