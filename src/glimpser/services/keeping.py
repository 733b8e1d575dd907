"""What people say about what is kept: keep this one, remove now what is too old."""

from glimpser.core.accounts import Scope
from glimpser.core.backups import BACKUP_TYPE
from glimpser.core.clock import Clock
from glimpser.core.errors import NotFound
from glimpser.core.events import Artifact
from glimpser.core.ids import ArtifactId, JobId
from glimpser.core.ports import Database
from glimpser.core.repositories import Transaction
from glimpser.services.audit import Actor, entry
from glimpser.services.jobs import Jobs
from glimpser.services.retention import PRIORITY, RETENTION


class Keeping:
    """Event loop's thread."""

    def __init__(self, database: Database, jobs: Jobs, *, clock: Clock) -> None:
        self._database = database
        self._jobs = jobs
        self._clock = clock

    async def pin(self, artifact_id: ArtifactId, *, pinned: bool, by: Actor) -> None:
        """Have an artifact, and what tells of it, kept whatever its age; or no more.

        Raises:
            NotFound: there is none, or not for them.
        """
        action = "artifact.pinned" if pinned else "artifact.unpinned"
        made = entry(by, action, artifact_id, clock=self._clock)

        def pin(tx: Transaction) -> None:
            if _no_backup(tx.within(by.scope), artifact_id).pinned == pinned:
                return
            tx.artifacts.pin(artifact_id, pinned=pinned)
            tx.audit.add(made)

        await self._database.write(pin)

    async def is_pinned(self, artifact_id: ArtifactId, *, within: Scope) -> bool:
        """Raises: NotFound."""
        artifact = await self._database.read(lambda tx: _no_backup(tx.within(within), artifact_id))
        return artifact.pinned

    async def remove_old(self, *, by: Actor) -> JobId:
        """Add a job that removes now what it would remove tonight."""
        made = entry(by, "retention.asked", RETENTION, clock=self._clock)
        await self._database.write(lambda tx: tx.audit.add(made))
        return await self._jobs.submit(RETENTION, {}, priority=PRIORITY)


def _no_backup(tx: Transaction, artifact_id: ArtifactId) -> Artifact:
    """Look an artifact up. Raises: NotFound: there is none, or it is a backup, which is kept for a day."""
    found = tx.artifacts.get(artifact_id)
    if found.media_type == BACKUP_TYPE:
        raise NotFound("There is no artifact with this id.")
    return found
