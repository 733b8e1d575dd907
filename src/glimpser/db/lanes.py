"""Threads that do the database's waiting, so that the event loop never does."""

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from glimpser.core.errors import Unavailable
from glimpser.db.faults import BUSY, is_busy, raise_translated

T = TypeVar("T")

_QUEUE_BOUND = 1000
_RETRY_PAUSE_S = 0.02


class Lane:
    """Some threads, each with a connection of its own, and a bounded queue before them.

    A call that waited for its turn longer than `patience_s` is refused without being begun, so that
    a lock held for a minute costs each caller seconds.
    """

    def __init__(self, engine: Engine, *, name: str, threads: int, patience_s: float) -> None:
        self._engine = engine
        self._patience_s = patience_s
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._places = threading.BoundedSemaphore(_QUEUE_BOUND)
        self._own = threading.local()
        self._lock = threading.Lock()
        self._connections: set[Connection] = set()
        self._is_closed = False

    async def run(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in a transaction of one of the threads.

        If the waiting task is cancelled, work that had begun is still done, wholly.

        Raises:
            Unavailable: locked for too long, disk full, or too many wait; nothing was written.
        """
        if self._is_closed:
            raise Unavailable("The database is closed: the program is about to end.")
        if not self._places.acquire(blocking=False):
            raise Unavailable("The database has more to do than it can.", retry_after_s=1)
        deadline_s = time.monotonic() + self._patience_s
        future = self._executor.submit(self._run_here, work, deadline_s)
        future.add_done_callback(lambda _: self._places.release())
        return await asyncio.wrap_future(future)

    async def close(self) -> None:
        """Wait for what runs, refuse what waits, close the connections."""
        self._is_closed = True
        await asyncio.to_thread(self._executor.shutdown, wait=True, cancel_futures=True)
        for connection in list(self._connections):
            self._drop(connection)

    def _run_here(self, work: Callable[[Connection], T], deadline_s: float) -> T:
        if time.monotonic() > deadline_s:
            raise Unavailable(BUSY)
        while True:
            try:
                return self._attempt(work)
            except DBAPIError as error:
                if not is_busy(error) or time.monotonic() > deadline_s:
                    raise_translated(error)
            time.sleep(_RETRY_PAUSE_S)

    def _attempt(self, work: Callable[[Connection], T]) -> T:
        connection = self._connection()
        try:
            with connection.begin():
                return work(connection)
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
