"""What the configuration file may allow: a browser that runs already, and proxies of single views."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_network
from pathlib import Path

import pytest

from glimpser.capture.website.programs import find_programs
from glimpser.capture.website.settings import BrowserSettings
from glimpser.core.browsing import PageFailed, PageSpec
from glimpser.core.clock import SystemClock
from glimpser.core.errors import Misconfigured
from glimpser.egress.gate import Gate, GatePolicy
from glimpser.egress.proxy import open_proxy
from glimpser.observability.metrics import Metrics
from glimpser.process.command import Command
from glimpser.process.runner import open_runner
from tests.web_site import browsing, require_browser, serving

pytestmark = pytest.mark.anyio

COUNT = (
    "<body><script>localStorage.n = Number(localStorage.n || 0) + 1; document.write(localStorage.n)</script>"
)


@asynccontextmanager
async def somebodys_browser(scratch: Path) -> AsyncIterator[str]:
    """Run a browser that is not the program's; gives where its DevTools are."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    flags = ("--headless", "--no-sandbox", "--user-data-dir=profile", "--disable-background-networking")
    command = Command(
        name="browser",
        argv=(find_programs().browser, f"--remote-debugging-port={port}", *flags, "about:blank"),
        environment={"TMPDIR": "."},
    )
    async with (
        open_runner(scratch, clock=SystemClock(), recorder=Metrics("test")) as runner,
        runner.start(command) as child,
    ):
        async with asyncio.timeout(20):
            while not await _answers(port):
                assert child.status is None
        yield f"127.0.0.1:{port}"
        assert child.status is None, "it was ended"


async def _answers(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        await asyncio.sleep(0.1)
        return False
    writer.close()
    return True


async def test_a_view_is_shown_by_the_browser_that_runs_already_with_its_sessions(tmp_path: Path) -> None:
    require_browser()
    async with (
        somebodys_browser(tmp_path / "theirs") as address,
        serving({"/": COUNT}) as site,
        browsing(tmp_path / "run", BrowserSettings(attach=address)) as browser,
    ):
        there = [await browser.capture(PageSpec(url=f"{site.url}/", attached=True)) for _ in range(2)]
        here = [await browser.capture(PageSpec(url=f"{site.url}/")) for _ in range(2)]

    assert [shot.text for shot in there] == ["1", "2"]
    assert [shot.text for shot in here] == ["1", "1"]


async def test_without_the_setting_nothing_is_attached_to(tmp_path: Path) -> None:
    async with browsing(tmp_path / "run") as browser:
        with pytest.raises(Misconfigured, match="browser_attach"):
            await browser.capture(PageSpec(url="http://127.0.0.1/", attached=True))


async def test_a_view_with_a_proxy_of_its_own_takes_it_and_others_do_not(tmp_path: Path) -> None:
    everything = Gate(GatePolicy((ip_network("127.0.0.0/8"),)))
    async with (
        serving({"/": "<body>beyond"}, host="127.0.0.5") as site,
        open_proxy(everything, name="of the view") as proxy,
        browsing(tmp_path / "run", BrowserSettings(view_proxies=True), allowed="127.0.0.1/32") as browser,
    ):
        through = await browser.capture(PageSpec(url=f"{site.url}/", proxy=proxy.url))
        closed = await browser.capture(PageSpec(url=f"{site.url}/"))
        with pytest.raises(PageFailed, match="proxy"):
            await browser.capture(PageSpec(url=f"{site.url}/", proxy="http://127.0.0.1:9999"))

    assert through.text == "beyond"
    assert closed.facts.status == 403
    assert len(site.to("/")) == 1
