"""What keeps and removes, wired."""

import asyncio
from collections.abc import MutableMapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from glimpser.app.settings import retention_limits
from glimpser.config import Config
from glimpser.core.clock import Clock
from glimpser.core.ports import Database, ObjectStore
from glimpser.services.garbage import Sweeper
from glimpser.services.job_kinds import JobKind
from glimpser.services.jobs import Jobs
from glimpser.services.keeping import Keeping
from glimpser.services.retention import RETENTION, Nightly, Retention


class Part(Protocol):
    """Something that runs as long as the program does."""

    async def run(self) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """`run` owns the tasks of all parts."""

    keeping: Keeping
    parts: Sequence[Part]

    async def run(self) -> None:
        """Never returns."""
        async with asyncio.TaskGroup() as tasks:
            for part in self.parts:
                tasks.create_task(part.run())


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptGround:
    """What keeping stands on. The kinds of jobs it runs are added to `job_kinds`."""

    config: Config
    database: Database
    store: ObjectStore
    jobs: Jobs
    job_kinds: MutableMapping[str, JobKind]
    clock: Clock


def wire_keeping(ground: KeptGround) -> Kept:
    database, clock = ground.database, ground.clock
    ground.job_kinds[RETENTION] = Retention(database, retention_limits(ground.config), clock=clock).kind
    return Kept(
        keeping=Keeping(database, ground.jobs, clock=clock),
        parts=(
            Sweeper(database, ground.store, clock),
            Nightly(ground.jobs, clock=clock, hour=ground.config.retention.hour),
        ),
    )
