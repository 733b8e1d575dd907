"""A page of the web app in a real browser, watched: whatever goes wrong unseen fails the test."""

import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Response, expect

from tests.program import EMAIL, PASSWORD, Program

WEB = Path(__file__).parents[2] / "web"
BUILT = Path(__file__).parents[2] / "src/glimpser/web_dist/index.html"

DESKTOP: dict[str, Any] = {"viewport": {"width": 1440, "height": 900}}
PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}

CHROMIUM_FLAGS = (
    "--no-sandbox",  # the tests may run as root, and open pages of their own only
    *("--disable-background-networking", "--no-first-run", "--disable-component-update"),
    *("--disable-sync", "--disable-quic"),
)

AXE = WEB / "node_modules/axe-core/axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
RULES_OF_COLOUR = ["color-contrast", "link-in-text-block"]
"""Those whose answer differs between the themes, which differ in nothing but colours."""
SHOW_THEME = """async (theme) => {
  document.documentElement.dataset.theme = theme;
  await new Promise((painted) => requestAnimationFrame(() => requestAnimationFrame(painted)));
  const fading = document.getAnimations().filter((animation) => animation instanceof CSSTransition);
  await Promise.allSettled(fading.map((animation) => animation.finished));
}"""

REPORT_VIOLATIONS = """
addEventListener('securitypolicyviolation', (event) =>
  console.error(`CSP: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}`));
"""


def chromium() -> str:
    """Find the browser, or skip the test."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        pytest.skip("chromium is missing")
    return found


def require_app() -> None:
    if not BUILT.exists():
        pytest.skip("the web app is not built (GLIMPSER_UI=skip?)")


@dataclass
class Trouble:
    """What a page complained about. `allowed` are patterns of what this test brings about on purpose."""

    allowed: Sequence[str] = ()
    seen: list[str] = field(default_factory=list)

    def watch(self, page: Page) -> None:
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self._note(f"page error: {error}"))
        page.on("response", self._on_response)

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self._note(f"console: {message.text} {message.location['url']}")

    def _on_response(self, response: Response) -> None:
        if response.status >= 400:
            self._note(f"{response.status} {response.request.method} {response.url}")

    def _note(self, line: str) -> None:
        if not any(re.search(pattern, line) for pattern in self.allowed):
            self.seen.append(line)


@contextmanager
def opened(
    browser: Browser, program: Program, *, allowed: Sequence[str] = (), **options: Any
) -> Iterator[Page]:
    """Open a page of the app in a browser that knows nothing yet; afterwards nothing may have gone wrong."""
    context = browser.new_context(base_url=program.url, **{"color_scheme": "dark", **DESKTOP, **options})
    context.set_default_timeout(15_000)
    context.add_init_script(REPORT_VIOLATIONS)
    trouble = Trouble(allowed)
    page = context.new_page()
    trouble.watch(page)
    try:
        yield page
        if trouble.seen:
            pytest.fail("The page was in trouble:\n" + "\n".join(trouble.seen))
    finally:
        context.close()


def sign_in(context: BrowserContext) -> None:
    """Get the session cookie without the form."""
    answer = context.request.post("/api/auth/login", data={"email": EMAIL, "password": PASSWORD})
    assert answer.ok, answer.text()


def picture_of(page: Page, tile: str) -> Any:
    """Sum the pixels of a tile, which differ from one picture to the next."""
    return page.evaluate(
        """(selector) => {
          const copy = new OffscreenCanvas(64, 36);
          const context = copy.getContext('2d', { willReadFrequently: true });
          context.drawImage(document.querySelector(selector), 0, 0, 64, 36);
          const { data } = context.getImageData(0, 0, 64, 36);
          let sum = 0;
          for (let i = 0; i < data.length; i += 4) sum = (sum * 31 + data[i]) | 0;
          return sum;
        }""",
        f"[data-tile='{tile}'] canvas",
    )


def expect_moving(page: Page, tile: str) -> None:
    """Wait until a tile calls itself live, and then until its picture has changed."""
    expect(page.locator(f"[data-tile='{tile}']")).to_have_attribute("data-status", "live")
    first = picture_of(page, tile)
    for _ in range(100):
        if picture_of(page, tile) != first:
            return
        page.wait_for_timeout(50)
    pytest.fail(f"the picture of {tile} stands still")


def overflow_px(page: Page) -> int:
    """Tell by how much the page is wider than the window."""
    return int(page.evaluate("document.documentElement.scrollWidth - innerWidth"))


def violations(page: Page, rules: Sequence[str] = RULES) -> dict[str, list[str]]:
    """Ask axe what is wrong with a page: broken rules, each with the elements that break it.

    It is evaluated by the debugger, to which the page's content security policy does not apply.
    """
    if not AXE.exists():
        pytest.skip("axe-core is missing (web/node_modules holds no tools)")
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text())
    result = page.evaluate("(rules) => axe.run({ runOnly: rules })", rules)
    return {
        violation["id"]: [node["html"][:200] for node in violation["nodes"]]
        for violation in result["violations"]
    }


def violations_in_both_themes(page: Page) -> dict[str, list[str]]:
    """Ask by all rules in the dark theme, and in the light one by those that look at colours."""
    found: dict[str, list[str]] = {}
    for theme, rules in (("dark", RULES), ("light", RULES_OF_COLOUR)):
        page.evaluate(SHOW_THEME, theme)
        found |= {f"{theme}: {rule}": nodes for rule, nodes in violations(page, rules).items()}
    return found
