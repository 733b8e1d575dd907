"""A page on an open address tries every way to a closed one: nothing arrives, and its picture is taken."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from glimpser.core.browsing import PageSpec, Waits
from tests.web_site import Page, browsing, html, redirect, serving

pytestmark = pytest.mark.anyio

OPEN, CLOSED = "127.0.0.2", "127.0.0.9"

MARKUP = {
    "img": "<img src='{u}'>",
    "srcset": "<img srcset='{u} 2x, {u} 1x'>",
    "iframe": "<iframe src='{u}'></iframe>",
    "srcdoc": "<iframe srcdoc=\"<img src='{u}'>\"></iframe>",
    "script": "<script src='{u}'></script>",
    "module": "<script type=module src='{u}'></script>",
    "stylesheet": "<link rel=stylesheet href='{u}'>",
    "css-url": "<div style=\"background:url('{u}')\">x</div>",
    "css-import": "<style>@import '{u}';</style>",
    "font": "<style>@font-face{{font-family:f;src:url('{u}')}}</style><p style='font-family:f'>x</p>",
    "video": "<video src='{u}' preload=auto autoplay muted></video>",
    "audio": "<audio src='{u}' preload=auto></audio>",
    "poster": "<video poster='{u}'></video>",
    "object": "<object data='{u}'></object>",
    "embed": "<embed src='{u}'>",
    "svg-image": "<svg><image href='{u}' width=9 height=9 /></svg>",
    "prefetch": "<link rel=prefetch href='{u}'>",
    "preload": "<link rel=preload as=image href='{u}'>",
    "preconnect": "<link rel=preconnect href='{o}'>",
    "dns-prefetch": "<link rel=dns-prefetch href='{o}'>",
    "icon": "<link rel=icon href='{u}'>",
    "manifest": "<link rel=manifest href='{u}'>",
    "inner-refresh": "<iframe srcdoc=\"<meta http-equiv=refresh content='0;url={u}'>\"></iframe>",
    "redirect": "<img src='/away?{u}'>",
    "ping": "<a id=ping href='#' ping='{u}'>x</a><script>document.getElementById('ping').click()</script>",
}
SCRIPTS = {
    "fetch": "fetch('{u}', {{mode: 'no-cors'}}).catch(e => e)",
    "xhr": "let x = new XMLHttpRequest(); x.open('GET', '{u}'); x.send()",
    "websocket": "new WebSocket('{w}')",
    "eventsource": "new EventSource('{u}')",
    "beacon": "navigator.sendBeacon('{u}', 'x')",
    "worker": "new Worker('/worker.js?{u}')",
    "shared-worker": "new SharedWorker('/worker.js?{u}')",
    "service-worker": "navigator.serviceWorker?.register('/worker.js?{u}')",
    "form": "let f = document.createElement('form'); f.method = 'post'; f.action = '{u}'; f.target = 'sink';"
    " document.body.append(f); f.submit()",
    "location": "document.querySelector('[name=sink2]').contentWindow.location = '{u}'",
    "open": "window.open('{u}')",
    "import": "import('{u}').catch(e => e)",
    "stun": "let p = new RTCPeerConnection({{iceServers: [{{urls: 'stun:{h}'}}]}}); p.createDataChannel('x');"
    " p.createOffer().then(o => p.setLocalDescription(o))",
    "turn": "let p = new RTCPeerConnection({{iceServers: [{{urls: 'turn:{h}?transport=udp', username: 'a',"
    " credential: 'b'}}]}}); p.createDataChannel('x'); p.createOffer().then(o => p.setLocalDescription(o))",
    "ice": "let p = new RTCPeerConnection(); p.createDataChannel('x'); p.createOffer().then(o =>"
    " p.setLocalDescription(o)).then(() => p.addIceCandidate({{candidate:"
    " 'candidate:1 1 udp 2130706431 {i} {p} typ host', sdpMid: '0'}})).catch(e => e)",
    "webtransport": "new WebTransport('https://{h}/').ready.catch(e => e)",
}
WHOLE_PAGES = {
    "page-refresh": "<body>going<meta http-equiv=refresh content='0;url={u}'>",
    "page-location": "<body>going<script>location.href = '{u}'</script>",
    "page-form": "<body>going<form id=f method=post action='{u}'></form><script>f.submit()</script>",
}
WORKER = b"onconnect = e => e; fetch(location.search.slice(1), {mode: 'no-cors'}).catch(e => e)"
_PATH = re.compile(rb"[A-Z]+ (?:http://[^/]+)?/([a-z0-9-]+)")


@dataclass
class Ear:
    """Hears all that comes to the closed address: `ways` are those that could be told."""

    port: int = 0
    connections: int = 0
    packets: int = 0
    ways: set[str] = field(default_factory=set)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        if found := _PATH.match(await reader.read(4096)):
            self.ways.add(found[1].decode())
        writer.close()


class _Packets(asyncio.DatagramProtocol):
    def __init__(self, ear: Ear) -> None:
        self._ear = ear

    def datagram_received(self, data: bytes, addr: object) -> None:
        self._ear.packets += 1


@asynccontextmanager
async def listening() -> AsyncIterator[Ear]:
    ear = Ear()
    server = await asyncio.start_server(ear.serve, CLOSED, 0)
    ear.port = server.sockets[0].getsockname()[1]
    loop = asyncio.get_running_loop()
    packets, _ = await loop.create_datagram_endpoint(lambda: _Packets(ear), local_addr=(CLOSED, ear.port))
    try:
        yield ear
    finally:
        server.close()
        packets.close()


def filled_in(way: str, name: str, port: int) -> str:
    host = f"{CLOSED}:{port}"
    return way.format(
        u=f"http://{host}/{name}", o=f"http://{host}", w=f"ws://{host}/{name}", h=host, i=CLOSED, p=port
    )


def pages_of(port: int) -> dict[str, Page]:
    markup = [filled_in(way, name, port) for name, way in MARKUP.items()]
    scripts = [
        f"<script>try {{{{ {filled_in(way, name, port)} }}}} catch (e) {{}}</script>".replace(
            "{{", "{"
        ).replace("}}", "}")
        for name, way in SCRIPTS.items()
    ]
    sinks = "<iframe name=sink></iframe><iframe name=sink2></iframe>"
    mark = "document.body.insertAdjacentHTML('beforeend', '<p id=done>done</p>')"
    done = f"<script>setTimeout(() => {mark}, 1500)</script>"
    script = html("").replace(b"text/html", b"text/javascript")
    whole = {f"/{name}": filled_in(way, name, port) for name, way in WHOLE_PAGES.items()}
    return {
        "/": "\n".join(["<!doctype html><title>Leaks</title><body>", sinks, *markup, *scripts, done]),
        "/worker.js": script.replace(b"Content-Length: 0", b"Content-Length: %d" % len(WORKER)) + WORKER,
        "/away": lambda asked: redirect(asked.query),
        **whole,
    }


async def watch(scratch: Path, *, allowed: str) -> tuple[Ear, list[str]]:
    """Show all the pages; gives what was heard, and the texts of the pages."""
    async with (
        listening() as ear,
        serving(pages_of(ear.port), host=OPEN) as site,
        browsing(scratch, allowed=allowed) as browser,
    ):
        waits = Waits(selector="#done", timeout_s=20)
        texts = [(await browser.capture(PageSpec(url=f"{site.url}/", waits=waits))).text]
        for name in WHOLE_PAGES:
            spec = PageSpec(url=f"{site.url}/{name}", waits=Waits(delay_s=0.3))
            texts.append((await browser.capture(spec)).text)
    return ear, texts


async def test_no_way_leads_to_a_closed_address_and_the_picture_is_taken(tmp_path: Path) -> None:
    ear, texts = await watch(tmp_path / "run", allowed=f"{OPEN}/32")

    assert (ear.connections, ear.packets) == (0, 0)
    assert "done" in texts[0]


async def test_the_same_ways_lead_to_an_open_address(tmp_path: Path) -> None:
    ear, _ = await watch(tmp_path / "run", allowed="127.0.0.0/8")

    assert len(ear.ways) >= 25
    assert {"img", "iframe", "fetch", "worker", "stylesheet", "page-location", "redirect"} <= ear.ways
    assert ear.packets == 0  # there is no way out for packets, wherever they go
