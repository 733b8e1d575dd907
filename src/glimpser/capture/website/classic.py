"""For a Grid whose browsers have no contexts: a browser for each page, by WebDriver alone.

Protocol: https://www.w3.org/TR/webdriver2/
"""

import asyncio
import io
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from time import monotonic, sleep
from urllib.parse import quote

from PIL import Image
from selenium.common import (
    InvalidSelectorException,
    NoSuchElementException,
    TimeoutException,
    WebDriverException,
)
from selenium.webdriver import Remote
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from urllib3.exceptions import HTTPError

from glimpser.capture.website.faults import fault_of
from glimpser.capture.website.scripts import FACTS, PAGE_HEIGHT, REMOVE, TEXT
from glimpser.capture.website.walls import SELECTORS, facts_of
from glimpser.core.browsing import MAX_PAGE_PX, MAX_TEXT_BYTES, PageFailed, PageShot, PageSpec
from glimpser.core.errors import InvalidInput, Misconfigured
from glimpser.egress.target import parse_target

_POLL_S = 0.2
_SCRIPT_TIMEOUT_S = 10
_BY = {"css": By.CSS_SELECTOR, "xpath": By.XPATH}

Open = Callable[[PageSpec], Awaitable[Remote]]
Quit = Callable[[Remote], Awaitable[None]]


class OnePageEach:
    """What the pool needs of a browser, with a new one for each page."""

    lost = False
    pid = None

    def __init__(self, open_driver: Open, quit_driver: Quit) -> None:
        self._open = open_driver
        self._quit = quit_driver

    async def capture(self, page: PageSpec) -> PageShot:
        """As `Browser.capture`."""
        refuse_what_needs_contexts(page)
        driver = await self._open(page)
        try:
            return await asyncio.to_thread(_Look(driver, page).take)
        except (WebDriverException, HTTPError) as error:
            raise PageFailed(f"The browser cannot show this page: {_said(error)}.") from error
        finally:
            await asyncio.shield(self._quit(driver))

    async def memory_bytes(self) -> int:
        return 0

    async def end(self, *, at_once: bool = False) -> None:
        pass


def refuse_what_needs_contexts(page: PageSpec) -> None:
    """Raises: Misconfigured."""
    visitor = page.visitor
    wanted = {
        "headers": bool(visitor.headers),
        "dark": visitor.dark,
        "stealth": visitor.stealth,
        "proxy": page.proxy is not None,
    }
    missing = [name for name, asked in wanted.items() if asked]
    if missing:
        raise Misconfigured(
            f"The browsers at capture.webdriver_url have no WebDriver BiDi, which {', '.join(missing)} needs."
        )


@dataclass(frozen=True, slots=True)
class _Look:
    """One page in one browser. Blocks."""

    driver: Remote
    page: PageSpec

    def take(self) -> PageShot:
        until = monotonic() + self.page.waits.timeout_s
        self.driver.set_script_timeout(_SCRIPT_TIMEOUT_S)
        self.driver.set_window_size(self.page.width_px, self.page.height_px)
        loaded = self._load()
        if self.page.visitor.cookies:
            self._bring_cookies()
            loaded = self._load()
        try:
            self._wait(until)
            self._remove()
            png, cut = self._shoot()
        except PageFailed as error:
            shot = self._described(self.driver.get_screenshot_as_png(), loaded=loaded, cut=False)
            raise PageFailed(error.detail, shot=shot) from error
        return self._described(png, loaded=loaded, cut=cut)

    def _load(self) -> bool:
        self.driver.set_page_load_timeout(self.page.waits.timeout_s)
        try:
            self.driver.get(_with_login(self.page))
        except TimeoutException:
            return False
        except WebDriverException as error:
            raise PageFailed(fault_of(error.msg or "")) from error
        return True

    def _bring_cookies(self) -> None:
        for cookie in self.page.visitor.cookies:
            fields = {"name": cookie.name, "value": cookie.value, "path": cookie.path}
            self.driver.add_cookie(fields | ({"domain": cookie.domain} if cookie.domain else {}))

    def _wait(self, until: float) -> None:
        waits = self.page.waits
        while waits.selector and not self._found(By.CSS_SELECTOR, waits.selector, "/config/wait_for"):
            if monotonic() > until:
                raise PageFailed(
                    f"Within {waits.timeout_s:g} s nothing on the page matched {waits.selector}."
                )
            sleep(_POLL_S)
        sleep(waits.delay_s)

    def _remove(self) -> None:
        if self.page.remove:
            with suppress(WebDriverException):
                self._call(REMOVE, json.dumps(self.page.remove))

    def _shoot(self) -> tuple[bytes, bool]:
        part = self.page.part
        if part.frame:
            frame = self._wanted(By.CSS_SELECTOR, part.frame, "/config/frame")
            if part.selector is None:
                return frame.screenshot_as_png, False
            self.driver.switch_to.frame(frame)
        if part.selector:
            return self._wanted(_BY[part.by], part.selector, "/config/selector").screenshot_as_png, False
        if not self.page.full_page:
            return self.driver.get_screenshot_as_png(), False
        height = int(self._call(PAGE_HEIGHT))
        self.driver.set_window_size(self.page.width_px, min(height, MAX_PAGE_PX))
        return self.driver.get_screenshot_as_png(), height > MAX_PAGE_PX

    def _wanted(self, by: str, selector: str, pointer: str) -> WebElement:
        found = self._found(by, selector, pointer)
        if found is None:
            raise PageFailed(f"Nothing on the page matches {selector}.")
        return found

    def _found(self, by: str, selector: str, pointer: str) -> WebElement | None:
        try:
            return self.driver.find_element(by, selector)
        except NoSuchElementException:
            return None
        except InvalidSelectorException as error:
            raise InvalidInput.field(pointer, "This is no selector.") from error

    def _described(self, png: bytes, *, loaded: bool, cut: bool) -> PageShot:
        self.driver.switch_to.default_content()
        text = str(self._call(TEXT, self.page.text_selector or "", str(MAX_TEXT_BYTES)))
        facts = facts_of(json.loads(self._call(FACTS, SELECTORS)), loaded=loaded, cut=cut)
        jpeg, width, height = _jpeg(png, self.page.quality)
        return PageShot(jpeg=jpeg, width=width, height=height, text=text, facts=facts)

    def _call(self, function: str, *arguments: str) -> str:
        return str(self.driver.execute_script(f"return ({function})(...arguments)", *arguments))


def _with_login(page: PageSpec) -> str:
    login = page.visitor.login
    if login is None:
        return page.url
    target = parse_target(page.url, ("http", "https"))
    return replace(
        target, userinfo=f"{quote(login.username, safe='')}:{quote(login.password, safe='')}"
    ).url()


def _jpeg(png: bytes, quality: int) -> tuple[bytes, int, int]:
    with Image.open(io.BytesIO(png), formats=["PNG"]) as picture:
        made = io.BytesIO()
        picture.convert("RGB").save(made, "JPEG", quality=quality)
        return made.getvalue(), picture.width, picture.height


def _said(error: Exception) -> str:
    text = getattr(error, "msg", None) or type(error).__name__
    return str(text).strip().partition("\n")[0][:200]
