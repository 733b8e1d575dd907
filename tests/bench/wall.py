"""The live wall: whether every tile keeps its rate, and what the rest of the interface feels of it.

Those who watch and the one who asks for `/api/me` are processes of their own, so that neither waits for the
other. The same program answers with the wall and without it, in turns; a ratio is that of one pair of turns.
"""

import asyncio
import http.client
import json
import multiprocessing
import os
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
from websockets.asyncio.client import connect

from tests.bench.figures import Figure, Part, median
from tests.bench.footage import Shape, footage
from tests.bench.processes import cpu_s, tree
from tests.program import running, wait_for

TILES = 12
SHAPE = Shape(640, 360, 10, 800_000, 20)
ASKED_FPS = 10.0
ASKED_WIDTH = 640
SOCKETS = (1, 5)
ROUNDS = 4
_ASKS_PER_S = 50
_SETTLE_S = 3.0
"""A new watcher's pictures come in step after so long; its window begins then."""


@dataclass(frozen=True, slots=True)
class Door:
    """Where the program is, what lets a client in, and its process."""

    url: str
    token: str
    pid: int

    @property
    def address(self) -> str:
        return urlsplit(self.url).netloc

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


@dataclass(frozen=True, slots=True)
class Wall:
    """What is watched, and by how many sockets."""

    views: Sequence[str]
    sockets: int


@dataclass(frozen=True, slots=True)
class Turn:
    """One window: the rate of the slowest tile of all sockets, the answers' times, the program's own CPU."""

    slowest_fps: float
    bytes_per_s: float
    median_s: float
    p99_s: float
    main_cores: float
    worker_cores: float


def run(seconds: float = 10.0) -> Part:
    """Watch twelve moving views by one socket and by five; `seconds` is the length of one turn."""
    clips = footage(SHAPE)
    settings = {"GLIMPSER_CAPTURE__FILE_ROOTS": f'["{clips[0].parent}"]'}
    with (
        tempfile.TemporaryDirectory() as folder,
        running(Path(folder) / "data", settings) as program,
        program.set_up() as client,
        ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as pool,
    ):
        views = _add_views(client, clips)
        token = client.headers["Authorization"].removeprefix("Bearer ")
        door = Door(program.url, token, program.process.pid)
        turns = {
            sockets: [
                (_turn(pool, door, Wall(views, 0), seconds), _turn(pool, door, Wall(views, sockets), seconds))
                for _ in range(ROUNDS)
            ]
            for sockets in SOCKETS
        }
    figures = [figure for sockets, pairs in turns.items() for figure in _figures(sockets, pairs)]
    return Part(f"Wall of {TILES} tiles, {ASKED_WIDTH} px at {ASKED_FPS:g} fps", figures, [_noise()])


def _add_views(client: httpx2.Client, clips: Sequence[Path]) -> list[str]:
    ids = []
    for number in range(TILES):
        config = {"path": clips[number % len(clips)].name}
        body = {"name": f"Wall {number}", "kind": "file", "config": config, "live": True}
        ids.append(str(client.post("/api/templates", json=body).raise_for_status().json()["id"]))
    wait_for(
        lambda: all(
            view["stream"]["state"] == "live" for view in client.get("/api/templates").json()["items"]
        ),
        what="all live",
    )
    return ids


def _turn(pool: ProcessPoolExecutor, door: Door, wall: Wall, seconds: float) -> Turn:
    """Watch by so many sockets for a while, and ask meanwhile."""
    watching = pool.submit(watch, door, wall, seconds)
    time.sleep(_SETTLE_S)
    pids = tree(door.pid)
    before = [cpu_s(pid) for pid in pids]
    answers_s = pool.submit(ask, door, seconds).result()
    spent = [cpu_s(pid) - known for pid, known in zip(pids, before, strict=True)]
    slowest, received = watching.result()
    return Turn(
        slowest_fps=slowest / seconds,
        bytes_per_s=received / seconds,
        median_s=statistics.median(answers_s),
        p99_s=statistics.quantiles(answers_s, n=100)[98],
        main_cores=spent[0] / seconds,
        worker_cores=sum(spent[1:]) / seconds,
    )


