"""The edge under fire: everybody gets the answer that is documented, and a normal client notices little."""

import asyncio
import os
import random
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from urllib.parse import urlsplit

import httpx2

from tests.bench.figures import Figure, Part
from tests.program import running
from tests.soak.requests import HOSTILE, Answer, Hostile, ask

IDLE_S = 15.0
FIRE_S = 45.0
FIRST_SOURCE = 2
"""Last number of 127.0.0.x: each kind of trouble has an address of its own, beside the normal client's."""
MEAN_PAUSE_S = 0.25
"""Between two attempts of one kind, at random: those who attack do not wait for each other."""
NORMAL_EVERY_S = 0.02
SLOWER_AT_MOST = 2.0


@dataclass(slots=True)
class Tally:
    """How often which status came for what, and what came that is documented nowhere."""

    statuses: Counter[tuple[str, int]] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def note(self, hostile: Hostile, answer: Answer) -> None:
        self.statuses[hostile.name, answer.status] += 1
        if answer.status not in (hostile.status, 429) or not answer.is_problem:
            self.wrong.append(f"{hostile.name}: {answer.status}")
        if answer.status == 429 and not answer.headers.get("retry-after", "").isdigit():
            self.wrong.append(f"{hostile.name}: 429 without Retry-After")

    def unheard(self) -> list[str]:
        """Name what never got the answer it is there for."""
        return [one.name for one in HOSTILE if not self.statuses[one.name, one.status]]


def run(chance: random.Random) -> Part:
    """Measure a normal client without and with everybody else at it."""
    with tempfile.TemporaryDirectory() as folder, running(Path(folder) / "data") as program:
        with program.set_up() as client:
            token = client.headers["Authorization"]
        tally = Tally()
        with ProcessPoolExecutor(1, get_context("spawn")) as elsewhere:

            def normal(seconds: float) -> "Future[list[float]]":
                return elsewhere.submit(ask_normally, program.url, token, seconds)

            normal(2.0).result()  # what is made on first use is no part of either
            idle_s = normal(IDLE_S).result()
            under_fire = normal(FIRE_S)
            with ThreadPoolExecutor(1) as thread:
                thread.submit(_fire_from_afar, program.url, tally, chance).result()
            fire_s = under_fire.result()
    return _part(idle_s, fire_s, tally)


def ask_normally(url: str, token: str, seconds: float) -> list[float]:
    """Read a list again and again; seconds that each answer took. Runs in a process of its own."""
    taken_s = []
    ends = time.monotonic() + seconds
    with httpx2.Client(base_url=url, headers={"Authorization": token}, timeout=20) as client:
        while time.monotonic() < ends:
            began = time.perf_counter()
            answer = client.get("/api/templates")
            taken_s.append(time.perf_counter() - began)
            assert answer.status_code == 200, answer.text
            time.sleep(NORMAL_EVERY_S)
    return taken_s


def _fire_from_afar(url: str, tally: Tally, chance: random.Random) -> None:
    """Fire without taking the processor from the program and its normal client, as from other machines."""
    if sys.platform == "linux":
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))  # sched(7): of this thread alone
    asyncio.run(_fire(url, tally, chance))


async def _fire(url: str, tally: Tally, chance: random.Random) -> None:
    """Send every kind of trouble for `FIRE_S`, each from its address."""
    parts = urlsplit(url)
    assert parts.hostname is not None
    assert parts.port is not None
    ends = asyncio.get_running_loop().time() + FIRE_S
    pause_s = partial(chance.expovariate, 1 / MEAN_PAUSE_S)
    async with asyncio.TaskGroup() as tasks:
        for number, hostile in enumerate(HOSTILE):
            source = f"127.0.0.{FIRST_SOURCE + number}"
            shoot = partial(ask, parts.hostname, parts.port, hostile, source=source)
            tasks.create_task(_keep_on(shoot, hostile, tally, pause_s=pause_s, ends=ends))


async def _keep_on(
    shoot: Callable[[], Awaitable[Answer]],
    hostile: Hostile,
    tally: Tally,
    *,
    pause_s: Callable[[], float],
    ends: float,
) -> None:
    while asyncio.get_running_loop().time() < ends:
        async with asyncio.TaskGroup() as tasks:
            for _ in range(hostile.at_once):
                tasks.create_task(_shoot(shoot, hostile, tally))
        await asyncio.sleep(pause_s())


async def _shoot(shoot: Callable[[], Awaitable[Answer]], hostile: Hostile, tally: Tally) -> None:
    try:
        tally.note(hostile, await shoot())
    except (OSError, TimeoutError, EOFError) as error:
        tally.wrong.append(f"{hostile.name}: {type(error).__name__}")


def _part(idle_s: Sequence[float], fire_s: Sequence[float], tally: Tally) -> Part:
    idle_ms, fire_ms = _p99_ms(idle_s), _p99_ms(fire_s)
    figures = [
        Figure(name="answers that no document promises", value=len(tally.wrong), unit="", at_most=0),
        Figure(name="kinds of trouble without their answer", value=len(tally.unheard()), unit="", at_most=0),
        Figure(name="p99 of a normal client, idle", value=idle_ms, unit="ms"),
        Figure(name="p99 of a normal client, under fire", value=fire_ms, unit="ms"),
        Figure(name="under fire to idle", value=fire_ms / idle_ms, unit="x", at_most=SLOWER_AT_MOST),
    ]
    counts = sorted(tally.statuses.items())
    medians_ms = [statistics.median(taken_s) * 1000 for taken_s in (idle_s, fire_s)]
    measured = f"{len(idle_s)} normal requests idle, {len(fire_s)} under fire"
    notes = [
        ", ".join(f"{name} {status}: {count}" for (name, status), count in counts),
        f"{measured}; median {medians_ms[0]:.1f} and {medians_ms[1]:.1f} ms",
        *sorted(set(tally.wrong))[:20],
        *(f"never told as documented: {name}" for name in tally.unheard()),
    ]
    return Part(f"{len(HOSTILE)} kinds of requests that should not be, for {FIRE_S:.0f} s", figures, notes)


def _p99_ms(taken_s: Sequence[float]) -> float:
    return statistics.quantiles(taken_s, n=100)[-1] * 1000
