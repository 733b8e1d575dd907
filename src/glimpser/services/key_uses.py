"""When API keys were last used: noted at once, written once a minute, so that no request waits for it."""

import asyncio
from datetime import datetime

import structlog

from glimpser.core.clock import Clock
from glimpser.core.errors import Unavailable
from glimpser.core.ids import ApiKeyId
from glimpser.core.ports import Database

log = structlog.get_logger(__name__)

WRITE_EVERY_S = 60.0


class KeyUses:
    """Event loop's thread. What was noted since the last write is lost if the program is killed."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._noted: dict[ApiKeyId, datetime] = {}

    def note(self, key_id: ApiKeyId) -> None:
        self._noted[key_id] = self._clock.now()

    async def run(self, *, every_s: float = WRITE_EVERY_S) -> None:
        """Write from time to time, until cancelled."""
        while True:
            await asyncio.sleep(every_s)
            await self.write()

    async def write(self) -> None:
        """Write what was noted. A database that cannot be written is tried again the next time."""
        uses, self._noted = self._noted, {}
        if not uses:
            return
        try:
            await self._database.write(lambda tx: tx.api_keys.note_uses(uses))
        except Unavailable as error:
            self._noted = uses | self._noted
            log.info("api_keys.uses_not_written", reason=error.detail)