def watch(door: Door, wall: Wall, seconds: float) -> tuple[int, int]:
    """Be all watchers; gives the pictures of the slowest tile in the window, and all bytes of it."""

    async def together() -> tuple[int, int]:
        watching = (_watch_one(door, wall.views, seconds) for _ in range(wall.sockets))
        found = await asyncio.gather(*watching)
        slowest = min((min(counts[view] for view in wall.views) for counts, _ in found), default=0)
        return slowest, sum(received for _, received in found)

    return asyncio.run(together())


async def _watch_one(door: Door, views: Sequence[str], seconds: float) -> tuple[Counter[str], int]:
    counts: Counter[str] = Counter()
    received = 0
    tiles = [{"id": view, "fps": ASKED_FPS, "w": ASKED_WIDTH} for view in views]
    uri = f"ws://{door.address}/api/live"
    async with connect(uri, additional_headers=door.headers, max_size=None, proxy=None) as socket:
        await socket.send(json.dumps({"tiles": tiles}))
        begin_s = time.monotonic() + _SETTLE_S
        while (now_s := time.monotonic()) < begin_s + seconds:
            message = await socket.recv()
            if isinstance(message, bytes) and now_s >= begin_s:
                counts[message[10 : 10 + message[1]].decode()] += 1
                received += len(message)
    return counts, received


def ask(door: Door, seconds: float) -> list[float]:
    """Ask who one is again and again on one connection; gives how long each answer took."""
    host, _, port = door.address.partition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=30)
    answers_s = []
    begin_s = time.monotonic()
    for number in range(round(seconds * _ASKS_PER_S)):
        time.sleep(max(0.0, begin_s + number / _ASKS_PER_S - time.monotonic()))
        began_s = time.monotonic()
        connection.request("GET", "/api/me", headers=door.headers)
        answer = connection.getresponse()
        answer.read()
        answers_s.append(time.monotonic() - began_s)
        assert answer.status == http.HTTPStatus.OK
    connection.close()
    return answers_s


def _figures(sockets: int, pairs: Sequence[tuple[Turn, Turn]]) -> list[Figure]:
    name = f"{sockets} socket" + "s" * (sockets > 1)
    with_wall = [turn for _, turn in pairs]
    kept = [turn.slowest_fps / ASKED_FPS for turn in with_wall]
    slowdown = [wall.p99_s / idle.p99_s for idle, wall in pairs]
    usual = [wall.median_s / idle.median_s for idle, wall in pairs]
    cost = [wall.main_cores - idle.main_cores for idle, wall in pairs]
    worker_cost = [wall.worker_cores - idle.worker_cores for idle, wall in pairs]
    return [
        Figure(name=f"{name}: rate of the slowest tile", value=statistics.median(kept), unit="× asked",
               noise=max(kept) - min(kept), at_least=0.9),
        median(f"{name}: /api/me p99", slowdown, "× idle", at_most=2.0),
        median(f"{name}: /api/me p50", usual, "× idle"),
        median(f"{name}: pictures sent", [turn.bytes_per_s / 1e6 for turn in with_wall], "MB/s"),
        Figure(name=f"{name}: main process, more", value=100 * statistics.median(cost), unit="% core"),
        Figure(name=f"{name}: workers, more", value=100 * statistics.median(worker_cost), unit="% core"),
        Figure(name=f"{name}: p99 with the wall", unit="ms",
               value=1000 * statistics.median(turn.p99_s for turn in with_wall)),
    ]  # fmt: skip


def _noise() -> str:
    return f"load of the machine at the end: {os.getloadavg()[0]:.1f}"
