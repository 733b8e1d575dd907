"""Which browser and which driver this machine has."""

from collections.abc import Callable
from dataclasses import dataclass

from glimpser.core.errors import Misconfigured
from glimpser.process.launching import find_program

HEADLESS_SHELL = "chromium-headless-shell"
BROWSERS = (
    HEADLESS_SHELL,
    "chrome-headless-shell",
    "chromium",
    "chromium-browser",
    "google-chrome-stable",
    "google-chrome",
)
"""Best first: without windows a browser takes half the time and memory."""
DRIVER = "chromedriver"
_REMEDY = "Debian: `apt install chromium-headless-shell chromium-driver`; Ubuntu: `snap install chromium`"

Find = Callable[[str], str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Programs:
    """Whole paths. `windowless`: the browser is one that has no windows at all."""

    browser: str
    driver: str
    windowless: bool


def find_programs(find: Find = find_program) -> Programs:
    """Look for them.

    Raises:
        Misconfigured: one is missing; the sentence says what to install.
    """
    browser = next((path for name in BROWSERS if (path := find(name))), None)
    if browser is None:
        raise Misconfigured(f"Web pages need a browser, and this machine has none. {_REMEDY}.")
    driver = find(DRIVER)
    if driver is None:
        raise Misconfigured(f"Web pages need {DRIVER} beside the browser, and it is missing. {_REMEDY}.")
    return Programs(browser=browser, driver=driver, windowless="headless-shell" in browser)
