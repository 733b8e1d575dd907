"""What the browser tells about a tab while it loads: kept, bounded, and answered where it waits for us."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from typing import Any

from glimpser.capture.website.bidi import ENDED, BidiError, BrowserLost, Params
from glimpser.capture.website.tab import Tab
from glimpser.core.browsing import Visitor

_MAX_ERRORS = 20
_MAX_ERROR_CHARS = 500
_IDLE_S = 0.5
_MAX_CHALLENGES = 1000

EVENTS = (
    *("browsingContext.load", "browsingContext.navigationStarted", "browsingContext.navigationFailed"),
    *("browsingContext.navigationAborted", "browsingContext.downloadWillBegin", "log.entryAdded"),
)
REQUEST_EVENTS = ("network.beforeRequestSent", "network.responseCompleted", "network.fetchError")

Spawn = Callable[[Coroutine[Any, Any, None]], object]


class Notes:
    """Listens for one tab. Event loop's thread; `spawn` runs what has to be answered.

    `navigations` counts how often the page was replaced, or began to be.
    """

    def __init__(self, tab: Tab, visitor: Visitor, spawn: Spawn) -> None:
        self._tab = tab
        self._visitor = visitor
        self._spawn = spawn
        self._loop = asyncio.get_running_loop()
        self._open: set[str] = set()
        self._quiet_since = self._loop.time()
        self._challenged: set[str] = set()
        self.loaded = asyncio.Event()
        self.navigations = 0
        self.console_errors: list[str] = []
        self.downloading = False
        self.ended = asyncio.Event()

    @property
    def network_idle(self) -> bool:
        """Whether nothing was fetched for half a second."""
        return not self._open and self._loop.time() - self._quiet_since >= _IDLE_S

    def hear(self, method: str, params: Params) -> None:
        """Take an event; those of other tabs are passed over."""
        if method == ENDED:
            self.ended.set()
            self.loaded.set()  # who waits for it is told by its next command
        elif method == "browsingContext.contextCreated":
            self._close_pop_up(params)
        elif method.startswith("network."):
            self._hear_request(method, params)
        elif method == "log.entryAdded":
            self._hear_console(params)
        elif params.get("context") == self._tab.context:
            self._hear_navigation(method)

    def _hear_navigation(self, method: str) -> None:
        match method:
            case "browsingContext.navigationStarted":
                self.loaded.clear()
                self.navigations += 1
            case "browsingContext.downloadWillBegin":
                self.downloading = True
            case _:
                self.loaded.set()

    def _hear_console(self, params: Params) -> None:
        source = params.get("source") or {}
        if params.get("level") == "error" and source.get("context") == self._tab.context:
            text = str(params.get("text") or "")[:_MAX_ERROR_CHARS]
            if len(self.console_errors) < _MAX_ERRORS:
                self.console_errors.append(text)

    def _close_pop_up(self, params: Params) -> None:
        """Close what a page opens: nobody looks at it, and each costs a process."""
        ours = params.get("userContext") == self._tab.user_context and not params.get("parent")
        if ours and params.get("originalOpener") == self._tab.context:
            self._answer("browsingContext.close", context=params["context"])

    def _hear_request(self, method: str, params: Params) -> None:
        request = params.get("request") or {}
        number = str(request.get("request"))
        if params.get("isBlocked"):
            self._answer_request(method, number, request)
        if method == "network.beforeRequestSent":
            self._open.add(number)
        elif method != "network.authRequired":
            self._open.discard(number)
            self._quiet_since = self._loop.time()

    def _answer_request(self, method: str, number: str, request: Mapping[str, Any]) -> None:
        if method == "network.authRequired":
            self._answer("network.continueWithAuth", request=number, **self._credentials(number))
        elif method == "network.beforeRequestSent":
            self._answer("network.continueRequest", request=number, headers=self._headers(request))
        else:
            self._answer("network.continueResponse", request=number)

    def _credentials(self, number: str) -> dict[str, object]:
        """Give them once for each request: a site that asks again has refused them."""
        login = self._visitor.login
        if login is None or number in self._challenged or len(self._challenged) >= _MAX_CHALLENGES:
            return {"action": "cancel"}
        self._challenged.add(number)
        credentials = {"type": "password", "username": login.username, "password": login.password}
        return {"action": "provideCredentials", "credentials": credentials}

    def _headers(self, request: Mapping[str, Any]) -> list[Mapping[str, object]]:
        ours = {name.lower() for name in self._visitor.headers}
        kept = [header for header in request.get("headers", ()) if header["name"].lower() not in ours]
        return kept + [
            {"name": name, "value": {"type": "string", "value": value}}
            for name, value in self._visitor.headers.items()
        ]

    def _answer(self, method: str, **params: object) -> None:
        self._spawn(self._send(method, params))

    async def _send(self, method: str, params: Mapping[str, object]) -> None:
        with suppress(BidiError, BrowserLost):  # it was closed or went on meanwhile
            await self._tab.link.send(method, **params)
