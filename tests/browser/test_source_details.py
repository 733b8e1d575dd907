"""What only some sources have: a secret that is kept, pictures that are sent, limits of their own."""

import base64
import io
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import httpx2
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.timeout(180)

LOGIN = base64.b64encode(b"ada:lovelace").decode()
IF_ANY = {"If-Match": "*"}


class _Still(BaseHTTPRequestHandler):
    """A camera that shows its picture to those who know its password."""

    def do_GET(self) -> None:
        knows = self.headers["Authorization"] == f"Basic {LOGIN}"
        body = picture() if knows else b""
        self.send_response(200 if knows else 401)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Type", "image/jpeg")
        if not knows:
            self.send_header("WWW-Authenticate", 'Basic realm="camera"')
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None: ...


def picture() -> bytes:
    made = io.BytesIO()
    Image.linear_gradient("L").resize((192, 108)).save(made, "jpeg")
    return made.getvalue()


@pytest.fixture
def still() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), _Still)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/still.jpg"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def added(client: httpx2.Client, request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a source of the kind a test asks for."""
    body: dict[str, object] = {"name": "Porch", "live": False, **request.param}
    if body["kind"] == "image":
        login = {"username": "ada", "password": "lovelace"}
        body["config"] = {"url": request.getfixturevalue("still"), **login}
    answer = client.post("/api/templates", json=body)
    assert answer.status_code == 201, answer.text
    address = f"/api/templates/{answer.json()['id']}"
    yield address
    client.delete(address, headers=IF_ANY)


@pytest.mark.parametrize("added", [{"kind": "image"}], indirect=True, ids=["image"])
def test_a_stored_password_is_tried_without_being_shown_and_then_removed(
    page: Page, client: httpx2.Client, added: str
) -> None:
    assert client.get(added).json()["secrets"] == ["password"]
    page.goto(f"{added.replace('/api/templates', '/sources')}/edit")
    expect(page.get_by_label("Password", exact=True)).to_have_value("")
    page.get_by_role("button", name="Try these settings").click()
    expect(page.get_by_text("192 × 108")).to_be_visible(timeout=60_000)

    page.get_by_role("button", name=re.compile("^Remove what is stored")).click()
    page.get_by_role("button", name="Try these settings").click()
    expect(page.get_by_text("192 × 108")).to_have_count(0)
    expect(page.get_by_role("alert")).to_be_visible(timeout=60_000)
    page.get_by_role("button", name="Save changes").click()
    page.wait_for_url(re.compile(r"/sources/\w+$"))

    assert client.get(added).json()["secrets"] == []


@pytest.mark.parametrize("added", [{"kind": "push", "config": {}}], indirect=True, ids=["push"])
def test_a_picture_is_sent_as_the_page_says(page: Page, client: httpx2.Client, added: str) -> None:
    key = client.post("/api/admin/api-keys", json={"name": "Doorbell", "role": "operator"}).json()["key"]
    page.goto(added.replace("/api/templates", "/sources"))
    section = page.get_by_role("region", name="Sending pictures")
    command = section.get_by_label("Command").input_value()
    told = re.search(r"-H '(?P<header>[^:]+): KEY' -H '(?P<type>[^']+)' .* '(?P<address>[^']+)'$", command)
    assert told, command
    assert told["address"] == section.get_by_label("Address").input_value()

    headers = {told["header"]: key, "Content-Type": told["type"].removeprefix("Content-Type: ")}
    with httpx2.Client() as stranger:
        assert stranger.post(told["address"], content=picture(), headers=headers).status_code == 202
        assert stranger.post(told["address"], content=picture()).status_code == 401


@pytest.mark.parametrize(
    "added", [{"kind": "file", "config": {"path": "room.mp4"}}], indirect=True, ids=["file"]
)
def test_how_long_it_is_kept_is_told_by_its_form(page: Page, client: httpx2.Client, added: str) -> None:
    page.goto(f"{added.replace('/api/templates', '/sources')}/edit")
    page.get_by_text("How long it is kept").click()
    page.get_by_label("Keep for").fill("0")
    page.get_by_role("button", name="Save changes").click()
    expect(page.get_by_label("Keep for")).to_be_focused()
    page.get_by_label("Keep for").fill("7")
    page.get_by_label("Space").fill("0.5")
    page.get_by_role("button", name="Save changes").click()
    page.wait_for_url(re.compile(r"/sources/\w+$"))

    retention = client.get(added).json()["retention"]
    assert (retention["max_age_days"], retention["max_bytes"]) == (7, 500_000_000)
    assert retention["max_count"] is None
