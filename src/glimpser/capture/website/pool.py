"""The browser behind the `Browser` port: one that is reused, watched, and replaced before it grows old."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import structlog

from glimpser.capture.website.bidi import BrowserHung, BrowserLost
from glimpser.capture.website.programs import Find, find_programs
from glimpser.capture.website.settings import BrowserSettings, Shows
from glimpser.core.browsing import PageFailed, PageShot, PageSpec
from glimpser.core.clock import Clock
from glimpser.core.errors import GlimpserError, Misconfigured, Unavailable
from glimpser.process.launching import find_program
from glimpser.process.runner import Runner

_log = structlog.get_logger(__name__)

ENOUGH_IS_ENOUGH = 3
"""At so many times `max_memory_bytes` a browser is ended whatever it is doing."""
_WATCH_EVERY_S = 1.0
_TURN_TIMEOUT_S = 30.0
_MARGIN_S = 12.0
"""What a page may take beyond its own patience before the browser counts as hung."""
_WITHIN_S = 58.0
_REST_S = 5.0
"""After a browser did not start, for so long nobody tries again."""

Open = Callable[[], Coroutine[Any, Any, Shows]]


@dataclass(slots=True, eq=False)
class _Running:
    """A browser, since when it runs, and what it has done."""

    session: Shows
    since_s: float
    used_s: float
    captures: int = 0
    memory_bytes: int = 0
    users: int = 0
    free: asyncio.Event = field(default_factory=asyncio.Event)


@asynccontextmanager
async def open_browser(
    settings: BrowserSettings, runner: Runner, *, clock: Clock, find: Find = find_program
) -> AsyncIterator["SeleniumBrowser"]:
    """Have a browser at hand while the context is open; it starts when the first page is asked for."""
    async with task_group() as tasks:

        async def local(*, attached: bool = False) -> Shows:
            programs = await asyncio.to_thread(find_programs, find)
            await asyncio.to_thread(_load_drivers)
            from glimpser.capture.website.session import open_local

            return await open_local(runner, programs, settings, tasks.create_task, attached=attached)

        async def remote() -> Shows:
            await asyncio.to_thread(_load_drivers)
            from glimpser.capture.website.session import open_remote

            return await open_remote(settings, tasks.create_task)

        browser = SeleniumBrowser(
            settings,
            main=_Home(settings, remote if settings.webdriver_url else local, clock),
            attached=_Home(settings, lambda: local(attached=True), clock) if settings.attach else None,
        )
        watching = tasks.create_task(browser.watch())
        try:
            yield browser
        finally:
            watching.cancel()
            await browser.close()


def _load_drivers() -> None:
    """Load what drives browsers, which takes a third of a second, when there is one to drive. Blocks."""
    import_module("glimpser.capture.website.session")


@asynccontextmanager
async def task_group() -> AsyncIterator[asyncio.TaskGroup]:
    """Own tasks that never raise; what the context raises comes out of it as it is."""
    try:
        async with asyncio.TaskGroup() as tasks:
            yield tasks
    except BaseExceptionGroup as group:
        raise group.exceptions[0] from None


class SeleniumBrowser:
    """Implements `core.browsing.Browser`. Event loop's thread."""

    def __init__(self, settings: BrowserSettings, *, main: "_Home", attached: "_Home | None") -> None:
        self._main = main
        self._attached = attached
        self._turns = asyncio.Semaphore(settings.concurrency)

    @property
    def starts(self) -> int:
        """How many browsers were started so far."""
        return self._main.starts

    async def capture(self, page: PageSpec) -> PageShot:
        """As the port says. A browser that dies over another page's picture is not this one's fault.

        Raises:
            PageFailed, Unavailable, InvalidInput, Misconfigured: as the port says.
        """
        home = self._attached if page.attached else self._main
        if home is None:
            raise Misconfigured("No browser is attached: name its address in capture.browser_attach.")
        async with self._turn():
            try:
                async with asyncio.timeout(_WITHIN_S):
                    return await self._try_twice(home, page)
            except TimeoutError:
                raise PageFailed("The page took longer than a minute.") from None

    @property
    def pid(self) -> int | None:
        """The leader of the process group the browser is in; None: there is none on this machine now."""
        return self._main.pid

    async def memory_bytes(self) -> int:
        """Say what the browser takes of this machine now."""
        return await self._main.memory_bytes()

    async def watch(self) -> None:
        """Look after the browsers. Never returns."""
        while True:
            await asyncio.sleep(_WATCH_EVERY_S)
            await self._main.look_after()

    async def close(self) -> None:
        """End the browsers."""
        await self._main.close()
        if self._attached:
            await self._attached.close()

    async def _try_twice(self, home: "_Home", page: PageSpec) -> PageShot:
        try:
            return await home.capture(page)
        except BrowserLost:
            _log.info("browser.lost", action="the page is tried once more")
        try:
            return await home.capture(page)
        except BrowserLost as error:
            raise PageFailed("The browser ended over this page.") from error

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(_TURN_TIMEOUT_S):
                await self._turns.acquire()
        except TimeoutError:
            raise Unavailable(
                "Too many pages wait for the browser: make their intervals longer, or raise"
                " capture.browser_concurrency.",
                retry_after_s=30,
            ) from None
        try:
            yield
        finally:
            self._turns.release()


