"""From an event to a signed webhook and the picture its link opens, over real sockets and a real database."""

import asyncio
import hmac
import ipaddress
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx2
import pytest

from glimpser.cluster.local import LocalJobQueue
from glimpser.core.alerts import DELIVER, Alert, AlertFilter, Channel
from glimpser.core.channel_kinds import ChannelKinds
from glimpser.core.clock import SystemClock
from glimpser.core.events import Event, Level
from glimpser.core.frames import Frame
from glimpser.core.ids import ChannelId, EventId, TemplateId, new_id
from glimpser.core.pages import PageRequest
from glimpser.core.ports import Database
from glimpser.db.engine import open_database
from glimpser.db.settings import DatabaseSettings
from glimpser.egress.gate import Gate, GatePolicy
from glimpser.notify.posting import open_poster
from glimpser.notify.webhook import webhook_kind
from glimpser.services.alerting import Alerting
from glimpser.services.delivering import Delivering
from glimpser.services.job_runner import JobRunner
from glimpser.services.notifications import picture_link
from glimpser.testing.clock import FakeClock
from glimpser.testing.storage import MemoryStore
from glimpser.web.server import WebServer, listen
from tests.alert_world import QUICK, Counts
from tests.receiver import Receiver, answering, open_receiver
from tests.web_world import World, fresh_database, open_world

pytestmark = pytest.mark.anyio

LOOPBACK = GatePolicy((ipaddress.ip_network("127.0.0.0/8"),))


@asynccontextmanager
async def open_kinds() -> AsyncIterator[ChannelKinds]:
    async with open_poster(Gate(LOOPBACK), timeout_s=5) as poster:
        yield {"webhook": webhook_kind(poster, clock=SystemClock(), version="1.2.3")}


@dataclass
class Running:
    world: World
    client: httpx2.AsyncClient
    headers: dict[str, str]
    template_id: TemplateId

    async def post(self, path: str, body: object) -> Any:
        answer = await self.client.post(path, json=body, headers=self.headers)
        assert answer.status_code in (200, 201), answer.text
        return answer.json()

    async def add_webhook(self, receiver: Receiver, **config: object) -> Any:
        config = {"url": receiver.url, "secret": "s3cret"} | config
        return await self.post("/api/admin/channels", {"name": "Hook", "kind": "webhook", "config": config})

    async def motion(self) -> Event:
        """Have something move in the view, with a picture of it."""
        world = self.world
        now = world.clock.now()
        frame = Frame(self.template_id, 1, now, b"\xff\xd8the burglar\xff\xd9", 640, 360)
        picture = await world.services.alerting.store_picture(frame)
        event = Event(
            id=EventId(new_id()),
            template_id=self.template_id,
            kind="motion",
            level=Level.INFO,
            message="Motion: Door",
            metadata={"score": 0.5, "boxes": [], "zones": []},
            started_at=now,
            created_at=now,
        )
        return await world.services.alerting.record(event, picture, is_new=True)

    async def alert(self) -> Any:
        answer = await self.client.get("/api/alerts", headers=self.headers)
        [alert] = answer.json()["items"]
        return alert

    async def until(self, status: str) -> Any:
        async with asyncio.timeout(10):
            while (alert := await self.alert())["deliveries"][0]["status"] != status:  # noqa: ASYNC110 (seen by a client)
                await asyncio.sleep(0.02)
        return alert


@pytest.fixture
async def served(data_dir: Path) -> AsyncIterator[Running]:
    async with AsyncExitStack() as stack:
        kinds = await stack.enter_async_context(open_kinds())
        world = await stack.enter_async_context(open_world(data_dir, channel_kinds=kinds))
        tasks = await stack.enter_async_context(asyncio.TaskGroup())
        server = WebServer(world.app, listen("127.0.0.1", 0), ending=world.services.ending)
        url = f"http://127.0.0.1:{server.port}"
        link = picture_link(url, world.services.tickets)
        counts = Counts()
        runner = JobRunner(
            world.database,
            world.queue,
            {DELIVER: Delivering(world.database, kinds, link=link, metrics=counts).kind},
            clock=world.clock,
            metrics=counts,
            pace=QUICK,
        )
        web, jobs = tasks.create_task(server.serve()), tasks.create_task(runner.run())
        client = await stack.enter_async_context(httpx2.AsyncClient(base_url=url, timeout=10))
        headers = await world.sign_in()
        rules = [{"name": "Any motion"}]
        template = (await world.add_template(headers, rules=rules)).json()
        yield Running(world, client, headers, TemplateId(template["id"]))
        jobs.cancel()
        server.stop()
        await web


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with open_receiver() as opened:
        yield opened


async def test_from_an_event_to_a_webhook_and_the_picture_behind_its_link(
    served: Running, receiver: Receiver
) -> None:
    await served.add_webhook(receiver)

    event = await served.motion()
    alert = await served.until("sent")

    [request] = receiver.received
    document = request.json()
    at, _, mac = request.headers["x-glimpser-signature"].removeprefix("t=").partition(",v1=")
    assert mac == hmac.new(b"s3cret", f"{at}.".encode() + request.body, sha256).hexdigest()
    assert request.headers["idempotency-key"] == alert["deliveries"][0]["idempotency_key"]
    assert (document["alert"]["id"], document["event"]["id"]) == (alert["id"], event.id)
    assert document["template"]["name"] == "Door"
    assert alert["deliveries"][0]["provider_response"] == "HTTP 200: thanks"
    async with httpx2.AsyncClient() as stranger:
        picture = await stranger.get(document["picture_url"])
        without = await stranger.get(document["picture_url"].partition("?")[0])
    assert (picture.content, picture.headers["content-type"]) == (
        b"\xff\xd8the burglar\xff\xd9",
        "image/jpeg",
    )
    assert without.status_code == 401


