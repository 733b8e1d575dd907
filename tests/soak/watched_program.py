"""A program at work, for every part of the soak: two moving files, a camera, and what is recorded of them."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import httpx2

from glimpser.testing.camera import FakeCamera
from glimpser.testing.clips import make_clip
from tests.program import OPEN_LOOPBACK, Program, wait_for

FILES = ("hall.mp4", "yard.mp4")
CAMERA = "door.mp4"
_CLIP_S = 11.0
_MOTION_S = (0.5, 6.0)
_MOTION_FOR_S = 1.5
_STAGGER_S = 1.5
"""When something moves: every few seconds in each view, with pauses that end a burst, never all at a time."""


@dataclass(slots=True)
class Scene:
    """Clips, a camera, and a program that is not started yet."""

    camera: FakeCamera
    program: Program
    settings: Mapping[str, str]


@contextmanager
def scene(folder: Path) -> Iterator[Scene]:
    """Prepare everything below `folder`; at the end the program is dead, if it ever ran."""
    media = folder / "media"
    media.mkdir()
    for seed, name in enumerate((*FILES, CAMERA)):
        begins = [start_s + seed * _STAGGER_S for start_s in _MOTION_S]
        motion = [(start_s, start_s + _MOTION_FOR_S) for start_s in begins]
        make_clip(media / name, seconds=_CLIP_S, fps=10, gop=10, motion=motion, seed=seed)
    settings = {**OPEN_LOOPBACK, "GLIMPSER_CAPTURE__FILE_ROOTS": f'["{media}"]'}
    with FakeCamera(media / CAMERA) as camera:
        program = Program(folder / "data", settings)
        try:
            yield Scene(camera, program, settings)
        finally:
            if hasattr(program, "process") and program.process.poll() is None:
                program.kill()


def furnish(client: httpx2.Client, camera: FakeCamera) -> None:
    """Add the views and wait until they are live."""
    for name in FILES:
        add(client, name, "file", path=name)
    add(client, CAMERA, "ffmpeg", url=camera.url)
    wait_live(client)


def add(client: httpx2.Client, name: str, kind: str, **config: object) -> str:
    """Add a view; gives its id."""
    answer = client.post("/api/templates", json={"name": name, "kind": kind, "config": config})
    answer.raise_for_status()
    return str(answer.json()["id"])


def wait_live(client: httpx2.Client, *, since: datetime | None = None, within_s: float = 30) -> float:
    """Wait until every view gives pictures, begun after `since`; seconds that took."""
    began = time.monotonic()
    wait_for(lambda: _all_live(client, since), within_s=within_s, what="all views live")
    return time.monotonic() - began


def _all_live(client: httpx2.Client, since: datetime | None) -> bool:
    streams = [view["stream"] for view in client.get("/api/templates").json()["items"]]
    return all(
        stream["state"] == "live" and (since is None or datetime.fromisoformat(stream["since"]) > since)
        for stream in streams
    )


def recorded(client: httpx2.Client, what: str) -> set[str]:
    """Give the ids of all `events` or `captures` there are."""
    found: set[str] = set()
    cursor: str | None = None
    while True:
        query = {"limit": 200} | ({"cursor": cursor} if cursor else {})
        page = client.get(f"/api/{what}", params=query).raise_for_status().json()
        found |= {item["id"] for item in page["items"]}
        cursor = page["next_cursor"]
        if cursor is None:
            return found
