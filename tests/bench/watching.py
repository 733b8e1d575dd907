"""Live views run by an ingest pool of this very process, as the program runs them, ready to be measured."""

import asyncio
import resource
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from glimpser.capture.ingest.pool import IngestPool, PoolSettings, open_pool
from glimpser.core.clock import SystemClock
from glimpser.core.ids import TemplateId
from glimpser.core.live import FrameReady, LiveSpec, MediaInput, State, StateChanged
from glimpser.core.motion import MotionSettings
from tests.bench.processes import cpu_s, pss_mib

_LIVE_WITHIN_S = 60.0
_SETTLE_S = 4.0
"""Detectors learn their first background and cameras get into step before anything is measured."""
_COUNTING_WIDTH = 320


@dataclass(frozen=True, slots=True)
class Viewer:
    """What one viewer of each view asks for."""

    width: int
    fps: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """Processor time in one window.

    Attributes:
        frames: decoded, all views together.
        delivered: pictures that reached the main process.
        fell_behind: views that could not keep up and decoded key frames only: then the figures mean nothing.
    """

    frames: int
    worker_s: float
    main_s: float
    delivered: int
    fell_behind: int
    start_s: float
    memory_mib: float

    @property
    def ms_per_frame(self) -> float:
        return 1000 * (self.worker_s + self.main_s) / self.frames

    @property
    def main_share(self) -> float:
        return self.main_s / (self.worker_s + self.main_s)


class Watched:
    """Views that run and are looked at for motion."""

    def __init__(self, pool: IngestPool) -> None:
        self.pool = pool
        self.states: dict[TemplateId, State] = {}
        self.degraded: Counter[TemplateId] = Counter()
        self.pictures = 0
        self._changed = asyncio.Event()

    async def follow(self) -> None:
        async for event in self.pool.events():
            match event:
                case FrameReady():
                    self.pictures += 1
                case StateChanged(template_id, status):
                    self.states[template_id] = status.state
                    self.degraded[template_id] += status.state is State.DEGRADED
                    self._changed.set()

    async def all_live(self, count: int) -> None:
        """Wait until `count` views give pictures."""
        async with asyncio.timeout(_LIVE_WITHIN_S):
            while sum(state.gives_pictures for state in self.states.values()) < count:
                self._changed.clear()
                await self._changed.wait()

    async def frames_decoded(self) -> int:
        """Count the frames of all views since they began; each answers with the number of its newest."""
        shots = [self.pool.snapshot(template_id, _COUNTING_WIDTH) for template_id in self.states]
        return sum(frame.sequence for frame in await asyncio.gather(*shots))


@asynccontextmanager
async def watched(
    media: Sequence[MediaInput], *, roots: Sequence[Path] = (), workers: int | None = None
) -> AsyncIterator[Watched]:
    """Run one view for each input; entered when all of them give pictures."""
    settings = PoolSettings(
        workers=workers,
        allowed_networks=("127.0.0.0/8",),
        own_sockets=(),
        file_roots=tuple(str(root) for root in roots),
        stall_timeout_s=8.0,
    )
    async with open_pool(settings, SystemClock()) as pool, asyncio.TaskGroup() as tasks:
        views = Watched(pool)
        following = tasks.create_task(views.follow())
        for number, how in enumerate(media):
            spec = LiveSpec(template_id=TemplateId(f"view{number:02}"), feed=how, motion=MotionSettings())
            await pool.start(spec)
        await views.all_live(len(media))
        yield views
        following.cancel()


async def spend(
    media: Sequence[MediaInput], *, roots: Sequence[Path] = (), viewer: Viewer | None, window_s: float
) -> Spent:
    """Run the views, let them settle, and measure a window of their lives."""
    main_before_s = _own_cpu_s()
    async with watched(media, roots=roots) as views, AsyncExitStack() as stack:
        start_s = _workers_cpu_s(views.pool) + _own_cpu_s() - main_before_s
        for template_id in views.states if viewer else ():
            assert viewer is not None
            stack.enter_context(views.pool.want(template_id, width=viewer.width, fps=viewer.fps))
        await asyncio.sleep(_SETTLE_S)
        return await _measure(views, window_s, start_s)


async def _measure(views: Watched, window_s: float, start_s: float) -> Spent:
    first = await views.frames_decoded()
    degraded = views.degraded.total()
    pictures, worker_s, main_s = views.pictures, _workers_cpu_s(views.pool), _own_cpu_s()
    await asyncio.sleep(window_s)
    worker_s, main_s = _workers_cpu_s(views.pool) - worker_s, _own_cpu_s() - main_s
    memory_mib = pss_mib(views.pool.worker_pids())
    return Spent(
        frames=await views.frames_decoded() - first,
        worker_s=worker_s,
        main_s=main_s,
        delivered=views.pictures - pictures,
        fell_behind=views.degraded.total() - degraded,
        start_s=start_s,
        memory_mib=memory_mib,
    )


def _workers_cpu_s(pool: IngestPool) -> float:
    return sum(cpu_s(pid) for pid in pool.worker_pids())


def _own_cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime
