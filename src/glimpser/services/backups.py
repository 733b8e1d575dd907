"""Backups as jobs: asked for by an admin, kept for a day, given to admins alone."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import IO

from glimpser.core.backups import BACKUP, BACKUP_TYPE
from glimpser.core.clock import Clock
from glimpser.core.errors import Conflict, InvalidInput, NotFound, TooMany
from glimpser.core.events import Artifact
from glimpser.core.ids import ArtifactId, JobId, new_id
from glimpser.core.jobs import UNDONE, Job
from glimpser.core.keys import artifact_key
from glimpser.core.ports import Database, ObjectStore
from glimpser.core.repositories import Transaction
from glimpser.services.audit import Actor, entry
from glimpser.services.backing_up import BackupMaker, Wanted
from glimpser.services.backup_archive import PIECE_BYTES
from glimpser.services.backup_secrets import check_passphrase
from glimpser.services.job_kinds import ONCE, AfterCommit, JobKind, Progress, Result
from glimpser.services.jobs import Jobs

KEPT_FOR = timedelta(days=1)
PRIORITY = -10
_MAX_WAITING = 4

Workshop = Callable[[], AbstractAsyncContextManager[Path]]
"""Gives an empty directory for as long as it is open, to one backup at a time. Raises: Unavailable."""


@dataclass(frozen=True, slots=True)
class Keep:
    """Where rows and objects go that are to be kept."""

    database: Database
    store: ObjectStore


class Backups:
    """Event loop's thread.

    A passphrase is kept in memory alone: no row ever has it. So an order does not outlive the program.
    """

    def __init__(
        self, jobs: Jobs, maker: BackupMaker, keep: Keep, *, workshop: Workshop, clock: Clock
    ) -> None:
        self._jobs = jobs
        self._maker = maker
        self._keep = keep
        self._workshop = workshop
        self._clock = clock
        self._orders: dict[str, Wanted] = {}
        self.kind = JobKind(
            run=self._run,
            lane=lambda _job: BACKUP,
            retry=ONCE,
            replay=_never_again,
            record=self._ended,
            concurrency=1,
            per_lane=1,
        )

    async def submit(self, wanted: Wanted, *, by: Actor) -> JobId:
        """Have a backup made.

        Raises:
            InvalidInput: the passphrase is too short.
            TooMany: several are waiting already.
            Unavailable: the database cannot take it now.
        """
        if wanted.passphrase is not None:
            check_passphrase(wanted.passphrase, pointer="/passphrase")
        if len(self._orders) >= _MAX_WAITING:
            raise TooMany(f"{_MAX_WAITING} backups are being made already: wait until one is done.")
        detail = "with pictures" if wanted.with_artifacts else "without pictures"
        made = entry(by, "backup.asked", BACKUP, clock=self._clock, detail=detail)
        await self._keep.database.write(lambda tx: tx.audit.add(made))
        order = new_id()
        self._orders[order] = wanted
        try:
            return await self._jobs.submit(BACKUP, {"order": order}, priority=PRIORITY)
        except BaseException:
            del self._orders[order]
            raise

    async def find(self, artifact_id: ArtifactId) -> Artifact:
        """Look up a backup that was made. Raises: NotFound: there is none, or it has been removed."""
        found = await self._keep.database.read(lambda tx: tx.artifacts.get(artifact_id))
        if found.media_type != BACKUP_TYPE:
            raise NotFound("There is no backup with this id.")
        return found

    async def note_download(self, backup: Artifact, *, by: Actor) -> None:
        """Write into the audit log who takes it away."""
        made = entry(by, "backup.downloaded", backup.id, clock=self._clock)
        await self._keep.database.write(lambda tx: tx.audit.add(made))

    async def remove(self, artifact_id: ArtifactId, *, by: Actor) -> None:
        """Remove a backup before its time. Raises: NotFound."""
        found = await self.find(artifact_id)
        made = entry(by, "backup.removed", found.id, clock=self._clock)

        def remove(tx: Transaction) -> None:
            tx.artifacts.remove(found.id)
            tx.audit.add(made)

        await self._keep.database.write(remove)

    async def _run(self, job: Job, progress: Progress) -> Result:
        wanted = self._orders.get(str(job.payload.get("order")))
        if wanted is None:
            raise InvalidInput("A backup's order is kept in memory alone, and the program was started anew.")
        async with self._workshop() as scratch:
            path = scratch / "backup.tar"
            with open_new(path) as target:
                made = await self._maker.write(wanted, target, scratch, progress)
            await progress.report(None, "storing")
            artifact = await self._store(path)
        return {
            "artifact_id": artifact.id,
            "expires_at": f"{artifact.expires_at:%Y-%m-%dT%H:%M:%SZ}",
            "sha256": artifact.sha256,
            **asdict(made),
        }

    async def _store(self, path: Path) -> Artifact:
        now, artifact_id = self._clock.now(), ArtifactId(new_id())
        stored = await self._keep.store.put(
            artifact_key(artifact_id, "tar", now), _pieces(path), content_type=BACKUP_TYPE
        )
        artifact = Artifact(
            id=artifact_id,
            uri=stored.uri,
            media_type=BACKUP_TYPE,
            size_bytes=stored.size_bytes,
            sha256=stored.sha256,
            width=None,
            height=None,
            created_at=now,
            expires_at=now + KEPT_FOR,
        )
        await self._keep.database.write(lambda tx: tx.artifacts.add(artifact))
        return artifact

    def _ended(self, _tx: Transaction, job: Job) -> AfterCommit:
        return lambda: self._forget(job)

    def _forget(self, job: Job) -> None:
        if job.status not in UNDONE:
            self._orders.pop(str(job.payload.get("order")), None)


def open_new(path: Path) -> IO[bytes]:
    """Open a file that is not there yet, for our eyes only. Raises: FileExistsError."""
    return os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600), "w+b")


async def _pieces(path: Path) -> AsyncIterator[bytes]:
    with path.open("rb") as file:
        while piece := await asyncio.to_thread(file.read, PIECE_BYTES):
            yield piece


def _never_again(_tx: Transaction, _job: Job) -> None:
    raise Conflict("What a backup was to hold is not kept: order a new one.")
