"""The real yt-dlp on hostile pages of an allowed site: whatever they name, it asks the proxy or nobody."""

from collections.abc import AsyncIterator
from ipaddress import ip_network
from pathlib import Path

import pytest

from glimpser.capture.ytdlp.asking import BEST
from glimpser.capture.ytdlp.locating import Locator, Wanted
from glimpser.core.clock import SystemClock
from glimpser.core.errors import GlimpserError
from glimpser.egress.gate import Gate, GatePolicy
from glimpser.egress.proxy import open_proxy
from glimpser.observability.metrics import Metrics
from glimpser.process.runner import open_runner
from tests.unit.capture.web_camera import moved, page, playlist, web_camera

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(120)]

ALLOWED, CLOSED = "127.0.0.0/30", "127.0.1.2"


@pytest.fixture
async def locator(tmp_path: Path) -> AsyncIterator[Locator]:
    gate, clock = Gate(GatePolicy((ip_network(ALLOWED),))), SystemClock()
    async with (
        open_proxy(gate) as proxy,
        open_runner(tmp_path / "run", clock=clock, recorder=Metrics("test")) as runner,
    ):
        yield Locator(runner, gate, proxy_url=proxy.url, clock=clock)


def wanted(url: str) -> Wanted:
    return Wanted(url=url, choice=BEST, only_live=False, detect_fps=5)


def naming(address: str) -> bytes:
    """Write a page whose video is a playlist there: yt-dlp fetches it to see what is in it."""
    kind = "application/x-mpegURL"
    html = f"<html><title>Room</title><video><source src='{address}' type='{kind}'></video></html>"
    return page(html.encode(), "text/html")


@pytest.mark.parametrize("scheme", ["http", "https", "ftp"])
@pytest.mark.parametrize("way", [naming, moved])
async def test_no_page_leads_it_to_a_closed_address(locator: Locator, scheme: str, way: object) -> None:
    with web_camera({}, host=CLOSED) as closed, web_camera({}) as site:
        site.pages["/watch"] = way(f"{scheme}://{CLOSED}:{closed.port}/live.m3u8")  # type: ignore[operator]
        with pytest.raises(GlimpserError):
            await locator.locate(wanted(site.url("/watch")))

        assert site.heads
        assert closed.connections == 0


@pytest.mark.parametrize("way", [naming, moved])
async def test_the_same_ways_lead_to_an_open_address(locator: Locator, way: object) -> None:
    with web_camera({"/live.m3u8": playlist("1.ts")}) as other, web_camera({}) as site:
        site.pages["/watch"] = way(other.url("/live.m3u8"))  # type: ignore[operator]
        found = await locator.locate(wanted(site.url("/watch")))

        assert found.media.address == other.url("/live.m3u8")
