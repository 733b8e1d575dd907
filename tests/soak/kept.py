"""Schedules, a camera, a page and a night, with two kills and perhaps a store that is away: all is kept.

`--store s3` keeps objects in an S3 service that is away for up to two minutes in the middle; the first kill
comes while it is. Then the slots, captures and objects of database, API and store are compared.
"""

import itertools
import json
import random
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import av
import httpx2

from tests.bench.figures import Figure, Part
from tests.program import Program, wait_for
from tests.program import glimpser as run_command
from tests.s3_service import S3Service
from tests.soak.kept_books import Away, everything, read_books, view_figures
from tests.soak.kept_world import FILM_FPS, View, World, world

STORES = ("disk", "s3")
_MIDNIGHT = 0.3
_KILLS = ((0.42, 0.5), (0.7, 0.8))
_OUTAGE_BEGINS = 0.4
_OUTAGE_SHARE = 0.2
_OUTAGE_MOST_S = 120.0
"""Shares of the run: when the night ends, when the program is killed and when the store is away."""
_FLUSHED_WITHIN_S = 90.0
_LOOK_S = 2.0
_SETTLES_S = 300.0


@dataclass(slots=True)
class _Found:
    """What was seen while it ran."""

    away: list[Away] = field(default_factory=list)
    captures_seen: set[str] = field(default_factory=set)
    most_waiting: int = 0
    store_back_s: float | None = None
    flushed_s: float | None = None
    """When the store was there again, and when it had all (monotonic)."""
    waiting_at_the_end: int = -1
    stopped_with: int = -1
    until: datetime = field(default_factory=lambda: datetime.now(UTC))


@dataclass(frozen=True, slots=True)
class _Film:
    """A film of the night: its export as the API gives it, and what is in its file."""

    export: Mapping[str, Any]
    frames: int
    is_even: bool


def run(minutes: float, store: str, chance: random.Random) -> Part:
    """Let it run so long, and look at what was kept."""
    length_s = minutes * 60
    found = _Found()
    midnight = datetime.now(UTC) + timedelta(seconds=length_s * _MIDNIGHT)
    midnight = midnight.replace(second=0, microsecond=0) + timedelta(minutes=1)
    with tempfile.TemporaryDirectory() as folder, world(Path(folder), store, midnight) as stage:
        began_s = time.monotonic()
        program = stage.program.start()
        with program.set_up() as client:
            headers = {"Authorization": client.headers["Authorization"]}
            views = stage.furnish(client)
        _live_through(stage, headers, _plan(stage, length_s, found, chance), began_s, found=found)
        with _client(program, headers) as client:
            films = _end_calmly(client, views, found)
            books = read_books(client, program.data_dir / "glimpser.db")
            gone = found.captures_seen - {one["id"] for one in books.captures}
        found.stopped_with = program.terminate()
        figures = [
            *(figure for view in views for figure in view_figures(books, view, found.until, found.away)),
            Figure(name="captures seen once, gone later", value=len(gone), unit="", at_most=0),
            *_film_figures(films),
            *_store_figures(stage, found),
            Figure(name="exit status", value=abs(found.stopped_with), unit="", at_most=0),
            Figure(name="problems found by fsck", value=len(problems := _fsck(stage)), unit="", at_most=0),
        ]
    notes = [*_notes(found, films), *problems[:10]]
    return Part(f"Kept for {minutes:g} minutes, objects on {store}", figures, notes)


# What happens when ------------------------------------------------------------------------------------


def _plan(
    stage: World, length_s: float, found: _Found, chance: random.Random
) -> list[tuple[float, Callable[[], object]]]:
    """Give what is done after how many seconds, in order; the last is nothing, at the end."""
    plan: list[tuple[float, Callable[[], object]]] = [
        (length_s * chance.uniform(*share), lambda: _kill_and_start(stage.program, found)) for share in _KILLS
    ]
    if (s3 := stage.s3) is not None:
        leaves_s = length_s * _OUTAGE_BEGINS
        returns_s = leaves_s + min(_OUTAGE_MOST_S, length_s * _OUTAGE_SHARE)
        plan += [(leaves_s, s3.stop), (returns_s, lambda: _bring_back(s3, found))]
    plan.append((length_s, lambda: None))
    return sorted(plan, key=lambda step: step[0])


def _live_through(
    stage: World,
    headers: Mapping[str, str],
    plan: Sequence[tuple[float, Callable[[], object]]],
    began_s: float,
    *,
    found: _Found,
) -> None:
    """Do what is planned, and look at what there is in between."""
    for at_s, act in plan:
        while (left_s := began_s + at_s - time.monotonic()) > 0:
            _look(stage.program, headers, found)
            time.sleep(min(_LOOK_S, left_s))
        act()


def _kill_and_start(program: Program, found: _Found) -> None:
    begin = datetime.now(UTC)
    program.kill()
    program.start()
    found.away.append(Away(begin, datetime.now(UTC)))


def _bring_back(s3: S3Service, found: _Found) -> None:
    s3.start()
    found.store_back_s = time.monotonic()


