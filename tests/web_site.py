"""A web site on loopback whose pages are what a test says, and a browser to look at them with."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from ipaddress import ip_network
from pathlib import Path

import pytest

from glimpser.capture.website.pool import SeleniumBrowser, open_browser
from glimpser.capture.website.programs import find_programs
from glimpser.capture.website.settings import BrowserSettings
from glimpser.core.clock import SystemClock
from glimpser.core.errors import Misconfigured
from glimpser.egress.gate import Gate, GatePolicy
from glimpser.egress.proxy import open_proxy
from glimpser.observability.metrics import Metrics
from glimpser.process.runner import open_runner


@dataclass(frozen=True)
class Asked:
    """A request for a page; names of headers in lower case."""

    path: str
    query: str
    headers: dict[str, str]


Answer = Callable[[Asked], bytes]
Page = str | bytes | Answer


def html(text: str, *, status: str = "200 OK", headers: Collection[str] = ()) -> bytes:
    """Make an answer with a page in it."""
    return raw(text.encode(), status=status, headers=["Content-Type: text/html; charset=utf-8", *headers])


def raw(body: bytes, *, status: str = "200 OK", headers: Collection[str] = ()) -> bytes:
    lines = [f"HTTP/1.1 {status}", *headers, f"Content-Length: {len(body)}", "Connection: close", "", ""]
    return "\r\n".join(lines).encode("latin-1") + body


def redirect(to: str, *, status: str = "302 Found") -> bytes:
    return raw(b"", status=status, headers=[f"Location: {to}"])


NOT_FOUND = html("<h1>Not here</h1>", status="404 Not Found")


@dataclass
class Site:
    """`pages` maps paths to what is answered; `asked` are the requests so far."""

    url: str = ""
    pages: dict[str, Page] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)

    def to(self, path: str) -> list[Asked]:
        """Give the requests for a path."""
        return [asked for asked in self.asked if asked.path == path]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            asked = _parse(await reader.readuntil(b"\r\n\r\n"))
            self.asked.append(asked)
            writer.write(self._answer(asked))
            await writer.drain()
        writer.close()

    def _answer(self, asked: Asked) -> bytes:
        page = self.pages.get(asked.path, NOT_FOUND)
        if callable(page):
            return page(asked)
        return html(page) if isinstance(page, str) else page


def _parse(head: bytes) -> Asked:
    first, *lines = head.decode("latin-1").split("\r\n")
    path, _, query = first.split(" ")[1].partition("?")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return Asked(path, query, headers)


@asynccontextmanager
async def serving(
    pages: dict[str, Page] | None = None, *, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None
) -> AsyncIterator[Site]:
    """Run a site while the context is open."""
    site = Site(pages=dict(pages or {}))
    server = await asyncio.start_server(site.serve, host, 0, ssl=tls)
    site.url = f"http{'s' if tls else ''}://{host}:{server.sockets[0].getsockname()[1]}"
    try:
        yield site
    finally:
        server.close()


def require_browser() -> None:
    """Skip the test where there is no browser."""
    try:
        find_programs()
    except Misconfigured as error:
        pytest.skip(error.detail)


@asynccontextmanager
async def browsing(
    scratch: Path,
    settings: BrowserSettings | None = None,
    *,
    allowed: str = "127.0.0.0/8",
    find: Callable[[str], str | None] | None = None,
) -> AsyncIterator[SeleniumBrowser]:
    """Have a real browser, which reaches `allowed` through a proxy of its own. The tests may run as root."""
    require_browser()
    clock = SystemClock()
    gate = Gate(GatePolicy((ip_network(allowed),)))
    finding = {"find": find} if find else {}
    async with (
        open_proxy(gate) as proxy,
        open_runner(scratch, clock=clock, recorder=Metrics("test")) as runner,
        open_browser(
            replace(settings or BrowserSettings(), sandbox=False, proxy_url=proxy.url),
            runner,
            clock=clock,
            **finding,
        ) as browser,
    ):
        yield browser
