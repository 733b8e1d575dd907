"""Hundreds of pictures of pages by one program: how much memory its browser takes, and what is left of it.

First 500 pictures in peace, then 200 while any process of the browser is killed every few seconds. At the end
there may be neither a process nor a profile.
"""

import asyncio
import os
import random
import signal
import tempfile
from contextlib import suppress
from pathlib import Path

from glimpser.capture.website.memory import members
from glimpser.capture.website.pool import SeleniumBrowser
from glimpser.capture.website.settings import BrowserSettings
from glimpser.core.browsing import PageFailed, PageSpec
from glimpser.core.errors import Unavailable
from tests.bench.figures import Figure, Part
from tests.bench.pages import mixed, pages
from tests.web_site import browsing, serving

PEACEFUL = 500
HARASSED = 200
PARALLEL = 3
_GIB = 1 << 30
_SAMPLE_S = 0.5
_KILL_S = (2.0, 5.0)


def run(chance: random.Random) -> Part:
    """Run both."""
    return asyncio.run(_run(chance))


async def _run(chance: random.Random) -> Part:
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder) / "run"
        settings = BrowserSettings(concurrency=PARALLEL)
        async with serving(pages()) as site, browsing(scratch, settings) as browser:
            specs = mixed(site)
            peak, failed, _ = await _beside(browser, specs, PEACEFUL, _Peak())
            starts = browser.starts
            _, failed_then, kills = await _beside(browser, specs, HARASSED, _Killer(chance))
        left = _processes_below(scratch)
        profiles = len(list(scratch.iterdir())) if scratch.exists() else 0
    return Part(
        "Pages: memory and leftovers",
        [
            Figure(
                name=f"memory of the browser's tree, peak over {PEACEFUL}",
                value=peak / _GIB,
                unit="GiB",
                at_most=1,
            ),
            Figure(name="failed in peace", value=failed, unit="", at_most=0),
            Figure(name="browsers started in peace", value=starts, unit=""),
            Figure(name="processes killed", value=kills, unit="", at_least=5),
            Figure(name=f"failed of {HARASSED} while killed", value=failed_then, unit=""),
            Figure(name="processes left", value=left, unit="", at_most=0),
            Figure(name="profiles left", value=profiles, unit="", at_most=0),
        ],
        ["memory is the proportional set size (PSS) of all processes, mapped files included"],
    )


class _Peak:
    """Watches the memory of the browser's tree."""

    most = 0
    kills = 0

    async def beside(self, browser: SeleniumBrowser) -> None:
        while True:
            await asyncio.sleep(_SAMPLE_S)
            if (group := browser.pid) is not None:
                self.most = max(self.most, await asyncio.to_thread(_pss_bytes, group))


class _Killer:
    """Kills any process of the browser's tree, every few seconds."""

    most = 0
    kills = 0

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance

    async def beside(self, browser: SeleniumBrowser) -> None:
        while True:
            await asyncio.sleep(self._chance.uniform(*_KILL_S))
            if (group := browser.pid) is not None and (found := list(members(group))):
                with suppress(ProcessLookupError):
                    os.kill(self._chance.choice(found), signal.SIGKILL)
                    self.kills += 1


async def _beside(
    browser: SeleniumBrowser, specs: list[PageSpec], count: int, other: _Peak | _Killer
) -> tuple[int, int, int]:
    """Take so many pictures beside the other; gives its peak, how many pictures failed, and its kills."""
    waiting = list(range(count))
    failed = 0

    async def take() -> None:
        nonlocal failed
        while waiting:
            try:
                await browser.capture(specs[waiting.pop() % len(specs)])
            except (PageFailed, Unavailable):
                failed += 1

    watching = asyncio.ensure_future(other.beside(browser))
    try:
        await asyncio.gather(*(take() for _ in range(PARALLEL)))
    finally:
        watching.cancel()
    return other.most, failed, other.kills


def _pss_bytes(group: int) -> int:
    total = 0
    for process in members(group):
        with suppress(OSError):
            for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1]) * 1024
    return total


def _processes_below(scratch: Path) -> int:
    marker = f"HOME={scratch}/".encode()
    found = 0
    for entry in Path("/proc").iterdir():
        with suppress(OSError):
            found += entry.name.isdigit() and marker in (entry / "environ").read_bytes()
    return found
