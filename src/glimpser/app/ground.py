"""What all parts of the program stand on: opened first, closed last."""

import asyncio
import socket
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

from glimpser import __version__
from glimpser.app.keeping import disk_guard
from glimpser.app.proxies import Proxies, enter_proxies
from glimpser.app.settings import database_settings, store_settings
from glimpser.cluster.local import LocalJobQueue
from glimpser.config import Config
from glimpser.core.clock import Clock, SystemClock
from glimpser.core.ports import ObjectStore
from glimpser.db.engine import SqlDatabase, open_database
from glimpser.db.migrate import migrate
from glimpser.observability.metrics import Metrics
from glimpser.process.runner import Runner, open_runner
from glimpser.services.disk import DiskGuard
from glimpser.services.job_kinds import JobKind
from glimpser.services.notices import Notices
from glimpser.services.recovery import recover
from glimpser.storage.disk import GuardedStore
from glimpser.storage.objects import OpenStore, open_store
from glimpser.web.server import listen


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What parts open on it is closed by `stack`.

    `listeners` are those of the web and of observability; `own` are all our sockets, which nothing of ours
    may connect to. Programs that are run have their homes in `scratch`: emptied at the start and at the end.
    Each part adds the kinds of jobs it runs to `job_kinds`.
    """

    config: Config
    stack: AsyncExitStack
    listeners: Sequence[socket.socket]
    own: Sequence[socket.socket]
    proxies: Proxies
    database: SqlDatabase
    opened: OpenStore
    store: ObjectStore
    disk: DiskGuard
    notices: Notices
    clock: Clock
    metrics: Metrics
    runner: Runner
    scratch: Path
    queue: LocalJobQueue = field(default_factory=LocalJobQueue)
    job_kinds: dict[str, JobKind] = field(default_factory=dict)


async def open_ground(config: Config, stack: AsyncExitStack) -> Ground:
    """Bring the database up to date, open it and the store, and listen; `stack` closes all of it."""
    clock = SystemClock()
    settings = database_settings(config)
    await asyncio.to_thread(migrate, settings)
    database = await stack.enter_async_context(open_database(settings))
    opened = await stack.enter_async_context(open_store(store_settings(config)))
    await recover(database, opened.store, clock)
    listeners = _listen(config, stack)
    metrics = Metrics(__version__)
    scratch = config.data_dir / "run"
    runner = await stack.enter_async_context(open_runner(scratch, clock=clock, recorder=metrics))
    own, proxies = await enter_proxies(config, stack, listeners, clock=clock)
    notices = Notices()
    disk = disk_guard(config, database, clock=clock, publish=notices.publish)
    return Ground(
        config=config,
        stack=stack,
        listeners=listeners,
        own=own,
        proxies=proxies,
        database=database,
        opened=opened,
        store=GuardedStore(opened.store, disk.check_room),
        disk=disk,
        notices=notices,
        clock=clock,
        metrics=metrics,
        runner=runner,
        scratch=scratch,
    )


def _listen(config: Config, stack: AsyncExitStack) -> Sequence[socket.socket]:
    listeners = [
        listen(config.server.host, config.server.port),
        listen(config.observability.host, config.observability.port, setting="observability"),
    ]
    for listener in listeners:
        stack.callback(listener.close)
    return listeners
