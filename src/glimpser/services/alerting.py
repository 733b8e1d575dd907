"""Recording what happened: the picture first, then everything that follows from it in one transaction."""

from collections.abc import AsyncIterator
from dataclasses import replace

import structlog

from glimpser.core import failpoints
from glimpser.core.clock import Clock
from glimpser.core.errors import Unavailable
from glimpser.core.events import Artifact, Event, Observation
from glimpser.core.frames import Frame
from glimpser.core.ids import ArtifactId, new_id
from glimpser.core.keys import artifact_key
from glimpser.core.ports import Database, ObjectStore
from glimpser.core.repositories import Transaction

_log = structlog.get_logger(__name__)


class Alerting:
    """Stores events with their pictures."""

    def __init__(self, database: Database, store: ObjectStore, clock: Clock) -> None:
        self._database = database
        self._store = store
        self._clock = clock

    async def store_picture(self, frame: Frame) -> Artifact:
        """Store a picture durably, to be named by a row that is written next.

        Raises:
            Unavailable: the store cannot take it now; nothing is left behind.
        """
        now = self._clock.now()
        artifact_id = ArtifactId(new_id())
        key = artifact_key(artifact_id, "jpg", now)
        stored = await self._store.put(key, _once(frame.jpeg), content_type="image/jpeg")
        failpoints.hit("event.picture_stored")
        return Artifact(
            id=artifact_id,
            uri=stored.uri,
            media_type="image/jpeg",
            size_bytes=stored.size_bytes,
            sha256=stored.sha256,
            width=frame.width,
            height=frame.height,
            created_at=now,
        )

    async def record(self, event: Event, picture: Artifact | None, *, is_new: bool) -> Event:
        """Write an event, or what is new of it; a new picture takes the place of the one before.

        Raises:
            Unavailable: the database cannot take it now; nothing was written.
        """
        written = replace(event, artifact_id=picture.id) if picture else event
        await self._database.write(lambda tx: _write(tx, written, picture, is_new=is_new))
        if picture and event.artifact_id:
            await self._sweep_garbage()
        return written

    async def _sweep_garbage(self) -> None:
        """Delete the objects whose rows are gone. What cannot be deleted now is swept another time."""
        try:
            uris = await self._database.read(lambda tx: tx.garbage.list(100))
            for uri in uris:
                await self._store.delete(uri)
            await self._database.write(lambda tx: tx.garbage.forget(uris))
        except Unavailable as error:  # the event was written, so this must not look like a failure of that
            _log.info("alerting.garbage_stays", reason=error.detail)


def _write(tx: Transaction, event: Event, picture: Artifact | None, *, is_new: bool) -> None:
    if picture:
        tx.artifacts.add(picture)
    if is_new:
        tx.events.add(event)
    else:
        before = tx.events.get(event.id).artifact_id
        tx.events.update(event)
        if picture and before and before != picture.id:
            tx.artifacts.remove(before)
    if event.ended_at is not None:
        tx.observations.add(_observation(event))
    failpoints.hit("event.before_commit")


def _observation(event: Event) -> Observation:
    """Keep the number behind the event, so that later rules can be tried on it."""
    score = event.metadata.get("score")
    return Observation(
        id=new_id(),
        template_id=event.template_id,
        name=event.kind,
        observed_at=event.peak_at or event.started_at,
        value=float(score) if isinstance(score, int | float) else None,
        data={"boxes": event.metadata.get("boxes", [])},
        event_id=event.id,
        artifact_id=event.artifact_id,
    )


async def _once(data: bytes) -> AsyncIterator[bytes]:
    yield data
