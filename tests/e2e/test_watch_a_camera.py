"""A person starts the program, adds a camera, watches it, sees motion; and the program ends as it should."""

import itertools
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import av
import cv2
import httpx2
import numpy as np
import pytest

from glimpser.testing.camera import FakeCamera
from glimpser.testing.clips import make_clip
from tests.program import OPEN_LOOPBACK, Program, environment, glimpser, is_alive, running, wait_for

pytestmark = pytest.mark.timeout(180)
MOTION = ((5.0, 7.0),)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clips") / "room.mp4"
    make_clip(path, seconds=10, fps=10, gop=10, motion=MOTION)
    return path


@pytest.fixture(scope="module")
def settings(clip: Path) -> dict[str, str]:
    return {**OPEN_LOOPBACK, "GLIMPSER_CAPTURE__FILE_ROOTS": f'["{clip.parent}"]'}


@pytest.fixture
def program(tmp_path: Path, settings: dict[str, str]) -> Iterator[Program]:
    """A program of the test's own, to be ended by it."""
    with running(tmp_path / "data", settings) as program:
        yield program


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, settings: dict[str, str]) -> Iterator[Program]:
    """One program for all tests that leave it running; its first admin is made."""
    with running(tmp_path_factory.mktemp("shared") / "data", settings) as program:
        program.set_up().close()
        yield program


@pytest.fixture
def client(shared: Program) -> Iterator[httpx2.Client]:
    """Signed in to the shared program, which has no template before and after the test."""
    with shared.sign_in() as client:
        yield client
        for template in client.get("/api/templates").json()["items"]:
            etag = f'"{template["version"]}"'
            client.delete(f"/api/templates/{template['id']}", headers={"If-Match": etag})


def add(client: httpx2.Client, name: str, kind: str, **config: object) -> str:
    answer = client.post("/api/templates", json={"name": name, "kind": kind, "config": config})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def stream_of(client: httpx2.Client, template_id: str) -> dict[str, Any]:
    stream: dict[str, Any] = client.get(f"/api/templates/{template_id}").json()["stream"]
    return stream


def wait_live(client: httpx2.Client, template_id: str) -> None:
    wait_for(lambda: stream_of(client, template_id)["state"] == "live", what="live")


def picture(jpeg: bytes) -> tuple[int, int]:
    decoded = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert decoded is not None
    return decoded.shape[1], decoded.shape[0]


def test_a_camera_is_added_watched_and_gives_motion_events_with_pictures(
    client: httpx2.Client, clip: Path
) -> None:
    with FakeCamera(clip) as camera:
        template_id = add(client, "Room", "ffmpeg", url=camera.url)
        wait_live(client, template_id)

        still = client.get(f"/api/stream/{template_id}/snapshot", params={"w": 320})
        assert picture(still.content) == (320, 180)
        assert float(still.headers["X-Frame-Age"]) < 5

        events = wait_for(
            lambda: client.get("/api/events", params={"kind": "motion"}).json()["items"], within_s=30
        )
        assert events[0]["template_id"] == template_id
        stored = client.get(f"/api/artifacts/{events[0]['artifact_id']}")
        assert picture(stored.content) == (640, 360)


def test_libav_and_opencv_read_the_mjpeg_stream(client: httpx2.Client, clip: Path) -> None:
    template_id = add(client, "File", "file", path=clip.name)
    wait_live(client, template_id)
    url = f"{client.base_url}/api/stream/{template_id}/mjpeg?w=320"
    headers = f"Authorization: {client.headers['Authorization']}\r\n"

    with av.open(url, "r", options={"headers": headers}, timeout=10) as container:
        shown = list(itertools.islice(container.decode(video=0), 5))
    assert [(frame.width, frame.height) for frame in shown] == [(320, 180)] * 5
    assert _shapes_seen_by_opencv(url, headers) == [[180, 320, 3]] * 5


def _shapes_seen_by_opencv(url: str, headers: str) -> object:
    """OpenCV takes headers from its environment alone, so it reads in a process of its own."""
    script = (
        "import cv2, json, sys; capture = cv2.VideoCapture(sys.argv[1], cv2.CAP_FFMPEG);"
        "print(json.dumps([capture.read()[1].shape for _ in range(5)]))"
    )
    settings = {"OPENCV_FFMPEG_CAPTURE_OPTIONS": f"headers;{headers}"}
    told = subprocess.run(
        [sys.executable, "-c", script, url],
        env=environment(settings),
        capture_output=True,
        check=True,
        timeout=30,
    )
    return json.loads(told.stdout)


def test_a_file_played_once_gives_the_bursts_at_their_times(client: httpx2.Client, clip: Path) -> None:
    template_id = add(client, "File", "file", path=clip.name, loop=False)
    wait_live(client, template_id)
    [capture] = wait_for(
        lambda: client.get("/api/captures", params={"template_id": template_id}).json()["items"],
        what="the capture's row",
    )
    wait_for(lambda: stream_of(client, template_id)["state"] == "idle", within_s=30, what="ended")

    [event] = wait_for(lambda: client.get("/api/events", params={"template_id": template_id}).json()["items"])
    wait_for(lambda: client.get(f"/api/events/{event['id']}").json()["ended_at"], what="the end of the burst")
    event = client.get(f"/api/events/{event['id']}").json()
    began = datetime.fromisoformat(capture["started_at"])
    seen = [(datetime.fromisoformat(event[at]) - began).total_seconds() for at in ("started_at", "ended_at")]
    assert seen == pytest.approx([5.0, 7.0], abs=0.6)
    wait_for(
        lambda: client.get(f"/api/captures/{capture['id']}").json()["status"] == "success", what="the capture"
    )
    assert stream_of(client, template_id)["reason"] == "The file has ended."


