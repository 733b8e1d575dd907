"""The database port over SQLite: one thread writes, some read, the event loop waits for none of them."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import TypeVar

import structlog
from sqlalchemy import Connection

from glimpser.core.errors import Misconfigured
from glimpser.core.ports import DatabaseFault
from glimpser.core.repositories import Transaction
from glimpser.db.lanes import Lane
from glimpser.db.settings import DatabaseSettings
from glimpser.db.sqlite import make_engine, prepare_file
from glimpser.db.transactions import SqlTransaction
from glimpser.db.verification import find_faults, mend_references

T = TypeVar("T")

_log = structlog.get_logger(__name__)

_TOGETHER = 32
"""How many writes may share a COMMIT: with more the first would wait too long for the last."""


class SqlDatabase:
    """Implements `core.ports.Database`. Writers follow each other, readers see the last commit.

    `writer` and `reader` are public for tests that watch the statements.
    """

    def __init__(self, settings: DatabaseSettings) -> None:
        self.writer = make_engine(settings, begin="BEGIN IMMEDIATE", pragmas={"foreign_keys": "ON"})
        self.reader = make_engine(settings, begin="BEGIN", pragmas={"query_only": "ON"})
        patience_s = settings.busy_timeout_s
        self._writes = Lane(
            self.writer, name="database-writer", threads=1, patience_s=patience_s, together=_TOGETHER
        )
        self._reads = Lane(
            self.reader, name="database-reader", threads=settings.pool_size, patience_s=patience_s
        )

    async def write(self, work: Callable[[Transaction], T]) -> T:
        return await self._writes.run(lambda connection: work(SqlTransaction(connection)))

    async def read(self, work: Callable[[Transaction], T]) -> T:
        return await self._reads.run(lambda connection: work(SqlTransaction(connection)))

    async def verify(self) -> Sequence[DatabaseFault]:
        try:
            return await self._reads.run(find_faults)
        except Misconfigured as error:  # so damaged that it cannot even be examined
            return [DatabaseFault("structure", "database", error.detail)]

    async def mend(self) -> int:
        return await self._writes.run(mend_references)

    async def modes(self) -> Mapping[str, str | int]:
        """Tell what the file's disk made of the settings, for the log."""
        return await self._reads.run(_modes)

    async def close(self) -> None:
        """End the threads. SQLite moves the log into the file when the last connection closes."""
        await self._reads.close()
        await self._writes.close()


@asynccontextmanager
async def open_database(settings: DatabaseSettings) -> AsyncIterator[SqlDatabase]:
    """Open a database that `migrate` has brought to this version.

    Raises:
        Misconfigured: it cannot be opened.
    """
    path = await asyncio.to_thread(prepare_file, settings)
    database = SqlDatabase(settings)
    try:
        modes = await database.modes()
        _log.info("database.opened", path=str(path), readers=settings.pool_size, **modes)
        yield database
    finally:
        await database.close()


def _modes(connection: Connection) -> Mapping[str, str | int]:
    """`synchronous` 2 is FULL, 3 is EXTRA."""
    names = ("journal_mode", "synchronous")
    return {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in names}
