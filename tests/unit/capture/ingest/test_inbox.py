import asyncio
from datetime import UTC, datetime

import pytest

from glimpser.capture.ingest.inbox import MAX_WAITING, Inbox
from glimpser.core.frames import Frame
from glimpser.core.ids import TemplateId
from glimpser.core.live import (
    FrameReady,
    LiveEvent,
    State,
    StateChanged,
    StreamMeasured,
    StreamStatus,
)

pytestmark = pytest.mark.anyio
A, B = TemplateId("A"), TemplateId("B")
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def frame(sequence: int, name: TemplateId = A, wanted: int = 320) -> FrameReady:
    return FrameReady(Frame(name, sequence, NOW, b"", 1, 1), wanted)


def state(epoch: int, name: TemplateId = A) -> StateChanged:
    return StateChanged(name, StreamStatus(state=State.LIVE, since=NOW, epoch=epoch))


def figures(restarts: int) -> StreamMeasured:
    return StreamMeasured(A, fps=1, last_packet_age_s=0, dropped_frames=0, restarts=restarts)


async def taken(inbox: Inbox, count: int) -> list[LiveEvent]:
    events = inbox.events()
    async with asyncio.timeout(10):
        return [await anext(events) for _ in range(count)]


def inbox_with(*events: LiveEvent) -> Inbox:
    inbox = Inbox(on_room=lambda: None)
    for event in events:
        inbox.put(event)
    return inbox


async def test_states_come_in_order_and_of_frames_and_figures_the_newest() -> None:
    inbox = inbox_with(frame(1), state(1), frame(2), figures(1), state(2), figures(2), frame(3, wanted=0))

    assert await taken(inbox, 5) == [state(1), state(2), frame(2), figures(2), frame(3, wanted=0)]


async def test_a_consumer_that_waits_is_woken() -> None:
    inbox = inbox_with()
    async with asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(taken(inbox, 1))
        await asyncio.sleep(0)
        inbox.put(state(7))

    assert waiting.result() == [state(7)]


async def test_a_view_that_was_stopped_leaves_no_frames_behind_and_all_its_states() -> None:
    inbox = inbox_with(frame(1), frame(2, wanted=0), figures(1), frame(3, B), state(1))

    inbox.forget(A)

    assert await taken(inbox, 2) == [state(1), frame(3, B)]


async def test_it_is_full_at_its_bound_and_tells_when_there_is_room() -> None:
    rooms: list[int] = []
    inbox = Inbox(on_room=lambda: rooms.append(1))
    fullness = []
    for epoch in range(MAX_WAITING):
        inbox.put(state(epoch))
        fullness.append(inbox.full)

    await taken(inbox, 3)

    assert fullness.index(True) == MAX_WAITING - 1
    assert not inbox.full
    assert rooms == [1]


async def test_frames_never_fill_it() -> None:
    inbox = inbox_with(*(frame(sequence) for sequence in range(3 * MAX_WAITING)))

    assert not inbox.full
    assert await taken(inbox, 1) == [frame(3 * MAX_WAITING - 1)]
