import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.hostile_programs import marked

ROOT = Path(__file__).parents[3]


def test_when_we_are_killed_nothing_that_we_run_stays_behind(scratch: Path) -> None:
    mark = "orphaned"

    ended = subprocess.run(
        [sys.executable, Path(__file__).with_name("orphaning.py"), scratch, mark],
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        timeout=30,
    )

    assert ended.returncode == -signal.SIGKILL
    deadline = time.monotonic() + 10
    while marked(mark):
        assert time.monotonic() < deadline, "something was left behind"
        time.sleep(0.02)
