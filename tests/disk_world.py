"""The real program while a disk below it fails or is full: what it captures, and what it says meanwhile."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx2
import numpy as np
import pytest
import simplejpeg

from tests.program import Program, glimpser, wait_for

_SHIM = Path(__file__).with_name("failing_disk.c")


@dataclass(frozen=True, slots=True)
class FailingDisk:
    """Everything whose path begins with `at`, for a program started with `settings`."""

    at: Path
    shim: Path
    trigger: Path

    @property
    def settings(self) -> Mapping[str, str]:
        return {
            "LD_PRELOAD": str(self.shim),
            "FAILING_DISK_AT": str(self.at),
            "FAILING_DISK_WHEN": str(self.trigger),
        }

    @contextmanager
    def failing(self, call: str) -> Iterator[None]:
        """Have every `sync` or `write` fail."""
        with self.trigger.with_suffix(".new").open("w") as written:
            written.write(call)
        self.trigger.with_suffix(".new").rename(self.trigger)
        try:
            yield
        finally:
            self.trigger.unlink()


def failing_disk(folder: Path, at: Path) -> FailingDisk:
    """Build a disk that fails when told to; skips the test where no C compiler is."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("needs a C compiler (cc), to have a disk that fails")
    shim = folder / "failing_disk.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", shim, _SHIM, "-ldl"], check=True)
    return FailingDisk(at.resolve(), shim, folder / "fails")


@contextmanager
def small_disk(path: Path, *, size_bytes: int) -> Iterator[Path]:
    """Mount a disk of memory; skips the test where that may not be done."""
    path.mkdir()
    mounting = ["mount", "-t", "tmpfs", "-o", f"size={size_bytes}", "tmpfs", str(path)]
    if os.geteuid() != 0 or subprocess.run(mounting, check=False, capture_output=True).returncode:
        pytest.skip("needs the right to mount a small disk (tmpfs)")
    try:
        yield path
    finally:
        subprocess.run(["umount", "--lazy", str(path)], check=True)


@contextmanager
def full(disk: Path) -> Iterator[None]:
    """Take all the room that is left on a disk."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))
    try:
        yield
    finally:
        ballast.unlink()


class Watched:
    """A view that is sent its pictures and captured every second."""

    def __init__(self, client: httpx2.Client) -> None:
        self._client = client
        self._pixels = np.random.default_rng(1)
        answer = self.add("Sent", schedule="* * * * * *")
        assert answer.status_code == 201, answer.text
        self.id = str(answer.json()["id"])

    def add(self, name: str, **settings: object) -> httpx2.Response:
        """Ask for another view."""
        return self._client.post(
            "/api/templates", json={"name": name, "kind": "push", "config": {}} | settings
        )

    def names(self) -> set[str]:
        answer = self._client.get("/api/templates").raise_for_status()
        return {str(view["name"]) for view in answer.json()["items"]}

    def captures(self) -> list[dict[str, object]]:
        """Send another picture; gives all captures there are, the newest first."""
        pixels = self._pixels.integers(0, 255, (120, 160, 3), np.uint8)
        sent = self._client.post(
            f"/api/stream/{self.id}/push",
            content=simplejpeg.encode_jpeg(pixels),
            headers={"Content-Type": "image/jpeg"},
        )
        assert sent.status_code == 202, sent.text
        answer = self._client.get("/api/captures", params={"limit": 200}).raise_for_status()
        return list(answer.json()["items"])

    def kept(self) -> list[str]:
        """Give the artifacts of what was captured, each of which can be read."""
        found = [str(one["artifact_id"]) for one in self.captures() if one["status"] == "success"]
        for artifact in found:
            assert simplejpeg.is_jpeg(
                self._client.get(f"/api/artifacts/{artifact}").raise_for_status().content
            )
        return found

    def until_captured(self, *, besides: int) -> list[str]:
        """Wait for more captures than so many; gives all."""
        return list(wait_for(lambda: self._more_than(besides), within_s=30, what="another capture"))

    def _more_than(self, count: int) -> list[str]:
        found = self.kept()
        return found if len(found) > count else []


def fsck(program: Program, **settings: str) -> Mapping[str, object]:
    """End the program and look at everything it kept."""
    assert program.terminate() == 0
    done = glimpser("fsck", "--data-dir", str(program.data_dir), "--level", "hash", "--json", **settings)
    assert done.returncode == 0, done.stdout + done.stderr
    return dict(json.loads(done.stdout))
