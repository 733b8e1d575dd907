"""Brings a backup back: all of it is read and proved, then made ready beside what is there.

Nothing here changes what the program works with now, but for objects, which are only ever added: under names
that are free, and noted as garbage of the old database first, so that a restore that ends half-way leaves
nothing behind.
"""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from glimpser.core import failpoints
from glimpser.core.errors import InvalidInput
from glimpser.core.events import Artifact
from glimpser.core.ids import ArtifactId
from glimpser.core.keys import is_key
from glimpser.core.ports import Database, ObjectStore
from glimpser.core.repositories import Transaction
from glimpser.services.backing_up import all_artifacts
from glimpser.services.backup_archive import (
    DATABASE,
    MANIFEST,
    OBJECTS,
    SECRETS,
    Head,
    Part,
    Prover,
    read_head,
    read_parts,
)
from glimpser.services.integrity import hash_of
from glimpser.services.job_kinds import Progress

SEEN = "seen.jsonl"
_MAX_SECRETS_BYTES = 1 << 28
_BATCH = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What a backup holds, as far as it was proved: every byte is what was written."""

    head: Head
    objects: int
    has_secrets: bool


def check_archive(archive: IO[bytes], scratch: Path) -> Checked:
    """Read all of a backup, and write its database and secrets to an empty directory. Blocks.

    Raises:
        InvalidInput: it is none, was changed, or is not whole.
    """
    head = read_head(archive)
    has_secrets, objects = False, 0
    with (scratch / SEEN).open("x+b") as seen:
        prover = Prover(seen)
        for part in read_parts(archive):
            if part.name == MANIFEST:
                prover.prove(part)
            elif part.name in (DATABASE, SECRETS):
                has_secrets = has_secrets or part.name == SECRETS
                _extract(prover, part, scratch / part.name)
            else:
                objects += part.name.startswith(OBJECTS)
                prover.copy(part)
    if not (scratch / DATABASE).exists():
        raise InvalidInput("The backup holds no database.")
    if objects and not head.with_artifacts:
        raise InvalidInput("The backup contradicts itself: it says that it holds no stored objects.")
    return Checked(head=head, objects=objects, has_secrets=has_secrets)


def _extract(prover: Prover, part: Part, target: Path) -> None:
    if part.name == SECRETS and part.size_bytes > _MAX_SECRETS_BYTES:
        raise InvalidInput("The backup's secrets are larger than any are.")
    target.touch(mode=0o600, exist_ok=False)
    with target.open("wb") as file:
        prover.copy(part, file)


async def check_rows(database: Database, scratch: Path) -> None:
    """Prove that the database holds together, and that every object of the archive is what its row says.

    Raises:
        InvalidInput: that is not so.
    """
    faults = await database.verify()
    if faults:
        raise InvalidInput(f"The backup's database is damaged: {faults[0].detail}")
    rows = all_artifacts(database)
    with (scratch / SEEN).open("rb") as seen:
        for name, size_bytes, sha256 in _objects(seen):
            row = await _row_of(name, rows)
            if row is None or (row.size_bytes, row.sha256) != (size_bytes, sha256):
                raise InvalidInput(f"The backup contradicts itself: its database knows no such {name}.")


def _objects(seen: IO[bytes]) -> Iterator[tuple[str, int, str]]:
    for line in seen:
        values = json.loads(line)
        if values["name"].startswith(OBJECTS):
            yield values["name"], values["size_bytes"], values["sha256"]


async def _row_of(name: str, rows: AsyncIterator[Artifact]) -> Artifact | None:
    """Find the row of an object; both come in the order of their ids."""
    wanted = name.removeprefix(OBJECTS)
    async for row in rows:
        if row.id >= wanted:
            return row if row.id == wanted else None
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where objects go. `bases` are what URIs of objects there may begin with, the first those of new ones.

    `note` writes down in the old database that an object is about to be written that nothing names. Blocks.
    """

    store: ObjectStore
    bases: Sequence[str]
    note: Callable[[Sequence[str]], None]