def test_a_change_restarts_its_own_view_alone(client: httpx2.Client, clip: Path) -> None:
    kept, changed = (add(client, name, "file", path=clip.name) for name in ("kept", "changed"))
    wait_live(client, kept)
    wait_live(client, changed)
    since = stream_of(client, kept)["since"]

    answer = client.patch(
        f"/api/templates/{changed}", json={"config": {"fps": 20}}, headers={"If-Match": '"1"'}
    )
    assert answer.status_code == 200, answer.text
    wait_for(lambda: float(stream_of(client, changed)["fps"] or 0) > 15, what="twice the speed")
    assert stream_of(client, kept)["since"] == since

    client.delete(f"/api/templates/{changed}", headers={"If-Match": '"2"'})
    assert client.get(f"/api/stream/{changed}/snapshot").status_code == 404


@pytest.mark.parametrize(
    ("kind", "config", "sentence"),
    [
        ("ffmpeg", {"url": "rtsp://127.0.0.1:1/cam"}, "refuses the connection"),
        ("ffmpeg", {"url": "rtsp://169.254.169.254/latest"}, "never connected to"),
        ("ffmpeg", {"url": "rtsp://10.1.2.3/cam"}, "capture.camera_cidrs"),
        ("file", {"path": "absent.mp4"}, "cannot be opened"),
        ("file", {"path": "notes.txt"}, "is no video"),
    ],
)
def test_a_view_that_cannot_be_opened_says_what_is_wrong(
    client: httpx2.Client, clip: Path, kind: str, config: dict[str, str], sentence: str
) -> None:
    (clip.parent / "notes.txt").write_text("no video at all\n" * 100)
    template_id = add(client, "Broken", kind, **config)
    reason = wait_for(lambda: stream_of(client, template_id)["reason"])
    assert sentence in str(reason)
    answer = client.get(f"/api/stream/{template_id}/snapshot")
    assert (answer.status_code, "Retry-After" in answer.headers) == (503, True)


@pytest.mark.parametrize(
    ("kind", "config"),
    [
        ("ffmpeg", {"url": "file:///etc/passwd"}),
        ("ffmpeg", {"url": "concat:/etc/passwd"}),
        ("ffmpeg", {"url": "-i rtsp://127.0.0.1/x"}),
        ("ffmpeg", {"url": "ftp://127.0.0.1/x"}),
        ("ffmpeg", {"url": "rtsp://127.0.0.1/x", "options": "-y"}),
        ("file", {"path": "/etc/passwd"}),
        ("file", {"path": "../../etc/passwd"}),
        ("nonsense", {}),
    ],
)
def test_a_tricky_address_is_refused_with_the_field_it_stands_in(
    client: httpx2.Client, kind: str, config: dict[str, str]
) -> None:
    answer = client.post("/api/templates", json={"name": "Trick", "kind": kind, "config": config})
    assert answer.status_code == 422
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["errors"][0]["pointer"].split("/")[1] in ("config", "kind")


def test_sigterm_ends_it_in_time_with_streams_open(program: Program, clip: Path) -> None:
    with program.set_up() as client:
        template_id = add(client, "File", "file", path=clip.name)
        wait_live(client, template_id)
        with client.stream("GET", f"/api/stream/{template_id}/mjpeg") as answer:
            assert next(answer.iter_raw()).startswith(b"--frame")
            workers = program.children()
            began = time.monotonic()
            assert program.terminate() == 0
            assert time.monotonic() - began < 10
        assert not any(is_alive(pid) for pid in workers)


def test_kill_9_leaves_no_process_and_nothing_to_mend(program: Program, clip: Path) -> None:
    with program.set_up() as client:
        template_id = add(client, "File", "file", path=clip.name)
        wait_live(client, template_id)
        wait_for(lambda: client.get("/api/events").json()["items"], within_s=30, what="motion")
        workers = program.children()
        program.kill()

    assert workers
    wait_for(lambda: not any(is_alive(pid) for pid in workers), within_s=5, what="no orphan")
    program.start()
    with program.sign_in() as client:
        assert client.get("/api/events").json()["items"]
        statuses = {item["status"] for item in client.get("/api/captures").json()["items"]}
        assert "failure" in statuses
    assert program.terminate() == 0
    checked = glimpser("fsck", "--data-dir", str(program.data_dir), "--level", "hash")
    assert checked.returncode == 0, checked.stdout


def test_a_second_instance_on_the_same_data_ends_at_once_naming_the_first(program: Program) -> None:
    second = glimpser("up", "--data-dir", str(program.data_dir), "--port", "0")
    assert (second.returncode, f"pid {program.process.pid}" in second.stderr) == (78, True)


def test_a_snapshot_is_taken_without_a_server(tmp_path: Path, clip: Path) -> None:
    target = tmp_path / "out.jpg"
    with FakeCamera(clip) as camera:
        taken = glimpser("snapshot", camera.url, "-o", str(target), "--data-dir", str(tmp_path / "data"))
    assert taken.returncode == 0, taken.stderr
    assert picture(target.read_bytes()) == (640, 360)
