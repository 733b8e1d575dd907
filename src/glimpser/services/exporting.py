"""The job `export`: makes a file, stores it, then has the export name it.

The key of the file follows from the export: who makes it again after a crash writes over what was left.
"""

from datetime import timedelta
from typing import Protocol

from glimpser.core import failpoints
from glimpser.core.clock import Clock
from glimpser.core.errors import Conflict, NotFound, Rejected
from glimpser.core.events import Artifact
from glimpser.core.exports import Export
from glimpser.core.ids import ArtifactId, ExportId
from glimpser.core.jobs import UNDONE, Job
from glimpser.core.keys import artifact_key
from glimpser.core.ports import Database
from glimpser.core.repositories import Transaction
from glimpser.services.film_making import Made
from glimpser.services.job_kinds import (
    AfterCommit,
    JobKind,
    JobSkipped,
    Progress,
    Result,
    RetryPolicy,
    Run,
    do_nothing,
)

CONCURRENCY = 2
"""Videos encoded at one time; each takes a core, after everybody else."""
RETRY = RetryPolicy(max_attempts=8, delays_s=(30.0, 300.0, 900.0))
"""Long enough to outlive a store that is away for hours."""


class Maker(Protocol):
    """Makes one kind of file."""

    async def make(self, export: Export, key: str, progress: Progress) -> Made:
        """Make it and store it under `key`. Raises: Rejected, Unavailable."""
        ...


def ending_of(export: Export) -> str:
    """Give the end of the file's name."""
    return "zip" if export.kind == "zip" else "mp4"


class ExportOutcomes:
    """Notes what becomes of the job, also where a command cancels it that runs no jobs."""

    def __init__(self, clock: Clock, keep: timedelta) -> None:
        self._clock = clock
        self.keep = keep

    def kind(self, run: Run) -> JobKind:
        """Say how exports run as jobs: few at a time, and of one template or group one."""
        return JobKind(
            run=run,
            lane=lambda job: str(job.payload.get("subject", "")),
            record=self._record,
            replay=self._replay,
            retry=RETRY,
            concurrency=CONCURRENCY,
            per_lane=1,
        )

    def _record(self, tx: Transaction, job: Job) -> AfterCommit:
        expires_at = None if job.status in UNDONE else self._clock.now() + self.keep
        tx.exports.settle(export_of(job), job.status, error=job.error, expires_at=expires_at)
        return do_nothing

    def _replay(self, tx: Transaction, job: Job) -> None:
        try:
            tx.exports.get(export_of(job))
        except NotFound:
            raise Conflict("The export was deleted: ask for another one.") from None
        tx.exports.settle(export_of(job), "pending", error=None, expires_at=None)


class Exporting:
    """Event loop's thread."""

    def __init__(
        self, database: Database, *, films: Maker, archives: Maker, clock: Clock, outcomes: ExportOutcomes
    ) -> None:
        self._database = database
        self._films = films
        self._archives = archives
        self._clock = clock
        self._outcomes = outcomes

    @property
    def kind(self) -> JobKind:
        return self._outcomes.kind(self.run)

    async def run(self, job: Job, progress: Progress) -> Result:
        """Make the file of one export.

        Raises:
            Rejected: there are no pictures in its time, or none that can be read.
            JobSkipped: it was deleted; of a day, there are no pictures.
            Unavailable: the store is away, the disk is full, or the encoder ended.
        """
        try:
            export = await self._database.read(lambda tx: tx.exports.get(export_of(job)))
        except NotFound:
            raise JobSkipped("The export was deleted.") from None
        if export.artifact_id is not None and export.result is not None:
            return export.result  # made before a crash
        maker = self._archives if export.kind == "zip" else self._films
        artifact_id = ArtifactId(export.id)
        key = artifact_key(artifact_id, ending_of(export), export.created_at)
        try:
            made = await maker.make(export, key, progress)
        except Rejected as error:
            if export.origin == "daily":
                raise JobSkipped(error.detail) from error
            raise
        return await self._named(export, made)

    async def _named(self, export: Export, made: Made) -> Result:
        artifact_id = ArtifactId(export.id)
        expires_at = self._clock.now() + self._outcomes.keep
        artifact = Artifact(
            id=artifact_id,
            uri=made.stored.uri,
            media_type=made.media_type,
            size_bytes=made.stored.size_bytes,
            sha256=made.stored.sha256,
            width=made.width_px,
            height=made.height_px,
            created_at=export.created_at,
            template_id=export.template_id,
            expires_at=expires_at,
        )
        result = {"artifact_id": artifact_id, "size_bytes": made.stored.size_bytes, **made.notes}

        def name(tx: Transaction) -> bool:
            tx.artifacts.add(artifact)
            failpoints.hit("export.before_commit")
            if tx.exports.attach(export.id, artifact_id, result=result, expires_at=expires_at):
                return True
            tx.artifacts.remove(artifact_id)  # nobody will ever name it: the file is garbage
            return False

        if not await self._database.write(name):
            raise JobSkipped("The export was deleted.")
        return result


def export_of(job: Job) -> ExportId:
    return ExportId(str(job.payload.get("export_id", "")))
