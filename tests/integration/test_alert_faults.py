"""The alert path when receivers, the database's lock or the disk are against it: late perhaps, lost never."""

import asyncio
import ipaddress
import os
import resource
import sqlite3
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import httpx2
import pytest

from glimpser.core.alerts import Channel, Delivery, Notification, Receipt
from glimpser.core.channel_kinds import ChannelKinds
from glimpser.core.errors import Unavailable
from glimpser.core.frames import Frame
from glimpser.core.ids import ChannelId, TemplateId, new_id
from glimpser.core.live import BurstReported
from glimpser.core.motion import Box, BurstOpened
from glimpser.core.ports import ObjectStore
from glimpser.db.engine import open_database
from glimpser.db.settings import DatabaseSettings
from glimpser.egress.gate import Gate, GatePolicy
from glimpser.notify.posting import open_poster
from glimpser.notify.webhook import webhook_kind
from glimpser.services.alerting import Alerting
from glimpser.services.audit import Actor
from glimpser.services.channels import Channels
from glimpser.services.delivering import Delivering
from glimpser.services.pipeline import Pipeline
from glimpser.storage import open_files
from glimpser.storage.directories import NEW
from glimpser.testing.clock import START, FakeClock
from glimpser.web.application import build
from glimpser.web.wiring import WebSettings
from tests.alert_world import AlertWorld, any_motion, link_of, open_alert_world
from tests.receiver import OK, Behave, Received, Receiver, answering, open_receiver
from tests.web_world import open_world

pytestmark = pytest.mark.anyio

ADA = Actor("ada@example.org")
LOOPBACK = GatePolicy((ipaddress.ip_network("127.0.0.0/8"),))
PATIENCE_S = 1.5
"""How long a receiver may take to answer here."""
LOCK_PATIENCE_S = 0.1
HANGING = 12


@pytest.fixture
async def world(data_dir: Path) -> AsyncIterator[AlertWorld]:
    async with open_alert_world(data_dir) as opened:
        yield opened


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with open_receiver() as opened:
        yield opened


@pytest.fixture
async def webhooks() -> AsyncIterator[ChannelKinds]:
    async with open_poster(Gate(LOOPBACK), timeout_s=PATIENCE_S) as poster:
        yield {"webhook": webhook_kind(poster, clock=FakeClock(), version="1.2.3")}


async def add_webhook(world: AlertWorld, kinds: ChannelKinds, url: str) -> Channel:
    now = world.clock.now()
    channel = Channel(
        id=ChannelId(new_id()),
        name=url.rpartition("/")[2],
        kind="webhook",
        config=kinds["webhook"].parse({"url": url}),
        created_at=now,
        updated_at=now,
    )
    await world.database.write(lambda tx: tx.channels.add(channel))
    return channel


# Receivers -------------------------------------------------------------------------------------------


