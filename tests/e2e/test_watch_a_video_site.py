"""A person adds a page of a video site, which yt-dlp reads, and watches it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from glimpser.testing.clips import make_clip
from tests.program import Program, glimpser, running, wait_for
from tests.video_site import VideoSite, video_site

# One program for all, so all in one process.
pytestmark = pytest.mark.timeout(180)

OPEN = {"GLIMPSER_CAPTURE__EGRESS_ALLOW": '["127.0.0.0/8"]'}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VideoSite]:
    clip = tmp_path_factory.mktemp("clips") / "room.mp4"
    make_clip(clip, seconds=4, fps=10, gop=10)
    with video_site(clip) as site:
        yield site


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    with running(tmp_path_factory.mktemp("program") / "data", OPEN) as program:
        yield program


@pytest.fixture(scope="module")
def client(program: Program) -> Iterator[httpx2.Client]:
    with program.set_up() as client:
        yield client


def add(client: httpx2.Client, name: str, url: str) -> str:
    body = {"name": name, "kind": "yt", "config": {"url": url}, "live": True}
    answer = client.post("/api/templates", json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def stream(client: httpx2.Client, template_id: str) -> Any:
    return client.get(f"/api/templates/{template_id}").json()["stream"]


def test_a_video_is_found_shown_and_found_again(
    program: Program, client: httpx2.Client, site: VideoSite
) -> None:
    view = add(client, "Room", site.url)
    wait_for(lambda: stream(client, view)["state"] == "live", within_s=30, what="live")
    assert client.get(f"/api/stream/{view}/snapshot").headers["content-type"] == "image/jpeg"
    first = stream(client, view)

    site.revoke()
    wait_for(lambda: site.refused, within_s=30, what="the old address is refused")
    wait_for(
        lambda: stream(client, view)["state"] == "live" and stream(client, view)["since"] > first["since"],
        within_s=30,
        what="live again",
    )

    assert site.asked >= 2


def test_a_video_that_is_gone_says_why(client: httpx2.Client, site: VideoSite) -> None:
    missing = site.url.replace("/watch", "/0.mp4")
    view = add(client, "Gone", missing)

    found = wait_for(
        lambda: (now := stream(client, view))["state"] in ("backoff", "failed") and now, within_s=30
    )

    assert "refuses to show" in found["reason"]


def test_a_site_on_a_closed_network_is_never_asked(client: httpx2.Client) -> None:
    view = add(client, "Router", "http://192.168.1.1/watch")

    found = wait_for(lambda: (now := stream(client, view))["state"] == "failed" and now)

    assert "capture.egress_allow" in found["reason"]


def test_a_snapshot_needs_no_server(
    program: Program, client: httpx2.Client, site: VideoSite, tmp_path: Path
) -> None:
    data_dir = str(program.data_dir)
    add(client, "Still", site.url)

    taken = glimpser("snapshot", "Still", "--data-dir", data_dir, "-o", str(tmp_path / "out.jpg"), **OPEN)

    assert taken.returncode == 0, taken.stderr
    assert (tmp_path / "out.jpg").read_bytes()[:2] == b"\xff\xd8"
