"""Recording what happened: the picture first, then everything that follows from it in one transaction.

An event, the alerts it makes, their deliveries and the jobs that send them are committed together or not at
all. So whoever is to be told is told, whatever happens to the program.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import timedelta

from glimpser.core import failpoints
from glimpser.core.accounts import Scope
from glimpser.core.alerts import DELIVER, Alert, AlertFilter
from glimpser.core.clock import Clock
from glimpser.core.errors import Conflict
from glimpser.core.events import Artifact, Event, Level, Observation
from glimpser.core.frames import Frame
from glimpser.core.ids import AlertId, ArtifactId, new_id
from glimpser.core.keys import artifact_key
from glimpser.core.pages import Page, PageRequest
from glimpser.core.ports import Database, JobQueue, ObjectStore
from glimpser.core.repositories import Transaction
from glimpser.services.alert_making import decide, delivery_job
from glimpser.services.audit import Actor, entry
from glimpser.services.notices import AlertNotice, Publish, say_nothing

SUPERSEDED_FOR = timedelta(minutes=1)
"""How long a picture can still be read after a better one took its place."""


Along = Callable[[Transaction], None]


def nothing_along(_tx: Transaction) -> None:
    """Stand in where an event comes alone."""


class Alerting:
    """Stores events with their pictures, and alerts. Event loop's thread."""

    def __init__(
        self,
        database: Database,
        store: ObjectStore,
        queue: JobQueue,
        *,
        clock: Clock,
        min_level: Level = Level.ERROR,
        publish: Publish = say_nothing,
    ) -> None:
        """`min_level` is that of events which make an alert without any rule."""
        self._database = database
        self._store = store
        self._queue = queue
        self._clock = clock
        self._min_level = min_level
        self._publish = publish

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
            template_id=frame.template_id,
        )

    async def record(
        self, event: Event, picture: Artifact | None, *, is_new: bool, along: Along = nothing_along
    ) -> Event:
        """Write an event, or what is new of it, and all alerts it makes.

        A new picture takes the place of the one before. That can still be read for a minute, because pages
        show it; for good if somebody has been sent a link to it. `along` writes what belongs to the event,
        in the same transaction, after the picture.

        Raises:
            Unavailable: the database cannot take it now; nothing was written.
        """
        written = replace(event, artifact_id=picture.id) if picture else event

        def write(tx: Transaction) -> list[Alert]:
            made = self._write(tx, written, picture, is_new=is_new)
            along(tx)
            return made

        made = await self._database.write(write)
        await asyncio.to_thread(failpoints.hit, "alert.committed")
        if made:
            self._queue.announce(DELIVER)
        for alert in made:
            self._publish(AlertNotice(alert))
        return written

    async def alerts(self, where: AlertFilter, page: PageRequest, *, within: Scope) -> Page[Alert]:
        """Give a page of alerts, newest first."""
        return await self._database.read(lambda tx: tx.within(within).alerts.list(where, page))

    async def alert(self, alert_id: AlertId, *, within: Scope) -> Alert:
        """Raises: NotFound."""
        return await self._database.read(lambda tx: tx.within(within).alerts.get(alert_id))

    async def acknowledge(self, alert_id: AlertId, *, by: Actor) -> Alert:
        """Say that somebody has seen it; the first to say so is remembered.

        Raises:
            NotFound: there is no such alert, or not for them.
        """
        now = self._clock.now()
        made = entry(by, "alert.acknowledged", alert_id, clock=self._clock)

        def acknowledge(tx: Transaction) -> tuple[Alert, bool]:
            alert = tx.within(by.scope).alerts.get(alert_id)
            if alert.state != "open":
                return alert, False
            seen = replace(alert, state="acknowledged", acked_by=by.name, acked_at=now)
            tx.alerts.set_state(seen)
            tx.audit.add(made)
            return seen, True

        alert, has_changed = await self._database.write(acknowledge)
        if has_changed:
            self._publish(AlertNotice(alert))
        return alert

    async def retry(self, alert_id: AlertId, *, by: Actor) -> Alert:
        """Try the deliveries again that had been given up. Doing it twice, or at once, tries them once.

        Raises:
            NotFound: there is no such alert.
        """
        now = self._clock.now()
        made = entry(by, "alert.retried", alert_id, clock=self._clock)

        def retry(tx: Transaction) -> tuple[Alert, bool]:
            alert = tx.within(by.scope).alerts.get(alert_id)
            dead = [delivery for delivery in alert.deliveries if delivery.status == "dead"]
            for delivery in dead:
                tx.deliveries.update(replace(delivery, status="pending", next_attempt_at=now))
                tx.jobs.add(delivery_job(delivery, alert.template_id, now, key=None))
            if dead:
                tx.audit.add(made)
            return tx.alerts.get(alert_id), bool(dead)

        alert, has_changed = await self._database.write(retry)
        if has_changed:
            self._queue.announce(DELIVER)
            self._publish(AlertNotice(alert))
        return alert

    def _write(self, tx: Transaction, event: Event, picture: Artifact | None, *, is_new: bool) -> list[Alert]:
        if picture:
            tx.artifacts.add(picture)
        before = None if is_new else tx.events.get(event.id).artifact_id
        if is_new:
            tx.events.add(event)
        else:
            tx.events.update(event)
        if event.ended_at is not None and "score" in event.metadata:
            tx.observations.add(_observation(event))
        decided = decide(tx, event, min_level=self._min_level, now=self._clock.now())
        made = [alert for alert in decided.alerts if _add(tx, alert)]
        if picture and before and before != picture.id and not decided.was_told:
            tx.artifacts.expire(before, self._clock.now() + SUPERSEDED_FOR)
        failpoints.hit("event.before_commit")
        if made:
            failpoints.hit("alert.before_commit")
        return made


def _add(tx: Transaction, alert: Alert) -> bool:
    """Write an alert and the jobs that deliver it; False when another worker has made the same one."""
    try:
        tx.alerts.add(alert)
    except Conflict:
        return False
    for delivery in alert.deliveries:
        key = delivery.idempotency_key
        tx.jobs.add(delivery_job(delivery, alert.template_id, alert.created_at, key=key))
    return True


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
