"""One browser and one program for all tests that leave it running.

Both end with this folder: while Playwright runs, no other event loop can be started in this process.
"""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import httpx2
import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from glimpser.testing.clips import make_clip
from tests.browser.pages import CHROMIUM_FLAGS, chromium, opened, require_app, sign_in
from tests.program import OPEN_LOOPBACK, Program, running, wait_for

Open = Callable[..., AbstractContextManager[Page]]

MOTION = ((1.0, 3.0),)


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    require_app()
    path = chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(CHROMIUM_FLAGS))
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def settings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Lets the program play a clip, and send to this machine."""
    clip = tmp_path_factory.mktemp("clips") / "room.mp4"
    make_clip(clip, seconds=6, width=320, height=180, fps=10, gop=10, motion=MOTION)
    roots = {"GLIMPSER_CAPTURE__FILE_ROOTS": json.dumps([str(clip.parent)])}
    return {**OPEN_LOOPBACK, **roots, "GLIMPSER_CAPTURE__EGRESS_ALLOW": '["127.0.0.0/8"]'}


@pytest.fixture(scope="package")
def program(
    browser: Browser, tmp_path_factory: pytest.TempPathFactory, settings: dict[str, str]
) -> Iterator[Program]:
    """With an admin, the source Room, and an alert about motion in it."""
    del browser  # without one there is no need for a program
    with running(tmp_path_factory.mktemp("browser") / "data", settings) as program, receiver() as hook:
        with program.set_up() as client:
            _furnish(client, hook)
        yield program


@pytest.fixture
def client(program: Program) -> Iterator[httpx2.Client]:
    with program.sign_in() as client:
        yield client


@pytest.fixture
def room(client: httpx2.Client) -> dict[str, Any]:
    """The source Room as it is now."""
    [found] = client.get("/api/templates", params={"q": "Room"}).json()["items"]
    assert isinstance(found, dict)
    return found


@pytest.fixture
def open_page(browser: Browser, program: Program) -> Open:
    return partial(opened, browser, program)


@pytest.fixture
def page(open_page: Open) -> Iterator[Page]:
    """A page for somebody who is signed in, at no address yet."""
    with open_page() as page:
        sign_in(page.context)
        yield page


def _furnish(client: httpx2.Client, hook: str) -> None:
    channel = {"name": "Phone", "kind": "webhook", "config": {"url": hook}}
    channel_id = client.post("/api/admin/channels", json=channel).json()["id"]
    rule = {
        "name": "Somebody in the room",
        "when": {"event": "motion"},
        "dedupe_s": 3600,
        "channels": [channel_id],
    }
    room = {
        "name": "Room",
        "kind": "file",
        "config": {"path": "room.mp4"},
        "groups": ["Home"],
        "rules": [rule],
    }
    answer = client.post("/api/templates", json=room | {"rules": [rule]})
    assert answer.status_code == 201, answer.text
    wait_for(lambda: client.get("/api/events").json()["items"], what="an event")
    wait_for(lambda: client.get("/api/alerts").json()["items"], what="an alert")


@contextmanager
def receiver() -> Iterator[str]:
    """Run a web server that takes every message; gives its address."""
    server = HTTPServer(("127.0.0.1", 0), _Taker)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Taker(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None: ...
