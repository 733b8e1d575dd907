"""Parts of the program fail alone: an ingest worker is killed, a camera loses its power."""

import os
import signal
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import httpx2

from tests.bench.figures import Figure, Part, slowest
from tests.program import Program, wait_for
from tests.soak.watched_program import CAMERA, Scene, furnish, scene, wait_live

WORKER_KILLS = 10
LIVE_WITHIN_S = 5.0
CAMERA_OFF_S = 20.0
PICTURE_WITHIN_S = 10.0


def run() -> Part:
    """Kill workers, then switch the camera off and on."""
    with tempfile.TemporaryDirectory() as folder, scene(Path(folder)) as stage:
        program = stage.program.start()
        with program.set_up() as client:
            furnish(client, stage.camera)
            picture_s, failed = _switch_camera_off_and_on(stage, client)
            live_s = [_kill_worker(program, client) for _ in range(WORKER_KILLS)]
    each = ", ".join(f"{seconds:.1f}" for seconds in live_s)
    figures = [
        *slowest("views live again after their worker was killed", live_s, at_most=LIVE_WITHIN_S),
        Figure(
            name="picture after the camera came back", value=picture_s, unit="s", at_most=PICTURE_WITHIN_S
        ),
        Figure(name="snapshots refused while it was off", value=failed, unit="", at_least=1),
    ]
    notes = [f"seconds until live, kill by kill (the pause before a restart grows): {each}"]
    return Part(
        f"{WORKER_KILLS} ingest workers killed; a camera off for {CAMERA_OFF_S:.0f} s", figures, notes
    )


def _kill_worker(program: Program, client: httpx2.Client) -> float:
    """Kill every ingest worker; seconds until all views are live anew."""
    time.sleep(1)
    killed_at = datetime.now(UTC)
    for pid in program.children():
        os.kill(pid, signal.SIGKILL)
    return wait_live(client, since=killed_at)


def _switch_camera_off_and_on(stage: Scene, client: httpx2.Client) -> tuple[float, int]:
    """Seconds from power to the first new picture, and how many snapshots were refused meanwhile."""
    views = client.get("/api/templates").json()["items"]
    path = next(f"/api/stream/{view['id']}/snapshot" for view in views if view["name"] == CAMERA)
    stage.camera.off()
    refused = 0
    off_until = time.monotonic() + CAMERA_OFF_S
    while time.monotonic() < off_until:
        time.sleep(1)
        refused += client.get(path).status_code == 503
    stage.camera.on()
    began = time.monotonic()
    wait_for(lambda: client.get(path).status_code == 200, what="a picture")
    return time.monotonic() - began, refused
