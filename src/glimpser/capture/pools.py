"""One pool for every kind of view: each is run by the pool for what feeds it. Implements `LivePool`."""

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any, Protocol, TypeVar

from glimpser.capture.merging import merged
from glimpser.core.errors import Unavailable
from glimpser.core.frames import Frame
from glimpser.core.ids import TemplateId
from glimpser.core.live import Feed, LiveEvent, LiveSpec

FeedT_contra = TypeVar("FeedT_contra", bound=Feed, contravariant=True)


class FeedPool(Protocol[FeedT_contra]):
    """A `LivePool` for views of one sort of feed."""

    async def start(self, spec: LiveSpec[FeedT_contra]) -> None: ...
    async def stop(self, template_id: TemplateId) -> None: ...
    def want(
        self, template_id: TemplateId, *, width: int, fps: float | None
    ) -> AbstractContextManager[None]: ...
    async def snapshot(self, template_id: TemplateId, width: int | None = None) -> Frame: ...
    def events(self) -> AsyncIterator[LiveEvent]: ...


class Pools:
    """Event loop's thread."""

    def __init__(self, pools: Mapping[type[Feed], FeedPool[Any]]) -> None:
        """One pool may run several sorts of feed."""
        self._by_feed = pools
        self._pools = tuple(dict.fromkeys(pools.values()))
        self._homes: dict[TemplateId, FeedPool[Any]] = {}

    async def start(self, spec: LiveSpec[Feed]) -> None:
        """Begin to capture, or begin anew if `spec` differs from what runs."""
        pool = self._by_feed[type(spec.feed)]
        if self._homes.get(spec.template_id, pool) is not pool:
            await self.stop(spec.template_id)
        self._homes[spec.template_id] = pool
        await pool.start(spec)

    async def stop(self, template_id: TemplateId) -> None:
        """End a capture; one that does not run is ignored."""
        pool = self._homes.pop(template_id, None)
        if pool is not None:
            await pool.stop(template_id)

    @contextmanager
    def want(self, template_id: TemplateId, *, width: int, fps: float | None) -> Iterator[None]:
        """Have pictures made while the context is open, also of a view that starts or changes meanwhile."""
        with ExitStack() as stack:
            for pool in self._pools:
                stack.enter_context(pool.want(template_id, width=width, fps=fps))
            yield

    async def snapshot(self, template_id: TemplateId, width: int | None = None) -> Frame:
        """Give the newest picture.

        Raises:
            Unavailable: the view gives none now.
        """
        pool = self._homes.get(template_id)
        if pool is None:
            raise Unavailable("The view does not run.", retry_after_s=2)
        return await pool.snapshot(template_id, width)

    async def events(self) -> AsyncIterator[LiveEvent]:
        """Give what happens in all pools, for one consumer; of each pool in its order."""
        async for event in merged([pool.events() for pool in self._pools]):
            yield event
