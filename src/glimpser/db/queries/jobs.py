"""Jobs: the queue's record, claimed in batches under a lease and a fence."""

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime

from sqlalchemy import Connection, Update, bindparam, delete, func, insert, select, text, update
from sqlalchemy.dialects.sqlite import insert as on_conflict_insert

from glimpser.core.accounts import EVERYTHING, Scope
from glimpser.core.errors import NotFound
from glimpser.core.ids import JobId, TemplateId
from glimpser.core.jobs import REPLAYABLE, UNDONE, Job, JobFilter
from glimpser.core.orders import JOB_ORDERS
from glimpser.core.pages import Page, PageRequest
from glimpser.db.queries.paging import AnyRow, fetch_page, newest_first
from glimpser.db.queries.scoping import in_scope
from glimpser.db.tables import IS_CANCELLING, IS_DONE, IS_ENDED, IS_PENDING, IS_RUNNING, IS_UNDONE, jobs
from glimpser.db.types import Instant

_ABOVE_ALL = 1 << 15
"""More than a priority can be."""

_Place = tuple[int, datetime, JobId]
"""What jobs are taken by: most urgent, then oldest."""

_ADD = insert(jobs)
_ADD_NEW = on_conflict_insert(jobs).on_conflict_do_nothing(index_elements=["idempotency_key"])
_BUSY = select(jobs.c.template_id).where(
    text(IS_UNDONE), jobs.c.kind == bindparam("kind"), jobs.c.template_id.is_not(None)
)
_GET = select(jobs).where(jobs.c.id == bindparam("id"))
_BY_KEY = select(jobs).where(jobs.c.idempotency_key == bindparam("key"))
_EXPIRED = (
    select(jobs.c.lease_until, jobs.c.id)
    .where(text(IS_RUNNING), jobs.c.kind == bindparam("kind"), jobs.c.lease_until <= bindparam("now"))
    .order_by(jobs.c.lease_until)
    .limit(bindparam("limit"))
)
_NEXT_PRIORITY = select(func.max(jobs.c.priority)).where(
    text(IS_PENDING), jobs.c.kind == bindparam("kind"), jobs.c.priority < bindparam("below")
)
_DUE = (
    select(jobs.c.scheduled_for, jobs.c.id)
    .where(
        text(IS_PENDING),
        jobs.c.kind == bindparam("kind"),
        jobs.c.priority == bindparam("priority"),
        jobs.c.scheduled_for <= bindparam("now"),
    )
    .order_by(jobs.c.scheduled_for, jobs.c.id)
    .limit(bindparam("limit"))
)
_CLAIM = (
    update(jobs)
    .where(jobs.c.id.in_(bindparam("ids", expanding=True)))
    .values(
        status="running",
        started_at=bindparam("now"),
        lease_until=bindparam("until"),
        fence=jobs.c.fence + 1,
        attempts=jobs.c.attempts + 1,
        progress=None,
        step=None,
    )
    .returning(jobs)
)
_IS_HELD = (jobs.c.id == bindparam("key")) & (jobs.c.fence == bindparam("held")) & text(IS_RUNNING)
_EXTEND = update(jobs).where(_IS_HELD).values(lease_until=bindparam("until"))
_OUTCOME = ("status", "scheduled_for", "ended_at", "progress", "step", "result", "error")
_FINISH = (
    update(jobs).where(_IS_HELD).values({name: bindparam(name) for name in _OUTCOME} | {"lease_until": None})
)
_RELEASE = (
    update(jobs)
    .where(_IS_HELD)
    .values(
        status="pending",
        scheduled_for=func.coalesce(bindparam("until", type_=Instant()), jobs.c.scheduled_for),
        attempts=jobs.c.attempts - 1,
        lease_until=None,
        progress=None,
        step=None,
    )
)
_REPORT = update(jobs).where(_IS_HELD).values(progress=bindparam("share"), step=bindparam("doing"))
_CANCEL = (
    update(jobs)
    .where(jobs.c.id == bindparam("key"), text(IS_PENDING))
    .values(status="cancelled", ended_at=bindparam("at"), error=bindparam("reason"))
)
_REQUEST_CANCEL = (
    update(jobs).where(jobs.c.id == bindparam("key"), text(IS_RUNNING)).values(cancel_requested=True)
)
_CANCELLING = select(jobs.c.id, jobs.c.kind).where(text(IS_CANCELLING)).limit(200)
_REPLAY = (
    update(jobs)
    .where(jobs.c.id == bindparam("key"), jobs.c.status.in_(sorted(REPLAYABLE)))
    .values(
        status="pending",
        scheduled_for=bindparam("at"),
        started_at=None,
        ended_at=None,
        attempts=0,
        cancel_requested=False,
        progress=None,
        step=None,
        result=None,
        error=None,
    )
)
_NTH_END = (
    select(jobs.c.ended_at)
    .where(text(IS_ENDED))
    .order_by(jobs.c.ended_at.desc(), jobs.c.id.desc())
    .limit(1)
    .offset(bindparam("number"))
)
_OLDEST_ENDED = (
    select(jobs.c.id)
    .where(text(IS_ENDED), jobs.c.ended_at < bindparam("before"))
    .order_by(jobs.c.ended_at, jobs.c.id)
    .limit(bindparam("limit"))
)
_PURGE = delete(jobs).where(jobs.c.id.in_(bindparam("ids", expanding=True)))
_UNFINISHED = (
    select(jobs)
    .where(text(IS_UNDONE), jobs.c.id > bindparam("after"))
    .order_by(jobs.c.id)
    .limit(bindparam("limit"))
)


