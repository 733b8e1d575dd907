"""Makes a tab what a page is to see: its window, its language, what is sent along."""

import json
from collections.abc import Mapping
from urllib.parse import urlsplit

from glimpser.capture.website.bidi import BidiError
from glimpser.capture.website.notes import EVENTS, REQUEST_EVENTS
from glimpser.capture.website.scripts import CHECK_SELECTORS, STEALTH
from glimpser.capture.website.tab import DEFAULT_CONTEXT, Tab
from glimpser.core.browsing import Cookie, PageSpec, Visitor
from glimpser.core.errors import InvalidInput


async def prepare(tab: Tab, page: PageSpec, *, user_agent: str) -> list[str]:
    """Make the tab ready to navigate; gives the subscriptions to end. `user_agent` is the browser's own."""
    events = _events_for(page)
    subscriptions = [await _subscribe(tab, events)] if events else []
    only = [tab.context]
    viewport = {"width": page.width_px, "height": page.height_px}
    await tab.link.send("browsingContext.setViewport", context=tab.context, viewport=viewport)
    await _check_selectors(tab, page)
    await _disguise(tab, page.visitor, user_agent)
    if page.visitor.language:
        await tab.link.send("emulation.setLocaleOverride", locale=page.visitor.language, contexts=only)
    if page.visitor.dark:
        await tab.cdp("Emulation.setEmulatedMedia", features=[_DARK])
    for cookie in page.visitor.cookies:
        await _bring(tab, cookie, page.url)
    phases = _phases_for(page.visitor)
    if phases:
        await tab.link.send(
            "network.addIntercept", phases=phases, contexts=only, urlPatterns=[_origin_of(page.url)]
        )
    return subscriptions


_DARK = {"name": "prefers-color-scheme", "value": "dark"}


def _events_for(page: PageSpec) -> list[str]:
    """Say what is to be heard of this tab alone. Of a browser of our own, `EVENTS` of all tabs are heard."""
    events = list(EVENTS) if page.attached else []
    if page.waits.network_idle:
        events += REQUEST_EVENTS
    elif page.visitor.headers:
        events.append("network.beforeRequestSent")
    return [*events, "network.authRequired"] if page.visitor.login else events


def _phases_for(visitor: Visitor) -> list[str]:
    """Say what the browser waits for us with. It costs time, so only where there is something to say."""
    phases = ["authRequired"] if visitor.login else []
    return [*phases, "beforeRequestSent"] if visitor.headers else phases


def _origin_of(url: str) -> Mapping[str, object]:
    """Say what is sent to the page's own origin alone (RFC 6454): secrets are not for others."""
    parts = urlsplit(url)
    port = parts.port if parts.port is not None else {"http": 80, "https": 443}[parts.scheme]
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return {"type": "pattern", "protocol": parts.scheme, "hostname": host, "port": str(port)}


async def _subscribe(tab: Tab, events: list[str]) -> str:
    reply = await tab.link.send("session.subscribe", events=events, contexts=[tab.context])
    return str(reply["subscription"])


async def _check_selectors(tab: Tab, page: PageSpec) -> None:
    """Raises: InvalidInput: one is no CSS selector."""
    given = {
        "/config/wait_for": page.waits.selector,
        "/config/frame": page.part.frame,
        "/config/text_selector": page.text_selector,
    }
    fields = [(f"/config/remove/{index}", selector) for index, selector in enumerate(page.remove)]
    fields += [(pointer, selector) for pointer, selector in given.items() if selector]
    selectors = json.dumps([selector for _, selector in fields])
    wrong = await tab.json(CHECK_SELECTORS, selectors) if fields else -1
    if wrong >= 0:
        raise InvalidInput.field(fields[wrong][0], "This is no CSS selector.")
    if page.part.selector:
        await _check_part(tab, page.part.selector, by=page.part.by)


async def _check_part(tab: Tab, selector: str, *, by: str) -> None:
    try:
        await tab.find({"type": by, "value": selector})
    except BidiError as error:
        if error.code != "invalid selector":
            raise
        raise InvalidInput.field("/config/selector", f"This is no {by.upper()} selector.") from error


async def _disguise(tab: Tab, visitor: Visitor, user_agent: str) -> None:
    shown = visitor.user_agent or (user_agent.replace("Headless", "") if visitor.stealth else None)
    if shown:
        await tab.link.send("emulation.setUserAgentOverride", userAgent=shown, contexts=[tab.context])
    if visitor.stealth:
        await tab.link.send("script.addPreloadScript", functionDeclaration=STEALTH, contexts=[tab.context])


async def _bring(tab: Tab, cookie: Cookie, url: str) -> None:
    host = urlsplit(url).hostname or ""
    fields = {
        "name": cookie.name,
        "value": {"type": "string", "value": cookie.value},
        "domain": cookie.domain or host,
        "path": cookie.path,
        "secure": url.startswith("https:"),
    }
    where = {"type": "storageKey", "userContext": tab.user_context}
    partition = {} if tab.user_context == DEFAULT_CONTEXT else {"partition": where}
    await tab.link.send("storage.setCookie", cookie=fields, **partition)
