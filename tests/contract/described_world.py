"""The web server with something of everything in it, for a client that knows only the description."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import simplejpeg

from glimpser.capture.ffmpeg import camera_kind
from glimpser.core.accounts import ApiKey, Role, User
from glimpser.core.alerts import Alert, Channel, Delivery, Notification, Receipt
from glimpser.core.backups import BACKUP_TYPE
from glimpser.core.channel_kinds import ChannelKind
from glimpser.core.events import Artifact, Capture, Event, Level
from glimpser.core.exports import Export
from glimpser.core.ids import (
    AlertId,
    ApiKeyId,
    ArtifactId,
    CaptureId,
    ChannelId,
    DeliveryId,
    EventId,
    ExportId,
    JobId,
    StreamTicketId,
    TemplateId,
    UserId,
)
from glimpser.core.jobs import Job
from glimpser.core.repositories import Transaction
from glimpser.core.stream_tickets import StreamTicket
from glimpser.core.templates import Template, TemplateSettings
from glimpser.notify import webhook
from glimpser.web.server import WebServer, listen
from glimpser.web.wiring import WebSettings
from tests.web_world import World, open_world

CAMERA = camera_kind(None)

# The names of what is there, which schemathesis.toml knows too. Of those that are removed there are some.
TEMPLATE = TemplateId("01JDTEMP0000000000000000AA")
CHANNEL = ChannelId("01JDCHAN0000000000000000AA")
EVENT = EventId("01JDEVNT0000000000000000AA")
CAPTURE = CaptureId("01JDCAPT0000000000000000AA")
ARTIFACT = ArtifactId("01JDARTF0000000000000000AA")
BACKUP = ArtifactId("01JDBACKVP00000000000000AA")
ALERT = AlertId("01JDARTT0000000000000000AA")
USER = UserId("01JDVSER0000000000000000AA")
JOB = JobId("01JDJ0B00000000000000000AA")
EXPORTS = tuple(ExportId(f"01JDEXP0RT000000000000000{last}") for last in "AB")
SCHEDULED = TemplateId("01JDSCHED000000000000000AA")
SPARE = tuple(f"01JDSPARE000000000000000A{digit}" for digit in range(4))

WEBHOOK = {
    "webhook": ChannelKind(
        name="webhook",
        title="Webhook",
        description="As the real one, but nothing is sent.",
        schema=webhook.WebhookConfig.model_json_schema(),
        parse=webhook.parse,
        build=lambda _config: Accepting(),
        secrets=frozenset({"secret", "headers"}),
    )
}
PICTURE = bytes(simplejpeg.encode_jpeg(np.full((8, 16, 3), 120, np.uint8)))
WATCHED_S = 0.02
"""So long a stream lasts here: whoever knows only the description waits for its end."""


class Accepting:
    async def send(self, notification: Notification) -> Receipt:
        return Receipt("taken")


@asynccontextmanager
async def serve(directory: Path) -> AsyncIterator[tuple[World, str, Mapping[str, str]]]:
    """Give the world, the server's address, and in the client's environment the tokens of two admins: one
    stays, the other is there to sign out.
    """
    settings = WebSettings(version="1.2.3", static_dir=directory)
    async with (
        open_world(directory, settings, kinds={CAMERA.name: CAMERA}, channel_kinds=WEBHOOK) as world,
        asyncio.TaskGroup() as tasks,
    ):
        await _fill(world)
        tokens = [(await world.sign_in())["Authorization"].split()[1] for _ in range(2)]
        listener = listen("127.0.0.1", 0)
        server = WebServer(world.app, listener, ending=world.services.ending)
        serving = tasks.create_task(server.serve())
        ending = tasks.create_task(_end_streams(world))
        try:
            environment = dict(zip(("GLIMPSER_TOKEN", "GLIMPSER_SPENT_TOKEN"), tokens, strict=True))
            yield world, f"http://127.0.0.1:{server.port}", environment
        finally:
            ending.cancel()
            server.stop()
            await serving


async def _pieces(content: bytes) -> AsyncIterator[bytes]:
    yield content


async def _end_streams(world: World) -> None:
    while True:
        await asyncio.sleep(WATCHED_S)
        world.live.hub.end_all()


async def _backup(world: World, artifact_id: ArtifactId) -> Artifact:
    stored = await world.store.put(f"artifacts/{artifact_id}", _pieces(b"all"), content_type=BACKUP_TYPE)
    return Artifact(
        id=artifact_id,
        uri=stored.uri,
        media_type=BACKUP_TYPE,
        size_bytes=stored.size_bytes,
        sha256=stored.sha256,
        width=None,
        height=None,
        created_at=world.clock.now(),
    )


async def _fill(world: World) -> None:
    """Leave a view with a picture, what it captured, and an event that told somebody in vain."""
    backups = [await _backup(world, ArtifactId(name)) for name in (BACKUP, *SPARE)]
    stored = await world.store.put(f"artifacts/{ARTIFACT}", _pieces(PICTURE), content_type="image/jpeg")
    world.live.frames[TEMPLATE] = world.frame(TEMPLATE)
    now = world.clock.now()
    config = CAMERA.parse({"url": "rtsp://192.0.2.20/stream1"})
    settings = TemplateSettings(name="Door", kind=CAMERA.name, config=config)
    templates = [
        Template(id=TemplateId(name), settings=settings, version=1, created_at=now, updated_at=now)
        for name in (TEMPLATE, *SPARE)
    ]
    hourly = replace(templates[0], id=SCHEDULED, settings=replace(settings, schedule="@hourly"))
    channels = [
        Channel(
            id=ChannelId(name), name="Ann", kind="fake", config={"to": "ann"}, created_at=now, updated_at=now
        )
        for name in (CHANNEL, *SPARE)
    ]
    artifact = Artifact(
        id=ARTIFACT,
        uri=stored.uri,
        media_type="image/jpeg",
        size_bytes=stored.size_bytes,
        sha256=stored.sha256,
        width=None,
        height=None,
        created_at=now,
    )
    capture = Capture(
        id=CAPTURE,
        template_id=TEMPLATE,
        kind="snapshot",
        status="success",
        started_at=now,
        ended_at=now,
        artifact_id=ARTIFACT,
    )
    event = Event(
        id=EVENT,
        template_id=TEMPLATE,
        kind="motion",
        level=Level.ERROR,
        message="Motion: Door",
        metadata={"score": 0.5},
        started_at=now,
        artifact_id=ARTIFACT,
        created_at=now,
    )

    people = [
        User(
            id=UserId(name),
            email=f"{name}@example.org".lower(),
            role=Role.VIEWER,
            password_hash="1:nobody's",
            version=2,  # of which the client knows the one before
            created_at=now,
        )
        for name in (USER, *SPARE)
    ]
    keys = [
        ApiKey(
            id=ApiKeyId(name),
            name="Door",
            role=Role.VIEWER,
            key_hash="0" * 64,
            created_by="Ann",
            created_at=now,
        )
        for name in SPARE
    ]

    tickets = [
        StreamTicket(
            id=StreamTicketId(name),
            template_id=TEMPLATE,
            kind="mjpeg",
            maker_id=USER,
            maker_kind="user",
            maker_epoch=0,
            created_at=now,
            expires_at=now + timedelta(hours=1),
        )
        for name in SPARE
    ]

    films = {name: await world.add_artifact(b"film", "video/mp4") for name in EXPORTS}

    def put(tx: Transaction) -> None:
        for ticket in tickets:
            tx.stream_tickets.add(ticket)
        for user in people:
            tx.users.add(user)
        for key in keys:
            tx.api_keys.add(key)
        for template in (*templates, hourly):
            tx.templates.add(template)
        for channel in channels:
            tx.channels.add(channel)
        for kept in (artifact, *backups):
            tx.artifacts.add(kept)
        tx.captures.add(capture)
        tx.events.add(event)
        tx.alerts.add(_alert(event))
        tx.jobs.add(Job(id=JOB, kind="report", scheduled_for=now, created_at=now))
        for name in map(ExportId, SPARE):
            tx.exports.add(export_of(name, None, now))
        for name, film in films.items():
            tx.exports.add(export_of(name, film.id, now))

    await world.database.write(put)


def export_of(export_id: ExportId, artifact_id: ArtifactId | None, now: datetime) -> Export:
    return Export(
        id=export_id,
        kind="timelapse",
        template_id=TEMPLATE,
        title="Door",
        start=now - timedelta(days=1),
        end=now,
        created_by="Ann",
        created_at=now,
        job_id=JOB,
        status="success" if artifact_id else "failure",
        artifact_id=artifact_id,
    )


def _alert(event: Event) -> Alert:
    delivery = Delivery(
        id=DeliveryId("01JDDVRY0000000000000000AA"),
        alert_id=ALERT,
        channel_id=CHANNEL,
        channel_kind="fake",
        status="dead",
        attempts=8,
        last_error="Nobody is there.",
        idempotency_key="01JDDVRY0000000000000000AA",
    )
    return Alert(
        id=ALERT,
        template_id=TEMPLATE,
        event_id=event.id,
        rule_id=None,
        kind=event.kind,
        level=event.level,
        title="Door: motion",
        body=event.message,
        created_at=event.created_at,
        deliveries=(delivery,),
    )
