"""A person adds web pages to the running program, sees their pictures, and what is wrong with one."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx2
import pytest
import simplejpeg

from tests.program import OPEN_LOOPBACK, Program, running, wait_for
from tests.web_site import require_browser

pytestmark = pytest.mark.timeout(180)

PAGES = {
    "/": "<title>Level</title><body><div class=banner style='position:fixed;inset:0'>Cookies?</div>"
    "<iframe src=/player width=400 height=300></iframe>",
    "/player": "<body style='margin:0'><video style='width:160px;height:90px;background:navy'></video>",
    "/private": "<body><form>Sign in <input type=password></form>",
}


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = PAGES.get(self.path, "<body>Not here").encode()
        self.send_response(200 if self.path in PAGES else 404)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    require_browser()
    settings = {
        **OPEN_LOOPBACK,
        "GLIMPSER_CAPTURE__EGRESS_ALLOW": '["127.0.0.0/8"]',
        "GLIMPSER_CAPTURE__BROWSER_SANDBOX": "false",  # the tests may run as root
    }
    with running(tmp_path_factory.mktemp("page") / "data", settings) as program:
        yield program


@pytest.fixture(scope="module")
def client(program: Program) -> Iterator[httpx2.Client]:
    with program.set_up() as client:
        yield client


def add(client: httpx2.Client, **config: object) -> str:
    body = {"name": json.dumps(config), "kind": "website", "config": config}
    answer = client.post("/api/templates", json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def test_the_video_in_a_frame_of_a_page_is_a_view(client: httpx2.Client, site: str) -> None:
    view = add(client, url=f"{site}/", selector="video", remove=[".banner"], interval_s=5)

    answer = wait_for(lambda: _picture(client, view), within_s=60, what="a picture of the page")

    assert simplejpeg.decode_jpeg_header(answer.content)[:2] == (90, 160)
    template = client.get(f"/api/templates/{view}").json()
    assert template["stream"]["state"] == "live"


def _picture(client: httpx2.Client, view: str) -> httpx2.Response | None:
    answer = client.get(f"/api/stream/{view}/snapshot")
    return answer if answer.status_code == 200 else None


@pytest.mark.parametrize(("path", "state"), [("/private", "blocked"), ("/gone", "error_page")])
def test_what_is_wrong_with_a_page_is_its_health(
    client: httpx2.Client, site: str, path: str, state: str
) -> None:
    view = add(client, url=f"{site}{path}", interval_s=5)

    def health() -> str:
        return str(client.get(f"/api/templates/{view}").json()["health"]["state"])

    wait_for(lambda: health() == state, within_s=60, what=f"the verdict {state}")


@pytest.mark.parametrize("url", ["file:///etc/passwd", "chrome://version/", "view-source:http://x/"])
def test_what_is_no_page_of_the_web_cannot_be_added(client: httpx2.Client, url: str) -> None:
    answer = client.post("/api/templates", json={"name": url, "kind": "website", "config": {"url": url}})

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/config/url"


def test_a_page_at_a_closed_address_says_so(client: httpx2.Client) -> None:
    view = add(client, url="http://169.254.169.254/latest/meta-data/")

    reason = wait_for(
        lambda: client.get(f"/api/templates/{view}").json()["stream"]["reason"], within_s=30, what="a reason"
    )

    assert "never connected" in reason


def test_the_end_of_the_program_however_sudden_is_that_of_its_browser(
    program: Program, client: httpx2.Client, site: str
) -> None:
    view = add(client, url=f"{site}/", interval_s=5)
    wait_for(lambda: _picture(client, view), within_s=60)
    home = f"HOME={program.data_dir}/run/".encode()
    assert _living(home)

    program.kill()

    wait_for(lambda: not _living(home), within_s=15, what="the end of the browser")


def _living(marker: bytes) -> list[str]:
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and marker in (entry / "environ").read_bytes():
                found.append(entry.name)
        except OSError:
            continue
    return found