def _look(program: Program, headers: Mapping[str, str], found: _Found) -> None:
    with _client(program, headers) as client:
        captures = client.get("/api/captures").raise_for_status().json()["items"]
        found.captures_seen |= {one["id"] for one in captures if one["kind"] == "snapshot"}
        waiting = _waiting(client)
    found.most_waiting = max(found.most_waiting, waiting)
    if found.store_back_s is not None and found.flushed_s is None and waiting == 0:
        found.flushed_s = time.monotonic()


def _client(program: Program, headers: Mapping[str, str]) -> httpx2.Client:
    return httpx2.Client(base_url=program.url, headers=headers, timeout=20)


def _waiting(client: httpx2.Client) -> int:
    return int(client.get("/api/system").raise_for_status().json()["waiting_objects"])


# The end ----------------------------------------------------------------------------------------------


def _end_calmly(client: httpx2.Client, views: Sequence[View], found: _Found) -> list[_Film]:
    """Begin nothing more, let everything end, and fetch the films of the night."""
    for view in views:
        client.post(f"/api/admin/schedules/{view.id}/pause").raise_for_status()
    found.until = datetime.now(UTC)
    wait_for(lambda: _is_at_rest(client), within_s=_SETTLES_S, what="all jobs ended and all objects sent")
    found.waiting_at_the_end = _waiting(client)
    exports = [one for one in everything(client, "exports") if one["origin"] == "daily"]
    return [_film(client, export) for export in exports if export["kind"] == "timelapse"]


def _is_at_rest(client: httpx2.Client) -> bool:
    time.sleep(1)
    undone = [job for job in everything(client, "admin/jobs") if job["status"] in ("pending", "running")]
    return not undone and _waiting(client) == 0


def _film(client: httpx2.Client, export: Mapping[str, Any]) -> _Film:
    """Play it from its beginning to its end."""
    if export["status"] != "success":
        return _Film(export, 0, is_even=False)
    data = client.get(f"/api/artifacts/{export['artifact_id']}").raise_for_status().content
    with tempfile.NamedTemporaryFile(suffix=".mp4") as file:
        file.write(data)
        file.flush()
        with av.open(file.name) as film:
            shown = [frame.pts or 0 for frame in film.decode(video=0)]
    is_even = all(before < after for before, after in itertools.pairwise(shown))
    return _Film(export, len(shown), is_even)


def _film_figures(films: Sequence[_Film]) -> Iterator[Figure]:
    uneven = sum(not film.is_even for film in films)
    yield Figure(name="films of the night", value=len(films), unit="", at_least=1, at_most=1)
    yield Figure(name="their frames", value=sum(film.frames for film in films), unit="", at_least=FILM_FPS)
    yield Figure(name="films whose frames go back in time", value=uneven, unit="", at_most=0)


def _store_figures(stage: World, found: _Found) -> Iterator[Figure]:
    """Compare the S3 service's own books with the rows; on disk that is what `fsck` does."""
    if stage.s3 is None:
        return
    keys = _keys_of_captures(stage.program.data_dir / "glimpser.db", f"s3://{stage.bucket}/kept/")
    arrived = [key for key, _ in stage.arrivals()]
    ours = [key for key in arrived if key in keys]
    late = sum(before > after for before, after in itertools.pairwise(ours))
    spool = [path for path in (stage.program.data_dir / "spool").rglob("*") if path.is_file()]
    yield Figure(name="objects of captures", value=len(keys), unit="", at_least=1)
    yield Figure(name="lost on the way to S3", value=len(keys - set(arrived)), unit="", at_most=0)
    yield Figure(name="come before an older one", value=late, unit="", at_most=0)
    yield Figure(name="most that waited on the disk", value=found.most_waiting, unit="", at_least=1)
    if found.store_back_s is not None and found.flushed_s is not None:
        took_s = found.flushed_s - found.store_back_s
        yield Figure(
            name="all sent after the store was back", value=took_s, unit="s", at_most=_FLUSHED_WITHIN_S
        )
    yield Figure(name="waiting at the end", value=found.waiting_at_the_end, unit="", at_most=0)
    yield Figure(name="files left in the spool", value=len(spool), unit="", at_most=0)


def _keys_of_captures(database: Path, base_uri: str) -> set[str]:
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        rows = connection.execute(
            "SELECT uri FROM artifacts WHERE id IN (SELECT artifact_id FROM captures"
            " UNION SELECT text_artifact_id FROM captures)"
        )
        return {str(uri).removeprefix(base_uri) for (uri,) in rows}


def _fsck(stage: World) -> Sequence[str]:
    arguments = ("fsck", "--level", "hash", "--json", "--data-dir", str(stage.program.data_dir))
    told = run_command(*arguments, **stage.settings)
    if not told.stdout:
        return [told.stderr[-300:]]
    problems = [f"{one['kind']} {one['detail']}" for one in json.loads(told.stdout)["problems"]]
    return problems or ([told.stderr[-300:]] if told.returncode else [])


def _notes(found: _Found, films: Sequence[_Film]) -> Iterator[str]:
    gaps = [f"{(one.end - one.begin).total_seconds():.1f} s" for one in found.away]
    yield f"killed {len(gaps)} times, away for {' and '.join(gaps)}"
    for film in films:
        told = {name: film.export[name] for name in ("status", "result", "error")}
        yield f"film: {film.frames} frames, {told}"
