"""Has the running program watch views of every kind, breaks and mends them, and notes what it says."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import simplejpeg

from tests.kinds_world import Trouble, Watched

_LOOK_S = 0.3
WELL_WITHIN_S = 90
TOLD_WITHIN_S = 45

Health = Mapping[str, Any]


@dataclass
class Seen:
    """What was said of one view: when it began, when it was broken, and when it was mended."""

    id: str = ""
    first: str = "unknown"
    picture: str = ""
    wanted: str = ""
    trouble: Health = field(default_factory=dict)
    expected: tuple[str, str] = ("", "")
    told_after_s: float = 0
    again: str = "unknown"

    @property
    def is_told(self) -> bool:
        state, reason = self.expected
        return self.trouble.get("state") == state and reason in (self.trouble.get("reason") or "")


def open_to(files: Path) -> dict[str, str]:
    """Settings under which servers on loopback can be watched, and a folder. The tests may run as root."""
    return {
        "GLIMPSER_CAPTURE__CAMERA_CIDRS": '["127.0.0.0/8"]',
        "GLIMPSER_CAPTURE__EGRESS_ALLOW": '["127.0.0.0/8"]',
        "GLIMPSER_CAPTURE__FILE_ROOTS": json.dumps([str(files)]),
        "GLIMPSER_CAPTURE__BROWSER_SANDBOX": "false",
        "GLIMPSER_CAPTURE__STALL_TIMEOUT_S": "4",
    }


def watch_troubles(
    client: httpx2.Client,
    views: Mapping[str, Watched],
    troubles: Mapping[str, str],
    *,
    told_within_s: float = TOLD_WITHIN_S,
    well_within_s: float = WELL_WITHIN_S,
) -> dict[str, Seen]:
    """Add the views, break all of them at once, each in its way, and mend them; then remove them."""
    seen = {name: Seen(id=_add(client, name, views[name])) for name in troubles}
    watching = _Watching(client, views, seen, told_within_s=told_within_s, well_within_s=well_within_s)
    watching.begin()
    watching.trouble({name: views[name].troubles[trouble] for name, trouble in troubles.items()})
    for one in seen.values():
        client.delete(f"/api/templates/{one.id}", headers={"If-Match": "*"})
    return seen


def _add(client: httpx2.Client, name: str, watched: Watched) -> str:
    body = {"name": name, "kind": watched.kind, "config": dict(watched.config), "live": True}
    answer = client.post("/api/templates", json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


class _Watching:
    def __init__(
        self,
        client: httpx2.Client,
        views: Mapping[str, Watched],
        seen: dict[str, Seen],
        *,
        told_within_s: float,
        well_within_s: float,
    ) -> None:
        self._told_within_s = told_within_s
        self._well_within_s = well_within_s
        self._client = client
        self._views = views
        self._seen = seen

    def begin(self) -> None:
        """Wait until all are well, and look at their pictures."""
        self._until(self._well_within_s, self._is_well)
        for name, seen in self._seen.items():
            seen.wanted = _described(self._views[name])
            seen.picture = self._picture(name)

    def trouble(self, troubles: Mapping[str, Trouble]) -> None:
        """Break all, wait until it is told, mend them, and wait until that is told."""
        began_s = time.monotonic()
        for name, trouble in troubles.items():
            self._seen[name].expected = (trouble.state, trouble.reason)
            trouble.does()
        self._until(self._told_within_s, lambda name, health: self._tells(name, health, began_s))
        for trouble in troubles.values():
            trouble.mend()
        self._until(self._well_within_s, self._is_well_again)

    def _is_well(self, name: str, health: Health) -> bool:
        self._seen[name].first = health["state"]
        return self._seen[name].first == "ok"

    def _is_well_again(self, name: str, health: Health) -> bool:
        self._seen[name].again = health["state"]
        return self._seen[name].again == "ok"

    def _tells(self, name: str, health: Health, began_s: float) -> bool:
        seen = self._seen[name]
        seen.trouble = health
        seen.told_after_s = time.monotonic() - began_s
        return seen.is_told

    def _until(self, within_s: float, found: Callable[[str, Health], bool]) -> None:
        """Look at all that is not found yet, again and again; what never comes is left to be asserted."""
        deadline = time.monotonic() + within_s
        left = set(self._seen)
        while left and time.monotonic() < deadline:
            self._tick()
            left = {name for name in left if not found(name, self._health(name))}
            time.sleep(_LOOK_S)

    def _tick(self) -> None:
        for name, seen in self._seen.items():
            tick = self._views[name].tick
            if tick:
                tick(self._client, seen.id)

    def _health(self, name: str) -> Health:
        health: Health = self._client.get(f"/api/templates/{self._seen[name].id}").json()["health"]
        return health

    def _picture(self, name: str) -> str:
        answer = self._client.get(f"/api/stream/{self._seen[name].id}/snapshot")
        if answer.headers["content-type"] != "image/jpeg":
            return answer.text
        pixels = np.asarray(simplejpeg.decode_jpeg(answer.content))
        return _described(self._views[name], pixels)


def _described(watched: Watched, pixels: Any = None) -> str:
    """Say what a picture is like, or should be."""
    if pixels is None:
        width, height = watched.size
        return f"{width}x{height}" + (f" of {watched.colour}" if watched.colour else "")
    height, width = pixels.shape[:2]
    if watched.colour is None:
        return f"{width}x{height}"
    mean = pixels.mean(axis=(0, 1))
    near = np.abs(mean - np.asarray(watched.colour)).max() <= 12
    return f"{width}x{height} of {watched.colour if near else mean.round()}"
