"""Reading what was captured and what happened."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress

from glimpser.core.accounts import Scope
from glimpser.core.backups import BACKUP_TYPE
from glimpser.core.errors import NotFound
from glimpser.core.events import Artifact, Capture, Event, EventFilter, EventLine
from glimpser.core.ids import ArtifactId, CaptureId, EventId, TemplateId
from glimpser.core.pages import Page, PageRequest
from glimpser.core.ports import Database, ObjectStore
from glimpser.core.repositories import Transaction

Uris = Mapping[ArtifactId, str]


class History:
    """Captures, events, artifacts: read only, and only what lies `within` the reader's scope."""

    def __init__(self, database: Database, store: ObjectStore) -> None:
        self._database = database
        self._store = store

    async def events(self, where: EventFilter, page: PageRequest, *, within: Scope) -> Page[EventLine]:
        return await self._database.read(lambda tx: tx.within(within).events.lines(where, page))

    async def event(self, event_id: EventId, *, within: Scope) -> Event:
        """Raises: NotFound."""
        return await self._database.read(lambda tx: tx.within(within).events.get(event_id))

    async def captures(
        self, template_id: TemplateId | None, page: PageRequest, *, within: Scope
    ) -> tuple[Page[Capture], Uris]:
        """Give a page and where the artifacts of its captures are stored."""

        def read(tx: Transaction) -> tuple[Page[Capture], Uris]:
            found = tx.within(within).captures.list(template_id, page)
            return found, _uris(tx, found.items)

        return await self._database.read(read)

    async def capture(self, capture_id: CaptureId, *, within: Scope) -> tuple[Capture, Uris]:
        """Raises: NotFound."""

        def read(tx: Transaction) -> tuple[Capture, Uris]:
            found = tx.within(within).captures.get(capture_id)
            return found, _uris(tx, [found])

        return await self._database.read(read)

    async def artifact(self, artifact_id: ArtifactId, *, within: Scope) -> Artifact:
        """Raises: NotFound: there is none, not for them, or it is a backup, which is read another way."""
        found = await self._database.read(lambda tx: tx.within(within).artifacts.get(artifact_id))
        if found.media_type == BACKUP_TYPE:
            raise NotFound("There is no artifact with this id.")
        return found

    def content(self, artifact: Artifact, *, start: int, end: int) -> AsyncIterator[bytes]:
        """Read the bytes from `start` (inclusive) to `end` (exclusive). Raises: NotFound."""
        return self._store.get(artifact.uri, start=start, end=end)


def _uris(tx: Transaction, captures: Sequence[Capture]) -> Uris:
    """Look the artifacts up; one that retention has taken is left out."""
    uris: dict[ArtifactId, str] = {}
    for artifact_id in {capture.artifact_id for capture in captures if capture.artifact_id is not None}:
        with suppress(NotFound):
            uris[artifact_id] = tx.artifacts.get(artifact_id).uri
    return uris
