"""The commands that need no running program."""

import asyncio
from collections.abc import Mapping
from contextlib import nullcontext

from glimpser.app.settings import database_settings, retention_limits, store_settings
from glimpser.config import Config
from glimpser.core.clock import SystemClock
from glimpser.db.engine import open_database
from glimpser.db.migrate import migrate
from glimpser.process.instance import sole_instance
from glimpser.services.garbage import sweep_garbage
from glimpser.services.integrity import CheckLevel, Report, check
from glimpser.services.retention import Retention, SilentProgress
from glimpser.storage.objects import open_store

_SETTLE_S = 3.0


def migrate_database(config: Config) -> str:
    """Bring the database to this version; gives its revision."""
    with sole_instance(config.data_dir):
        return migrate(database_settings(config))


async def check_integrity(config: Config, *, level: CheckLevel, repair: bool) -> Report:
    """Compare rows and objects; to repair, no program may run on this data directory.

    Raises:
        Misconfigured: one does.
    """
    with sole_instance(config.data_dir) if repair else nullcontext():
        async with (
            open_database(database_settings(config)) as database,
            open_store(store_settings(config), is_sending=False) as opened,
        ):
            return await check(database, opened.store, level, repair=repair, settle=_settle)


async def remove_old(config: Config) -> Mapping[str, int]:
    """Remove what has been kept long enough; gives how much. A program that runs meanwhile goes on.

    Raises:
        Unavailable: the database or the store is away; what was removed stays so.
    """
    clock = SystemClock()
    settings = database_settings(config)
    await asyncio.to_thread(migrate, settings)
    async with (
        open_database(settings) as database,
        open_store(store_settings(config), is_sending=False) as opened,
    ):
        removed = await Retention(database, retention_limits(config), clock=clock).run(SilentProgress())
        await sweep_garbage(database, opened.store, now=clock.now())
        return removed


async def _settle() -> None:
    """Wait as long as a program that runs may need from storing a picture to committing its row."""
    await asyncio.sleep(_SETTLE_S)
