"""What lists cost: fifty templates and a page of fifty events, beside the same query by raw `sqlite3`.

The other yardstick is what one writes first: a route of FastAPI that runs the query, makes dicts of the rows
and declares a `response_model`. All sides read the same file and are called in this process as ASGI
applications, in turn, so no server and no client is in the figures.
"""

import json
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog
import uvloop
from fastapi import FastAPI
from starlette.types import ASGIApp, Message

from glimpser.core.ids import TemplateId, new_id
from glimpser.core.repositories import Transaction
from glimpser.core.templates import Template
from glimpser.web.shapes import LEVEL_NAMES, EventList, TemplateList
from tests.bench import logins
from tests.bench.figures import Figure, Part, median
from tests.contract.samples import ORDINARY
from tests.web_world import World, open_world

MANY, FEW = 1_000_000, 100_000
VIEWS = 50
ROUNDS = 7
AGAINST_FASTAPI = 0.6
AGAINST_FEW = 2.0

VIEW = replace(ORDINARY, kind="camera", config={"url": "rtsp://camera/1", "password": "secret"}, rules=())
EVENTS = "SELECT * FROM events ORDER BY started_at DESC, id DESC LIMIT 51"
TEMPLATES = "SELECT id, document, version, created_at, updated_at FROM templates ORDER BY id LIMIT 51"
FILL = """
WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < :count)
INSERT INTO events
    (id, template_id, kind, level, message, metadata, started_at, peak_at, ended_at, created_at)
SELECT printf('01J%023d', i), :view, 'motion', 20 + 10 * (i % 40 = 0), 'Motion: Door',
       '{"score":0.42,"boxes":[[0.1,0.2,0.3,0.4],[0.5,0.5,0.1,0.1]]}',
       :start + i * 1000000, :start + i * 1000000 + 1500, :start + i * 1000000 + 9000, :start + i * 1000000
FROM n
"""

Ask = Callable[[], Awaitable[int]]


def run(seconds: float = 2.0) -> Part:
    """Measure for about `seconds` on each side of each round; then who waits while others sign in."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(30))
    with tempfile.TemporaryDirectory() as folder:
        lists = uvloop.run(_lists(Path(folder), seconds))  # as the program runs
        return Part("Lists, and sign-ins beside them", [*lists, *logins.figures(Path(folder) / "data")])


async def _lists(folder: Path, seconds: float) -> list[Figure]:
    for name in ("many", "few"):
        (folder / name).mkdir()
    async with open_world(folder / "many") as many, open_world(folder / "few") as few:
        for world, count in ((many, MANY), (few, FEW)):
            await _fill(world, folder / ("many" if world is many else "few"), count)
        headers, of_few = await many.sign_in(), await few.sign_in()
        figures = []
        for path, query, model, row in (
            ("/api/templates", TEMPLATES, TemplateList, _template),
            ("/api/events", EVENTS, EventList, _event),
        ):
            database = sqlite3.connect(folder / "many/glimpser.db", check_same_thread=False)
            database.row_factory = sqlite3.Row
            sides = {
                "ours": _caller(many.app, path, headers),
                "raw": _raw(database, query),
                "FastAPI": _caller(_bare(database, query, model=model, row=row), "/bare", {}),
            }
            figures += await _against(path, sides, seconds)
            database.close()
        return [*figures, await _by_size(_caller(many.app, "/api/events", headers), few.app, of_few, seconds)]


async def _fill(world: World, folder: Path, count: int) -> None:
    now = world.clock.now()
    views = [
        Template(
            id=TemplateId(new_id()),
            settings=replace(VIEW, name=f"View {number}"),
            version=1,
            created_at=now,
            updated_at=now,
        )
        for number in range(VIEWS)
    ]

    def add(tx: Transaction) -> None:
        for view in views:
            tx.templates.add(view)

    await world.database.write(add)
    with sqlite3.connect(folder / "glimpser.db") as database:
        database.execute(FILL, {"count": count, "view": views[0].id, "start": 1_700_000_000_000_000})
    database.execute("ANALYZE")
    database.close()


def _caller(app: ASGIApp, path: str, headers: Mapping[str, str]) -> Ask:
    """Make a call of an application, as a server would; gives the bytes of the answer's body."""
    scope: dict[str, Any] = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": b"limit=50",
        "headers": [(name.lower().encode(), text.encode()) for name, text in headers.items()],
        "client": ("127.0.0.1", 40000),
        "server": ("127.0.0.1", 8080),
    }

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def ask() -> int:
        size_bytes = 0

        async def send(message: Message) -> None:
            nonlocal size_bytes
            assert message.get("status", 200) == 200, message
            size_bytes += len(message.get("body", b""))

        await app(scope | {"state": {}}, receive, send)
        return size_bytes

    return ask


