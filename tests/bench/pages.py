"""Pictures of pages: one browser with contexts against a browser for each picture, on the same pages.

Three pages in equal parts: a light one, a heavy one (thousands of elements, drawn pictures), and one whose
script fetches more after it has loaded. The sides take turns, so that both see the same machine.
"""

import asyncio
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from selenium.webdriver import Remote

from glimpser.capture.website.classic import OnePageEach
from glimpser.capture.website.options import plain_options
from glimpser.capture.website.programs import HEADLESS_SHELL, find_programs
from glimpser.capture.website.session import new_driver, quit_driver
from glimpser.capture.website.settings import BrowserSettings
from glimpser.core.browsing import PageShot, PageSpec, Visitor, Waits
from glimpser.core.clock import SystemClock
from glimpser.observability.metrics import Metrics
from glimpser.process.command import Command
from glimpser.process.launching import find_program
from glimpser.process.runner import open_runner
from tests.bench.figures import Figure, Part, median
from tests.web_site import Page, Site, browsing, html, serving

FULL = "chromium"
PARALLEL = 4
ROUNDS = 3
SECONDS = 120.0
HEAVY = "<!doctype html><body>" + "".join(
    "<div style='float:left;width:60px;height:40px;border-radius:9px;"
    f"background:hsl({n % 360} 60% 60%)'>{n}</div>"
    for n in range(3000)
)
LIGHT = "<!doctype html><title>Light</title><h1>Level</h1><p>2.31 m</p>"
SLOW = (
    "<!doctype html><p id=p>…</p>"
    "<script>fetch('/late').then(() => p.outerHTML = '<p id=done>done</p>')</script>"
)
Capture = Callable[[PageSpec], Awaitable[PageShot]]


def pages() -> dict[str, Page]:
    return {"/light": LIGHT, "/heavy": HEAVY, "/slow": SLOW, "/late": html("late")}


def mixed(site: Site) -> list[PageSpec]:
    """Give one of each page."""
    done = Waits(selector="#done")
    return [
        PageSpec(url=f"{site.url}/light"),
        PageSpec(url=f"{site.url}/heavy"),
        PageSpec(url=f"{site.url}/slow", waits=done),
    ]


def run(seconds: float = SECONDS) -> Part:
    """Measure both browsers there are."""
    figures = asyncio.run(_measure(seconds))
    note = "both sides through the same code but for the contexts; other programs ran on the machine"
    return Part("Pictures of pages", figures, [f"{PARALLEL} at a time, {ROUNDS} rounds", note])


async def _measure(seconds: float) -> list[Figure]:
    figures: list[Figure] = []
    rates: dict[str, tuple[float, float]] = {}
    for browser, target in ((HEADLESS_SHELL, 2.4), (FULL, 1.5)):
        if find_program(browser) is None:
            continue
        rounds = await _compare(browser, seconds / (2 * 2 * ROUNDS))
        ours, theirs = [rate for rate, _ in rounds], [rate for _, rate in rounds]
        rates[browser] = (statistics.median(ours), statistics.median(theirs))
        ratio = statistics.median(one / other for one, other in rounds)
        figures += [
            median(f"{browser}: contexts", ours, "/min"),
            median(f"{browser}: a session each", theirs, "/min"),
            Figure(name=f"{browser}: ratio", value=ratio, unit="×", at_least=target),
        ]
    if len(rates) == 2:
        best = rates[HEADLESS_SHELL][0] / rates[FULL][1]
        name = f"{HEADLESS_SHELL} with contexts to {FULL} with a session each"
        figures.append(Figure(name=name, value=best, unit="×"))
    return figures


async def _compare(browser: str, seconds: float) -> list[tuple[float, float]]:
    """Give captures per minute of both sides, round by round."""
    with tempfile.TemporaryDirectory() as folder:
        async with (
            serving(pages()) as site,
            browsing(Path(folder) / "a", BrowserSettings(concurrency=PARALLEL), find=_only(browser)) as ours,
            _a_session_each(Path(folder) / "b", browser) as theirs,
        ):
            specs = mixed(site)
            await ours.capture(specs[0])
            return [
                (await _rate(ours.capture, specs, seconds), await _rate(theirs, specs, seconds))
                for _ in range(ROUNDS)
            ]


def _only(browser: str) -> Callable[[str], str | None]:
    return lambda name: find_program(name) if name in (browser, "chromedriver") else None


@asynccontextmanager
async def _a_session_each(scratch: Path, browser: str) -> AsyncIterator[Capture]:
    """Start a new WebDriver session, and so a browser, for each picture; the driver itself stays."""
    programs = find_programs(_only(browser))
    command = Command(
        name="driver",
        argv=(programs.driver, "--port=0", "--log-level=SEVERE"),
        environment={"TMPDIR": "."},
    )
    async with (
        open_runner(scratch, clock=SystemClock(), recorder=Metrics("bench")) as runner,
        runner.start(command, stdout=True) as child,
    ):
        assert child.stdout is not None
        while b"successfully on port" not in (line := await child.stdout.readline()):
            assert line
        url = "http://127.0.0.1:" + line.decode().strip().rstrip(".").rpartition(" ")[2]

        async def open_one(_: PageSpec) -> Remote:
            options = plain_options(Visitor(), sandbox=False)
            options.binary_location = programs.browser
            return await new_driver(url, options)

        yield OnePageEach(open_one, quit_driver).capture


async def _rate(capture: Capture, specs: list[PageSpec], seconds: float) -> float:
    """Give captures per minute, so many at a time."""
    until = time.monotonic() + seconds
    began, count = time.monotonic(), 0

    async def keep_on(first: int) -> None:
        nonlocal count
        turn = first
        while time.monotonic() < until:
            await capture(specs[turn % len(specs)])
            count += 1
            turn += 1

    async with asyncio.TaskGroup() as tasks:
        for first in range(PARALLEL):
            tasks.create_task(keep_on(first))
    return count * 60 / (time.monotonic() - began)
