"""The job queue of a program that runs alone: announcements stay in the process."""

import asyncio
from collections.abc import Sequence


class LocalJobQueue:
    """Implements `core.ports.JobQueue`. Event loop's thread.

    An announcement that comes while nobody waits is kept for the next who does; several of one kind are
    one, because who was told looks for all jobs there are.
    """

    def __init__(self) -> None:
        self._announced: set[str] = set()
        self._waiting: dict[asyncio.Event, frozenset[str]] = {}

    def announce(self, kind: str) -> None:
        told = [event for event, kinds in self._waiting.items() if kind in kinds]
        for event in told:
            event.set()
        if not told:
            self._announced.add(kind)

    async def wait(self, kinds: Sequence[str], *, timeout_s: float) -> None:
        if self._announced.intersection(kinds):
            self._announced.difference_update(kinds)
            return
        told = asyncio.Event()
        self._waiting[told] = frozenset(kinds)
        try:
            async with asyncio.timeout(timeout_s):
                await told.wait()
        except TimeoutError:
            pass
        finally:
            del self._waiting[told]
