"""Makes a backup while the program runs and writes: one moment of the database, and what its rows name.

The database is copied first. What retention takes from the store after that is left out, as is whatever is
not what its row says: a backup holds nothing that could not be restored.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from contextlib import AbstractAsyncContextManager, aclosing
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Literal, Protocol

import structlog

from glimpser.core import failpoints
from glimpser.core.clock import Clock
from glimpser.core.errors import NotFound, Unavailable
from glimpser.core.events import Artifact
from glimpser.core.ids import ArtifactId
from glimpser.core.ports import Database, ObjectStore
from glimpser.services.backup_archive import DATABASE, HEAD, OBJECTS, SECRETS, ArchiveWriter, Head
from glimpser.services.backup_rows import Kinds, Secrets, take_secrets
from glimpser.services.backup_secrets import seal
from glimpser.services.job_kinds import Progress

_log = structlog.get_logger(__name__)

_BATCH = 200

SecretsState = Literal["none", "sealed", "left out"]
"""none: no view and no channel has any."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a backup is to hold. Without a passphrase the secrets of views and channels are left out."""

    with_artifacts: bool = False
    passphrase: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class BackedUp:
    """What became of it: `missing` and `damaged` count artifacts that could not be put in."""

    size_bytes: int
    with_artifacts: bool
    artifacts: int
    missing: int
    damaged: int
    secrets: SecretsState


class Copies(Protocol):
    """Makes copies of the database, and opens them."""

    def copy(self, target: Path) -> str:
        """Copy the database to a new file, at this version's revision, which it gives; without what opens
        doors and without earlier backups. Blocks. Raises: Unavailable.
        """
        ...

    def compact(self, source: Path, target: Path) -> None:
        """Copy a copy, so that nothing is left in it of what was deleted. Blocks. Raises: Unavailable."""
        ...

    def open(self, path: Path) -> AbstractAsyncContextManager[Database]:
        """Open a copy."""
        ...


class BackupMaker:
    """Event loop's thread. `bases` are what the URIs of the store's objects may begin with."""

    def __init__(
        self,
        copies: Copies,
        store: ObjectStore,
        kinds: Kinds,
        *,
        bases: Sequence[str],
        clock: Clock,
        version: str,
    ) -> None:
        self._copies = copies
        self._store = store
        self._kinds = kinds
        self._bases = bases
        self._clock = clock
        self._version = version

    async def write(self, wanted: Wanted, target: IO[bytes], scratch: Path, progress: Progress) -> BackedUp:
        """Write a backup to an empty file, opened for reading and writing; `scratch` is an empty directory.

        Raises:
            InvalidInput: the passphrase is too short.
            Unavailable: database or store are away, or a disk is full.
        """
        try:
            return await self._write(wanted, target, scratch, progress)
        except OSError as error:
            raise Unavailable(f"The backup cannot be written: {error.strerror}.") from error

    async def _write(self, wanted: Wanted, target: IO[bytes], scratch: Path, progress: Progress) -> BackedUp:
        await progress.report(None, "database")
        raw = scratch / "raw.db"
        revision = await asyncio.to_thread(self._copies.copy, raw)
        await asyncio.to_thread(failpoints.hit, "backup.copied")
        with (scratch / "manifest").open("x+b") as manifest:
            writer = ArchiveWriter(target, manifest)
            async with self._copies.open(raw) as database:
                secrets = await take_secrets(database, self._kinds)
                head = Head(
                    version=self._version,
                    revision=revision,
                    created_at=self._clock.now().isoformat().replace("+00:00", "Z"),
                    with_artifacts=wanted.with_artifacts,
                    bases=list(self._bases),
                    views=list(secrets.views),
                    channels=list(secrets.channels),
                )
                sealed = await _sealed(secrets, wanted.passphrase)
                await asyncio.to_thread(self._add_first, writer, head, sealed, raw)
                counts = Counter[str]()
                if wanted.with_artifacts:
                    counts = await self._add_objects(writer, database, progress)
            size_bytes = await asyncio.to_thread(writer.finish)
        _log.info("backup.made", size_bytes=size_bytes, **counts)
        return BackedUp(
            size_bytes=size_bytes,
            with_artifacts=wanted.with_artifacts,
            artifacts=counts["artifacts"],
            missing=counts["missing"],
            damaged=counts["damaged"],
            secrets=_state(secrets, sealed),
        )

    def _add_first(self, writer: ArchiveWriter, head: Head, sealed: bytes | None, raw: Path) -> None:
        """Add what comes before the objects. Blocks."""
        writer.add(HEAD, head.as_bytes())
        whole = raw.with_name(DATABASE)
        self._copies.compact(raw, whole)
        with whole.open("rb") as source:
            writer.add_file(DATABASE, source, whole.stat().st_size)
        whole.unlink()
        if sealed is not None:
            writer.add(SECRETS, sealed)

    async def _add_objects(
        self, writer: ArchiveWriter, database: Database, progress: Progress
    ) -> Counter[str]:
        total = (await database.read(lambda tx: tx.counts.all()))["artifacts"]
        counts: Counter[str] = Counter()
        async with aclosing(all_artifacts(database)) as artifacts:
            async for artifact in artifacts:
                outcome = await self._add_object(writer, artifact)
                counts[outcome] += 1
                if outcome != "artifacts":
                    _log.warning("backup.left_out", artifact_id=artifact.id, reason=outcome)
                done = counts.total()
                await progress.report(done / max(total, 1), f"picture {done} of {total}")
        return counts

    async def _add_object(self, writer: ArchiveWriter, artifact: Artifact) -> str:
        """Copy an object into the archive; says whether it was there, and what its row says."""
        name = f"{OBJECTS}{artifact.id}"
        await asyncio.to_thread(failpoints.hit, "backup.object")
        await asyncio.to_thread(writer.begin, name, artifact.size_bytes)
        try:
            async for piece in self._store.get(artifact.uri):
                await asyncio.to_thread(writer.write, piece)
        except NotFound:
            await asyncio.to_thread(writer.take_back)
            return "missing"
        is_whole = await asyncio.to_thread(writer.end, name, sha256=artifact.sha256)
        return "artifacts" if is_whole else "damaged"


async def _sealed(secrets: Secrets, passphrase: str | None) -> bytes | None:
    if passphrase is None:
        return None
    return await asyncio.to_thread(seal, secrets.as_bytes(), passphrase)


def _state(secrets: Secrets, sealed: bytes | None) -> SecretsState:
    if not (secrets.views or secrets.channels):
        return "none"
    return "left out" if sealed is None else "sealed"


async def all_artifacts(database: Database) -> AsyncGenerator[Artifact, None]:
    """Give all in the order of their ids."""
    after: ArtifactId | None = None
    while batch := await _artifacts_after(database, after):
        for artifact in batch:
            yield artifact
        after = batch[-1].id


async def _artifacts_after(database: Database, after: ArtifactId | None) -> Sequence[Artifact]:
    return await database.read(lambda tx: tx.artifacts.after(after, _BATCH))