async def test_a_receiver_that_refuses_can_be_mended_and_tried_again(
    served: Running, receiver: Receiver
) -> None:
    channel = await served.add_webhook(receiver)
    receiver.behave = answering(410)
    await served.motion()
    dead = await served.until("dead")
    receiver.behave = answering(204)

    await served.post(f"/api/alerts/{dead['id']}/retry", None)
    sent = await served.until("sent")

    first, second = receiver.received
    assert "gone for good" in dead["deliveries"][0]["last_error"]
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"]
    assert sent["deliveries"][0]["attempts"] == 2
    read = await served.client.get(f"/api/admin/channels/{channel['id']}", headers=served.headers)
    assert read.json()["last_result"] == "Sent: HTTP 204"


async def test_a_test_through_a_closed_address_names_the_setting_and_no_secret(served: Running) -> None:
    config = {"url": "http://ann:hunter2@10.1.2.3/hook?token=t0ken", "secret": "s3cret"}
    body = {"name": "Hook", "kind": "webhook", "config": config}
    channel = await served.post("/api/admin/channels", body)

    answer = await served.post("/api/alerts/test", {"channel_ids": [channel["id"]]})

    [result] = answer["results"]
    assert result["status"] == "failed"
    assert "capture.egress_allow" in result["error"]
    assert channel["config"] == {"url": "http://ann:***@10.1.2.3/hook?token=***"}
    assert not {"hunter2", "t0ken", "s3cret"} & set(str(answer))


# Kills -----------------------------------------------------------------------------------------------

CHILD = """
import asyncio, sys
from pathlib import Path
from glimpser.core import failpoints
from tests.integration.test_alert_path import be_killed
failpoints.arm(sys.argv[3])
asyncio.run(be_killed(Path(sys.argv[1]), sys.argv[2]))
"""


@asynccontextmanager
async def open_path(database: Database, clock: Any) -> AsyncIterator[tuple[Alerting, JobRunner]]:
    async with open_kinds() as kinds:
        queue, counts = LocalJobQueue(), Counts()
        delivering = Delivering(database, kinds, link=str, metrics=counts)
        runner = JobRunner(
            database, queue, {DELIVER: delivering.kind}, clock=clock, metrics=counts, pace=QUICK
        )
        yield Alerting(database, MemoryStore(), queue, clock=clock), runner


async def be_killed(path: Path, event_id: str) -> None:
    """Record a grave event and deliver it until a failpoint kills this process."""
    clock = SystemClock()
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(open_database(DatabaseSettings(url=f"sqlite:///{path}")))
        alerting, runner = await stack.enter_async_context(open_path(database, clock))
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(runner.run())
            event = Event(
                id=EventId(event_id),
                template_id=TemplateId(new_id()),
                kind="health",
                level=Level.CRITICAL,
                message="The camera is gone.",
                started_at=clock.now(),
                created_at=clock.now(),
            )
            await alerting.record(event, None, is_new=True)


async def alerts_in(database: Database) -> list[Alert]:
    page = await database.read(lambda tx: tx.alerts.list(AlertFilter(), PageRequest()))
    return list(page.items)


@pytest.mark.parametrize(
    ("failpoint", "alerts", "messages"),
    [
        ("event.before_commit", 0, 0),
        ("alert.before_commit", 0, 0),
        ("alert.committed", 1, 1),
        ("job.claimed", 1, 1),
        ("delivery.before_send", 1, 1),
        ("delivery.sent", 1, 2),  # at least once: the receiver tells by the key that it has it already
        ("delivery.recorded", 1, 1),
    ],
)
async def test_a_kill_at_any_stage_loses_no_alert_and_makes_none_up(
    data_dir: Path, receiver: Receiver, failpoint: str, alerts: int, messages: int
) -> None:
    async with fresh_database(data_dir) as database:
        await database.write(lambda tx: tx.channels.add(_webhook(receiver)))
    path = data_dir / "glimpser.db"
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", CHILD, str(path), new_id(), f"{failpoint}:kill"),
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
    )
    async with asyncio.timeout(30):
        status = await child.wait()

    clock = FakeClock(SystemClock().now() + timedelta(hours=1))
    async with open_database(DatabaseSettings(url=f"sqlite:///{path}")) as database:
        found = await alerts_in(database)
        async with open_path(database, clock) as (_, runner), asyncio.TaskGroup() as tasks:
            running = tasks.create_task(runner.run())
            await _until_settled(database)
            running.cancel()
        settled = await alerts_in(database)

    assert status == -signal.SIGKILL
    assert len(found) == alerts
    assert [delivery.status for alert in settled for delivery in alert.deliveries] == ["sent"] * alerts
    assert len(receiver.received) == messages
    assert len({request.headers["idempotency-key"] for request in receiver.received}) == min(messages, 1)


async def _until_settled(database: Database) -> None:
    async with asyncio.timeout(10):
        while await database.read(lambda tx: tx.deliveries.unsettled(None, 10)):  # noqa: ASYNC110 (rows)
            await asyncio.sleep(0.02)


def _webhook(receiver: Receiver) -> Channel:
    now = SystemClock().now()
    return Channel(
        id=ChannelId(new_id()),
        name="Hook",
        kind="webhook",
        config={"url": receiver.url},
        created_at=now,
        updated_at=now,
    )