class _Home:
    """Has one browser or none, and knows when it is time for another."""

    def __init__(self, settings: BrowserSettings, open_one: Open, clock: Clock) -> None:
        self._settings = settings
        self._open = open_one
        self._clock = clock
        self._running: _Running | None = None
        self._changing = asyncio.Lock()
        self._resting_until_s = 0.0
        self._trouble: GlimpserError | None = None
        self.starts = 0

    async def capture(self, page: PageSpec) -> PageShot:
        """As `Browser.capture`. Raises: BrowserLost."""
        running = await self._enter()
        try:
            async with asyncio.timeout(page.waits.timeout_s + page.waits.delay_s + _MARGIN_S) as patience:
                return await running.session.capture(page)
        except (TimeoutError, BrowserHung) as error:
            if isinstance(error, TimeoutError) and not patience.expired():
                raise
            _log.warning("browser.hung", action="it is ended")
            await self._discard(running)
            raise PageFailed("The page made the browser hang, which was ended.") from None
        finally:
            self._leave(running)

    @property
    def pid(self) -> int | None:
        return self._running.session.pid if self._running else None

    async def memory_bytes(self) -> int:
        return await self._running.session.memory_bytes() if self._running else 0

    async def look_after(self) -> None:
        """End a browser that takes far too much, at once, and one that nobody needs."""
        running = self._running
        if running is None:
            return
        running.memory_bytes = await running.session.memory_bytes()
        if running.memory_bytes > self._settings.max_memory_bytes * ENOUGH_IS_ENOUGH:
            _log.warning("browser.too_large", bytes=running.memory_bytes, action="it is ended")
            await self._discard(running)
        elif not running.users and (running.session.lost or self._idle_s(running) > self._settings.idle_s):
            await self.close()

    async def close(self) -> None:
        async with self._changing:
            await self._end()

    async def _enter(self) -> _Running:
        """Raises: Unavailable, Misconfigured: there is no browser."""
        async with self._changing:
            if self._running and self._is_due(self._running):
                await self._running.free.wait()
                await self._end()
            if self._running is None:
                self._running = await self._start()
            running = self._running
            running.users += 1
            running.captures += 1
            running.free.clear()
            return running

    def _leave(self, running: _Running) -> None:
        running.users -= 1
        running.used_s = self._clock.monotonic()
        if not running.users:
            running.free.set()

    def _is_due(self, running: _Running) -> bool:
        settings = self._settings
        return (
            running.session.lost
            or running.captures >= settings.max_captures
            or running.memory_bytes > settings.max_memory_bytes
            or self._clock.monotonic() - running.since_s > settings.max_age_s
        )

    def _idle_s(self, running: _Running) -> float:
        return self._clock.monotonic() - running.used_s

    async def _start(self) -> _Running:
        now = self._clock.monotonic()
        if self._trouble and now < self._resting_until_s:
            raise self._trouble
        try:
            session = await self._open()
        except GlimpserError as error:
            self._trouble, self._resting_until_s = error, self._clock.monotonic() + _REST_S
            raise
        self._trouble = None
        self.starts += 1
        running = _Running(session, since_s=now, used_s=now)
        running.free.set()
        return running

    async def _discard(self, running: _Running) -> None:
        """End a browser now; whoever uses it is told that it is lost."""
        if self._running is running:
            self._running = None
        await running.session.end(at_once=True)

    async def _end(self) -> None:
        running, self._running = self._running, None
        if running:
            await running.session.end()