async def never(_received: Received, _writer: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


async def drip(_received: Received, writer: asyncio.StreamWriter) -> None:
    """Answer byte by byte, which keeps every single read short."""
    for byte in b"HTTP/1.1 200 OK\r\nX-Slow: " + b"x" * 1000:
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(0.1)


async def pour(_received: Received, writer: asyncio.StreamWriter) -> None:
    """Take the message and never end thanking."""
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        writer.write(b"x" * 65_536)
        await writer.drain()


BEHAVIOUR: dict[str, tuple[Behave, str, str]] = {
    "well": (OK, "sent", "HTTP 200: thanks"),
    "pours": (pour, "sent", "HTTP 200: xxx"),
    "hangs": (never, "retrying", "did not answer within 1.5 s"),
    "drips": (drip, "retrying", "did not answer within 1.5 s"),
    "busy": (answering(429, retry_after="90"), "retrying", "HTTP 429"),
    "broken": (answering(500), "retrying", "HTTP 500"),
    "gone": (answering(410), "dead", "gone for good"),
    "astray": (answering(307, Location="http://169.254.169.254/latest/"), "dead", "169.254.169.254"),
}
"""How each receiver behaves, what its deliveries come to, and what is said of them."""


@asynccontextmanager
async def telling(
    world: AlertWorld, kinds: ChannelKinds, receiver: Receiver
) -> AsyncIterator[dict[str, Channel]]:
    """Send to all of them while the context is open; gives their channels by name."""
    receiver.paths = {f"/{name}": behave for name, (behave, _, _) in BEHAVIOUR.items()}
    base = receiver.url.rpartition("/")[0]
    channels = {name: await add_webhook(world, kinds, f"{base}/{name}") for name in BEHAVIOUR}
    await world.set_rules(any_motion())
    world.delivering = Delivering(world.database, kinds, link=link_of, metrics=world.counts)
    async with world.running():
        yield channels


async def deliveries(world: AlertWorld, channel: Channel) -> list[Delivery]:
    return [
        each for alert in await world.alerts() for each in alert.deliveries if each.channel_id == channel.id
    ]


async def until_all(world: AlertWorld, channel: Channel, *status: str) -> list[Delivery]:
    async def is_so() -> bool:
        return all(each.status in status for each in await deliveries(world, channel))

    await world.until(is_so)
    return await deliveries(world, channel)


async def test_each_receiver_gets_what_it_deserves_and_delays_no_other(
    world: AlertWorld, webhooks: ChannelKinds, receiver: Receiver
) -> None:
    async with telling(world, webhooks, receiver) as channels:
        await world.record(world.event())
        await world.record(world.event())
        await until_all(world, channels["well"], "sent")
        meanwhile = {each.status for each in await deliveries(world, channels["hangs"])}
        outcome = {
            name: await until_all(world, channel, "sent", "retrying", "dead")
            for name, channel in channels.items()
        }

    assert meanwhile == {"sending"}
    for name, (_, status, says) in BEHAVIOUR.items():
        assert [each.status for each in outcome[name]] == [status] * 2, name
        assert all(says in (each.provider_response or each.last_error or "") for each in outcome[name]), name
        assert all(len(each.provider_response or each.last_error or "") < 300 for each in outcome[name]), name
    waits = [each.next_attempt_at for each in outcome["busy"]]
    assert all(at and at >= START + timedelta(seconds=90) for at in waits)


async def test_what_waited_arrives_under_its_key_and_what_was_refused_when_somebody_tries_again(
    world: AlertWorld, webhooks: ChannelKinds, receiver: Receiver
) -> None:
    async with telling(world, webhooks, receiver) as channels:
        await world.record(world.event())
        for channel in channels.values():
            await until_all(world, channel, "sent", "retrying", "dead")
        receiver.paths.clear()
        world.clock.advance(120)
        for name in ("hangs", "drips", "busy", "broken"):
            await until_all(world, channels[name], "sent")
        [still_dead] = await deliveries(world, channels["gone"])
        [alert] = await world.alerts()
        await world.alerting.retry(alert.id, by=ADA)
        for channel in channels.values():
            await until_all(world, channel, "sent")

    assert still_dead.status == "dead"
    keys = {(request.path, request.headers["idempotency-key"], request.body) for request in receiver.received}
    assert len(keys) == len(BEHAVIOUR)
    times = {path: sum(request.path == path for request in receiver.received) for path, _, _ in keys}
    assert times == {f"/{name}": 1 if status == "sent" else 2 for name, (_, status, _) in BEHAVIOUR.items()}


async def test_many_receivers_that_hang_delay_no_other(world: AlertWorld) -> None:
    async def hang(_note: Notification) -> Receipt:
        await asyncio.Event().wait()
        return Receipt("never")

    for number in range(HANGING):
        await world.add_channel(f"hangs {number}")
        world.post.behaviour[f"hangs {number}"] = hang
    well = await world.add_channel("well")
    await world.set_rules(any_motion())
    async with world.running():
        for _ in range(3):
            await world.record(world.event())
        arrived = await until_all(world, well, "sent")

    assert [each.attempts for each in arrived] == [1, 1, 1]


# The database's lock ---------------------------------------------------------------------------------


@contextmanager
def locked(directory: Path) -> Iterator[None]:
    """Another program has the database file for itself, as a backup tool might."""
    other = sqlite3.connect(directory / "glimpser.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    try:
        yield
    finally:
        other.execute("ROLLBACK")
        other.close()


def impatient(directory: Path) -> DatabaseSettings:
    """The same file, with a tenth of a second of patience instead of seconds."""
    url = f"sqlite:///{directory / 'glimpser.db'}"
    return DatabaseSettings(url=url, pool_size=2, busy_timeout_s=LOCK_PATIENCE_S)


async def test_a_locked_database_refuses_writes_for_now_and_health_and_reads_go_on(data_dir: Path) -> None:
    async with open_world(data_dir) as world, open_database(impatient(data_dir)) as database:
        headers = await world.sign_in()
        kinds = {"fake": world.post.kind()}
        services = replace(world.services, channels=Channels(database, kinds, clock=world.clock))
        app = build(services, WebSettings(version="1", static_dir=data_dir))
        body = {"name": "Ann", "kind": "fake", "config": {"to": "ann"}}
        async with httpx2.AsyncClient(
            transport=httpx2.ASGITransport(app), base_url="http://glimpser.test", headers=headers
        ) as client:
            with locked(data_dir):
                writing = asyncio.ensure_future(client.post("/api/admin/channels", json=body))
                health: list[int] = []
                while not writing.done():
                    health.append((await client.get("/healthz")).status_code)
                    await asyncio.sleep(0.001)
                listed = await client.get("/api/admin/channels")
            afterwards = await client.post("/api/admin/channels", json=body)
            kept = (await client.get("/api/admin/channels")).json()["items"]

    refused = writing.result()
    assert (refused.status_code, refused.headers["content-type"]) == (503, "application/problem+json")
    assert int(refused.headers["retry-after"]) > 0
    assert "locked" in refused.json()["detail"]
    assert len(health) > 3  # a loop that waited for the lock would have answered none
    assert set(health) == {200}
    assert (listed.status_code, listed.json()["items"]) == (200, [])
    assert afterwards.status_code == 201
    assert [channel["id"] for channel in kept] == [afterwards.json()["id"]]


@asynccontextmanager
async def hasty(world: AlertWorld, data_dir: Path, store: ObjectStore) -> AsyncIterator[Pipeline]:
    """Run everything from a reported burst to a delivery, with little patience for the database."""
    async with open_database(impatient(data_dir)) as database, asyncio.TaskGroup() as tasks:
        world.database = database
        world.alerting = Alerting(database, store, world.queue, clock=world.clock)
        kinds = {"fake": world.post.kind()}
        world.delivering = Delivering(database, kinds, link=link_of, metrics=world.counts)
        pipeline = Pipeline(
            world.alerting, database, clock=world.clock, metrics=NoMetrics(), name_of=lambda _id: "Door"
        )
        recording = tasks.create_task(pipeline.run())
        async with world.running():
            yield pipeline
        recording.cancel()


class NoMetrics:
    def event_recorded(self, template_id: TemplateId, kind: str) -> None: ...


def motion(world: AlertWorld) -> BurstReported:
    step = BurstOpened(started_at=START, peak_at=START, score=0.5, boxes=(Box(0.1, 0.2, 0.3, 0.4),))
    return BurstReported(world.template_id, step, picture_of(world))


def picture_of(world: AlertWorld) -> Frame:
    return Frame(world.template_id, 1, START, PICTURE, 1920, 1080)


async def test_what_happens_while_the_database_is_locked_is_told_once_it_is_free(
    world: AlertWorld, data_dir: Path
) -> None:
    await world.add_channel("ann")
    await world.set_rules(any_motion())
    async with hasty(world, data_dir, world.store) as pipeline:
        with locked(data_dir):
            await pipeline.submit(motion(world))
            await asyncio.sleep(3 * LOCK_PATIENCE_S)
            alerts_meanwhile = await world.alerts()
        await pipeline.drain(10)
        delivery = await world.until_delivered("sent")

    assert alerts_meanwhile == []
    assert (delivery.attempts, world.post.times("ann")) == (1, 1)


async def test_a_message_whose_outcome_meets_a_lock_is_not_sent_twice(
    world: AlertWorld, data_dir: Path
) -> None:
    sending, answering_now = asyncio.Event(), asyncio.Event()

    async def take_at_last(_note: Notification) -> Receipt:
        sending.set()
        await answering_now.wait()
        return Receipt("taken")

    world.post.behaviour["ann"] = take_at_last
    await world.add_channel("ann")
    await world.set_rules(any_motion())
    async with hasty(world, data_dir, world.store) as pipeline:
        await pipeline.submit(motion(world))
        await sending.wait()
        with locked(data_dir):
            answering_now.set()
            await asyncio.sleep(3 * LOCK_PATIENCE_S)
            meanwhile = await world.delivery()
        delivery = await world.until_delivered("sent")

    assert meanwhile.status == "sending"
    assert (delivery.attempts, world.post.times("ann")) == (1, 1)


# The store's disk ------------------------------------------------------------------------------------


PICTURE = b"\xff\xd8" + bytes(1_500_000) + b"\xff\xd9"
DISK_BYTES = 8_000_000


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small disk of its own where the right to mount one is had, else a plain directory."""
    path = tmp_path / "disk"
    path.mkdir()
    mounting = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(path)]
    is_mounted = (
        os.geteuid() == 0 and subprocess.run(mounting, capture_output=True, check=False).returncode == 0
    )
    try:
        yield path
    finally:
        if is_mounted:
            subprocess.run(["umount", "--lazy", str(path)], check=True)


@contextmanager
def full(disk: Path) -> Iterator[None]:
    """Leave no room for a picture; a directory cannot be full, but files can be refused their length."""
    if disk.is_mount():
        ballast = disk / "ballast"
        room = os.statvfs(disk)
        ballast.write_bytes(bytes(room.f_bavail * room.f_frsize))
        try:
            yield
        finally:
            ballast.unlink()
    else:
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (len(PICTURE) // 2, hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def test_while_the_disk_of_the_pictures_is_full_reads_go_on_and_alerts_wait(
    world: AlertWorld, data_dir: Path, disk: Path
) -> None:
    await world.add_channel("ann")
    await world.set_rules(any_motion())
    async with open_files(disk) as store, hasty(world, data_dir, store) as pipeline:
        before = await world.alerting.store_picture(picture_of(world))
        with full(disk):
            with pytest.raises(Unavailable) as refused:
                await world.alerting.store_picture(picture_of(world))
            await pipeline.submit(motion(world))
            await asyncio.sleep(0.2)
            read = b"".join([piece async for piece in store.get(before.uri)])
            alerts_meanwhile = await world.alerts()
            remains = list((disk / NEW).iterdir())
        await pipeline.drain(10)
        await world.until_delivered("sent")
        [(_, note)] = world.post.sent

    assert "The disk that holds the artifacts" in refused.value.detail
    assert read == PICTURE
    assert (alerts_meanwhile, remains) == ([], [])
    assert note.picture_url is not None
