"""Views that are tried before they are saved: by a job, over a real database and a pool of fake cameras."""

import asyncio
import ipaddress
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from glimpser.core.accounts import EVERYTHING
from glimpser.core.contents import FROM_CAMERAS, Content
from glimpser.core.errors import Conflict, Denied, GlimpserError, InvalidInput, TooMany, Unavailable
from glimpser.core.ids import ArtifactId, JobId, TemplateId, new_id
from glimpser.core.jobs import UNDONE, Job
from glimpser.core.kinds import Kind
from glimpser.core.live import MediaInput, Pushed, State
from glimpser.egress.gate import Checked, Gate, GatePolicy
from glimpser.services.audit import Actor
from glimpser.services.feeds import Feeds
from glimpser.services.guessing import Guesser
from glimpser.services.job_kinds import JobKind
from glimpser.services.jobs import Jobs
from glimpser.services.live import Live
from glimpser.services.probing import KEPT_FOR, PROBE, Ask, Previews, Probing
from glimpser.services.streams import Streams
from glimpser.streaming.hub import Hub
from glimpser.testing.live import SIZE, FakeLivePool
from tests.alert_world import AlertWorld, open_alert_world
from tests.unit.services.test_live import HealthLog
from tests.unit.services.viewing import Recorder

pytestmark = pytest.mark.anyio

ADDRESS = "rtsp://ann:hunter2@203.0.113.20/one?token=s3cr3t"


def parse(config: object) -> dict[str, object]:
    assert isinstance(config, dict)
    if "url" not in config:
        raise InvalidInput.field("/config/url", "Field required")
    return config


CAMERA = Kind(
    name="camera",
    title="Camera",
    description="",
    schema={},
    parse=parse,
    feed=lambda config: MediaInput(address=str(config["url"])),
    secrets=frozenset({"password"}),
    shows=FROM_CAMERAS,
)
PUSH = replace(
    CAMERA, name="push", parse=lambda config: config, feed=lambda _config: Pushed(), shows=frozenset()
)
KINDS = {"camera": CAMERA, "push": PUSH}


class Network:
    """Both what is found at addresses, and whether they can be reached; `trouble` is raised by its step."""

    def __init__(self) -> None:
        self.trouble: dict[str, GlimpserError] = {}
        self.hangs = ""

    async def _step(self, name: str) -> None:
        if name == self.hangs:
            await asyncio.Event().wait()
        if name in self.trouble:
            raise self.trouble[name]

    async def resolve(self, url: str, *, camera: bool | None) -> Checked:
        await self._step("resolve")
        return Gate(GatePolicy((ipaddress.ip_network("203.0.113.0/24"),))).check(
            url, schemes=("rtsp", "http")
        )

    async def connect(self, checked: Checked) -> None:
        assert checked.target.host == "203.0.113.20"
        await self._step("connect")

    async def hear(self, checked: Checked) -> None:
        await self._step("hear")

    async def look(self, url: str) -> Content:
        await self._step("recognise")
        return Content.STREAM

    async def look_at_file(self, path: str) -> Content:
        return Content.VIDEO


class World:
    def __init__(self, alerts: AlertWorld) -> None:
        self.alerts = alerts
        self.network = Network()
        self.pool = FakeLivePool(alerts.clock)
        recorder = Recorder()
        self.told: list[object] = []
        self.health = HealthLog()
        self.live = Live(
            pool=self.pool,
            streams=Streams(
                hub=Hub(clock=alerts.clock, metrics=recorder), clock=alerts.clock, metrics=recorder
            ),
            database=alerts.database,
            feeds=Feeds(KINDS, clock=alerts.clock),
            clock=alerts.clock,
            tell=self._tell,
            health=self.health,
            linger_s=0.01,
        )
        kinds: dict[str, JobKind] = {}
        self.jobs = Jobs(alerts.database, alerts.queue, kinds, clock=alerts.clock)
        self.probing = Probing(
            self.jobs,
            KINDS,
            Guesser(KINDS, self.network),
            reaches=self.network,
            trials=self.live,
            pictures=Previews(alerts.database, alerts.alerting, clock=alerts.clock),
        )
        kinds[PROBE] = self.probing.kind
        self.runner = alerts.runner(kinds)

    async def _tell(self, report: object) -> None:
        self.told.append(report)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with self.alerts.running(self.runner), asyncio.TaskGroup() as tasks:
            task = tasks.create_task(self.live.run())
            yield
            task.cancel()

    async def tried(self, ask: Ask) -> Job:
        async with self.running():
            return await self.ended(await self.probing.submit(ask))

    async def ended(self, job_id: JobId) -> Job:
        async with asyncio.timeout(20):
            while (job := await self.jobs.get(job_id, within=EVERYTHING)).status in UNDONE:  # noqa: ASYNC110 - what a client does
                await asyncio.sleep(0.01)
        return job


@pytest.fixture
async def world(data_dir: Path) -> AsyncIterator[World]:
    async with open_alert_world(data_dir) as alerts:
        opened = World(alerts)
        # The template that is there already is none of this pool's kinds.
        await alerts.database.write(lambda tx: tx.templates.remove(alerts.template_id, expected=1))
        yield opened


