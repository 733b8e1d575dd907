"""The job `capture`: what a view gives is kept and told, and so is what it does not give."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from glimpser.core.errors import Rejected, Unavailable
from glimpser.core.events import Capture, Event, EventFilter, Level
from glimpser.core.frames import Frame
from glimpser.core.health import HealthState, Verdict
from glimpser.core.ids import ArtifactId, JobId, TemplateId, new_id
from glimpser.core.jobs import Job
from glimpser.core.kinds import Kind
from glimpser.core.live import MediaInput, Polled
from glimpser.core.pages import PageRequest
from glimpser.core.sources import Shot, ViewFailed
from glimpser.core.templates import Template
from glimpser.db import SqlDatabase
from glimpser.services.capturing import CaptureTells, Capturing
from glimpser.services.feeds import Feeds
from glimpser.services.job_kinds import JobSkipped
from tests.alert_world import AlertWorld, open_alert_world

pytestmark = pytest.mark.anyio

SHOT = Shot(jpeg=b"\xff\xd8page\xff\xd9", width=8, height=6, text="Hello", details={"status": 200})
WALL = Shot(jpeg=b"\xff\xd8wall\xff\xd9", width=8, height=6, details={"status": 403})


class NoProgress:
    async def report(self, share: float | None, step: str | None = None) -> None: ...


@dataclass
class Source:
    """Gives what it is told to."""

    answer: Shot | Exception = SHOT
    gate: asyncio.Event | None = None
    asked: asyncio.Event = field(default_factory=asyncio.Event)

    async def snapshot(self) -> Shot:
        self.asked.set()
        if self.gate:
            await self.gate.wait()
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@dataclass
class Views:
    """Views that run; a recording notes its beginning and its end."""

    clock: object
    seen: list[str] = field(default_factory=list)
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    failure: Unavailable | None = None

    async def snapshot(self, template: Template, *, width: int | None, allow_stale: bool) -> Frame:
        assert (width, allow_stale) == (None, False)
        self.seen.append("snapshot")
        if self.failure:
            raise self.failure
        return Frame(template.id, 5, self.clock.now(), b"\xff\xd8live\xff\xd9", 4, 2)  # type: ignore[attr-defined]

    @asynccontextmanager
    async def recording(self, template: Template) -> AsyncIterator[None]:
        self.seen.append("start")
        self.begun.set()
        yield
        self.seen.append("stop")


@dataclass
class Told:
    shown: list[Frame] = field(default_factory=list)
    verdicts: list[tuple[Verdict, ArtifactId | None]] = field(default_factory=list)
    events: list[str] = field(default_factory=list)

    def judge(
        self, template_id: TemplateId, verdict: Verdict, *, artifact_id: ArtifactId | None = None
    ) -> None:
        self.verdicts.append((verdict, artifact_id))

    def event_recorded(self, template_id: TemplateId, kind: str) -> None:
        self.events.append(kind)


@dataclass
class CaptureWorld:
    alerts: AlertWorld
    source: Source
    views: Views
    told: Told
    capturing: Capturing

    def job(self, **payload: object) -> Job:
        now = self.alerts.clock.now()
        return Job(
            id=JobId(new_id()),
            kind="capture",
            template_id=self.alerts.template_id,
            payload={"action": "snapshot", **payload},
            scheduled_for=now,
            created_at=now,
        )

    async def run(self, job: Job | None = None) -> object:
        return await self.capturing.run(job or self.job(), NoProgress())

    async def set(self, **changes: object) -> None:
        def put(tx: object) -> None:
            templates = tx.templates  # type: ignore[attr-defined] # a transaction
            found = templates.get(self.alerts.template_id)
            settings = replace(found.settings, **changes)
            templates.replace(found.id, settings, expected=found.version, now=self.alerts.clock.now())

        await self.alerts.database.write(put)

    async def captures(self) -> list[Capture]:
        page = await self.alerts.database.read(lambda tx: tx.captures.list(None, PageRequest()))
        return list(page.items)

    async def events(self) -> list[Event]:
        page = await self.alerts.database.read(lambda tx: tx.events.list(EventFilter(), PageRequest()))
        return list(page.items)

    async def content(self, artifact_id: ArtifactId | None) -> bytes:
        assert artifact_id is not None
        known = artifact_id
        found = await self.alerts.database.read(lambda tx: tx.artifacts.get(known))
        return b"".join([piece async for piece in self.alerts.store.get(found.uri)])


@pytest.fixture
async def world(data_dir: Path) -> AsyncIterator[CaptureWorld]:
    async with open_alert_world(data_dir) as alerts:
        source, views, told = Source(), Views(alerts.clock), Told()
        registry = {
            "page": _kind("page", Polled(source=source, key="x", interval_s=60)),
            "camera": _kind("camera", MediaInput(address="rtsp://cam/")),
        }
        capturing = Capturing(
            alerts.database,
            alerts.store,
            alerting=alerts.alerting,
            feeds=Feeds(registry, clock=alerts.clock),
            views=views,
            clock=alerts.clock,
            tells=CaptureTells(
                show=told.shown.append, judge=told.judge, metrics=told, publish=alerts.notices.append
            ),
        )
        made = CaptureWorld(alerts, source, views, told, capturing)
        await made.set(kind="page")
        yield made


def _kind(name: str, feed: Polled | MediaInput) -> Kind:
    return Kind(
        name=name,
        title=name,
        description=name,
        schema={},
        parse=lambda config: config,
        feed=lambda _config: feed,
    )


async def test_a_picture_is_kept_with_its_text_its_row_and_its_event(world: CaptureWorld) -> None:
    result = await world.run()

    [capture], [event] = await world.captures(), await world.events()
    assert (capture.kind, capture.status, capture.details) == ("snapshot", "success", {"status": 200})
    assert await world.content(capture.artifact_id) == SHOT.jpeg
    assert await world.content(capture.text_artifact_id) == b"Hello"
    assert (event.kind, event.level, event.artifact_id) == (
        "capture.finished",
        Level.DEBUG,
        capture.artifact_id,
    )
    assert result == {"capture_id": capture.id, "artifact_id": capture.artifact_id}
    assert [frame.jpeg for frame in world.told.shown] == [SHOT.jpeg]
    assert world.told.verdicts == [(SHOT.verdict, capture.artifact_id)]
    assert await world.alerts.alerts() == []


async def test_a_view_that_fails_leaves_what_was_to_be_seen_instead(world: CaptureWorld) -> None:
    world.source.answer = ViewFailed("A sign-in stands before it.", state=HealthState.BLOCKED, shot=WALL)

    with pytest.raises(Rejected, match="sign-in"):
        await world.run()

    [capture], [event] = await world.captures(), await world.events()
    assert (capture.status, capture.error) == ("failure", "A sign-in stands before it.")
    assert await world.content(capture.artifact_id) == WALL.jpeg
    assert (event.kind, event.level) == ("capture.failed", Level.WARNING)
    assert world.told.verdicts == [
        (Verdict(HealthState.BLOCKED, "A sign-in stands before it."), capture.artifact_id)
    ]
    assert world.told.events == ["capture.failed"]


async def test_what_is_missing_on_our_side_is_no_fault_of_the_view(world: CaptureWorld) -> None:
    world.source.answer = Unavailable("There is no browser on this machine.")

    with pytest.raises(Rejected, match="no browser"):
        await world.run()

    [capture] = await world.captures()
    assert (capture.status, capture.error) == ("failure", "There is no browser on this machine.")
    assert world.told.verdicts == [(Verdict(HealthState.UNKNOWN, capture.error), None)]


async def test_a_camera_that_gives_nothing_is_down(world: CaptureWorld) -> None:
    await world.set(kind="camera")
    world.views.failure = Unavailable("Nobody answers there.")

    with pytest.raises(Rejected, match="Nobody answers"):
        await world.run()

    assert world.told.verdicts == [(Verdict(HealthState.DOWN, "Nobody answers there."), None)]


async def test_a_camera_is_asked_for_its_newest_picture(world: CaptureWorld) -> None:
    await world.set(kind="camera")

    await world.run()

    [capture] = await world.captures()
    assert (world.views.seen, capture.status, capture.text_artifact_id) == (["snapshot"], "success", None)


async def test_a_recording_runs_the_view_from_beginning_to_end(world: CaptureWorld) -> None:
    await world.set(kind="camera")
    running = asyncio.ensure_future(world.run(world.job(action="record", duration_s=30.0)))
    await asyncio.wait_for(world.views.begun.wait(), 10)

    world.alerts.clock.advance(30)
    await running

    [capture] = await world.captures()
    assert world.views.seen == ["start", "snapshot", "stop"]
    assert (capture.kind, capture.status) == ("record", "success")
    assert capture.ended_at is not None
    assert (capture.ended_at - capture.started_at).total_seconds() == 30


async def test_a_store_that_is_away_is_no_fault_of_the_view(world: CaptureWorld) -> None:
    world.alerts.store.failure = Unavailable("full")

    with pytest.raises(Unavailable) as away:
        await world.run()

    [capture] = await world.captures()
    assert not isinstance(away.value, ViewFailed)
    assert (capture.status, await world.events(), world.told.verdicts) == ("failure", [], [])


async def test_an_end_the_database_could_not_take_is_written_with_the_next_capture(
    world: CaptureWorld,
) -> None:
    database, full = world.alerts.database, sqlite3.OperationalError("database or disk is full")
    full.sqlite_errorcode = sqlite3.SQLITE_FULL
    assert isinstance(database, SqlDatabase)

    def refuse(_: object) -> None:
        if world.source.asked.is_set():
            raise OperationalError("COMMIT", None, full)

    event.listen(database.writer, "commit", refuse)
    with pytest.raises(Unavailable, match="full"):
        await world.run()
    event.remove(database.writer, "commit", refuse)
    meanwhile = await world.captures()
    await world.run()

    assert [capture.status for capture in meanwhile] == ["running"]
    assert [capture.status for capture in await world.captures()] == ["success", "failure"]


async def test_a_capture_that_is_cancelled_says_so(world: CaptureWorld) -> None:
    world.source.gate = asyncio.Event()
    running = asyncio.ensure_future(world.run())
    await asyncio.wait_for(world.source.asked.wait(), 10)

    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running

    [capture] = await world.captures()
    assert (capture.status, capture.error) == ("failure", "It was broken off.")


@pytest.mark.parametrize("change", ["removed", "disabled"])
async def test_a_view_that_is_gone_or_off_is_skipped(world: CaptureWorld, change: str) -> None:
    if change == "disabled":
        await world.set(enabled=False)
    job = world.job() if change == "disabled" else replace(world.job(), template_id=TemplateId(new_id()))

    with pytest.raises(JobSkipped):
        await world.run(job)

    assert await world.captures() == []
