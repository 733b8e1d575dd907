"""A real browser and pages that mean no good: a picture or the reason, and the next one works."""

import asyncio
import os
import signal
import ssl
import subprocess
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest

from glimpser.capture.website.memory import members
from glimpser.capture.website.pool import SeleniumBrowser
from glimpser.capture.website.settings import BrowserSettings
from glimpser.core.browsing import PageFailed, PageSpec, Waits
from glimpser.core.errors import Misconfigured
from glimpser.process.launching import find_program
from tests.web_site import Site, browsing, html, raw, redirect, serving

pytestmark = pytest.mark.anyio

GOOD = "<title>Good</title><p>still here</p>"


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("b") / "run"


@pytest.fixture(scope="module")
async def browser(scratch: Path) -> AsyncIterator[SeleniumBrowser]:
    async with browsing(scratch) as opened:
        yield opened


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with serving({"/good": GOOD}) as opened:
        yield opened


def page(site: Site, path: str = "/", *, timeout_s: float = 5.0) -> PageSpec:
    return PageSpec(url=f"{site.url}{path}", waits=Waits(timeout_s=timeout_s))


async def works(browser: SeleniumBrowser, site: Site) -> bool:
    return (await browser.capture(page(site, "/good", timeout_s=20))).text == "still here"


# Pages that get in the way --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "script",
    [
        "alert(1); document.body.append('after')",
        "if (!confirm('ok?')) document.body.append('after')",
        "if (prompt('name?') === null) document.body.append('after')",
        "print(); document.body.append('after')",
        "for (let n = 0; n < 100; n++) alert(n); document.body.append('after')",
        "addEventListener('beforeunload', e => e.preventDefault()); document.body.append('after')",
        "for (let n = 0; n < 100; n++) open('/good?' + n); document.body.append('after')",
        "window.Notification?.requestPermission(); document.body.append('after')",
        "navigator.geolocation?.getCurrentPosition(x => x); document.body.append('after')",
        "navigator.mediaDevices?.getUserMedia({video: true}); document.body.append('after')",
        "document.documentElement.requestFullscreen(); document.body.append('after')",
        "close(); document.body.append('after')",
    ],
    ids=[
        "alert",
        "confirm",
        "prompt",
        "print",
        "alerts",
        "beforeunload",
        "windows",
        "notify",
        "locate",
        "camera",
        "full",
        "close",
    ],
)
async def test_what_wants_a_person_holds_nothing_up(
    browser: SeleniumBrowser, site: Site, script: str
) -> None:
    site.pages["/"] = f"<body><script>{script}</script>"

    shot = await browser.capture(page(site))

    assert "after" in shot.text
    assert await works(browser, site)


async def test_windows_that_a_page_opens_are_not_even_fetched(browser: SeleniumBrowser, site: Site) -> None:
    site.pages["/"] = "<body><script>for (let n = 0; n < 100; n++) open('/window')</script>"

    await browser.capture(page(site))

    assert not site.to("/window")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (redirect("/"), "redirects without end"),
        (
            raw(b"PK", headers=["Content-Type: application/zip", "Content-Disposition: attachment"]),
            "download",
        ),
        (raw(b"\0" * 100, headers=["Content-Type: application/octet-stream"]), "download"),
        (b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n", "no page"),
        (redirect("file:///etc/passwd"), "cannot|does not"),
        (redirect("data:text/html,<h1>x"), "cannot|does not"),
    ],
    ids=["redirects", "zip", "bytes", "nothing", "file", "data"],
)
async def test_an_answer_that_is_no_page_is_told_as_such(
    browser: SeleniumBrowser, site: Site, answer: bytes, words: str
) -> None:
    site.pages["/"] = answer

    with pytest.raises(PageFailed, match=words):
        await browser.capture(page(site))

    assert await works(browser, site)


async def test_a_download_leaves_no_file(browser: SeleniumBrowser, site: Site, scratch: Path) -> None:
    attachment = ["Content-Type: application/zip", "Content-Disposition: attachment; filename=evil.zip"]
    site.pages |= {
        "/evil.zip": raw(b"PK evil", headers=attachment),
        "/": "<a id=a href=/evil.zip download>x</a><script>a.click()</script>",
    }

    with pytest.raises(PageFailed, match="download"):
        await browser.capture(page(site, "/evil.zip"))
    await browser.capture(page(site))

    assert await asyncio.to_thread(lambda: list(scratch.rglob("*evil*"))) == []


@pytest.mark.parametrize(
    "address",
    [
        *("file:///etc/passwd", "view-source:http://127.0.0.1/", "chrome://version/", "chrome://crash/"),
        *("devtools://devtools/bundled/inspector.html", "chrome-extension://x/y", "filesystem:http://x/y"),
        "data:text/html,<h1>root:x:0:0</h1>",
    ],
)
async def test_a_page_leads_to_nothing_but_the_web(
    browser: SeleniumBrowser, site: Site, address: str
) -> None:
    attempts = (
        f"<iframe src='{address}'></iframe><script>location.href = '{address}'; open('{address}')</script>"
    )
    site.pages["/"] = f"<body>harmless{attempts}"

    shot = await browser.capture(page(site))

    assert "root:" not in shot.text
    assert "harmless" in shot.text
    assert shot.facts.url == f"{site.url}/"


async def test_a_page_that_replaces_itself_for_ever_costs_nobody_else_anything(
    browser: SeleniumBrowser, site: Site
) -> None:
    site.pages["/"] = "<body>turning<script>setTimeout(() => location.reload(), 20)</script>"
    assert await works(browser, site)
    starts = browser.starts

    shot = await browser.capture(page(site, timeout_s=1))

    assert (shot.width, shot.facts.loaded) == (1280, False)
    assert await works(browser, site)
    assert browser.starts == starts


