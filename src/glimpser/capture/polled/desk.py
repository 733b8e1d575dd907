"""What the views of one pool share: time, threads, turns, and where they report to."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime

from glimpser.capture.ingest.inbox import Inbox
from glimpser.capture.ingest.wants import Wants
from glimpser.capture.pictures.scaling import retouched, scaled
from glimpser.core.clock import Clock
from glimpser.core.ids import TemplateId
from glimpser.core.live import LiveEvent
from glimpser.core.sources import Shot
from glimpser.streaming.retouch import Retouch

MAX_ASKED = 32
"""So many sources are asked at one time at most, of all views together."""

Wait = Callable[[float], Awaitable[None]]
Vary = Callable[[float, float], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class PolledSettings:
    """`wait` sleeps for seconds, `vary` gives a number between two: both are turned by tests."""

    max_asked: int = MAX_ASKED
    wait: Wait = asyncio.sleep
    vary: Vary = random.uniform


class Desk:
    """Event loop's thread."""

    def __init__(self, settings: PolledSettings, clock: Clock, threads: ThreadPoolExecutor) -> None:
        self.clock = clock
        self.wait = settings.wait
        self.vary = settings.vary
        self.turns = asyncio.Semaphore(settings.max_asked)
        self.wants = Wants()
        self._threads = threads
        self._room = asyncio.Event()
        self._room.set()
        self._inbox = Inbox(on_room=self._room.set)
        self.events = self._inbox.events
        self.forget = self._inbox.forget

    def tell(self, event: LiveEvent) -> None:
        self._inbox.put(event)
        if self._inbox.full:
            self._room.clear()

    async def wait_for_room(self) -> None:
        """Wait while too much is waiting for its consumer: nobody would see what is asked for now."""
        await self._room.wait()

    def widths(self, template_id: TemplateId) -> Mapping[int, float]:
        """Give the widths that are wanted of a view now."""
        return self.wants.widths(str(template_id))

    async def scaled(self, shot: Shot, width: int) -> Shot:
        """Give the picture in this width. Raises: Unavailable."""
        if width in (0, shot.width):
            return shot
        return await asyncio.get_running_loop().run_in_executor(self._threads, scaled, shot, width)

    async def retouched(self, shot: Shot, retouch: Retouch, at: datetime) -> Shot:
        """Give the picture as it may be seen. Raises: Unavailable."""
        if not retouch:
            return shot
        return await asyncio.get_running_loop().run_in_executor(self._threads, retouched, shot, retouch, at)


@dataclass(slots=True, eq=False)
class Widths:
    """One picture in the widths it was asked for; each is made once and shared."""

    native: Shot
    source: bytes = field(repr=False)
    """The picture as it came, before it was retouched."""
    _made: dict[int, Shot] = field(default_factory=dict)
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def get(self, width: int, desk: Desk) -> Shot:
        """Give it as wide as asked (0: native), never wider than it is. Raises: Unavailable."""
        async with self._lock:
            if width not in self._made:
                self._made[width] = await desk.scaled(self.native, width)
            return self._made[width]
