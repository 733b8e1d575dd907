"""One tab of the browser, in a context of its own: no cookies, no storage, no cache of anybody else."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

from glimpser.capture.website.bidi import BidiError, BrowserHung, BrowserLost, Link, Params
from glimpser.core.browsing import PageSpec

_SANDBOX = "glimpser"
_ANSWERS_S = 4.0
_ASKED = 3
"""A page that does not answer so many times in a row hangs."""
_FRAME_ANSWERS_S = 1.0
_REMOVAL_TIMEOUT_S = 4.0
DEFAULT_CONTEXT = "default"
"""The one a browser has from the start, with the sessions of whoever uses it."""


class Tab:
    """Event loop's thread. What it raises is what `Link.send` does."""

    def __init__(self, link: Link, context: str, user_context: str) -> None:
        self.link = link
        self.context = context
        self.user_context = user_context

    async def call(self, function: str, *arguments: str | Mapping[str, object], within: str = "") -> Any:
        """Run a function in the page, or in the frame whose context is `within`; gives its value.

        Arguments are texts, or elements that `find` gave. A promise is waited for.

        Raises:
            BidiError: as `Link.send`; with the code `javascript error` if the function throws.
        """
        reply = await self._ask(
            "script.callFunction",
            within=within,
            functionDeclaration=function,
            arguments=[{"type": "string", "value": a} if isinstance(a, str) else a for a in arguments],
            awaitPromise=True,
            target={"context": within or self.context, "sandbox": _SANDBOX},
        )
        if reply["type"] == "exception":
            raise BidiError("javascript error", str(reply["exceptionDetails"]["text"])[:500])
        return reply["result"].get("value")

    async def find(self, locator: Mapping[str, object], *, within: str = "") -> Mapping[str, object] | None:
        """Give the first element that `locator` (of BiDi) finds in the page or one of its frames."""
        reply = await self._ask(
            "browsingContext.locateNodes",
            within=within,
            context=within or self.context,
            locator=locator,
            maxNodeCount=1,
        )
        return {"sharedId": reply["nodes"][0]["sharedId"]} if reply["nodes"] else None

    async def _ask(self, method: str, /, *, within: str, **params: object) -> Params:
        """Ask the page itself. One that is replaced meanwhile never answers, so it is asked again.

        Raises:
            BidiError: a frame gives no answer: it may have none yet.
            BrowserHung: the page gives none.
        """
        framed = within not in ("", self.context)
        for _ in range(1 if framed else _ASKED):
            with suppress(TimeoutError):
                async with asyncio.timeout(_FRAME_ANSWERS_S if framed else _ANSWERS_S):
                    return await self.link.send(method, **params)
        if framed:
            raise BidiError("timeout", "a frame does not answer")
        raise BrowserHung("The page made the browser hang.")

    async def frames(self) -> list[tuple[str, str]]:
        """Give all frames of the page, outer ones first: each with the context it stands in."""
        reply = await self.link.send("browsingContext.getTree", root=self.context)
        found: list[tuple[str, str]] = []
        waiting = list(reply["contexts"])
        while waiting:
            parent = waiting.pop(0)
            children = parent.get("children") or []
            found += [(child["context"], parent["context"]) for child in children]
            waiting += children
        return found

    async def cdp(self, method: str, **params: object) -> Params:
        """Have a command of Chromium's own protocol carried out, where BiDi has none; gives its result."""
        session = await self.link.send("goog:cdp.getSession", context=self.context)
        reply = await self.link.send(
            "goog:cdp.sendCommand", method=method, params=params, session=session["session"]
        )
        result: Params = reply["result"]
        return result

    async def json(self, function: str, *arguments: str | Mapping[str, object], within: str = "") -> Any:
        return json.loads(await self.call(function, *arguments, within=within))


@asynccontextmanager
async def open_tab(link: Link, page: PageSpec) -> AsyncIterator[Tab]:
    """Open a tab for one page. At the end it is gone, or else the link is: then the browser has to end.

    Raises:
        BrowserLost: the browser opens none.
    """
    own, opened = DEFAULT_CONTEXT, ""
    try:
        try:
            own = DEFAULT_CONTEXT if page.attached else await _make_context(link, page)
            reply = await link.send("browsingContext.create", type="tab", userContext=own, background=True)
            opened = reply["context"]
        except BidiError as error:
            link.lost = True
            raise BrowserLost("The browser opens no tabs any more.") from error
        yield Tab(link, opened, own)
    finally:
        await _remove(link, opened, own)


async def _make_context(link: Link, page: PageSpec) -> str:
    params: dict[str, object] = {"unhandledPromptBehavior": {"default": "dismiss", "beforeUnload": "accept"}}
    if page.proxy:
        params["proxy"] = _proxy(page.proxy)
    reply = await link.send("browser.createUserContext", **params)
    return str(reply["userContext"])


def _proxy(url: str) -> dict[str, object]:
    parts = urlsplit(url)
    proxy: dict[str, object] = {"proxyType": "manual", "noProxy": ["<-loopback>"]}
    if parts.scheme == "socks5":
        return proxy | {"socksProxy": parts.netloc, "socksVersion": 5}
    return proxy | {"httpProxy": parts.netloc, "sslProxy": parts.netloc}


async def _remove(link: Link, context: str, user_context: str) -> None:
    """Close the tab with all it opened; a browser that cannot do even that is lost."""
    try:
        async with asyncio.timeout(_REMOVAL_TIMEOUT_S):
            if user_context != DEFAULT_CONTEXT:
                await link.send("browser.removeUserContext", userContext=user_context)
            elif context:
                await link.send("browsingContext.close", context=context)
    except (TimeoutError, BidiError):
        link.lost = True
        with suppress(BrowserLost):
            await link.close()
    except BrowserLost:
        pass