async def test_an_address_becomes_a_kind_a_config_and_a_picture_kept_for_an_hour(world: World) -> None:
    job = await world.tried(Ask(url=ADDRESS))

    assert (job.status, job.error) == ("success", None)
    assert job.result is not None
    result = dict(job.result)
    artifact_id = ArtifactId(str(result.pop("artifact_id")))
    assert result == {
        "kind": "camera",
        "config": {"url": "rtsp://203.0.113.20/one?token=***", "username": "ann"},
        "width": SIZE[0],
        "height": SIZE[1],
        "fps": 15.0,
        "codec": None,
    } | {"fps": result["fps"]}
    artifact = await world.alerts.database.read(lambda tx: tx.artifacts.get(artifact_id))
    assert artifact.expires_at == world.alerts.clock.now() + KEPT_FOR
    assert artifact.template_id is None


async def test_no_secret_of_what_is_tried_is_in_the_job(world: World) -> None:
    world.network.trouble["connect"] = Unavailable(f"Nothing at {ADDRESS}.")

    good = await world.tried(
        Ask(kind="camera", config={"url": "rtsp://203.0.113.20/", "password": "hunter2"})
    )
    bad = await world.tried(Ask(url=ADDRESS))

    assert "Nothing at" in str(bad.error)
    for job in (good, bad):
        row = json.dumps([job.payload, job.result, job.error, job.step])
        assert "hunter2" not in row
        assert "s3cr3t" not in row


@pytest.mark.parametrize("step", ["resolve", "connect", "recognise"])
async def test_the_step_that_fails_is_named_with_its_reason(world: World, step: str) -> None:
    world.network.trouble[step] = Denied("The network 10.0.0.0/8 is closed: list it in capture.egress_allow.")

    job = await world.tried(Ask(url=ADDRESS))

    assert (job.status, job.step) == ("failure", step)
    assert job.error == "The network 10.0.0.0/8 is closed: list it in capture.egress_allow."


async def test_a_camera_that_says_no_is_quoted(world: World) -> None:
    world.pool.answers = False
    async with world.running():
        job_id = await world.probing.submit(Ask(url=ADDRESS))
        async with asyncio.timeout(20):
            while not world.pool.running:  # noqa: ASYNC110 - it happens in another task
                await asyncio.sleep(0.005)
        [trial] = world.pool.running
        world.pool.change(trial, State.BACKOFF, "The camera refuses the credentials.")
        job = await world.ended(job_id)

    assert (job.status, job.step, job.error) == ("dead", "open", "The camera refuses the credentials.")


@pytest.mark.parametrize(
    ("hangs", "ask", "step"),
    [
        ("recognise", Ask(url=ADDRESS), "recognise"),
        ("hear", Ask(kind="camera", config={"url": ADDRESS}), "connect"),
    ],
    ids=["address", "config"],
)
async def test_something_that_never_answers_is_given_up(
    world: World, monkeypatch: pytest.MonkeyPatch, *, hangs: str, ask: Ask, step: str
) -> None:
    monkeypatch.setattr("glimpser.services.probing.ANSWER_WITHIN_S", 0.05)
    world.network.hangs = hangs

    job = await world.tried(ask)

    assert (job.status, job.step) == ("dead", step)
    assert "does not answer" in str(job.error)


async def test_nothing_of_a_trial_runs_on_or_is_recorded(world: World) -> None:
    async with world.running():
        await world.ended(await world.probing.submit(Ask(url=ADDRESS)))
        await asyncio.sleep(0.05)

    assert world.pool.running == {}
    assert (world.told, world.health.noted) == ([], [])


async def test_a_view_that_pictures_are_sent_to_cannot_be_tried(world: World) -> None:
    job = await world.tried(Ask(kind="push"))

    assert (job.status, "sent" in str(job.error)) == ("failure", True)


async def test_a_config_that_cannot_be_used_is_refused_at_once(world: World) -> None:
    with pytest.raises(InvalidInput, match="Field required"):
        await world.probing.submit(Ask(kind="camera"))
    with pytest.raises(InvalidInput, match="no kind"):
        await world.probing.submit(Ask(kind="telescope"))


async def test_a_trial_does_not_outlive_the_program(world: World) -> None:
    job_id = await world.jobs.submit(PROBE, {"ask": "of an earlier run"})
    async with world.running():
        job = await world.ended(job_id)

    assert job.status == "failure"
    assert "started anew: try again" in str(job.error)
    with pytest.raises(Conflict, match="anew"):
        await world.jobs.retry(job_id, by=Actor("ada"))


async def test_few_wait_at_a_time_and_cancelled_ones_make_room(world: World) -> None:
    waiting = [await world.probing.submit(Ask(url=ADDRESS)) for _ in range(32)]

    with pytest.raises(TooMany):
        await world.probing.submit(Ask(url=ADDRESS))
    await world.jobs.cancel(waiting[0], by=Actor("ada"))

    assert await world.probing.submit(Ask(url=ADDRESS)) not in waiting


async def test_of_a_trial_that_is_unknown_nothing_is_shown(world: World) -> None:
    assert world.live.status(TemplateId(new_id())).state is State.IDLE