class ObjectRestore:
    """Puts the objects of a backup into the store, and has the rows of its database name them there."""

    def __init__(self, database: Database, place: Place, head: Head) -> None:
        self._database = database
        self._place = place
        self._bases = sorted(head.bases, key=len, reverse=True)

    async def follow(self) -> None:
        """Have all rows name this store where they name the one that was backed up."""
        after: ArtifactId | None = None
        while rows := await self._after(after):
            moved = {row.id: uri for row in rows if (uri := self._uri_here(row.uri)) not in (None, row.uri)}
            if moved:
                await self._rename({name: str(uri) for name, uri in moved.items()})
            after = rows[-1].id

    async def put_all(self, archive: IO[bytes], total: int, progress: Progress) -> Counter[str]:
        """Put the objects of an archive that was checked; counts those `stored` and those `there` already.

        Raises:
            InvalidInput: the archive was changed since it was checked.
            Unavailable: the store or its disk cannot take it.
        """
        counts: Counter[str] = Counter(stored=0, there=0)
        rows = all_artifacts(self._database)
        parts = read_parts(archive)
        while (part := await asyncio.to_thread(next, parts, None)) is not None:
            if not part.name.startswith(OBJECTS):
                continue
            row = await _row_of(part.name, rows)
            if row is None:
                raise InvalidInput("The backup was changed while it was restored.")
            counts[await self._put(part, row)] += 1
            await progress.report(counts.total() / max(total, 1), f"object {counts.total()} of {total}")
        return counts

    async def _put(self, part: Part, row: Artifact) -> str:
        store = self._place.store
        if await hash_of(store, row.uri) == row.sha256:
            return "there"
        key = await self._free_key(row)
        uri = f"{self._place.bases[0]}{key}"
        await asyncio.to_thread(self._place.note, [uri])
        await asyncio.to_thread(failpoints.hit, "restore.before_object")
        stored = await store.put(key, _pieces(part), content_type=row.media_type)
        await asyncio.to_thread(failpoints.hit, "restore.object_stored")
        if stored.sha256 != row.sha256:
            raise InvalidInput("The backup was changed while it was restored.")
        if stored.uri != row.uri:
            await self._rename({row.id: stored.uri})
        return "stored"

    async def _free_key(self, row: Artifact) -> str:
        """Give the key of a row's URI, or another one where something else lies under it."""
        key = self._key_of(row.uri) or f"artifacts/restored/{row.id}"
        if await hash_of(self._place.store, f"{self._place.bases[0]}{key}") is None:
            return key
        stem, _, ending = key.rpartition("/")
        return f"{stem}/{row.sha256[:16]}-{ending}"

    def _key_of(self, uri: str) -> str | None:
        for base in (*self._place.bases, *self._bases):
            if uri.startswith(base) and is_key(uri.removeprefix(base)):
                return uri.removeprefix(base)
        return None

    def _uri_here(self, uri: str) -> str | None:
        """Say where an object lies in this store; None if it is not said which part of the URI is its key."""
        if any(uri.startswith(base) for base in self._place.bases):
            return uri
        key = self._key_of(uri)
        return None if key is None else f"{self._place.bases[0]}{key}"

    async def _after(self, after: ArtifactId | None) -> Sequence[Artifact]:
        return await self._database.read(lambda tx: tx.artifacts.after(after, _BATCH))

    async def _rename(self, uris: dict[ArtifactId, str]) -> None:
        def rename(tx: Transaction) -> None:
            for artifact_id, uri in uris.items():
                tx.artifacts.set_uri(artifact_id, uri)

        await self._database.write(rename)


async def _pieces(part: Part) -> AsyncIterator[bytes]:
    while piece := await asyncio.to_thread(part.read):
        yield piece
