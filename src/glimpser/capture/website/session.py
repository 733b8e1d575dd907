"""One browser that runs: ours, one that is attached to, or one of a Grid."""

import asyncio
import re
from contextlib import AsyncExitStack, suppress
from dataclasses import replace
from urllib.parse import unquote

import structlog
from selenium.common import WebDriverException
from selenium.webdriver import ChromeOptions, Remote
from selenium.webdriver.common.proxy import Proxy, ProxyType
from selenium.webdriver.remote.client_config import ClientConfig
from urllib3.exceptions import HTTPError

from glimpser.capture.website.bidi import BidiError, BrowserLost, Link, open_link
from glimpser.capture.website.classic import OnePageEach
from glimpser.capture.website.memory import group_memory_bytes
from glimpser.capture.website.notes import EVENTS, Spawn
from glimpser.capture.website.options import attach_options, local_options, plain_options, remote_options
from glimpser.capture.website.programs import Programs
from glimpser.capture.website.settings import BrowserSettings
from glimpser.capture.website.visit import visit
from glimpser.core.browsing import PageShot, PageSpec
from glimpser.core.errors import Unavailable
from glimpser.core.redaction import redact
from glimpser.egress.target import Target, parse_target
from glimpser.process.command import Command, Limits
from glimpser.process.runner import Child, Runner

_log = structlog.get_logger(__name__)

_READY = re.compile(rb"started successfully on port (\d+)")
_START_TIMEOUT_S = 30.0
_QUIT_TIMEOUT_S = 5.0
_GRACE_S = 1.0
_LIMITS = Limits(open_files=8192, file_size_bytes=1 << 30)
POP_UPS = "browsingContext.contextCreated"


class Session:
    """A browser that has contexts. Event loop's thread."""

    def __init__(
        self, link: Link, driver: Remote, *, spawn: Spawn, user_agent: str, child: Child | None = None
    ) -> None:
        self._link = link
        self._driver = driver
        self._spawn = spawn
        self._user_agent = user_agent
        self._child = child
        self.closing = AsyncExitStack()

    @property
    def lost(self) -> bool:
        return self._link.lost or (self._child is not None and self._child.status is not None)

    @property
    def pid(self) -> int | None:
        """Of the driver, whose group the browser is in; None where they are not ours."""
        return self._child.pid if self._child else None

    async def capture(self, page: PageSpec) -> PageShot:
        return await visit(self._link, page, user_agent=self._user_agent, spawn=self._spawn)

    async def memory_bytes(self) -> int:
        """Say what it takes of this machine; 0 if it runs on another."""
        if self._child is None or self._child.status is not None:
            return 0
        return await asyncio.to_thread(group_memory_bytes, self._child.pid)

    async def end(self, *, at_once: bool = False) -> None:
        """End the browser with all its processes; one that is not lost is asked first, if there is time."""
        if not (self.lost or at_once):
            await quit_driver(self._driver)
        self._link.lost = True
        await self.closing.aclose()


async def quit_driver(driver: Remote) -> None:
    """End a driver's session. Does not raise."""
    with suppress(WebDriverException, HTTPError, TimeoutError):
        async with asyncio.timeout(_QUIT_TIMEOUT_S):
            await asyncio.to_thread(driver.quit)


async def open_local(
    runner: Runner, programs: Programs, settings: BrowserSettings, spawn: Spawn, *, attached: bool = False
) -> Session:
    """Start a driver of ours and have it start a browser, or take the one that is attached to.

    Raises:
        Unavailable: it does not start; says why.
    """
    async with AsyncExitStack() as stack:
        child = await stack.enter_async_context(runner.start(_driver_command(programs), stdout=True))
        port = await _port_of(child)
        spawn(_drain(child))
        if attached:
            options = attach_options(settings.attach or "")
        else:
            options = local_options(
                programs,
                sandbox=settings.sandbox,
                proxy_url=settings.proxy_url,
                resolve=settings.view_proxies,
            )
        driver = await new_driver(f"http://127.0.0.1:{port}", options)
        session = await connect(driver, spawn, stack=stack, child=child, attached=attached)
        session.closing = stack.pop_all()
        return session


