"""A page shows the live wall of the real program, as a browser would: by cookie and Origin."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import httpx2
import numpy as np
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from glimpser.testing.clips import make_clip
from tests.program import EMAIL, OPEN_LOOPBACK, PASSWORD, Program, running

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    clips = tmp_path / "clips"
    clips.mkdir()
    make_clip(clips / "room.mp4", seconds=10, fps=10, gop=10, motion=((5.0, 7.0),))
    settings = {**OPEN_LOOPBACK, "GLIMPSER_CAPTURE__FILE_ROOTS": f'["{clips}"]'}
    with running(tmp_path / "data", settings) as program:
        program.set_up().close()
        yield program


@pytest.fixture
def page(program: Program) -> Iterator[httpx2.Client]:
    """What a browser keeps of signing in: a cookie, and its page's origin."""
    with httpx2.Client(base_url=program.url, headers={"Origin": program.url}, timeout=20) as page:
        login = {"email": EMAIL, "password": PASSWORD}
        page.post("/api/auth/login", json=login).raise_for_status()
        yield page


def add(page: httpx2.Client, **settings: object) -> str:
    body = {"name": "Room", "kind": "file", "config": {"path": "room.mp4"}} | settings
    return str(page.post("/api/templates", json=body).raise_for_status().json()["id"])


def open_wall(page: httpx2.Client) -> ClientConnection:
    cookies = "; ".join(f"{name}={value}" for name, value in page.cookies.items())
    url = str(page.base_url).replace("http", "ws", 1).rstrip("/")
    headers = {"Cookie": cookies, "Origin": page.headers["Origin"]}
    return connect(f"{url}/api/live", additional_headers=headers, proxy=None)


def see(wall: ClientConnection, *ids: str) -> None:
    wall.send(json.dumps({"tiles": [{"id": view, "fps": 5, "w": 300} for view in ids]}))


def picture(wall: ClientConnection, of: str) -> tuple[int, int]:
    """Wait for a picture of a view; gives its width and height."""
    while True:
        message = wall.recv(timeout=20)
        if isinstance(message, bytes) and message[10 : 10 + message[1]].decode() == of:
            decoded = cv2.imdecode(np.frombuffer(message[10 + message[1] :], np.uint8), cv2.IMREAD_COLOR)
            assert decoded is not None
            return decoded.shape[1], decoded.shape[0]


def told(wall: ClientConnection, kind: str, matches: Callable[[Any], bool] = lambda _: True) -> Any:
    """Wait for a message of a kind."""
    while True:
        message = wall.recv(timeout=30)
        if isinstance(message, str) and json.loads(message)["type"] == kind and matches(json.loads(message)):
            return json.loads(message)


def close_code(wall: ClientConnection) -> int | None:
    try:
        while True:
            wall.recv(timeout=20)
    except ConnectionClosed as closed:
        return closed.rcvd.code if closed.rcvd else None


def test_a_page_sees_pictures_and_what_happens(program: Program, page: httpx2.Client) -> None:
    always, on_demand = add(page), add(page, name="Only while watched", live=False)
    with open_wall(page) as wall:
        see(wall, always, on_demand)

        assert picture(wall, always) == (320, 180)
        assert picture(wall, on_demand) == (320, 180)  # which runs only because of that
        event = told(wall, "event", lambda message: message["event"]["ended_at"] is not None)["event"]
        assert event == page.get(f"/api/events/{event['id']}").json()

        switched = page.patch(
            f"/api/templates/{always}", json={"enabled": False}, headers={"If-Match": '"1"'}
        )
        assert switched.status_code == 200
        stopped = told(wall, "state", lambda message: message["template_id"] == always)
        assert set(stopped["stream"]) == {"state", "since", "fps", "width", "height", "reason"}

        page.post("/api/auth/logout").raise_for_status()
        assert close_code(wall) == 1008


def test_a_wall_does_not_hold_up_the_end(program: Program, page: httpx2.Client) -> None:
    view = add(page)
    with open_wall(page) as wall:
        see(wall, view)
        picture(wall, view)

        assert program.terminate(within_s=5) == 0
        assert close_code(wall) == 1001
