"""A program of its own that claims slots and runs their jobs: `python -m tests.job_worker DIRECTORY …`.

Every run is noted as a line in `DIRECTORY/ran`, with the job's id and this process's: what killed workers did
is not forgotten.
"""

import argparse
import asyncio
import os
from collections.abc import Mapping
from pathlib import Path

from glimpser.cluster.local import LocalJobQueue
from glimpser.core import failpoints
from glimpser.core.clock import SystemClock
from glimpser.core.jobs import Job
from glimpser.core.schedule_state import CAPTURE
from glimpser.db.engine import open_database
from glimpser.db.settings import DatabaseSettings
from glimpser.services.job_kinds import JobKind, Progress, RetryPolicy
from glimpser.services.job_runner import JobPace, JobRunner
from glimpser.services.jobs import Jobs
from glimpser.services.schedules import Schedules

LEASE_S = 1.0


class Silent:
    def job_ended(self, *, kind: str, status: str, duration_s: float) -> None: ...


class Worker:
    def __init__(self, directory: Path, run_s: float) -> None:
        self._ran = directory / "ran"
        self._run_s = run_s

    async def run(self, job: Job, _progress: Progress) -> Mapping[str, object]:
        with self._ran.open("a") as ran:
            ran.write(f"{job.id} {os.getpid()}\n")
        await asyncio.sleep(self._run_s)
        return {"by": os.getpid()}


async def work(directory: Path, *, seconds: float, run_s: float) -> None:
    """Run what is due for so long."""
    clock, queue = SystemClock(), LocalJobQueue()
    settings = DatabaseSettings(url=f"sqlite:///{directory / 'glimpser.db'}", pool_size=2)
    kinds = {
        CAPTURE: JobKind(run=Worker(directory, run_s).run, retry=RetryPolicy(max_attempts=20), per_lane=1)
    }
    pace = JobPace(lease_s=LEASE_S, heartbeat_s=LEASE_S / 4, sweep_s=0.05)
    async with open_database(settings) as database:
        runner = JobRunner(database, queue, kinds, clock=clock, metrics=Silent(), pace=pace)
        schedules = Schedules(
            database, Jobs(database, queue, kinds, clock=clock), clock=clock, metrics=Silent()
        )
        async with asyncio.TaskGroup() as tasks:
            parts = [tasks.create_task(part.run()) for part in (runner, schedules)]
            await asyncio.sleep(seconds)
            for part in parts:
                part.cancel()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("directory", type=Path)
    parser.add_argument("--failpoint", default="")
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--run-s", type=float, default=0.0)
    options = parser.parse_args()
    failpoints.arm(options.failpoint)
    asyncio.run(work(options.directory, seconds=options.seconds, run_s=options.run_s))


if __name__ == "__main__":
    main()
