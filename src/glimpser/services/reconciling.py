"""After a restore: rows and store are made to agree, and nothing is deleted that the old database named."""

import mimetypes
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeVar

from glimpser.core.backups import BACKUP_TYPE
from glimpser.core.errors import NotFound
from glimpser.core.events import Artifact
from glimpser.core.ids import ArtifactId, new_id
from glimpser.core.keys import ARTIFACTS
from glimpser.core.ports import Database, ObjectStore, StoredEntry
from glimpser.core.repositories import Transaction
from glimpser.services.integrity import hash_of, side_by_side
from glimpser.services.recovery import unknown as unnamed_of

T = TypeVar("T")

KEPT_FOR = timedelta(days=7)
"""How long objects stay that only the old database knew: time to find out that the restore was a mistake."""
_BATCH = 200
_UNKNOWN_TYPE = "application/octet-stream"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciled:
    """`removed` rows had no object; `adopted` objects had no row and are kept for a while."""

    removed: int
    adopted: int


async def reconcile(
    database: Database, store: ObjectStore, former: Database | None, *, now: datetime
) -> Reconciled:
    """Remove the rows whose object is not in the store, and give every object without a row one with an end.

    What `former`, the database of before, says of such an object is taken over; else it is read and hashed.

    Raises:
        Unavailable: the store is away.
    """
    missing: list[ArtifactId] = []
    unknown: list[StoredEntry] = []
    async for row, entry in side_by_side(database, store):
        if row is not None and entry is None:
            missing.append(row.id)
        elif row is None and entry is not None and entry.key.startswith(ARTIFACTS):
            unknown.append(entry)
    unknown = [entry for batch in _batches(unknown) for entry in await _unnamed(database, batch)]
    for batch in _batches(missing):
        await database.write(lambda tx, batch=batch: _remove(tx, batch))  # type: ignore[misc]
    known = await _rows_of(former, {entry.uri for entry in unknown}) if former and unknown else {}
    for entries in _batches(unknown):
        rows = [await _adopted(store, entry, known.get(entry.uri), now) for entry in entries]
        await database.write(lambda tx, rows=rows: _add(tx, rows))  # type: ignore[misc]
    return Reconciled(removed=len(missing), adopted=len(unknown))


async def _unnamed(database: Database, entries: Sequence[StoredEntry]) -> Sequence[StoredEntry]:
    """Leave out what is garbage already: it is deleted soon."""
    uris = set(await unnamed_of(database, [entry.uri for entry in entries]))
    return [entry for entry in entries if entry.uri in uris]


async def _rows_of(former: Database, uris: set[str]) -> Mapping[str, Artifact]:
    found: dict[str, Artifact] = {}
    last = ""
    while rows := await _after_uri(former, last):
        found |= {row.uri: row for row in rows if row.uri in uris}
        last = rows[-1].uri
    return found


async def _after_uri(former: Database, uri: str) -> Sequence[Artifact]:
    return await former.read(lambda tx: tx.artifacts.after_uri(uri, _BATCH))


async def _adopted(store: ObjectStore, entry: StoredEntry, known: Artifact | None, now: datetime) -> Artifact:
    end = now + KEPT_FOR
    if known is not None:
        return replace(known, expires_at=min(known.expires_at or end, end))
    return Artifact(
        id=ArtifactId(new_id()),
        uri=entry.uri,
        media_type=_type_of(entry.key),
        size_bytes=entry.size_bytes,
        sha256=await hash_of(store, entry.uri) or "",
        width=None,
        height=None,
        created_at=now,
        expires_at=end,
    )


def _type_of(key: str) -> str:
    """Guess a type by the ending. Whatever may be a backup is one, so that it stays with the admins."""
    return BACKUP_TYPE if key.endswith(".tar") else mimetypes.guess_type(key)[0] or _UNKNOWN_TYPE


def _remove(tx: Transaction, ids: Sequence[ArtifactId]) -> None:
    for artifact_id in ids:
        tx.artifacts.remove(artifact_id)


def _add(tx: Transaction, rows: Sequence[Artifact]) -> None:
    """Add rows; of one whose id is taken, because the backup's object lies elsewhere, under another."""
    for row in rows:
        is_taken = False
        with suppress(NotFound):
            tx.artifacts.get(row.id)
            is_taken = True
        tx.artifacts.add(replace(row, id=ArtifactId(new_id())) if is_taken else row)


def _batches(items: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), _BATCH):
        yield items[start : start + _BATCH]
