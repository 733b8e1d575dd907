"""Programs that hang, fork, flood and slip away, hundreds of times: nothing of them may stay."""

import asyncio
import random
import resource
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from glimpser.core.clock import SystemClock
from glimpser.observability.metrics import Metrics
from glimpser.process.command import Flooded, TimedOut
from glimpser.process.runner import Runner
from tests.bench.figures import Figure, Part
from tests.hostile_programs import SCRIPTS, children, marked, script, zombies

AT_ONCE = 4
MARK = "soak"
_WARM_UP = 50
_MAX_GROWTH_KIB = 2048.0


def run(cycles: int, chance: random.Random) -> Part:
    """Run `cycles` hostile programs, some at once, and look for what is left."""
    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(_run(Path(folder), cycles, chance))


async def _run(scratch: Path, cycles: int, chance: random.Random) -> Part:
    runner = Runner(scratch, clock=SystemClock(), recorder=Metrics("soak"))
    names = [chance.choice(sorted(SCRIPTS)) for _ in range(cycles)]
    began = time.monotonic()
    await _run_all(runner, names[:_WARM_UP])
    before_kib, files_before = _resident_kib(), _open_files()
    await _run_all(runner, names[_WARM_UP:])
    figures = [
        Figure(name="processes left", value=len(marked(MARK)), unit="", at_most=0),
        Figure(name="zombies", value=len(zombies()), unit="", at_most=0),
        Figure(name="children", value=len(children()), unit="", at_most=0),
        Figure(name="homes left", value=len(await asyncio.to_thread(_entries, scratch)), unit="", at_most=0),
        Figure(name="open files more", value=_open_files() - files_before, unit="", at_most=0),
        Figure(name="memory more", value=_resident_kib() - before_kib, unit="KiB", at_most=_MAX_GROWTH_KIB),
    ]
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    notes = [
        f"{time.monotonic() - began:.0f} s, {AT_ONCE} at once; our memory at its peak {peak_mib:.0f} MiB"
    ]
    return Part(f"{cycles} programs that hang, fork, flood or slip away", figures, notes)


async def _run_all(runner: Runner, names: list[str]) -> None:
    waiting = iter(names)

    async def work() -> None:
        for name in waiting:
            with suppress(TimedOut, Flooded):
                await runner.run(script(SCRIPTS[name], mark=MARK), timeout_s=0.3, max_output_bytes=1 << 20)

    async with asyncio.TaskGroup() as tasks:
        for _ in range(AT_ONCE):
            tasks.create_task(work())


def _entries(directory: Path) -> list[Path]:
    return list(directory.iterdir())


def _open_files() -> int:
    return len(_entries(Path("/proc/self/fd")))


def _resident_kib() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() // 1024