def _raw(database: sqlite3.Connection, query: str) -> Ask:
    async def ask() -> int:
        return len(database.execute(query).fetchall())

    return ask


def _bare(
    database: sqlite3.Connection, query: str, *, model: type, row: Callable[[sqlite3.Row], dict[str, Any]]
) -> FastAPI:
    app = FastAPI()

    @app.get("/bare", response_model=model)
    def bare(limit: int = 50) -> dict[str, Any]:
        rows = [row(found) for found in database.execute(query)]
        return {"items": rows[:limit], "next_cursor": rows[limit]["id"] if len(rows) > limit else None}

    return app


def _event(found: sqlite3.Row) -> dict[str, Any]:
    names = {int(level): name for level, name in LEVEL_NAMES.items()}
    times = {name: _time(found[name]) for name in ("started_at", "peak_at", "ended_at", "created_at")}
    return {**found, "level": names[found["level"]], "metadata": json.loads(found["metadata"]), **times}


def _template(found: sqlite3.Row) -> dict[str, Any]:
    since = datetime(2026, 1, 1, tzinfo=UTC)
    nothing = dict.fromkeys(("reason", "fps", "width", "height", "last_good_at", "last_good_artifact_id"))
    times = {name: _time(found[name]) for name in ("created_at", "updated_at")}
    return {
        **json.loads(found["document"]),
        "id": found["id"],
        "version": found["version"],
        "paused": False,
        "stream": {"state": "idle", "since": since, **nothing},
        "health": {"state": "unknown", "since": since, **nothing},
        **times,
    }


def _time(microseconds: int | None) -> datetime | None:
    return None if microseconds is None else datetime.fromtimestamp(microseconds / 1e6, UTC)


async def _against(path: str, sides: Mapping[str, Ask], seconds: float) -> list[Figure]:
    """Measure the processor time of a call on each side, in turn."""
    spent: dict[str, list[float]] = {name: [] for name in sides}
    for ask in sides.values():
        assert await ask() > 0
    for _ in range(ROUNDS):
        for name, ask in sides.items():
            spent[name].append(await _cpu_s(ask, seconds / ROUNDS))
    ours = spent["ours"]
    return [
        median(f"{path}: CPU", [1000 * s for s in ours], "ms"),
        median(f"{path}: CPU against raw sqlite3", _ratios(ours, spent["raw"]), "×"),
        median(f"{path}: CPU against FastAPI", _ratios(ours, spent["FastAPI"]), "×", at_most=AGAINST_FASTAPI),
    ]


async def _cpu_s(ask: Ask, seconds: float) -> float:
    """Processor time of one call, all threads of this process counted."""
    calls, until_s, began_s = 0, time.monotonic() + seconds, time.process_time()
    while calls < 10 or time.monotonic() < until_s:
        await ask()
        calls += 1
    return (time.process_time() - began_s) / calls


async def _by_size(of_many: Ask, few: ASGIApp, headers: Mapping[str, str], seconds: float) -> Figure:
    of_few = _caller(few, "/api/events", headers)
    ratios = []
    for _ in range(ROUNDS):
        took = [await _p50_s(ask, seconds / ROUNDS) for ask in (of_many, of_few)]
        ratios.append(took[0] / took[1])
    return median(f"/api/events: p50 at {MANY:,} against {FEW:,}", ratios, "×", at_most=AGAINST_FEW)


async def _p50_s(ask: Ask, seconds: float) -> float:
    took: list[float] = []
    until_s = time.monotonic() + seconds
    while len(took) < 20 or time.monotonic() < until_s:
        began_s = time.perf_counter()
        await ask()
        took.append(time.perf_counter() - began_s)
    return statistics.median(took)


def _ratios(ours: Sequence[float], theirs: Sequence[float]) -> list[float]:
    return [mine / other for mine, other in zip(ours, theirs, strict=True)]
