"""Live views without cameras, and a log of what a pool reports that tests can wait on."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

import numpy as np
import simplejpeg

from glimpser.core.clock import Clock
from glimpser.core.errors import Unavailable
from glimpser.core.frames import NATIVE_WIDTH, Frame
from glimpser.core.ids import TemplateId
from glimpser.core.live import Feed, FrameReady, LiveEvent, LiveSpec, State, StateChanged, StreamStatus

SIZE = (64, 36)
"""Width and height of every fake camera's picture, in pixels."""
_FPS = 5.0


@dataclass(slots=True)
class _View:
    spec: LiveSpec[Feed]
    status: StreamStatus
    wants: list[int] = field(default_factory=list)


class FakeLivePool:
    """Implements `core.ports.LivePool`; nothing happens by itself.

    A view that is started is live at once, unless `answers` is False. `show` gives a picture of it, as does
    whoever begins to want one; `change` sets its state. `put` adds any other event.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._views: dict[TemplateId, _View] = {}
        self._wants: dict[TemplateId, list[int]] = {}
        self._events: deque[LiveEvent] = deque()
        self._arrived = asyncio.Event()
        self._sequence = 0
        self.answers = True
        self.started: list[LiveSpec[Feed]] = []
        """What was begun, and begun anew, in order."""

    # LivePool

    async def start(self, spec: LiveSpec[Feed]) -> None:
        known = self._views.get(spec.template_id)
        if known and known.spec == spec:
            return
        epoch = known.status.epoch if known else 0
        status = StreamStatus(state=State.IDLE, since=self._clock.now(), epoch=epoch)
        self._views[spec.template_id] = _View(spec, status)
        self.started.append(spec)
        self.change(spec.template_id, State.CONNECTING)
        if self.answers:
            self.change(spec.template_id, State.LIVE)

    async def stop(self, template_id: TemplateId) -> None:
        if template_id in self._views:
            self.change(template_id, State.IDLE)
            del self._views[template_id]

    @contextmanager
    def want(self, template_id: TemplateId, *, width: int, fps: float | None) -> Iterator[None]:  # noqa: ARG002 - each picture is one somebody asked for
        wants = self._wants.setdefault(template_id, [])
        wants.append(width)
        self.show(template_id)
        try:
            yield
        finally:
            wants.remove(width)

    async def snapshot(self, template_id: TemplateId, width: int | None = None) -> Frame:
        if not self.is_live(template_id):
            raise Unavailable("The view gives no picture now.", retry_after_s=2)
        return self._picture(template_id, width or NATIVE_WIDTH)

    async def events(self) -> AsyncIterator[LiveEvent]:
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            while self._events:
                yield self._events.popleft()

    # For tests.

    @property
    def running(self) -> dict[TemplateId, LiveSpec[Feed]]:
        return {template_id: view.spec for template_id, view in self._views.items()}

    def wanted(self, template_id: TemplateId) -> tuple[int, ...]:
        """Give the widths that are wanted now."""
        return tuple(self._wants.get(template_id, ()))

    def is_live(self, template_id: TemplateId) -> bool:
        view = self._views.get(template_id)
        return view is not None and view.status.state.gives_pictures

    def change(self, template_id: TemplateId, state: State, reason: str | None = None) -> None:
        """Set the state of a view; one that goes live begins an epoch and shows a picture."""
        view = self._views[template_id]
        resumes = view.status.state in (State.STALLED, State.DEGRADED)
        view.status = StreamStatus(
            state=state,
            since=self._clock.now(),
            reason=reason,
            fps=_FPS if state.gives_pictures else None,
            width=SIZE[0] if state.gives_pictures else None,
            height=SIZE[1] if state.gives_pictures else None,
            epoch=view.status.epoch + (state is State.LIVE and not resumes),
        )
        self.put(StateChanged(template_id, view.status))
        self.show(template_id)

    def show(self, template_id: TemplateId) -> None:
        """Give a picture in every wanted width, if the view is live."""
        if self.is_live(template_id):
            for width in dict.fromkeys(self.wanted(template_id)):
                self.put(FrameReady(self._picture(template_id, width), width))

    def put(self, event: LiveEvent) -> None:
        """Have an event reported."""
        self._events.append(event)
        self._arrived.set()

    def _picture(self, template_id: TemplateId, width: int) -> Frame:
        self._sequence += 1
        width = min(width or SIZE[0], SIZE[0])
        height = SIZE[1] * width // SIZE[0]
        jpeg = fake_jpeg(width, height, brightness=self._sequence % 256)
        return Frame(template_id, self._sequence, self._clock.now(), jpeg, width, height)


def fake_jpeg(width: int, height: int, *, brightness: int = 128) -> bytes:
    """Make a gray picture of one brightness, 0 to 255."""
    gray = np.full((height, width, 1), brightness, np.uint8)
    return bytes(simplejpeg.encode_jpeg(gray, colorspace="GRAY"))


EventT = TypeVar("EventT")


class Reporting(Protocol):
    """What tells of live views: any pool."""

    def events(self) -> AsyncIterator[LiveEvent]: ...


class LiveLog:
    """What a pool reported, in order. `next` looks at each event once, so that waiting has an order too."""

    def __init__(self) -> None:
        self.events: list[LiveEvent] = []
        self._position = 0
        self._arrived = asyncio.Event()

    def add(self, event: LiveEvent) -> None:
        self.events.append(event)
        self._arrived.set()

    async def next(
        self, kind: type[EventT], matches: Callable[[EventT], bool] = lambda _: True, *, within_s: float = 30
    ) -> EventT:
        """Wait for the next event of a kind that matches, passing over others.

        Raises:
            TimeoutError: it did not come.
        """
        async with asyncio.timeout(within_s):
            while True:
                while self._position < len(self.events):
                    event = self.events[self._position]
                    self._position += 1
                    if isinstance(event, kind) and matches(event):
                        return event
                self._arrived.clear()
                await self._arrived.wait()

    async def state(
        self, template_id: TemplateId, *states: State, reason: str = "", within_s: float = 30
    ) -> StreamStatus:
        """Wait until a view is in one of the states, with `reason` somewhere in its reason."""
        change = await self.next(
            StateChanged,
            lambda c: (
                c.template_id == template_id
                and c.status.state in states
                and reason in (c.status.reason or "")
            ),
            within_s=within_s,
        )
        return change.status

    async def frame(self, template_id: TemplateId, width: int, *, within_s: float = 30) -> Frame:
        """Wait for a picture of a view that was wanted in this width."""
        ready = await self.next(
            FrameReady,
            lambda f: f.frame.template_id == template_id and f.wanted_width == width,
            within_s=within_s,
        )
        return ready.frame


@asynccontextmanager
async def following(pool: Reporting) -> AsyncIterator[LiveLog]:
    """Be the one consumer of a pool's events meanwhile."""
    log = LiveLog()

    async def follow() -> None:
        async for event in pool.events():
            log.add(event)

    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(follow())
        try:
            yield log
        finally:
            task.cancel()
