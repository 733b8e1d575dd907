import asyncio

import pytest

from glimpser.cluster.local import LocalJobQueue

pytestmark = pytest.mark.anyio

LONG_S = 3600.0


@pytest.fixture
def queue() -> LocalJobQueue:
    return LocalJobQueue()


async def test_who_waits_is_told(queue: LocalJobQueue) -> None:
    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        for _ in range(3):
            tasks.create_task(queue.wait(["deliver", "capture"], timeout_s=LONG_S))
        await asyncio.sleep(0)
        queue.announce("deliver")


async def test_an_announcement_is_kept_for_who_comes_next(queue: LocalJobQueue) -> None:
    queue.announce("deliver")
    queue.announce("deliver")

    async with asyncio.timeout(5):
        await queue.wait(["deliver"], timeout_s=LONG_S)
    waiting = asyncio.ensure_future(queue.wait(["deliver"], timeout_s=LONG_S))
    await asyncio.sleep(0.01)

    assert not waiting.done()
    waiting.cancel()


async def test_another_kind_wakes_nobody(queue: LocalJobQueue) -> None:
    waiting = asyncio.ensure_future(queue.wait(["capture"], timeout_s=LONG_S))
    await asyncio.sleep(0)
    queue.announce("deliver")
    await asyncio.sleep(0.01)

    assert not waiting.done()
    waiting.cancel()


async def test_the_wait_ends_by_itself(queue: LocalJobQueue) -> None:
    async with asyncio.timeout(5):
        await queue.wait(["deliver"], timeout_s=0.01)
