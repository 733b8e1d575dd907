"""What keeps and removes, wired."""

import asyncio
from collections.abc import MutableMapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

from glimpser.app.settings import database_settings, retention_limits
from glimpser.config import Config
from glimpser.core.clock import Clock
from glimpser.core.ports import Database
from glimpser.db.sqlite import sqlite_path
from glimpser.services.disk import DiskGuard
from glimpser.services.garbage import Sweeper
from glimpser.services.job_kinds import JobKind
from glimpser.services.jobs import Jobs
from glimpser.services.keeping import Keeping
from glimpser.services.notices import Publish
from glimpser.services.retention import RETENTION, Nightly, Retention
from glimpser.services.store_move import MOVE, Bases, StoreMove, StoreMoveStarter
from glimpser.services.system import System
from glimpser.storage.disk import GuardedStore, fullest
from glimpser.storage.objects import OpenStore, file_root


class Part(Protocol):
    """Something that runs beside the program, to its end or its own."""

    async def run(self) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """`run` owns the tasks of all parts."""

    keeping: Keeping
    system: System
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
    opened: OpenStore
    disk: DiskGuard
    jobs: Jobs
    job_kinds: MutableMapping[str, JobKind]
    clock: Clock


def disk_guard(config: Config, database: Database, *, clock: Clock, publish: Publish) -> DiskGuard:
    """Watch every disk the program writes to."""
    paths = [config.data_dir, sqlite_path(database_settings(config).url).parent]
    if config.storage.object_store_url.startswith("file:"):
        paths.append(file_root(config.storage.object_store_url))
    return DiskGuard(partial(fullest, _there(paths)), database, clock=clock, publish=publish)


def _there(paths: Sequence[Path]) -> Sequence[Path]:
    return [path for path in dict.fromkeys(paths) if path.exists()]


def wire_keeping(ground: KeptGround) -> Kept:
    database, clock = ground.database, ground.clock
    parts: list[Part] = [
        ground.disk,
        Sweeper(database, ground.opened.store, clock),
        Nightly(ground.jobs, clock=clock, hour=ground.config.retention.hour),
        *_movers(ground),
    ]
    ground.job_kinds[RETENTION] = Retention(database, retention_limits(ground.config), clock=clock).kind
    return Kept(
        keeping=Keeping(database, ground.jobs, clock=clock),
        system=System(database, ground.disk, clock=clock, waiting=lambda: ground.opened.waiting),
        parts=parts,
    )


def _movers(ground: KeptGround) -> Sequence[Part]:
    """Have what lies in the store of before moved, if there is one."""
    opened = ground.opened
    if opened.former_base_uri is None:
        return []
    bases = Bases(now=opened.base_uri, former=opened.former_base_uri)
    guarded = GuardedStore(opened.store, ground.disk.check_room)
    moving = StoreMove(ground.database, guarded, bases)
    ground.job_kinds[MOVE] = moving.kind
    return [StoreMoveStarter(moving, ground.jobs, ground.database, bases, ground.clock)]
