"""Brings what lies in the store of before to the one of now: object by object, and none is lost on the way.

An object is copied and its hash compared; then its row names the copy and the old one is garbage, both in one
transaction. Until then the row names the old one, which is still read. A kill costs the copies of one batch,
which are made again under the same keys.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import structlog

from glimpser.core import failpoints
from glimpser.core.clock import Clock
from glimpser.core.errors import Damaged, NotFound, Unavailable
from glimpser.core.events import Artifact
from glimpser.core.ids import JobId
from glimpser.core.jobs import UNDONE, Job
from glimpser.core.ports import Database, ObjectStore
from glimpser.core.repositories import Transaction
from glimpser.services.job_kinds import JobKind, Progress, Result
from glimpser.services.jobs import Jobs

_log = structlog.get_logger(__name__)

MOVE = "move"
"""The kind of the job."""

_BATCH = 16
"""Objects under way at one time, whose rows are then changed together."""
_TRY_AGAIN_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Bases:
    """What the URIs of two stores begin with."""

    now: str
    former: str


@dataclass(frozen=True, slots=True)
class _Copy:
    """What became of one artifact: `uri` of the copy, or why there is none."""

    artifact: Artifact
    uri: str | None = None
    problem: str = ""


class StoreMove:
    """Event loop's thread. `store` reads both stores and writes to that of now."""

    def __init__(self, database: Database, store: ObjectStore, bases: Bases) -> None:
        self._database = database
        self._store = store
        self._bases = bases

    @property
    def kind(self) -> JobKind:
        """What a job of kind `MOVE` does: one at a time."""
        return JobKind(run=self._run_job, lane=lambda _job: MOVE, concurrency=1, per_lane=1)

    async def left(self) -> int:
        """Count the artifacts that lie in the store of before."""
        return await self._database.read(lambda tx: tx.artifacts.count_below(self._bases.former))

    async def _run_job(self, _job: Job, progress: Progress) -> Result:
        return await self.run(progress)

    async def run(self, progress: Progress) -> Result:
        """Move everything; gives how many were moved, and how many were missing or damaged, which stay.

        Raises:
            Unavailable: a store or the database is away; what was moved stays so.
        """
        total = await self.left()
        done: Counter[str] = Counter(moved=0, missing=0, damaged=0)
        last = self._bases.former
        while batch := await self._after(last):
            done += await self._move(batch)
            last = batch[-1].uri
            await progress.report(min(done.total() / max(total, 1), 1.0), f"{done.total()} of {total}")
        _log.info("move.done", **done)
        return {"moved": done["moved"], "missing": done["missing"], "damaged": done["damaged"]}

    async def _after(self, uri: str) -> Sequence[Artifact]:
        rows = await self._database.read(lambda tx: tx.artifacts.after_uri(uri, _BATCH))
        return [row for row in rows if row.uri.startswith(self._bases.former)]

    async def _move(self, batch: Sequence[Artifact]) -> Counter[str]:
        copies = await _together([partial(self._copy, artifact) for artifact in batch])
        await asyncio.to_thread(failpoints.hit, "move.copied")
        await self._database.write(lambda tx: _relocate(tx, copies))
        for copy in copies:
            if copy.problem:
                _log.warning("move.left_behind", artifact_id=copy.artifact.id, problem=copy.problem)
        return Counter(copy.problem or "moved" for copy in copies)

    async def _copy(self, artifact: Artifact) -> _Copy:
        key = artifact.uri.removeprefix(self._bases.former)
        try:
            copy = await self._store.put(key, self._store.get(artifact.uri), content_type=artifact.media_type)
        except NotFound:
            return _Copy(artifact, problem="missing")
        except Damaged:
            return _Copy(artifact, problem="damaged")
        if copy.sha256 != artifact.sha256:
            await self._store.delete(copy.uri)
            return _Copy(artifact, problem="damaged")
        return _Copy(artifact, copy.uri)


class StoreMoveStarter:
    """Submits the job at the start while anything lies in the store of before. Event loop's thread."""

    def __init__(self, moving: StoreMove, jobs: Jobs, database: Database, bases: Bases, clock: Clock) -> None:
        self._moving = moving
        self._jobs = jobs
        self._database = database
        self._key = f"{MOVE}:{bases.former}:{bases.now}"[:180]
        self._clock = clock

    async def run(self) -> None:
        """Return when the job is there, or nothing is to be moved."""
        while True:
            try:
                await self.submit()
            except Unavailable as error:
                _log.warning("move.not_submitted", reason=error.detail)
                await asyncio.sleep(_TRY_AGAIN_S)
            else:
                return

    async def submit(self) -> JobId | None:
        """Add the job, unless it is there; one that has ended although something was left gets a successor.

        Raises:
            Unavailable: the database cannot take it now.
        """
        if not await self._moving.left():
            return None
        before = await self._database.read(lambda tx: tx.jobs.by_key(self._key))
        is_over = before is not None and before.status not in UNDONE
        key = f"{self._key}:{self._clock.now():%Y-%m-%d}" if is_over else self._key
        return await self._jobs.submit(MOVE, {}, key=key)


def _relocate(tx: Transaction, copies: Sequence[_Copy]) -> None:
    for copy in copies:
        if copy.uri is not None:
            tx.artifacts.relocate(copy.artifact.id, copy.artifact.uri, copy.uri)
    failpoints.hit("move.before_commit")


async def _together(work: Sequence[Callable[[], Coroutine[Any, Any, _Copy]]]) -> Sequence[_Copy]:
    """Do all at one time; of several that fail, the first is told.

    Raises:
        Unavailable: as the work does.
    """
    try:
        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(one()) for one in work]
    except* Unavailable as failures:
        raise failures.exceptions[0] from None
    return [task.result() for task in running]
