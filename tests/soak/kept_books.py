"""What became of each slot of a schedule, told by the database and by the API, and what should have."""

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2

from tests.bench.figures import Figure
from tests.soak.kept_world import View

GRACE = timedelta(seconds=30)
"""A slot that the program can keep within so long is kept (docs/guide); one that is later is made up for."""
_EDGE = timedelta(seconds=3)
"""So near the beginning and the end of the run a slot may come or not."""
_PAGE = 200
_RESTART = "ended by a restart"


@dataclass(frozen=True, slots=True)
class Away:
    """A time without the program."""

    begin: datetime
    end: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """All jobs that capture and all captures, as the API gives them, and the slots as the database does."""

    jobs: Sequence[Mapping[str, Any]]
    captures: Sequence[Mapping[str, Any]]
    slots: Sequence[tuple[str, datetime, str]]
    """View, slot and job."""


def read_books(client: httpx2.Client, database: Path) -> Books:
    return Books(
        jobs=list(everything(client, "admin/jobs", kind="capture")),
        captures=[one for one in everything(client, "captures") if one["kind"] == "snapshot"],
        slots=list(_slots(database)),
    )


def everything(client: httpx2.Client, what: str, **query: str | int) -> Iterator[dict[str, Any]]:
    """Give all items of a list."""
    asked: dict[str, str | int] = {"limit": _PAGE, **query}
    while True:
        page = client.get(f"/api/{what}", params=asked).raise_for_status().json()
        yield from page["items"]
        if page["next_cursor"] is None:
            return
        asked["cursor"] = page["next_cursor"]


def _slots(database: Path) -> Iterator[tuple[str, datetime, str]]:
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        rows = connection.execute("SELECT id, template_id, payload FROM jobs WHERE kind = 'capture'")
        for job_id, view_id, payload in rows:
            slot = datetime.strptime(json.loads(payload)["slot"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
            yield view_id, slot, job_id


def view_figures(books: Books, view: View, until: datetime, away: Sequence[Away]) -> Iterator[Figure]:
    """Compare the slots of a view with what came of them."""
    name = view.name
    found = Counter(slot for view_id, slot, _ in books.slots if view_id == view.id)
    jobs = [job for job in books.jobs if job["template_id"] == view.id]
    due = set(_due(view, view.since, until))
    surely = set(_due(view, view.since + _EDGE, until - view.jitter - _EDGE))
    missed = {slot for slot in surely - set(found) if not _is_too_late(view, slot, away)}
    captures = [one for one in books.captures if one["template_id"] == view.id]
    yield Figure(name=f"{name}: slots", value=len(found), unit="", at_least=len(surely))
    yield Figure(name=f"{name}: slots missed", value=len(missed), unit="", at_most=0)
    twice = found.total() - len(found)
    yield Figure(name=f"{name}: slots with two jobs", value=twice, unit="", at_most=0)
    yield Figure(name=f"{name}: slots of no schedule", value=len(set(found) - due), unit="", at_most=0)
    unlike = abs(len(jobs) - found.total())
    yield Figure(name=f"{name}: jobs that API and database differ by", value=unlike, unit="", at_most=0)
    yield from _outcomes(name, jobs, captures)


def _outcomes(
    name: str, jobs: Sequence[Mapping[str, Any]], captures: Sequence[Mapping[str, Any]]
) -> Iterator[Figure]:
    status = Counter(job["status"] for job in jobs)
    named = {job["result"]["capture_id"] for job in jobs if job["status"] == "success"}
    taken = {one["id"] for one in captures if one["status"] == "success"}
    broken = [one for one in captures if one["status"] == "failure" and one["error"] == _RESTART]
    failed = [one for one in captures if one["status"] == "failure" and one["error"] != _RESTART]
    other = status.total() - status["success"] - status["skipped"]
    yield Figure(name=f"{name}: captured", value=len(named), unit="", at_least=1)
    yield Figure(name=f"{name}: captured twice for a slot", value=len(taken - named), unit="", at_most=0)
    yield Figure(name=f"{name}: captures of jobs that are gone", value=len(named - taken), unit="", at_most=0)
    yield Figure(name=f"{name}: left out, the one before ran", value=status["skipped"], unit="")
    yield Figure(name=f"{name}: failed or not ended", value=other, unit="", at_most=0)
    yield Figure(name=f"{name}: attempts that failed", value=len(failed), unit="", at_most=0)
    yield Figure(name=f"{name}: attempts a kill broke off", value=len(broken), unit="")


def _due(view: View, after: datetime, until: datetime) -> Iterator[datetime]:
    """Give the slots after one moment and not after another: both schedules begin with a whole minute."""
    slot = after.replace(second=0, microsecond=0)
    while slot <= until:
        if slot > after:
            yield slot
        slot += view.every


def _is_too_late(view: View, slot: datetime, away: Sequence[Away]) -> bool:
    """Tell whether the program came back so late that the policy makes up for what was missed once."""
    return any(one.begin <= slot + view.jitter and slot + view.jitter + GRACE < one.end for one in away)
