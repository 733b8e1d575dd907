"""From a job to a message, and what becomes of both when something goes wrong on the way."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from glimpser.core import failpoints
from glimpser.core.alerts import Channel, Notification, Receipt
from glimpser.core.errors import DeliveryFailed, Rejected
from glimpser.core.events import Level
from glimpser.core.frames import Frame
from glimpser.core.ids import ChannelId, new_id
from glimpser.services.audit import Actor
from glimpser.services.notices import AlertNotice
from tests.alert_world import AlertWorld, any_motion, open_alert_world

pytestmark = pytest.mark.anyio

ADA = Actor("ada@example.org")


@pytest.fixture
async def world(data_dir: Path) -> AsyncIterator[AlertWorld]:
    async with open_alert_world(data_dir) as opened:
        yield opened


@pytest.fixture
async def ann(world: AlertWorld) -> Channel:
    channel = await world.add_channel("ann")
    await world.set_rules(any_motion())
    return channel


@pytest.fixture(autouse=True)
def disarmed() -> Iterator[None]:
    yield
    failpoints.arm("")


async def last_result(world: AlertWorld, channel: Channel) -> str | None:
    stored = await world.database.read(lambda tx: tx.channels.get(channel.id))
    assert stored.version == channel.version
    return stored.last_result


async def test_an_alert_arrives_and_everything_says_so(world: AlertWorld, ann: Channel) -> None:
    async with world.running():
        await world.record(world.event())
        delivery = await world.until_delivered("sent")

    assert delivery.attempts == 1
    assert delivery.sent_at == world.clock.now()
    assert (delivery.provider_response, delivery.last_error, delivery.next_attempt_at) == (
        "taken",
        None,
        None,
    )
    assert await last_result(world, ann) == "Sent: taken"
    assert await world.jobs() == []
    assert (world.counts.jobs, world.counts.deliveries) == (["success"], ["sent"])
    assert world.notices[-1] == AlertNotice((await world.alerts())[0])


async def test_the_message_holds_the_document_of_the_contract(world: AlertWorld, ann: Channel) -> None:
    frame = Frame(world.template_id, 1, world.clock.now(), b"jpeg", 640, 360)
    picture = await world.alerting.store_picture(frame)
    async with world.running():
        event = await world.alerting.record(world.event(), picture, is_new=True)
        await world.until_delivered("sent")

    [alert] = await world.alerts()
    [(_, note)] = world.post.sent
    link = f"https://glimpser.test/api/artifacts/{picture.id}?ticket=t"
    assert (note.title, note.body, note.level) == (alert.title, alert.body, Level.WARNING)
    assert note.idempotency_key == alert.deliveries[0].idempotency_key
    assert note.picture_url == note.document["picture_url"] == link
    assert list(note.document) == ["alert", "event", "template", "picture_url"]
    assert note.document["alert"] == {
        "id": alert.id,
        "template_id": world.template_id,
        "event_id": event.id,
        "rule_id": alert.rule_id,
        "kind": "motion",
        "level": "warning",
        "title": "Door: motion",
        "body": alert.body,
        "state": "open",
        "created_at": "2026-01-01T12:00:00Z",
    }
    assert note.document["event"] == {
        "id": event.id,
        "template_id": world.template_id,
        "kind": "motion",
        "level": "info",
        "message": "Motion: Door",
        "metadata": {"score": 0.5, "boxes": [], "zones": []},
        "started_at": "2026-01-01T12:00:00Z",
        "peak_at": None,
        "ended_at": None,
        "artifact_id": picture.id,
        "created_at": "2026-01-01T12:00:00Z",
    }
    assert note.document["template"] == {
        "id": world.template_id,
        "name": "Door",
        "kind": "camera",
        "groups": [],
        "lat": None,
        "lon": None,
    }
    assert "hunter2" not in str(note)


async def test_a_failure_is_tried_again_under_the_same_key_until_it_arrives(
    world: AlertWorld, ann: Channel
) -> None:
    async def once_failing(_note: Notification) -> Receipt:
        if world.post.times("ann") == 1:
            raise DeliveryFailed("HTTP 503 at https://h/?token=abc", retry_after_s=40)
        return Receipt("taken")

    world.post.behaviour["ann"] = once_failing
    async with world.running():
        await world.record(world.event())
        waiting = await world.until_delivered("retrying")
        result = await last_result(world, ann)
        world.clock.advance(39.9)
        await asyncio.sleep(0.05)
        early = world.post.times("ann")
        world.clock.advance(0.1)
        sent = await world.until_delivered("sent")

    assert waiting.last_error == "HTTP 503 at https://h/?token=***"
    assert waiting.next_attempt_at is not None
    assert (waiting.next_attempt_at - sent.sent_at).total_seconds() == 0 if sent.sent_at else False
    assert result == "Not sent yet, will be tried again: HTTP 503 at https://h/?token=***"
    assert (early, sent.attempts) == (1, 2)
    assert len({note.idempotency_key for _, note in world.post.sent}) == 1
    assert world.counts.deliveries == ["retrying", "sent"]


async def test_a_refusal_is_final_until_somebody_tries_again(world: AlertWorld, ann: Channel) -> None:
    async def refuse(_note: Notification) -> Receipt:
        raise Rejected("Gone for good.")

    world.post.behaviour["ann"] = refuse
    async with world.running():
        await world.record(world.event())
        dead = await world.until_delivered("dead")
        del world.post.behaviour["ann"]
        [alert] = await world.alerts()
        await world.alerting.retry(alert.id, by=ADA)
        sent = await world.until_delivered("sent")

    assert (dead.last_error, dead.next_attempt_at, dead.attempts) == ("Gone for good.", None, 1)
    assert (sent.last_error, sent.attempts) == (None, 2)
    assert await last_result(world, ann) == "Sent: taken"


@pytest.mark.parametrize("change", ["removed", "disabled"])
async def test_a_channel_that_is_closed_meanwhile_ends_its_deliveries(
    world: AlertWorld, ann: Channel, change: str
) -> None:
    await world.record(world.event())
    if change == "removed":
        await world.database.write(lambda tx: tx.channels.remove(ann.id, expected=1))
    else:
        closed = replace(ann, enabled=False)
        await world.database.write(lambda tx: tx.channels.replace(closed, expected=1))

    async with world.running():
        dead = await world.until_delivered("dead")

    assert dead.last_error is not None
    assert ("removed" if change == "removed" else "switched off") in dead.last_error
    assert world.post.sent == []


async def test_event_and_template_may_be_gone_by_then(world: AlertWorld, ann: Channel) -> None:
    await world.record(world.event())
    await world.database.write(lambda tx: tx.templates.remove(world.template_id, expected=2))

    async with world.running():
        await world.until_delivered("sent")

    assert world.post.sent[0][1].document["template"] is None


async def test_a_lost_announcement_costs_a_sweep_and_no_alert(world: AlertWorld, ann: Channel) -> None:
    world.queue.announce = lambda kind: None  # type: ignore[method-assign] # it is lost
    async with world.running():
        await world.record(world.event())

        assert (await world.until_delivered("sent")).attempts == 1


async def test_what_a_program_left_behind_is_sent_at_the_next_start(world: AlertWorld, ann: Channel) -> None:
    await world.record(world.event())
    await world.claim()  # by a program that is killed then
    world.clock.advance(31)

    async with world.running():
        await world.until_delivered("sent")

    assert world.post.times("ann") == 1


@pytest.mark.parametrize("name", ["job.claimed", "delivery.before_send"])
async def test_what_fails_before_the_message_left_sends_it_once(
    world: AlertWorld, ann: Channel, name: str
) -> None:
    failpoints.arm(f"{name}:raise:1")
    async with world.running():
        await world.record(world.event())
        await world.until_delivered("retrying")
        world.clock.advance(10)
        await world.until_delivered("sent")

    assert world.post.times("ann") == 1


async def test_what_fails_after_the_message_left_sends_it_again_under_its_key(
    world: AlertWorld, ann: Channel
) -> None:
    failpoints.arm("delivery.sent:raise:1")
    async with world.running():
        await world.record(world.event())
        await world.until_delivered("retrying")
        world.clock.advance(10)
        await world.until_delivered("sent")

    first, second = (note for _, note in world.post.sent)
    assert first.idempotency_key == second.idempotency_key


async def test_a_worker_that_slept_past_its_lease_cannot_unsay_what_another_did(
    world: AlertWorld, ann: Channel
) -> None:
    asleep, woken = asyncio.Event(), asyncio.Event()

    async def sleep(_note: Notification) -> Receipt:
        if world.post.times("ann") > 1:
            return Receipt("by the other")
        asleep.set()
        await woken.wait()
        raise Rejected("by the sleeper")

    world.post.behaviour["ann"] = sleep
    await world.record(world.event())
    async with world.running():
        await asleep.wait()
        world.clock.advance(31)
        async with world.running(world.runner()):
            await world.until_delivered("sent")
        woken.set()

        async def is_lost() -> bool:
            return "lost" in world.counts.jobs

        await world.until(is_lost)

    assert (await world.delivery()).provider_response == "by the other"
    assert sorted(world.counts.jobs) == ["lost", "success"]


async def test_a_channel_that_hangs_delays_no_other(world: AlertWorld, ann: Channel) -> None:
    stuck = asyncio.Event()

    async def hang(_note: Notification) -> Receipt:
        await stuck.wait()
        return Receipt("at last")

    world.post.behaviour["ann"] = hang
    for _ in range(60):
        await world.record(world.event())
    await world.add_channel("bob")
    await world.record(world.event())
    async with world.running():

        async def bob_is_told() -> bool:
            return world.post.times("bob") == 1

        await world.until(bob_is_told)
        assert world.post.times("ann") == 2
        stuck.set()

    put_off = [job for job in await world.jobs() if job.status == "pending"]
    assert len(put_off) >= 60 - 34  # what does not fit beside the hanging ones waits outside …
    assert {job.attempts for job in put_off} == {0}  # … and has not been tried


# Trying a channel ------------------------------------------------------------------------------------


async def test_a_test_message_is_sent_at_once_and_its_result_is_kept(world: AlertWorld, ann: Channel) -> None:
    off = await world.add_channel("off", enabled=False)

    async def refuse(_note: Notification) -> Receipt:
        raise Rejected("No. https://h/?token=abc")

    world.post.behaviour["off"] = refuse
    nobody = ChannelId(new_id())
    results = await world.channels.test([ann.id, off.id, nobody], by=ADA, title="Hello", body="World")

    assert [(item.channel_id, item.status, item.error) for item in results] == [
        (ann.id, "sent", None),
        (off.id, "failed", "No. https://h/?token=***"),
        (nobody, "failed", "There is no channel with this id."),
    ]
    note = next(note for to, note in world.post.sent if to == "ann")
    assert (note.title, note.body, note.document["event"], note.picture_url) == ("Hello", "World", None, None)
    assert await last_result(world, ann) == "Test sent."
    assert await last_result(world, off) == "Test not sent: No. https://h/?token=***"
    assert await world.alerts() == []


async def test_without_ids_all_open_channels_are_tried(world: AlertWorld, ann: Channel) -> None:
    await world.add_channel("off", enabled=False)

    results = await world.channels.test(None, by=ADA)

    assert [item.channel_id for item in results] == [ann.id]