class SqlJobs:
    def __init__(self, connection: Connection, scope: Scope = EVERYTHING) -> None:
        self._connection = connection
        self._scope = scope

    def add(self, job: Job) -> bool:
        if job.idempotency_key is not None and self._has(job.idempotency_key):
            return False
        self._connection.execute(_ADD, _row(job))
        return True

    def add_all(self, jobs: Sequence[Job]) -> int:
        if not jobs:
            return 0
        return self._connection.execute(_ADD_NEW, [_row(job) for job in jobs]).rowcount

    def busy(self, kind: str) -> AbstractSet[TemplateId]:
        return frozenset(self._connection.scalars(_BUSY, {"kind": kind}))

    def get(self, job_id: JobId) -> Job:
        statement = _GET.where(*in_scope(jobs.c.template_id, self._scope))
        row = self._connection.execute(statement, {"id": job_id}).one_or_none()
        if row is None:
            raise NotFound("There is no job with this id.")
        return _job(row)

    def by_key(self, idempotency_key: str) -> Job | None:
        row = self._connection.execute(_BY_KEY, {"key": idempotency_key}).one_or_none()
        return None if row is None else _job(row)

    def list(self, where: JobFilter, page: PageRequest) -> Page[Job]:
        narrowed = select(jobs)
        for name in ("kind", "status", "template_id"):
            wanted = getattr(where, name)
            if wanted is not None:
                narrowed = narrowed.where(jobs.c[name] == wanted)
        if where.status is not None and where.status not in UNDONE:
            narrowed = narrowed.where(text(IS_DONE))
        statement = newest_first(self._connection, narrowed, jobs.c.created_at, page=page, scope=self._scope)
        return fetch_page(self._connection, statement, page, JOB_ORDERS, make=_job)

    def claim(
        self, kinds: Sequence[str], *, limit: int, now: datetime, lease_until: datetime
    ) -> Sequence[Job]:
        each = frozenset(kinds)
        ids = [*self._expired(each, limit=limit, now=now)]
        ids += self._due(each, limit=limit - len(ids), now=now)
        if not ids:
            return []
        rows = self._connection.execute(_CLAIM, {"ids": ids, "now": now, "until": lease_until})
        place = {job_id: number for number, job_id in enumerate(ids)}
        return sorted(map(_job, rows), key=lambda job: place[job.id])

    def extend(self, job_id: JobId, *, fence: int, lease_until: datetime) -> bool:
        held = {"key": job_id, "held": fence}
        return self._connection.execute(_EXTEND, held | {"until": lease_until}).rowcount == 1

    def finish(self, job: Job, *, fence: int) -> bool:
        if job.status == "running":
            raise ValueError("A job that has been finished does not run: nobody would ever claim it.")
        held = {"key": job.id, "held": fence}
        outcome = {name: getattr(job, name) for name in _OUTCOME}
        return self._connection.execute(_FINISH, held | outcome).rowcount == 1

    def release(self, job_id: JobId, *, fence: int, until: datetime | None = None) -> bool:
        return self._changed(_RELEASE, {"key": job_id, "held": fence, "until": until})

    def report(self, job_id: JobId, *, fence: int, progress: float | None, step: str | None) -> bool:
        return self._changed(_REPORT, {"key": job_id, "held": fence, "share": progress, "doing": step})

    def cancel(self, job: Job) -> bool:
        return self._changed(_CANCEL, {"key": job.id, "at": job.ended_at, "reason": job.error})

    def request_cancel(self, job_id: JobId) -> bool:
        return self._changed(_REQUEST_CANCEL, {"key": job_id})

    def cancelling(self, kinds: Sequence[str]) -> Sequence[JobId]:
        return [job_id for job_id, kind in self._connection.execute(_CANCELLING) if kind in kinds]

    def replay(self, job_id: JobId, *, now: datetime) -> bool:
        return self._changed(_REPLAY, {"key": job_id, "at": now})

    def purge(self, *, before: datetime, limit: int) -> int:
        ids = self._connection.scalars(_OLDEST_ENDED, {"before": before, "limit": limit}).all()
        return self._connection.execute(_PURGE, {"ids": ids}).rowcount if ids else 0

    def nth_end(self, number: int) -> datetime | None:
        found: datetime | None = self._connection.scalar(_NTH_END, {"number": number})
        return found

    def unfinished(self, after: JobId | None, limit: int) -> Sequence[Job]:
        rows = self._connection.execute(_UNFINISHED, {"after": after or "", "limit": limit})
        return [_job(row) for row in rows]

    def _has(self, idempotency_key: str) -> bool:
        return self.by_key(idempotency_key) is not None

    def _changed(self, statement: Update, values: Mapping[str, object]) -> bool:
        """Tell whether the one row was what it was taken for."""
        return self._connection.execute(statement, values).rowcount == 1

    def _expired(self, kinds: Iterable[str], *, limit: int, now: datetime) -> Sequence[JobId]:
        found: list[AnyRow] = []
        for kind in kinds:
            found += self._connection.execute(_EXPIRED, {"kind": kind, "now": now, "limit": limit})
        return [job_id for _, job_id in sorted(found)[:limit]]

    def _due(self, kinds: Iterable[str], *, limit: int, now: datetime) -> Sequence[JobId]:
        found: list[_Place] = []
        for kind in kinds:
            found += itertools.islice(self._due_of(kind, limit=limit, now=now), limit)
        return [job_id for _, _, job_id in sorted(found)[:limit]]

    def _due_of(self, kind: str, *, limit: int, now: datetime) -> Iterator[_Place]:
        """Give due jobs of a kind in order: one search for each priority, past what is not due yet."""
        priority = self._next_priority(kind, below=_ABOVE_ALL)
        while priority is not None:
            where = {"kind": kind, "priority": priority, "now": now, "limit": limit}
            for row in self._connection.execute(_DUE, where):
                yield -priority, row.scheduled_for, row.id
            priority = self._next_priority(kind, below=priority)

    def _next_priority(self, kind: str, *, below: int) -> int | None:
        found: int | None = self._connection.scalar(_NEXT_PRIORITY, {"kind": kind, "below": below})
        return found


