"""Accounts, opened: for the whole program, and for commands beside it."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager

from glimpser.app.settings import attempts_of, database_settings, tokens_of
from glimpser.config import Config
from glimpser.core.clock import Clock, SystemClock
from glimpser.core.ports import Database
from glimpser.db.engine import open_database
from glimpser.db.migrate import migrate
from glimpser.services.passwords import Argon2Hasher, Passwords
from glimpser.services.people import People

_NICE = 10
"""Of nice(2): a tenth of what others get. At less, a machine that is busy would let nobody sign in."""
_MOST_HASHES = 4
"""At a time: each takes as much memory as the setting says, and a core's cache."""


@asynccontextmanager
async def open_people(config: Config) -> AsyncIterator[People]:
    """Open accounts for a command. A program may run meanwhile: it reads what changes from the database."""
    settings = database_settings(config)
    await asyncio.to_thread(migrate, settings)
    clock = SystemClock()
    async with AsyncExitStack() as stack:
        yield people_of(config, await stack.enter_async_context(open_database(settings)), clock, stack=stack)


def people_of(config: Config, database: Database, clock: Clock, *, stack: AsyncExitStack) -> People:
    """Wire all that has to do with accounts as the configuration says."""
    return People.of(
        database,
        clock,
        passwords=open_passwords(config, stack),
        tokens=tokens_of(config, clock),
        attempts=attempts_of(config, clock),
    )


def open_passwords(config: Config, stack: AsyncExitStack) -> Passwords:
    cost = config.security.argon2
    threads = stack.enter_context(
        ThreadPoolExecutor(
            hashes_at_once(os.cpu_count(), cost.parallelism),
            thread_name_prefix="password",
            initializer=_give_way,
        )
    )
    hasher = Argon2Hasher(time_cost=cost.time_cost, memory_kib=cost.memory_kib, parallelism=cost.parallelism)
    return Passwords(hasher, threads)


def hashes_at_once(cores: int | None, cores_each: int) -> int:
    """Leave one core to everybody who has signed in; None: nobody knows how many there are."""
    return min(max(1, ((cores or 1) - 1) // cores_each), _MOST_HASHES)


def _give_way() -> None:
    """Have the calling thread step back behind the event loop and the cameras.

    Linux alone has a priority for each thread (nice(2), "C library/kernel differences").
    """
    if sys.platform == "linux":
        os.nice(_NICE)
