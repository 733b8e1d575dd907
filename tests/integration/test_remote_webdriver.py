"""A WebDriver somewhere else: chromedriver on loopback stands in for a Grid, with contexts and without."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
import pytest

from glimpser.capture.website.pool import SeleniumBrowser, open_browser
from glimpser.capture.website.programs import find_programs
from glimpser.capture.website.settings import BrowserSettings
from glimpser.core.browsing import Cookie, Login, PageFailed, PageSpec, Part, Visitor, Waits
from glimpser.core.clock import SystemClock
from glimpser.core.errors import InvalidInput, Misconfigured, Unavailable
from glimpser.observability.metrics import Metrics
from glimpser.process.command import Command
from glimpser.process.runner import Runner, open_runner
from tests.integration.test_pages import basic, filled
from tests.web_site import Site, raw, require_browser, serving

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def driver(runner: Runner) -> AsyncIterator[str]:
    """Run a driver that is not the program's own."""
    programs = find_programs()
    command = Command(
        name="driver",
        argv=(programs.driver, "--port=0", "--log-level=SEVERE"),
        environment={"TMPDIR": "."},
    )
    async with runner.start(command, stdout=True) as child:
        assert child.stdout is not None
        while b"successfully on port" not in (line := await child.stdout.readline()):
            assert line
        port = line.decode().strip().rstrip(".").rpartition(" ")[2]
        yield f"http://127.0.0.1:{port}"


@asynccontextmanager
async def without_contexts(url: str) -> AsyncIterator[str]:
    """Stand before a driver as one that does not know BiDi: it asks for none and gives no address of it."""
    async with httpx2.AsyncClient(base_url=url, timeout=60) as client:

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            method, path, _ = head.split(" ", 2)
            fields = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:-2])
            body = await reader.readexactly(int(fields.get("content-length", "0")))
            reply = await client.request(method, path, content=body)
            answer = reply.json()
            if path == "/session" and isinstance(answer["value"], dict):
                answer["value"].get("capabilities", {}).pop("webSocketUrl", None)
            data = json.dumps(answer).encode()
            writer.write(
                raw(data, status=f"{reply.status_code} X", headers=["Content-Type: application/json"])
            )
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        try:
            yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        finally:
            server.close()


@pytest.fixture(scope="module", params=["contexts", "no-contexts"])
async def browser(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[SeleniumBrowser]:
    require_browser()
    clock, scratch = SystemClock(), tmp_path_factory.mktemp("b") / "run"
    async with (
        open_runner(scratch, clock=clock, recorder=Metrics("test")) as runner,
        driver(runner) as url,
        without_contexts(url) as limited,
        open_browser(
            BrowserSettings(webdriver_url=url if request.param == "contexts" else limited, sandbox=False),
            runner,
            clock=clock,
        ) as opened,
    ):
        yield opened


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with serving() as opened:
        yield opened


async def test_a_remote_browser_shows_pages(browser: SeleniumBrowser, site: Site) -> None:
    site.pages["/"] = filled("white", "<title>Far</title><div id=x style='width:90px;height:60px'>away</div>")

    whole, part = await asyncio.gather(
        browser.capture(PageSpec(url=f"{site.url}/", width_px=800, height_px=600)),
        browser.capture(PageSpec(url=f"{site.url}/", part=Part(selector="#x"))),
    )

    assert (whole.width, whole.facts.title, whole.facts.status, whole.text) == (800, "Far", 200, "away")
    assert (part.width, part.height) == (90, 60)


async def test_a_remote_visitor_has_no_past(browser: SeleniumBrowser, site: Site) -> None:
    store = "document.write('[' + document.cookie + ']'); document.cookie = 'seen=1; max-age=999'"
    site.pages["/"] = filled("white", f"<script>{store}</script>")

    shots = [await browser.capture(PageSpec(url=f"{site.url}/")) for _ in range(2)]

    assert [shot.text for shot in shots] == ["[]", "[]"]


async def test_a_remote_visitor_signs_in_and_brings_cookies(browser: SeleniumBrowser, site: Site) -> None:
    site.pages |= {"/in": basic, "/": filled("white", "hello")}
    cookies = (Cookie(name="sid", value="1"),)

    signed_in = await browser.capture(
        PageSpec(url=f"{site.url}/in", visitor=Visitor(login=Login("ann", "p@ss")))
    )
    await browser.capture(PageSpec(url=f"{site.url}/", visitor=Visitor(cookies=cookies)))

    assert signed_in.text == "welcome"
    assert site.to("/")[-1].headers["cookie"] == "sid=1"


async def test_faults_of_remote_pages_are_told(browser: SeleniumBrowser, site: Site) -> None:
    site.pages["/"] = filled("white", "<p>something</p>")

    with pytest.raises(PageFailed, match="#gone") as failed:
        await browser.capture(PageSpec(url=f"{site.url}/", waits=Waits(selector="#gone", timeout_s=1)))
    with pytest.raises(InvalidInput):
        await browser.capture(PageSpec(url=f"{site.url}/", part=Part(selector="##")))
    with pytest.raises(PageFailed, match="refuses the connection"):
        await browser.capture(PageSpec(url="http://127.0.0.9:65000/"))

    assert failed.value.shot is not None
    assert failed.value.shot.text == "something"


async def test_what_a_remote_browser_without_contexts_cannot_do_is_said(tmp_path: Path, site: Site) -> None:
    require_browser()
    site.pages["/"] = filled("white", "hello")
    asked = PageSpec(url=f"{site.url}/", visitor=Visitor(headers={"X-Key": "s3cret"}))
    clock = SystemClock()

    async with (
        open_runner(tmp_path / "run", clock=clock, recorder=Metrics("test")) as runner,
        driver(runner) as url,
        without_contexts(url) as limited,
        open_browser(BrowserSettings(webdriver_url=limited, sandbox=False), runner, clock=clock) as browser,
    ):
        with pytest.raises(Misconfigured, match="headers"):
            await browser.capture(asked)

    assert not site.asked


async def test_a_grid_that_is_away_is_said_to_be_without_its_password(tmp_path: Path) -> None:
    clock = SystemClock()
    settings = BrowserSettings(webdriver_url="http://ann:s3cret@127.0.0.1:9/")

    async with (
        open_runner(tmp_path / "run", clock=clock, recorder=Metrics("test")) as runner,
        open_browser(settings, runner, clock=clock) as browser,
    ):
        with pytest.raises(Unavailable, match="does not start") as failed:
            await browser.capture(PageSpec(url="http://127.0.0.1/"))

    assert "s3cret" not in str(failed.value)
    assert "s3cret" not in repr(settings)
