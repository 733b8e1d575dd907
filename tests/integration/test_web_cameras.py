"""Cameras under http, through the running pool and a real proxy: HLS made by ffmpeg, MJPEG behind a login."""

import functools
import http.server
import ipaddress
import shutil
import subprocess
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest
import simplejpeg
from numpy.typing import NDArray

from glimpser.capture.ffmpeg import camera_kind
from glimpser.capture.ingest.pool import IngestPool, PoolSettings, open_pool
from glimpser.core.clock import SystemClock
from glimpser.core.ids import TemplateId
from glimpser.core.live import LiveSpec, State
from glimpser.core.motion import OFF, MotionSettings
from glimpser.egress.gate import Gate, GatePolicy
from glimpser.egress.proxy import Proxy, open_proxy
from glimpser.testing.live import LiveLog, following
from tests.unit.capture.web_camera import motion_jpeg, moved, web_camera

pytestmark = pytest.mark.anyio
CAM = TemplateId("CAM")
ALLOWED, CLOSED = "127.0.0.0/30", "127.0.1.2"


@asynccontextmanager
async def running() -> AsyncIterator[tuple[IngestPool, LiveLog, Proxy]]:
    settings = PoolSettings(
        workers=1, allowed_networks=(ALLOWED,), own_sockets=(), file_roots=(), stall_timeout_s=4.0
    )
    gate = Gate(GatePolicy(allowed=(ipaddress.ip_network(ALLOWED),), setting="capture.camera_cidrs"))
    async with (
        open_proxy(gate) as proxy,
        open_pool(settings, SystemClock()) as pool,
        following(pool) as log,
    ):
        yield pool, log, proxy


def view(proxy: Proxy, url: str, **more: str) -> LiveSpec:  # type: ignore[type-arg]  # whatever the kind feeds
    kind = camera_kind(proxy.url)
    feed = kind.feed(kind.parse({"url": url, **more}))
    return LiveSpec(template_id=CAM, feed=feed, motion=MotionSettings(detector=OFF))


@pytest.fixture
def live_playlist(tmp_path: Path) -> Iterator[str]:
    """Serve what a real ffmpeg makes: one-second segments, the last five of them."""
    program = shutil.which("ffmpeg")
    if program is None:
        pytest.skip("There is no ffmpeg on this machine.")
    source = ["-re", "-f", "lavfi", "-i", "testsrc=size=320x180:rate=10"]
    coded = ["-c:v", "libx264", "-preset", "ultrafast", "-g", "10", "-pix_fmt", "yuv420p"]
    hls = ["-f", "hls", "-hls_time", "1", "-hls_list_size", "5", "-hls_flags", "delete_segments+temp_file"]
    handler = functools.partial(Quiet, directory=str(tmp_path))
    with (
        http.server.ThreadingHTTPServer(("127.0.0.2", 0), handler) as server,
        subprocess.Popen(
            [program, "-v", "error", "-nostdin", *source, *coded, *hls, str(tmp_path / "live.m3u8")]
        ) as making,
    ):
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.2:{server.server_address[1]}/live.m3u8"
        finally:
            making.terminate()
            server.shutdown()


def picture() -> NDArray[np.uint8]:
    return np.full((48, 64, 1), 128, np.uint8)


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # its name in the base class
        pass


async def test_a_live_playlist_becomes_a_live_view(live_playlist: str) -> None:
    async with running() as (pool, log, proxy):
        await pool.start(view(proxy, live_playlist))
        live = await log.state(CAM, State.LIVE)
        with pool.want(CAM, width=160, fps=None):
            first, later = await log.frame(CAM, 160), await log.frame(CAM, 160)

    assert (live.width, live.height) == (320, 180)
    assert simplejpeg.decode_jpeg(first.jpeg).shape == (90, 160, 3)
    assert later.sequence > first.sequence


async def test_motion_jpeg_behind_a_digest_login_becomes_a_live_view() -> None:
    jpeg = simplejpeg.encode_jpeg(picture(), colorspace="GRAY", colorsubsampling="Gray")
    with web_camera({"/video": motion_jpeg(jpeg)}, login=("ann", "p@ss:w/rd")) as camera:
        async with running() as (pool, log, proxy):
            await pool.start(view(proxy, camera.url("/video"), username="ann", password="p@ss:w/rd"))
            live = await log.state(CAM, State.LIVE)
            snapshot = await pool.snapshot(CAM)

    assert (live.width, live.height) == (64, 48)
    assert simplejpeg.decode_jpeg(snapshot.jpeg).shape == (48, 64, 3)


async def test_a_camera_that_leads_to_a_closed_address_fails_with_the_setting_to_change() -> None:
    with web_camera({}, host=CLOSED) as forbidden, web_camera({}) as camera:
        camera.pages["/video"] = moved(forbidden.url("/video"))
        async with running() as (pool, log, proxy):
            await pool.start(view(proxy, forbidden.url("/video")))
            told = await log.state(CAM, State.FAILED)
            await pool.start(view(proxy, camera.url("/video")))
            await log.state(CAM, State.BACKOFF)

    assert "capture.camera_cidrs" in (told.reason or "")
    assert forbidden.connections == 0
