"""What leads where nothing may be fetched, tried in the running program.

`docs/security/attacks.md` lists the ways. Nobody may connect to the closed server; the twins on the open one
show that each way leads somewhere.
"""

import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import pytest
import simplejpeg

from tests.attack_rows import MARK
from tests.documents import a_pdf
from tests.network_rows import CLOSED, OPEN, lists, tries
from tests.program import Program, running
from tests.unit.capture.media import encode
from tests.unit.capture.web_camera import Body, WebCamera, motion_jpeg, moved, page, web_camera
from tests.web_site import require_browser

pytestmark = pytest.mark.timeout(240)

SETTINGS = {
    "GLIMPSER_CAPTURE__CAMERA_CIDRS": f'["{OPEN}/32"]',
    "GLIMPSER_CAPTURE__EGRESS_ALLOW": f'["{OPEN}/32"]',
    "GLIMPSER_CAPTURE__BROWSER_SANDBOX": "false",  # the tests may run as root
}
TRIES = tries()
AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Servers:
    """One that may be reached, and two of the same port that may not."""

    open: WebCamera
    closed: WebCamera
    on_localhost: WebCamera

    def fill_in(self, text: str) -> str:
        hosts = {"open": f"{OPEN}:{self.open.port}", "closed": f"{CLOSED}:{self.closed.port}"}
        return text.format(**hosts, port=self.closed.port)


@contextmanager
def serving(folder: Path) -> Iterator[Servers]:
    """Serve the same good pages everywhere, and on the open server what leads away from it too."""
    good = good_pages(folder)
    with ExitStack() as stack:
        closed = stack.enter_context(web_camera(good, host=CLOSED))
        on_localhost = stack.enter_context(web_camera(good, host="127.0.0.1", port=closed.port))
        servers = Servers(stack.enter_context(web_camera(good, host=OPEN)), closed, on_localhost)
        for path in good:
            servers.open.pages[f"/away{path}"] = moved(servers.closed.url(path))
            servers.open.pages[f"/round{path}"] = moved(servers.open.url(path))
        for name, body in lists().items():
            path = f"/list/{name.replace(' ', '-')}.m3u8"
            servers.open.pages[path] = page(servers.fill_in(body).encode(), "application/vnd.apple.mpegurl")
        servers.open.pages["/endless"] = moved("/endless")
        yield servers


def good_pages(folder: Path) -> Mapping[str, bytes | Body]:
    jpeg = bytes(simplejpeg.encode_jpeg(np.full((48, 64, 1), 99, np.uint8), colorspace="GRAY"))
    video = b"<html><title>Room</title><video><source src='/clip.mp4' type='video/mp4'></video></html>"
    return {
        "/": page(b"<!doctype html><body><h1>The river stands at 2.31 m.</h1>", "text/html"),
        "/a.jpg": page(jpeg, "image/jpeg"),
        "/a.pdf": page(a_pdf("one"), "application/pdf"),
        "/video": motion_jpeg(jpeg),
        "/watch": page(video, "text/html"),
        "/clip.mp4": page(encode(folder / "clip.mp4").read_bytes(), "video/mp4"),
        "/1.ts": page(encode(folder / "1.ts").read_bytes(), "video/mp2t"),
    }


@dataclass(frozen=True, slots=True)
class Tried:
    """The jobs of all that was tried, by name, and the servers afterwards."""

    jobs: Mapping[str, Mapping[str, Any]]
    servers: Servers
    program: Program


@pytest.fixture(scope="module")
def tried(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tried]:
    """Try all at once, which takes a third of the time of one after the other."""
    require_browser()
    folder = tmp_path_factory.mktemp("network")
    with (
        serving(folder) as servers,
        running(folder / "data", SETTINGS) as program,
        program.set_up() as client,
        ThreadPoolExecutor(AT_ONCE) as threads,
    ):
        put_files(folder / "data" / "media", servers)
        asks = {name: (one.kind, servers.fill_in(one.address)) for name, one in TRIES.items()}
        jobs = dict(zip(asks, threads.map(partial(probe, client), asks.values()), strict=True))
        yield Tried(jobs, servers, program)


def put_files(media: Path, servers: Servers) -> None:
    media.mkdir(exist_ok=True)
    (media / "list.mp4").write_text(servers.fill_in(lists()["segment"]))
    (media / "link.mp4").symlink_to("/etc/passwd")
    encode(media / "an honest;$(name).mp4")


def probe(client: httpx2.Client, ask: tuple[str | None, str]) -> Mapping[str, Any]:
    kind, address = ask
    config = {"path" if kind == "file" else "url": address}
    answer = client.post("/api/templates/probe", json={"kind": kind, "config": config} if kind else config)
    assert answer.status_code == 202, answer.text
    while True:
        job: Mapping[str, Any] = client.get(answer.headers["Location"]).json()
        if job["status"] not in ("pending", "running"):
            return job
        time.sleep(0.1)


@pytest.mark.parametrize("name", [name for name, one in TRIES.items() if not one.shows])
def test_it_fails_with_the_reason(tried: Tried, name: str) -> None:
    job = tried.jobs[name]

    assert job["status"] in ("dead", "failure"), job
    assert TRIES[name].words in job["error"]


@pytest.mark.parametrize("name", [name for name, one in TRIES.items() if one.shows])
def test_its_twin_gives_a_picture(tried: Tried, name: str) -> None:
    job = tried.jobs[name]

    assert job["status"] == "success", job


def test_nobody_connected_to_a_closed_server_and_no_command_was_run(tried: Tried) -> None:
    servers = tried.servers

    assert (servers.closed.connections, servers.on_localhost.connections) == (0, 0)
    assert servers.open.connections > len(TRIES)
    assert not list(tried.program.data_dir.parent.rglob(MARK))
