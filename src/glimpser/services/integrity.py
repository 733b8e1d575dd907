"""Proof that rows and objects belong together and no alert is lost; repair where that loses nothing.

A program that runs meanwhile may be between storing an object and noting its row, so whatever looks amiss is
looked at a second time. `repair` deletes: it belongs to a program at rest.
"""

import hashlib
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Literal

from glimpser.core.alerts import DELIVER, Delivery
from glimpser.core.errors import Damaged, NotFound
from glimpser.core.events import Artifact, Event
from glimpser.core.ids import time_of
from glimpser.core.jobs import Job
from glimpser.core.keys import ARTIFACTS
from glimpser.core.ports import Database, ObjectStore, StoredEntry
from glimpser.core.repositories import Transaction
from glimpser.services.alert_making import delivery_job
from glimpser.services.recovery import (
    MOTION,
    ended,
    released,
    unfinished_jobs,
    unknown,
    unsettled_deliveries,
)

_BATCH = 500

ProblemKind = Literal[
    "structure", "reference", "missing", "orphan", "size", "hash", "unfinished", "leaseless", "undelivered"
]


class CheckLevel(IntEnum):
    """What of an object is compared with its row; each level includes those before it."""

    PRESENCE = 1
    SIZE = 2
    HASH = 3

    @classmethod
    def parse(cls, label: str) -> "CheckLevel":
        return cls[label.upper()]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is not as it must be.

    structure: the database file is damaged. reference: a row names a row that is gone. missing: a row whose
    object is gone. orphan: an object that no row names. size, hash: an object that is not what its row says.
    unfinished: an event that goes on although its live session has ended. leaseless: a job that runs under no
    lease, so that nobody would ever claim it. undelivered: a delivery that no job will send.
    """

    kind: ProblemKind
    subject: str
    detail: str
    repaired: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """`counts` says how much was looked at: artifacts, objects, bytes, garbage."""

    problems: tuple[Problem, ...]
    counts: Mapping[str, int]

    @property
    def unrepaired(self) -> int:
        return sum(not problem.repaired for problem in self.problems)


@dataclass(slots=True)
class _Findings:
    """What one walk along rows and objects found; the lists hold what needs a second look."""

    counts: Counter[str] = field(default_factory=lambda: Counter(artifacts=0, objects=0, bytes=0))
    matched: int = 0
    differing: list[Problem] = field(default_factory=list)
    missing: list[Artifact] = field(default_factory=list)
    orphans: list[str] = field(default_factory=list)


async def _at_once() -> None:
    """Nobody writes meanwhile."""


async def check(
    database: Database,
    store: ObjectStore,
    level: CheckLevel,
    *,
    repair: bool = False,
    settle: Callable[[], Awaitable[None]] = _at_once,
) -> Report:
    """Compare everything with everything; memory is needed for problems alone.

    Where something looks amiss, `settle` is awaited before the second look: beside a running program it
    gives what is under way the time to be committed.

    Repair gives unfinished events their end, jobs back to the queue and deliveries another job, clears
    references to what is gone, removes rows without object and objects without row. If not a single row has
    its object, the store is most likely another one: then neither rows nor objects are removed.
    """
    findings = await _compare(database, store, level)
    if findings.missing or findings.orphans:
        await settle()
    may_remove = repair and findings.matched > 0
    problems = [
        *await _check_database(database, repair=repair),
        *findings.differing,
        *await _check_missing(database, store, findings.missing, repair=may_remove),
        *await _check_orphans(database, store, findings.orphans, repair=may_remove),
        *await _check_events(database, repair=repair),
        *await _check_jobs(database, repair=repair),
        *await _check_deliveries(database, repair=repair),
    ]
    garbage = await database.read(lambda tx: tx.garbage.count())
    return Report(tuple(problems), {**findings.counts, "garbage": garbage})


async def _compare(database: Database, store: ObjectStore, level: CheckLevel) -> _Findings:
    findings = _Findings()
    async for row, entry in side_by_side(database, store):
        _count(findings.counts, row, entry)
        if row is not None and entry is not None:
            findings.matched += 1
            problem = await _difference(store, row, entry, level)
            findings.differing += [problem] if problem else []
        elif row is not None:
            findings.missing.append(row)
        elif entry is not None and entry.key.startswith(ARTIFACTS):
            findings.orphans.append(entry.uri)
    return findings


def _count(counts: Counter[str], row: Artifact | None, entry: StoredEntry | None) -> None:
    counts["artifacts"] += row is not None
    counts["objects"] += entry is not None
    counts["bytes"] += entry.size_bytes if entry else 0


async def side_by_side(
    database: Database, store: ObjectStore
) -> AsyncIterator[tuple[Artifact | None, StoredEntry | None]]:
    """Walk rows and objects in the order of their URIs, and pair those of the same URI."""
    rows, entries = _rows(database), store.list()
    row, entry = await anext(rows, None), await anext(entries, None)
    while row is not None or entry is not None:
        if entry is None or (row is not None and row.uri < entry.uri):
            yield row, None
            row = await anext(rows, None)
        elif row is None or entry.uri < row.uri:
            yield None, entry
            entry = await anext(entries, None)
        else:
            yield row, entry
            row, entry = await anext(rows, None), await anext(entries, None)


async def _rows(database: Database) -> AsyncIterator[Artifact]:
    last = ""
    while rows := await _rows_after(database, last):
        for row in rows:
            yield row
        last = rows[-1].uri


async def _rows_after(database: Database, uri: str) -> Sequence[Artifact]:
    return await database.read(lambda tx: tx.artifacts.after_uri(uri, _BATCH))


async def _difference(
    store: ObjectStore, row: Artifact, entry: StoredEntry, level: CheckLevel
) -> Problem | None:
    if level >= CheckLevel.SIZE and entry.size_bytes != row.size_bytes:
        detail = f"{entry.uri} has {entry.size_bytes} bytes, its row says {row.size_bytes}."
        return Problem("size", f"artifacts/{row.id}", detail)
    if level >= CheckLevel.HASH and await hash_of(store, row.uri) not in (row.sha256, None):
        return Problem("hash", f"artifacts/{row.id}", f"{entry.uri} is not what was stored.")
    return None


async def hash_of(store: ObjectStore, uri: str) -> str | None:
    """None if the object has been deleted meanwhile, empty if the store itself calls it damaged."""
    digest = hashlib.sha256()
    try:
        async for piece in store.get(uri):
            digest.update(piece)
    except NotFound:
        return None
    except Damaged:
        return ""
    return digest.hexdigest()


async def _check_database(database: Database, *, repair: bool) -> list[Problem]:
    faults = await database.verify()
    mends = repair and any(fault.kind == "reference" for fault in faults)
    if mends:
        await database.mend()
    return [
        Problem(fault.kind, fault.subject, fault.detail, repaired=mends and fault.kind == "reference")
        for fault in faults
    ]


async def _check_missing(
    database: Database, store: ObjectStore, suspects: Sequence[Artifact], *, repair: bool
) -> list[Problem]:
    problems = []
    for artifact in suspects:
        if await _is_missing(database, store, artifact):
            if repair:
                await _remove_row(database, artifact)
            detail = f"{artifact.uri} is not in the store."
            problems.append(Problem("missing", f"artifacts/{artifact.id}", detail, repaired=repair))
    return problems


async def _is_missing(database: Database, store: ObjectStore, artifact: Artifact) -> bool:
    """Look again: retention may have removed the row, a capture may have stored the object since."""
    try:
        await database.read(lambda tx: tx.artifacts.get(artifact.id))
    except NotFound:
        return False
    try:
        async for _ in store.get(artifact.uri, start=0, end=1):
            pass
    except NotFound:
        return True
    return False


async def _remove_row(database: Database, artifact: Artifact) -> None:
    with suppress(NotFound):
        await database.write(lambda tx: tx.artifacts.remove(artifact.id))


async def _check_orphans(
    database: Database, store: ObjectStore, suspects: Sequence[str], *, repair: bool
) -> list[Problem]:
    problems = []
    for batch in _batches(suspects):
        for uri in await unknown(database, batch):
            if repair:
                await store.delete(uri)
            problems.append(Problem("orphan", uri, "No row names this object.", repaired=repair))
    return problems


def _batches(uris: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(uris), _BATCH):
        yield uris[start : start + _BATCH]


async def _check_events(database: Database, *, repair: bool) -> list[Problem]:
    if repair:
        events = await database.write(_end_abandoned)
    else:
        events = await database.read(_abandoned)
    detail = "It goes on although its live session has ended."
    return [Problem("unfinished", f"events/{event.id}", detail, repaired=repair) for event in events]


def _end_abandoned(tx: Transaction) -> list[Event]:
    events = _abandoned(tx)
    for event in events:
        tx.events.update(ended(event))
    return events


def _abandoned(tx: Transaction) -> list[Event]:
    return [event for event in tx.events.unfinished(MOTION) if _is_abandoned(tx, event)]


def _is_abandoned(tx: Transaction, event: Event) -> bool:
    session = tx.captures.session_at(event.template_id, event.started_at)
    return session is not None and session.ended_at is not None and session.ended_at >= event.started_at


async def _check_jobs(database: Database, *, repair: bool) -> list[Problem]:
    jobs = await (database.write(_release_leaseless) if repair else database.read(_leaseless))
    detail = "It runs under no lease: nobody would ever claim it."
    return [Problem("leaseless", f"jobs/{job.id}", detail, repaired=repair) for job in jobs]


def _release_leaseless(tx: Transaction) -> list[Job]:
    jobs = _leaseless(tx)
    for job in jobs:
        tx.jobs.finish(released(job), fence=job.fence)
    return jobs


def _leaseless(tx: Transaction) -> list[Job]:
    return [job for job in unfinished_jobs(tx) if job.status == "running" and job.lease_until is None]


async def _check_deliveries(database: Database, *, repair: bool) -> list[Problem]:
    deliveries = await (database.write(_deliver_undelivered) if repair else database.read(_undelivered))
    detail = "It is neither sent nor given up, and no job will send it."
    return [
        Problem("undelivered", f"deliveries/{delivery.id}", detail, repaired=repair)
        for delivery in deliveries
    ]


def _deliver_undelivered(tx: Transaction) -> list[Delivery]:
    """Add the jobs again, due at once, as old as their deliveries; the keys of the lost ones may be taken."""
    deliveries = _undelivered(tx)
    for delivery in deliveries:
        alert = tx.alerts.get(delivery.alert_id)
        tx.jobs.add(delivery_job(delivery, alert.template_id, time_of(delivery.id), key=None))
    return deliveries


def _undelivered(tx: Transaction) -> list[Delivery]:
    """Alerts, their deliveries and jobs are written together: one transaction never sees a part."""
    named = {job.payload.get("delivery_id") for job in unfinished_jobs(tx) if job.kind == DELIVER}
    return [delivery for delivery in unsettled_deliveries(tx) if delivery.id not in named]
