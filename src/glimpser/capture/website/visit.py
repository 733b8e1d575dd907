"""One visit to one page: from an empty tab to the picture, the text and what was noticed."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeVar

from glimpser.capture.website.bidi import BidiError, BrowserLost, Link
from glimpser.capture.website.faults import fault_of
from glimpser.capture.website.notes import Notes, Spawn
from glimpser.capture.website.preparing import prepare
from glimpser.capture.website.scripts import FACTS, REMOVE, TEXT
from glimpser.capture.website.shooting import Picture, find_part, shoot, shoot_unfinished, shoot_window
from glimpser.capture.website.tab import Tab, open_tab
from glimpser.capture.website.walls import SELECTORS, facts_of
from glimpser.core.browsing import MAX_TEXT_BYTES, PageFailed, PageShot, PageSpec, Part

_SETTLE_S = 0.05
"""Scripts that lead somewhere else do so right after the page has loaded."""
_POLL_S = 0.2
_LAST_LOOK_S = 4.0
_SHOT_S = 8.0
_TURNS = 3
_TELLING = frozenset(("invalid argument", "javascript error"))
"""Errors that say something of what was asked, not of a page that was replaced meanwhile."""

T = TypeVar("T")


async def visit(link: Link, page: PageSpec, *, user_agent: str, spawn: Spawn) -> PageShot:
    """Show a page and take its picture; takes as long as the page lets it.

    Raises:
        PageFailed: it gives none of what was wanted.
        InvalidInput: a selector is none.
        BrowserLost: the browser ended over it, or meanwhile.
    """
    async with open_tab(link, page) as tab:
        notes = Notes(tab, page.visitor, spawn)
        with link.listening(notes.hear):
            return await _Visit(tab, page, notes).run(user_agent)


class _Visit:
    def __init__(self, tab: Tab, page: PageSpec, notes: Notes) -> None:
        self._tab = tab
        self._page = page
        self._notes = notes
        self._until = asyncio.get_running_loop().time() + page.waits.timeout_s
        self._answered = False
        self._loaded = True
        self._pictured = 0  # how many navigations there had been

    async def run(self, user_agent: str) -> PageShot:
        subscriptions = await prepare(self._tab, self._page, user_agent=user_agent)
        try:
            await self._load()
            await self._wait()
            await self._remove()
            picture = await self._picture()
            return await self._turning(lambda: self._described(picture))
        except PageFailed as error:
            shot = await self._last_look() if self._answered else None
            raise PageFailed(error.detail, shot=shot) from error
        except BidiError as error:
            raise PageFailed(f"The browser cannot show this page: {error.message[:200]}.") from error
        finally:
            if subscriptions:
                with suppress(BidiError, BrowserLost):
                    await self._tab.link.send("session.unsubscribe", subscriptions=subscriptions)

    async def _load(self) -> None:
        """Navigate, and wait until all is there, or for as long as there is patience."""
        try:
            async with asyncio.timeout_at(self._until):
                self._notes.loaded.clear()
                await self._navigate()
                self._answered = True
                await self._notes.loaded.wait()
                await asyncio.sleep(_SETTLE_S)
                await self._notes.loaded.wait()
        except TimeoutError:
            if not self._answered:
                patience = self._page.waits.timeout_s
                raise PageFailed(f"The site did not answer within {patience:g} s.") from None
            self._loaded = False

    async def _navigate(self) -> None:
        try:
            await self._tab.link.send(
                "browsingContext.navigate", context=self._tab.context, url=self._page.url, wait="none"
            )
        except BidiError as error:
            self._answered = True
            await asyncio.sleep(_SETTLE_S)  # what it was about is told a moment later
            raise PageFailed(fault_of(error.message, downloading=self._notes.downloading)) from error

    async def _picture(self) -> Picture:
        """Take the picture; of a page that replaces itself all the time, as it is when it is stopped."""
        self._pictured = self._notes.navigations
        try:
            async with asyncio.timeout(_SHOT_S):
                return await shoot(self._tab, self._page)
        except TimeoutError:
            pass
        except BidiError as error:
            if error.code == "invalid argument":
                raise
        await self._hold_still()
        return await self._turning(lambda: shoot_unfinished(self._tab, self._page))

    async def _turning(self, work: Callable[[], Awaitable[T]]) -> T:
        """Do something with a page that may be replaced meanwhile: then again, with what took its place.

        One that is replaced again and again is stopped.
        """
        for turn in range(_TURNS):
            try:
                return await work()
            except BidiError as error:
                if error.code in _TELLING:
                    raise
                if turn:
                    await self._hold_still()
                await asyncio.sleep(_SETTLE_S)
        return await work()

    async def _hold_still(self) -> None:
        self._loaded = False
        with suppress(BidiError):
            await self._tab.link.send(
                "emulation.setScriptingEnabled", enabled=False, contexts=[self._tab.context]
            )
        with suppress(BidiError):
            await self._tab.cdp("Page.stopLoading")

    async def _wait(self) -> None:
        waits = self._page.waits
        if waits.selector and not await self._appears(waits.selector):
            raise PageFailed(f"Within {waits.timeout_s:g} s nothing on the page matched {waits.selector}.")
        if waits.network_idle:
            await self._falls_silent()
        await self._pause(waits.delay_s)

    async def _pause(self, duration_s: float) -> None:
        """Raises: BrowserLost: it ended meanwhile."""
        with suppress(TimeoutError):
            async with asyncio.timeout(duration_s):
                await self._notes.ended.wait()
                raise BrowserLost("The browser has ended.")

    async def _falls_silent(self) -> None:
        while True:
            if self._notes.network_idle or self._left_s() <= 0:
                return
            await asyncio.sleep(_POLL_S)

    async def _appears(self, selector: str) -> bool:
        part = Part(selector=selector, frame=self._page.part.frame)
        while True:
            with suppress(BidiError, PageFailed):  # the page, or the frame, is not there yet
                if await find_part(self._tab, part):
                    return True
            if self._left_s() <= 0:
                return False
            await asyncio.sleep(_POLL_S)

    async def _remove(self) -> None:
        if not self._page.remove:
            return
        selectors = json.dumps(self._page.remove)
        await self._tab.call(REMOVE, selectors)
        for frame, _ in await self._tab.frames():
            with suppress(BidiError):
                await self._tab.call(REMOVE, selectors, within=frame)

    async def _described(self, picture: Picture) -> PageShot:
        text = str(await self._tab.call(TEXT, self._page.text_selector or "", str(MAX_TEXT_BYTES)))
        return PageShot(
            jpeg=picture.jpeg,
            width=picture.width,
            height=picture.height,
            text=text.encode(errors="replace")[:MAX_TEXT_BYTES].decode(errors="ignore"),
            facts=facts_of(
                await self._tab.json(FACTS, SELECTORS),
                loaded=self._loaded and self._notes.navigations == self._pictured,
                cut=picture.cut,
                console_errors=self._notes.console_errors,
            ),
        )

    async def _last_look(self) -> PageShot | None:
        """Take what is to be seen instead, if it can be had soon."""
        self._pictured = self._notes.navigations
        try:
            async with asyncio.timeout(_LAST_LOOK_S):
                return await self._described(await shoot_window(self._tab, self._page))
        except (TimeoutError, BidiError):
            return None

    def _left_s(self) -> float:
        return self._until - asyncio.get_running_loop().time()