def _row(job: Job) -> dict[str, object]:
    return {
        "id": job.id,
        "kind": job.kind,
        "status": job.status,
        "priority": job.priority,
        "template_id": job.template_id,
        "payload": job.payload,
        "idempotency_key": job.idempotency_key,
        "scheduled_for": job.scheduled_for,
        "created_at": job.created_at,
        "started_at": job.started_at,
        "ended_at": job.ended_at,
        "attempts": job.attempts,
        "max_attempts": job.max_attempts,
        "lease_until": job.lease_until,
        "fence": job.fence,
        "progress": job.progress,
        "step": job.step,
        "result": job.result,
        "error": job.error,
        "cancel_requested": job.cancel_requested,
    }


def _job(row: AnyRow) -> Job:
    return Job(
        id=row.id,
        kind=row.kind,
        status=row.status,
        priority=row.priority,
        template_id=row.template_id,
        payload=row.payload,
        idempotency_key=row.idempotency_key,
        scheduled_for=row.scheduled_for,
        created_at=row.created_at,
        started_at=row.started_at,
        ended_at=row.ended_at,
        attempts=row.attempts,
        max_attempts=row.max_attempts,
        lease_until=row.lease_until,
        fence=row.fence,
        progress=row.progress,
        step=row.step,
        result=row.result,
        error=row.error,
        cancel_requested=row.cancel_requested,
    )
