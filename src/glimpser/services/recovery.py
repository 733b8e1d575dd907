"""What a program that starts puts right after one that was killed."""

from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, timedelta

import structlog

from glimpser.core.alerts import DELIVER, Delivery
from glimpser.core.clock import Clock
from glimpser.core.errors import Unavailable
from glimpser.core.events import Event
from glimpser.core.ids import DeliveryId, JobId, is_id, time_of
from glimpser.core.jobs import Job
from glimpser.core.keys import day_prefix
from glimpser.core.ports import Database, ObjectStore, StoredEntry
from glimpser.core.repositories import Transaction
from glimpser.services.garbage import sweep_garbage

_log = structlog.get_logger(__name__)

MOTION = "motion"
"""The kind of events that cannot outlive the program that sees them."""

_BATCH = 500
_DAY = timedelta(days=1)
_FIRST_START = "first_start_at"
_RESTART = "ended by a restart"


@dataclass(frozen=True, slots=True)
class Recovery:
    """How much had to be put right."""

    captures: int
    events: int
    jobs: int
    deliveries: int
    garbage: int
    orphans: int


async def recover(database: Database, store: ObjectStore, clock: Clock) -> Recovery:
    """Leave database and store as `integrity.check` wants them. Call it before anything is captured.

    Doing it twice changes nothing more. A store that is away is left for the next start.

    Raises:
        Unavailable: the database is locked or full.
    """
    now = clock.now()
    first_start = await database.write(lambda tx: _first_start(tx, now))
    captures = await database.write(lambda tx: _close_captures(tx, now))
    events = await database.write(_close_events)
    jobs = await database.write(_release_jobs)
    deliveries = await database.write(_resume_deliveries)
    try:
        garbage = await sweep_garbage(database, store, now=now)
        orphans = await _remove_orphans(database, store, first_start=first_start, now=now)
    except Unavailable as error:
        _log.warning("recovery.store_away", detail=error.detail)
        garbage = orphans = 0
    recovery = Recovery(captures, events, jobs, deliveries, garbage, orphans)
    _log.info("recovery.done", **asdict(recovery))
    return recovery


async def unknown(database: Database, uris: Sequence[str]) -> list[str]:
    """Give those of at most 500 URIs that neither a row nor the garbage names."""
    known = await database.read(lambda tx: tx.artifacts.known(uris))
    return [uri for uri in uris if uri not in known]


def ended(event: Event) -> Event:
    """Give the event with the last moment it is known to have gone on as its end."""
    return replace(event, ended_at=event.peak_at or event.started_at)


def released(job: Job) -> Job:
    """Give a job whose worker is gone back to the queue, due as it was; its next claim has another fence."""
    return replace(job, status="pending", progress=None, step=None, error=_RESTART)


def unfinished_jobs(tx: Transaction) -> Iterator[Job]:
    last: JobId | None = None
    while jobs := tx.jobs.unfinished(last, _BATCH):
        yield from jobs
        last = jobs[-1].id


def unsettled_deliveries(tx: Transaction) -> Iterator[Delivery]:
    last: DeliveryId | None = None
    while deliveries := tx.deliveries.unsettled(last, _BATCH):
        yield from deliveries
        last = deliveries[-1].id


def _first_start(tx: Transaction, now: datetime) -> datetime:
    noted = tx.settings.get(_FIRST_START)
    if noted is not None:
        return datetime.fromisoformat(noted)
    tx.settings.put(_FIRST_START, now.isoformat())
    return now


def _close_captures(tx: Transaction, now: datetime) -> int:
    running = tx.captures.running()
    for capture in running:
        ended_at = max(now, capture.started_at)
        tx.captures.finish(replace(capture, status="failure", ended_at=ended_at, error=_RESTART))
    return len(running)


def _close_events(tx: Transaction) -> int:
    unfinished = tx.events.unfinished(MOTION)
    for event in unfinished:
        tx.events.update(ended(event))
    return len(unfinished)


def _release_jobs(tx: Transaction) -> int:
    """Nobody else works at this start: who held a job is dead, however long its lease.

    A delivery that had only been claimed is not counted as tried: a program that dies again and again would
    use up the attempts of messages it never sent.
    """
    begun = {delivery.id for delivery in unsettled_deliveries(tx) if delivery.status == "sending"}
    running = [job for job in unfinished_jobs(tx) if job.status == "running"]
    for job in running:
        if job.kind == DELIVER and job.payload.get("delivery_id") not in begun:
            tx.jobs.release(job.id, fence=job.fence)
        else:
            tx.jobs.finish(released(job), fence=job.fence)
    return len(running)


def _resume_deliveries(tx: Transaction) -> int:
    """Whether they had arrived nobody knows: they are sent again, under the same key."""
    sending = [delivery for delivery in unsettled_deliveries(tx) if delivery.status == "sending"]
    for delivery in sending:
        tx.deliveries.update(replace(delivery, status="retrying", last_error=_RESTART))
    return len(sending)


async def _remove_orphans(
    database: Database, store: ObjectStore, *, first_start: datetime, now: datetime
) -> int:
    """Remove objects whose row never came: only the newest can be such.

    What was made before this database's first start is not its own: a new database beside an old store
    must not cost the store its objects.
    """
    newest = await database.read(lambda tx: tx.artifacts.newest())
    since = min(newest.created_at if newest else first_start, now)
    removed = 0
    for day in _days(since - _DAY, now + _DAY):
        async for uris in _own_objects(store, day, first_start=first_start):
            for uri in await unknown(database, uris):
                await store.delete(uri)
                removed += 1
    return removed


def _days(first: datetime, last: datetime) -> Iterator[date]:
    """A day more at either end: a key's day and its row's may differ around midnight."""
    for number in range((last.date() - first.date()).days + 1):
        yield first.date() + number * _DAY


async def _own_objects(
    store: ObjectStore, day: date, *, first_start: datetime
) -> AsyncIterator[Sequence[str]]:
    """Give the URIs of one day's objects that this database's program made, in batches."""
    batch: list[str] = []
    async for entry in store.list(day_prefix(day)):
        if _made_after(entry, first_start):
            batch.append(entry.uri)
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _made_after(entry: StoredEntry, moment: datetime) -> bool:
    """An id tells the time to the millisecond."""
    name = entry.key.rpartition("/")[2].partition(".")[0]
    return is_id(name) and time_of(name) > moment - timedelta(milliseconds=1)
