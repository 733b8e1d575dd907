"""Objects whose rows are gone: rows go first, objects after, whatever happens in between."""

import asyncio
from collections.abc import Sequence
from datetime import datetime

import structlog

from glimpser.core.clock import Clock
from glimpser.core.errors import Unavailable
from glimpser.core.ports import Database, ObjectStore

_log = structlog.get_logger(__name__)

SWEEP_EVERY_S = 30.0
_BATCH = 100


async def sweep_garbage(database: Database, store: ObjectStore, *, now: datetime) -> int:
    """Remove artifacts whose time has come, and delete the objects whose rows are gone; gives how many.

    Raises:
        Unavailable: database or store is away; what was not deleted stays garbage.
    """
    while await database.write(lambda tx: tx.artifacts.remove_expired(now, _BATCH)):
        pass
    swept = 0
    while uris := await database.read(lambda tx: tx.garbage.list(_BATCH)):
        await _delete(uris, database, store)
        swept += len(uris)
    return swept


async def _delete(uris: Sequence[str], database: Database, store: ObjectStore) -> None:
    for uri in uris:
        await store.delete(uri)
    await database.write(lambda tx: tx.garbage.forget(uris))


class Sweeper:
    """Sweeps again and again. Event loop's thread."""

    def __init__(self, database: Database, store: ObjectStore, clock: Clock) -> None:
        self._database = database
        self._store = store
        self._clock = clock

    async def run(self) -> None:
        """Never returns. What cannot be deleted now is swept another time."""
        while True:
            try:
                await sweep_garbage(self._database, self._store, now=self._clock.now())
            except Unavailable as error:
                _log.info("garbage.stays", reason=error.detail)
            await asyncio.sleep(SWEEP_EVERY_S)
