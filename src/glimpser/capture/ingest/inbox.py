"""What came from the workers and waits for its consumer."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable

from glimpser.core.live import FrameReady, LiveEvent, StreamMeasured

MAX_WAITING = 1000


class Inbox:
    """States and bursts in order and without loss; of frames and figures the newest. Event loop's thread.

    When `MAX_WAITING` wait, `full` is true: then no more is to be read from the workers until `on_room`
    is called, and the workers' own bound holds.
    """

    def __init__(self, on_room: Callable[[], None]) -> None:
        self._on_room = on_room
        self._kept: deque[LiveEvent] = deque()
        self._newest: dict[tuple[str, int], LiveEvent] = {}
        self._arrived = asyncio.Event()

    @property
    def full(self) -> bool:
        return len(self._kept) >= MAX_WAITING

    def put(self, event: LiveEvent) -> None:
        match event:
            case FrameReady(frame, wanted_width):
                self._newest[frame.template_id, wanted_width] = event
            case StreamMeasured():
                self._newest[event.template_id, -1] = event
            case _:
                self._kept.append(event)
        self._arrived.set()

    def forget(self, template_id: str) -> None:
        """Drop the frames and figures of a view that was stopped."""
        for key in [key for key in self._newest if key[0] == template_id]:
            del self._newest[key]

    async def events(self) -> AsyncIterator[LiveEvent]:
        """Give what comes, for ever, to one consumer."""
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            while self._kept or self._newest:
                yield self._next()

    def _next(self) -> LiveEvent:
        if not self._kept:
            return self._newest.pop(next(iter(self._newest)))
        was_full = self.full
        event = self._kept.popleft()
        if was_full:
            self._on_room()
        return event
