"""Several streams of events made one."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import TypeVar

T = TypeVar("T")


async def merged(sources: Sequence[AsyncIterator[T]]) -> AsyncIterator[T]:
    """Give what comes of all, for ever; of each in its order."""
    coming = {asyncio.ensure_future(anext(source)): source for source in sources}
    try:
        while coming:
            done, _ = await asyncio.wait(coming, return_when=asyncio.FIRST_COMPLETED)
            for arrived in done:
                source = coming.pop(arrived)
                yield arrived.result()
                coming[asyncio.ensure_future(anext(source))] = source
    finally:
        for waiting in coming:
            waiting.cancel()
