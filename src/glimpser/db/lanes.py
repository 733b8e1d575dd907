"""Threads that do the database's waiting, so that the event loop never does."""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from glimpser.core.errors import Unavailable
from glimpser.db.faults import BUSY, is_busy, is_disk_failure, translated
from glimpser.db.units import Outcome, Unit, commit

T = TypeVar("T")

_QUEUE_BOUND = 1000
_RETRY_PAUSE_S = 0.02


class Lane:
    """Some threads, each with a connection of its own, and a bounded queue of units of work before them.

    A thread that becomes free takes up to `together` of those that wait into one transaction, so that they
    share one COMMIT and its sync to the disk. Nobody waits for others to come: one that comes alone is
    alone. Each has a savepoint, and its answer after the COMMIT.

    A unit that waited for its turn longer than `patience_s` is refused without being begun, so that
    a lock held for a minute costs each caller seconds.
    """

    def __init__(
        self, engine: Engine, *, name: str, threads: int, patience_s: float, together: int = 1
    ) -> None:
        self._engine = engine
        self._patience_s = patience_s
        self._together = together
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._places = threading.BoundedSemaphore(_QUEUE_BOUND)
        self._waiting: deque[Unit] = deque()
        self._own = threading.local()
        self._lock = threading.Lock()
        self._connections: set[Connection] = set()
        self._is_closed = False

    async def run(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in a transaction of one of the threads.

        If the waiting task is cancelled, work that had begun is still done, wholly.

        Raises:
            Unavailable: locked for too long, disk full, or too many wait; nothing was written. Or the disk
                failed to sync: nothing is to be seen, and the next commit overwrites what lies in the log;
                if the program is killed before that, the work may be found done, wholly, at the next start.
        """
        if self._is_closed:
            raise Unavailable("The database is closed: the program is about to end.")
        if not self._places.acquire(blocking=False):
            raise Unavailable("The database has more to do than it can.", retry_after_s=1)
        unit = Unit(work, time.monotonic() + self._patience_s)
        unit.answer.add_done_callback(lambda _: self._places.release())
        self._waiting.append(unit)
        self._executor.submit(self._take_turn)  # one turn for each, so that none is left behind
        answer: T = await asyncio.wrap_future(unit.answer)
        return answer

    async def close(self) -> None:
        """Wait for what runs, refuse what waits, close the connections."""
        self._is_closed = True
        await asyncio.to_thread(self._executor.shutdown, wait=True, cancel_futures=True)
        for unit in self._waiting:
            unit.answer.cancel()
        for connection in list(self._connections):
            self._drop(connection)

    def _take_turn(self) -> None:
        """Do what waits; nothing, if an earlier turn did it."""
        units = self._next_units()
        try:
            self._settle(units)
        except BaseException as error:
            for unit in units:
                if not unit.answer.done():
                    unit.settle(Outcome(error=error))
            raise

    def _next_units(self) -> Sequence[Unit]:
        """Take those out of the queue whose callers are still there."""
        units: list[Unit] = []
        while self._waiting and len(units) < self._together:
            try:
                unit = self._waiting.popleft()
            except IndexError:  # another thread was quicker
                break
            if unit.answer.set_running_or_notify_cancel():
                units.append(unit)
        return units

    def _settle(self, units: Sequence[Unit]) -> None:
        """Commit together; if the database refuses that, one by one, as if they had not met.

        After a failed sync nobody may do a unit again: see `run`.
        """
        while units := _refuse_late(units):
            try:
                outcomes = self._commit(units)
            except DBAPIError as error:
                if is_busy(error):
                    time.sleep(_RETRY_PAUSE_S)
                    continue
                if len(units) > 1 and not is_disk_failure(error):
                    for unit in units:
                        self._settle([unit])
                    return
                outcomes = [Outcome(error=translated(error)) for _ in units]
            for unit, outcome in zip(units, outcomes, strict=True):
                unit.settle(outcome)
            return

    def _commit(self, units: Sequence[Unit]) -> Sequence[Outcome]:
        connection = self._connection()
        try:
            return commit(units, connection)
        except DBAPIError:
            self._drop(connection)  # a refused COMMIT leaves its transaction open; closing rolls back
            raise

    def _connection(self) -> Connection:
        connection: Connection | None = getattr(self._own, "connection", None)
        if connection is None or connection.closed:
            connection = self._own.connection = self._engine.connect()
            with self._lock:
                self._connections.add(connection)
        return connection

    def _drop(self, connection: Connection) -> None:
        with self._lock:
            self._connections.discard(connection)
        connection.invalidate()
        connection.close()


def _refuse_late(units: Sequence[Unit]) -> Sequence[Unit]:
    """Answer those whose time is over; gives the others."""
    now_s = time.monotonic()
    for unit in units:
        if now_s > unit.deadline_s:
            unit.settle(Outcome(error=Unavailable(BUSY)))
    return [unit for unit in units if now_s <= unit.deadline_s]
