"""How long the program takes to be ready on data it has worked on before, and what it costs when idle."""

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import httpx2

from tests.bench.figures import Figure, Part, median
from tests.bench.footage import CAMERA_360P5, footage
from tests.bench.processes import cpu_s, pss_mib, tree
from tests.program import Program, running, wait_for

STARTS = 5
READY_WITHIN_S = 3.0
_HEAVY = ("glimpser.app", "fastapi", "sqlalchemy", "pydantic", "av", "cv2", "uvicorn", "alembic")


def run(seconds: float = 20.0) -> Part:
    """Start five times, then watch the idle program for `seconds` with no template and with four."""
    clips = footage(CAMERA_360P5)
    settings = {"GLIMPSER_CAPTURE__FILE_ROOTS": f'["{clips[0].parent}"]'}
    with tempfile.TemporaryDirectory() as folder:
        data_dir = Path(folder) / "data"
        with running(data_dir, settings) as program, program.set_up() as client:
            figures = _idle("no template", program, seconds)
            _add_views(client, clips)
            figures += _idle("4 templates, 360p5", program, seconds)
        ready_s = [_time_to_ready(data_dir, settings) for _ in range(STARTS)]
    interpreter_s = [_timed([sys.executable, "-c", "pass"]) for _ in range(STARTS)]
    figures = [
        median("start to /readyz, 4 templates", ready_s, "s", at_most=READY_WITHIN_S),
        median("start to /readyz", [s / statistics.median(interpreter_s) for s in ready_s], "× python"),
        *figures,
    ]
    return Part("Start and rest", figures, _slow_imports())


def time_until_ready(program: Program, began: float) -> float:
    """Wait until /readyz says 200; seconds since `began` (monotonic)."""
    with httpx2.Client(base_url=program.url) as client:
        wait_for(lambda: client.get("/readyz").status_code == 200, what="ready")
    return time.monotonic() - began


def _time_to_ready(data_dir: Path, settings: Mapping[str, str]) -> float:
    began = time.monotonic()
    with running(data_dir, settings) as program:
        ready_s = time_until_ready(program, began)
        assert program.terminate() == 0
    return ready_s


def _add_views(client: httpx2.Client, clips: Sequence[Path]) -> None:
    for clip in clips:
        body = {"name": clip.stem, "kind": "file", "config": {"path": clip.name}}
        client.post("/api/templates", json=body).raise_for_status()
    wait_for(
        lambda: all(
            view["stream"]["state"] == "live" for view in client.get("/api/templates").json()["items"]
        ),
        what="all live",
    )


def _idle(name: str, program: Program, seconds: float) -> list[Figure]:
    time.sleep(3)
    pids = tree(program.process.pid)
    before_s = [cpu_s(pid) for pid in pids]
    time.sleep(seconds)
    spent_s = [cpu_s(pid) - before for pid, before in zip(pids, before_s, strict=True)]
    return [
        Figure(name=f"CPU with {name}, main process", value=100 * spent_s[0] / seconds, unit="% core"),
        Figure(name=f"CPU with {name}, all", value=100 * sum(spent_s) / seconds, unit="% core"),
        Figure(name=f"memory with {name}, main process", value=pss_mib(pids[:1]), unit="MiB"),
        Figure(name=f"memory with {name}, all", value=pss_mib(pids), unit="MiB"),
    ]


def _timed(command: Sequence[str]) -> float:
    began = time.monotonic()
    subprocess.run(command, check=True)
    return time.monotonic() - began


def _slow_imports() -> list[str]:
    """Name what importing the program takes most time for, in milliseconds, what it imports included."""
    told = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", "import glimpser.app.running"],
        capture_output=True,
        check=True,
        text=True,
    )
    found: dict[str, float] = {}
    for line in told.stderr.splitlines():
        _, cumulative_us, module = line.removeprefix("import time:").split("|")
        if module.strip() in _HEAVY:
            found[module.strip()] = int(cumulative_us) / 1000
    slowest = sorted(found.items(), key=lambda item: -item[1])
    return [
        "imports, ms with what they import first: " + ", ".join(f"{name} {ms:.0f}" for name, ms in slowest)
    ]
