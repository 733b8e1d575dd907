"""What kinds of views need to come by their pictures, opened once for the program or a command."""

import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from glimpser import __version__
from glimpser.app.capture_settings import browser_settings, camera_policy, egress_policy
from glimpser.capture.pdf.renderer import PdfRenderer
from glimpser.capture.pictures.reader import PictureReader, open_reader
from glimpser.capture.sniffing import Sniffer
from glimpser.capture.website.pool import open_browser
from glimpser.capture.ytdlp.locating import Locator
from glimpser.capture.ytdlp.sites import VideoSites
from glimpser.config import Config
from glimpser.core.browsing import Browser
from glimpser.core.clock import Clock, SystemClock
from glimpser.egress.fetching import Fetcher, open_fetcher
from glimpser.egress.gate import Gate
from glimpser.egress.proxy import open_proxy
from glimpser.egress.reaching import Reach
from glimpser.observability.metrics import Metrics
from glimpser.process.runner import Runner, open_runner

AGENT = f"Glimpser/{__version__}"
"""What the program calls itself to web servers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """Event loop's thread. `gate` is that of all but cameras, which reach http by `camera_proxy_url`."""

    gate: Gate
    browser: Browser
    locator: Locator
    fetcher: Fetcher
    pictures: PictureReader
    pdf: PdfRenderer
    clock: Clock
    sniffer: Sniffer
    reach: Reach
    camera_proxy_url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ways:
    """The way out, and the runner of programs, which take it by `proxy_url`; that of cameras is another."""

    gate: Gate
    camera_gate: Gate
    proxy_url: str
    camera_proxy_url: str | None = None
    runner: Runner
    clock: Clock


@asynccontextmanager
async def open_means(config: Config, ways: Ways) -> AsyncIterator[Means]:
    """Open them for the program."""
    settings = browser_settings(config, proxy_url=ways.proxy_url)
    locator = Locator(ways.runner, ways.gate, proxy_url=ways.proxy_url, clock=ways.clock)
    async with AsyncExitStack() as stack:
        fetcher = await stack.enter_async_context(open_fetcher(ways.gate, agent=AGENT))
        cameras = await stack.enter_async_context(open_fetcher(ways.camera_gate, agent=AGENT))
        yield Means(
            gate=ways.gate,
            browser=await stack.enter_async_context(open_browser(settings, ways.runner, clock=ways.clock)),
            locator=locator,
            clock=ways.clock,
            fetcher=fetcher,
            sniffer=Sniffer(fetcher, cameras, VideoSites(ways.runner), config.capture.file_roots),
            reach=Reach(ways.gate, ways.camera_gate, fetcher),
            pdf=PdfRenderer(ways.runner),
            pictures=stack.enter_context(open_reader()),
            camera_proxy_url=ways.camera_proxy_url,
        )


@asynccontextmanager
async def open_means_alone(config: Config) -> AsyncIterator[Means]:
    """Open them for a command, which may run beside the program."""
    clock = SystemClock()
    gate, camera_gate = Gate(egress_policy(config, ())), Gate(camera_policy(config, ()))
    with tempfile.TemporaryDirectory(prefix="glimpser-") as scratch:
        async with (
            open_runner(Path(scratch) / "run", clock=clock, recorder=Metrics(__version__)) as runner,
            open_proxy(gate, clock=clock) as proxy,
        ):
            ways = Ways(gate=gate, camera_gate=camera_gate, proxy_url=proxy.url, runner=runner, clock=clock)
            async with open_means(config, ways) as means:
                yield means