async def test_a_page_that_never_finishes_loading_is_taken_as_it_is(
    browser: SeleniumBrowser, site: Site
) -> None:
    async def silence(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(silence, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    site.pages["/"] = f"<body>half of it<img src='http://127.0.0.1:{port}/'>"

    shot = await browser.capture(page(site, timeout_s=1))

    server.close()
    assert (shot.text, shot.facts.loaded) == ("half of it", False)


async def test_a_certificate_that_is_not_in_order_is_not_overlooked(
    browser: SeleniumBrowser, tmp_path: Path
) -> None:
    async with serving({"/": GOOD}, tls=_self_signed(tmp_path)) as site:
        with pytest.raises(PageFailed, match="certificate"):
            await browser.capture(page(site))

    assert not site.asked


def _self_signed(folder: Path) -> ssl.SSLContext:
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=127.0.0.1",
    ]
    files = ["-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")]
    subprocess.run(
        [*command, "-addext", "subjectAltName=IP:127.0.0.1", *files], check=True, capture_output=True
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context


async def test_a_site_that_never_answers_is_given_up_in_time(browser: SeleniumBrowser, site: Site) -> None:
    async def silence(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(silence, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]

    with pytest.raises(PageFailed, match="did not answer within 1 s"):
        await browser.capture(PageSpec(url=f"http://127.0.0.1:{port}/", waits=Waits(timeout_s=1)))

    server.close()
    assert await works(browser, site)


# Pages that take the browser with them -----------------------------------------------------------------


async def test_a_page_that_hangs_ends_the_browser_and_the_next_has_a_new_one(
    browser: SeleniumBrowser, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("glimpser.capture.website.pool._MARGIN_S", 2.0)
    site.pages["/"] = "<body><script>while (true) {}</script>"
    starts = browser.starts

    with pytest.raises(PageFailed, match="hang"):
        await browser.capture(page(site, timeout_s=1))

    assert await works(browser, site)
    assert browser.starts == starts + 1


async def test_a_browser_that_was_killed_is_replaced(browser: SeleniumBrowser, site: Site) -> None:
    assert await works(browser, site)
    kill(browser)

    assert await works(browser, site)


async def test_a_browser_killed_during_a_capture_costs_no_picture(
    browser: SeleniumBrowser, site: Site
) -> None:
    arrived = asyncio.Event()

    def slow(_: object) -> bytes:
        arrived.set()
        return html("<body>slow<script>setTimeout(() => document.body.append(' done'), 1500)</script>")

    site.pages["/"] = slow
    wanted = PageSpec(url=f"{site.url}/", waits=Waits(delay_s=2))

    async with asyncio.TaskGroup() as tasks:
        capture = tasks.create_task(browser.capture(wanted))
        await asyncio.wait_for(arrived.wait(), 10)
        kill(browser)

    assert capture.result().text == "slow done"


def kill(browser: SeleniumBrowser) -> None:
    """Kill all of the browser, but not its driver."""
    assert browser.pid is not None
    for process in members(browser.pid):
        if process != browser.pid:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)


async def test_a_page_that_takes_far_too_much_memory_is_ended(tmp_path: Path, site: Site) -> None:
    grow = "const kept = []; setInterval(() => kept.push(new Uint8Array(2e8).fill(1)), 10)"
    site.pages["/"] = f"<body>growing<script>{grow}</script>"
    small = BrowserSettings(max_memory_bytes=180 << 20)

    async with browsing(tmp_path / "run", small) as browser:
        with pytest.raises(PageFailed, match="ended over this page"):
            await browser.capture(PageSpec(url=f"{site.url}/", waits=Waits(delay_s=10)))

        assert await works(browser, site)


# The browser itself --------------------------------------------------------------------------------------


async def test_a_browser_is_replaced_after_so_many_pages(tmp_path: Path, site: Site) -> None:
    async with browsing(tmp_path / "run", BrowserSettings(max_captures=2)) as browser:
        for _ in range(5):
            assert await works(browser, site)

        assert browser.starts == 3


async def test_an_idle_browser_is_ended_and_started_again_when_needed(tmp_path: Path, site: Site) -> None:
    async with browsing(tmp_path / "run", BrowserSettings(idle_s=0.1)) as browser:
        assert await works(browser, site)
        first = browser.pid
        await asyncio.wait_for(_ended(browser), 10)

        assert await works(browser, site)
        assert browser.pid != first


async def _ended(browser: SeleniumBrowser) -> None:
    while True:
        if browser.pid is None:
            return
        await asyncio.sleep(0.05)


async def test_nothing_is_left_of_a_browser_once_it_is_closed(tmp_path: Path, site: Site) -> None:
    async with browsing(tmp_path / "run") as browser:
        assert await works(browser, site)
        group = browser.pid
        assert group is not None
        assert len(list(members(group))) > 2

    assert list(members(group)) == []
    assert not (tmp_path / "run").exists()


async def test_a_machine_without_a_browser_says_what_to_install(tmp_path: Path, site: Site) -> None:
    async with browsing(tmp_path / "run", find=lambda _: None) as browser:
        with pytest.raises(Misconfigured, match="apt install"):
            await browser.capture(page(site))


async def test_a_folder_with_a_very_long_name_is_no_hindrance(tmp_path: Path, site: Site) -> None:
    def full_browser(name: str) -> str | None:
        return None if "headless-shell" in name else find_program(name)

    if find_program("chromium") is None:
        pytest.skip("there is no full browser")
    scratch = tmp_path / ("x" * 90) / "run"

    async with browsing(scratch, find=full_browser) as browser:
        assert await works(browser, site)
