"""The whole program: something moves before a camera, and a webhook with its picture arrives."""

import hmac
import json
import threading
from collections.abc import Iterator
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx2
import pytest

from glimpser.testing.clips import make_clip
from tests.program import OPEN_LOOPBACK, running, wait_for

pytestmark = pytest.mark.timeout(120)


class Receiver(ThreadingHTTPServer):
    """Takes everything and keeps it."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.received: list[tuple[dict[str, str], bytes]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/hook"


class Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        assert isinstance(self.server, Receiver)
        self.server.received.append(({name.lower(): value for name, value in self.headers.items()}, body))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_parts: Any) -> None:
        """Be quiet."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_motion_reaches_a_webhook_with_its_picture(tmp_path: Path, receiver: Receiver) -> None:
    make_clip(tmp_path / "room.mp4", seconds=10, fps=10, gop=10, motion=((3.0, 5.0), (7.0, 9.0)))
    settings = {
        **OPEN_LOOPBACK,
        "GLIMPSER_CAPTURE__FILE_ROOTS": json.dumps([str(tmp_path)]),
        "GLIMPSER_CAPTURE__EGRESS_ALLOW": '["127.0.0.1/32"]',
    }
    with running(tmp_path / "data", settings) as program, program.set_up() as client:
        hook = {"url": receiver.url, "secret": "s3cret"}
        channel = client.post("/api/admin/channels", json={"name": "Hook", "kind": "webhook", "config": hook})
        everywhere = [[0, 0], [1, 0], [1, 1], [0, 1]]
        template = client.post(
            "/api/templates",
            json={
                "name": "Room",
                "kind": "file",
                "config": {"path": str(tmp_path / "room.mp4"), "loop": True},
                "zones": [{"name": "floor", "points": everywhere}],
                "rules": [{"name": "Anything", "when": {"zone": "floor"}, "dedupe_s": 3600}],
            },
        )
        assert (channel.status_code, template.status_code) == (201, 201), template.text
        wait_for(lambda: receiver.received, within_s=40, what="a webhook")
        headers, body = receiver.received[0]
        document = json.loads(body)
        alerts = wait_for(
            lambda: [
                alert
                for alert in client.get("/api/alerts").json()["items"]
                if alert["deliveries"][0]["status"] == "sent"
            ],
            what="an alert that is sent",
        )
        picture = httpx2.get(document["picture_url"])
        own = client.post("/api/admin/channels", json=_to(program.url))
        refused = client.post(f"{own.headers['location']}/test").json()
        status = program.terminate()

    at, _, mac = headers["x-glimpser-signature"].removeprefix("t=").partition(",v1=")
    assert mac == hmac.new(b"s3cret", f"{at}.".encode() + body, sha256).hexdigest()
    assert document["event"]["metadata"]["zones"] == ["floor"]
    assert document["alert"]["title"] == "Room: motion"
    assert len(alerts) == 1
    assert picture.content.startswith(b"\xff\xd8")
    assert refused["status"] == "failed"
    assert "this program itself" in refused["error"]
    assert status == 0


def _to(url: str) -> dict[str, object]:
    return {"name": "Itself", "kind": "webhook", "config": {"url": url}}
