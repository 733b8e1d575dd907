"""What is captured while it is looked at whether everything is kept: a page that changes, a camera, a night.

The night is that of a place of our own, whose midnight falls into the run.
"""

import itertools
import struct
import threading
import zoneinfo
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx2

from glimpser.testing.camera import FakeCamera
from glimpser.testing.clips import make_clip
from tests.program import Program
from tests.s3_service import S3Service, s3_service

JITTER = timedelta(seconds=3)
FILM_S, FILM_FPS = 5.0, 12
PLACE = "Soak/Midnight"
_DAY_S = 86_400
_PREFIX = "kept"


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """Something that is captured again and again."""

    id: str
    name: str
    every: timedelta
    jitter: timedelta
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """A program that does not run yet, and what it will look at. `s3` is its store, if it is not the disk."""

    program: Program
    settings: Mapping[str, str]
    page_url: str
    camera: FakeCamera
    s3: S3Service | None
    bucket: str

    def furnish(self, client: httpx2.Client) -> Sequence[View]:
        """Add the page, captured every minute, and the camera, every ten seconds, with a film each night."""
        page = {"kind": "website", "config": {"url": self.page_url}, "schedule": "* * * * *"}
        camera = {
            "kind": "ffmpeg",
            "config": {"url": self.camera.url},
            "schedule": "*/10 * * * * *",
            "jitter_ms": JITTER // timedelta(milliseconds=1),
            "timelapse": {"daily": True, "length_s": FILM_S, "fps": FILM_FPS},
        }
        return [
            _add(client, "page", timedelta(minutes=1), timedelta(), page),
            _add(client, "camera", timedelta(seconds=10), JITTER, camera),
        ]

    def arrivals(self) -> Sequence[tuple[str, datetime]]:
        """Give the keys of all objects in S3 and when each came, the earliest first."""
        if self.s3 is None:
            return []
        return [(key.removeprefix(f"{_PREFIX}/"), at) for key, at in self.s3.arrivals(self.bucket)]


@contextmanager
def world(folder: Path, store: str, midnight: datetime) -> Iterator[World]:
    """Prepare everything below `folder`; at the end the program is dead, if it ever ran."""
    clip = folder / "door.mp4"
    make_clip(clip, seconds=8, width=640, height=360, fps=10, gop=10, motion=[(2.0, 4.0)])
    with ExitStack() as stack:
        s3 = stack.enter_context(s3_service()) if store == "s3" else None
        bucket = s3.new_bucket() if s3 else ""
        settings = _settings(_zones(folder / "zones", midnight)) | _storage(s3, bucket)
        program = Program(folder / "data", settings)
        stack.callback(_end, program)
        yield World(
            program=program,
            settings=settings,
            page_url=stack.enter_context(_changing_page()),
            camera=stack.enter_context(FakeCamera(clip)),
            s3=s3,
            bucket=bucket,
        )


def _settings(zones: str) -> dict[str, str]:
    return {
        "GLIMPSER_CAPTURE__CAMERA_CIDRS": '["127.0.0.0/8"]',
        "GLIMPSER_CAPTURE__EGRESS_ALLOW": '["127.0.0.0/8"]',
        "GLIMPSER_CAPTURE__BROWSER_SANDBOX": "false",  # whoever runs this may be root
        "GLIMPSER_SECURITY__TOKEN_TTL_S": "86400",
        "PYTHONTZPATH": zones,
    }


def _storage(s3: S3Service | None, bucket: str) -> dict[str, str]:
    if s3 is None:
        return {}
    return {
        "GLIMPSER_STORAGE__OBJECT_STORE_URL": f"s3://{bucket}/{_PREFIX}",
        "GLIMPSER_STORAGE__ENDPOINT_URL": s3.url,
        "GLIMPSER_STORAGE__ACCESS_KEY_ID": "test",
        "GLIMPSER_STORAGE__SECRET_ACCESS_KEY": "test",
    }


def _end(program: Program) -> None:
    if hasattr(program, "process") and program.process.poll() is None:
        program.kill()


def _add(
    client: httpx2.Client, name: str, every: timedelta, jitter: timedelta, fields: Mapping[str, Any]
) -> View:
    body = {"name": name, "timezone": PLACE, **fields}
    made = client.post("/api/templates", json=body).raise_for_status().json()
    since = datetime.fromisoformat(made["created_at"])
    return View(id=made["id"], name=name, every=every, jitter=jitter, since=since)


# A page that changes ----------------------------------------------------------------------------------


@contextmanager
def _changing_page() -> Iterator[str]:
    """Serve a page that says something else each time."""
    visits = itertools.count(1)

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = f"<title>News</title><body style='font: 40px serif'>News of visit {next(visits)}".encode()
            self.send_response(200 if self.path == "/" else 404)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()


# A place where it is midnight when we say so ------------------------------------------------------------


def _zones(folder: Path, midnight: datetime) -> str:
    """Make a database of zones that has our place; gives where to look for zones."""
    name = folder / PLACE
    name.parent.mkdir(parents=True)
    name.write_bytes(zone_file(midnight))
    return ":".join([str(folder), *zoneinfo.TZPATH])


def zone_file(midnight: datetime) -> bytes:
    """Write a zone that never changes its clock (RFC 9636, section 3, version 1)."""
    past_s = int(midnight.astimezone(UTC).timestamp()) % _DAY_S
    offset_s = -past_s if past_s <= _DAY_S // 2 else _DAY_S - past_s
    counts = struct.pack(">6l", 0, 0, 0, 0, 1, 4)
    return b"TZif" + bytes(16) + counts + struct.pack(">lBB", offset_s, 0, 0) + b"SOK\0"