async def open_remote(settings: BrowserSettings, spawn: Spawn) -> Session | OnePageEach:
    """Have a Grid start a browser. One whose browsers have no contexts starts one for each page.

    Raises:
        Unavailable: it does not.
    """
    target = parse_target(settings.webdriver_url or "", ("http", "https"))
    url = replace(target, userinfo=None).url().rstrip("/")
    login = _login_in(target)

    async def open_one(page: PageSpec) -> Remote:
        return await new_driver(url, plain_options(page.visitor, sandbox=settings.sandbox), login=login)

    driver = await new_driver(url, remote_options(sandbox=settings.sandbox), login=login)
    try:
        return await connect(driver, spawn)
    except (BrowserLost, BidiError):
        await quit_driver(driver)
        _log.warning(
            "browser.no_contexts", consequence="capture.webdriver_url starts a browser for each page"
        )
        return OnePageEach(open_one, quit_driver)


def _login_in(target: Target) -> tuple[str, str] | None:
    if target.userinfo is None:
        return None
    username, _, password = target.userinfo.partition(":")
    return unquote(username), unquote(password)


async def connect(
    driver: Remote,
    spawn: Spawn,
    *,
    stack: AsyncExitStack | None = None,
    child: Child | None = None,
    attached: bool = False,
) -> Session:
    """Take hold of a browser that was started, or of one that people use (`attached`).

    Raises:
        BrowserLost, BidiError: it does not speak BiDi.
    """
    url = driver.capabilities.get("webSocketUrl")
    if not isinstance(url, str):
        raise BrowserLost("This WebDriver has no BiDi.")
    link = await open_link(url)
    spawn(link.run())
    if stack is not None:
        stack.push_async_callback(link.close)
    if not attached:  # it is nobody else's: what holds for one tab holds for all
        await link.send("browser.setDownloadBehavior", downloadBehavior={"type": "denied"})
        await link.send("session.subscribe", events=[POP_UPS, *EVENTS])
    user_agent = str(driver.capabilities.get("userAgent") or await _user_agent(link))
    return Session(link, driver, spawn=spawn, user_agent=user_agent, child=child)


async def _user_agent(link: Link) -> str:
    contexts = (await link.send("browsingContext.getTree", maxDepth=0))["contexts"]
    target = {"context": contexts[0]["context"]}
    reply = await link.send(
        "script.evaluate", expression="navigator.userAgent", target=target, awaitPromise=False
    )
    return str(reply["result"]["value"])


async def new_driver(url: str, options: ChromeOptions, *, login: tuple[str, str] | None = None) -> Remote:
    """Have a driver start a browser.

    Raises:
        Unavailable: it does not; says why.
    """
    config = ClientConfig(
        url,
        proxy=Proxy(raw={"proxyType": ProxyType.DIRECT}),  # none that the environment names
        timeout=_START_TIMEOUT_S,  # type: ignore[arg-type]  # urllib3 takes fractions
        username=login[0] if login else None,
        password=login[1] if login else None,
    )
    try:
        return await asyncio.to_thread(Remote, url, options=options, client_config=config)
    except (WebDriverException, HTTPError) as error:
        raise Unavailable(f"The browser does not start: {_first_line(error)}", retry_after_s=10) from error


def _first_line(error: Exception) -> str:
    text = getattr(error, "msg", None) or str(error)
    hint = " Unless it may be without its sandbox: capture.browser_sandbox." if "sandbox" in text else ""
    return redact(text.strip().partition("\n")[0])[:300] + hint


def _driver_command(programs: Programs) -> Command:
    return Command(
        name="chromedriver",
        argv=(programs.driver, "--port=0", "--log-level=SEVERE"),
        # Its home, said shortly: Chromium makes sockets there, whose paths have 107 characters at most.
        environment={"TMPDIR": "."},
        limits=_LIMITS,
        grace_s=_GRACE_S,
    )


async def _port_of(child: Child) -> int:
    """Read on which port the driver listens.

    Raises:
        Unavailable: it ended before it said so, or took too long.
    """
    assert child.stdout is not None
    try:
        async with asyncio.timeout(_START_TIMEOUT_S):
            while line := await child.stdout.readline():
                if found := _READY.search(line):
                    return int(found[1])
    except TimeoutError:
        pass
    raise Unavailable("The browser's driver does not start: see the log.", retry_after_s=10)


async def _drain(child: Child) -> None:
    """Read what the driver writes: it would wait for that."""
    assert child.stdout is not None
    while await child.stdout.read(1 << 14):
        pass
