"""From an event to alerts, deliveries and jobs: all of it or nothing. Then what people do with an alert."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import time, timedelta
from pathlib import Path

import pytest

from glimpser.core import failpoints
from glimpser.core.accounts import EVERYTHING, AuditFilter
from glimpser.core.alerts import Alert
from glimpser.core.errors import NotFound, Unavailable
from glimpser.core.events import Artifact, Level
from glimpser.core.frames import Frame
from glimpser.core.ids import AlertId, new_id
from glimpser.core.pages import PageRequest
from glimpser.core.rules import Condition, QuietHours
from glimpser.services.alerting import SUPERSEDED_FOR, Alerting
from glimpser.services.audit import Actor
from glimpser.services.garbage import sweep_garbage
from glimpser.services.notices import AlertNotice
from tests.alert_world import AlertWorld, any_motion, open_alert_world

pytestmark = pytest.mark.anyio

ADA = Actor("ada@example.org", "203.0.113.9")


@pytest.fixture
async def world(data_dir: Path) -> AsyncIterator[AlertWorld]:
    async with open_alert_world(data_dir) as opened:
        yield opened


@pytest.fixture(autouse=True)
def disarmed() -> Iterator[None]:
    yield
    failpoints.arm("")


async def test_a_rule_that_fires_makes_an_alert_a_delivery_and_a_job(world: AlertWorld) -> None:
    ann, bob = await world.add_channel("ann"), await world.add_channel("bob")
    await world.add_channel("off", enabled=False)
    rule = any_motion(level=Level.ERROR, timezone="Europe/Berlin")
    await world.set_rules(rule)

    event = await world.record(world.event())

    [alert] = await world.alerts()
    jobs = await world.jobs()
    assert (alert.event_id, alert.rule_id, alert.template_id) == (event.id, rule.id, world.template_id)
    assert (alert.kind, alert.level, alert.state) == ("motion", Level.ERROR, "open")
    assert alert.title == "Door: motion"
    assert alert.body == (
        "Motion: Door\nScore 0.50, Thursday 01 January 2026 at 13:00:00 (Europe/Berlin).\nRule: Any motion."
    )
    assert {delivery.channel_id for delivery in alert.deliveries} == {ann.id, bob.id}
    assert {delivery.status for delivery in alert.deliveries} == {"pending"}
    keys = {delivery.idempotency_key for delivery in alert.deliveries}
    assert keys == {job.idempotency_key for job in jobs} == {f"{alert.id}.{ann.id}", f"{alert.id}.{bob.id}"}
    assert {job.payload["delivery_id"] for job in jobs} == {delivery.id for delivery in alert.deliveries}
    assert world.notices == [AlertNotice(alert)]


async def test_a_rule_tells_only_its_own_channels(world: AlertWorld) -> None:
    await world.add_channel("ann")
    bob = await world.add_channel("bob")
    off = await world.add_channel("off", enabled=False)
    await world.set_rules(any_motion(channels=(bob.id, off.id)))

    await world.record(world.event())

    assert (await world.delivery()).channel_id == bob.id


async def test_every_rule_speaks_for_itself(world: AlertWorld) -> None:
    loud, silent = any_motion(), any_motion(when=Condition(min_score=0.9))
    await world.set_rules(loud, silent, any_motion(enabled=False), any_motion(when=Condition(event="change")))

    await world.record(world.event())

    assert [alert.rule_id for alert in await world.alerts()] == [loud.id]


async def test_an_event_that_grows_fires_once(world: AlertWorld) -> None:
    await world.set_rules(any_motion(when=Condition(min_score=0.6)))

    event = await world.record(world.event())
    counts = [len(await world.alerts())]
    for score in (0.55, 0.7, 0.9):
        await world.alerting.record(replace(event, metadata={"score": score}), None, is_new=False)
        counts.append(len(await world.alerts()))

    assert counts == [0, 0, 1, 1]


async def test_a_rule_is_silent_for_its_time_and_then_speaks_again(world: AlertWorld) -> None:
    await world.set_rules(any_motion(dedupe_s=60))
    await world.record(world.event())

    for _ in range(3):
        world.clock.advance(20)
        await world.record(world.event())

    assert len(await world.alerts()) == 2


async def test_quiet_hours_hold_at_the_time_of_the_decision(world: AlertWorld) -> None:
    await world.set_rules(any_motion(quiet_hours=(QuietHours(start=time(12), end=time(13)),)))
    event = await world.record(world.event())
    silent = await world.alerts()

    world.clock.advance(3600)
    await world.alerting.record(event, None, is_new=False)

    assert silent == []
    assert len(await world.alerts()) == 1


@pytest.mark.parametrize(
    ("first", "told"),
    [
        (Level.WARNING, Level.CRITICAL),
        (Level.ERROR, Level.ERROR),
        (Level.CRITICAL, Level.CRITICAL),
    ],
)
async def test_a_grave_event_needs_no_rule_and_is_told_once(
    world: AlertWorld, first: Level, told: Level
) -> None:
    ann = await world.add_channel()
    event = await world.record(world.event(kind="health", level=first, metadata={}))
    await world.alerting.record(replace(event, level=Level.CRITICAL), None, is_new=False)
    await world.alerting.record(replace(event, level=Level.CRITICAL), None, is_new=False)

    [alert] = await world.alerts()
    assert (alert.rule_id, alert.level) == (None, told)
    assert [delivery.channel_id for delivery in alert.deliveries] == [ann.id]
    assert "Rule" not in alert.body


async def test_the_least_level_is_a_setting(world: AlertWorld) -> None:
    alerting = Alerting(world.database, world.store, world.queue, clock=world.clock, min_level=Level.WARNING)

    await alerting.record(world.event(level=Level.WARNING), None, is_new=True)
    await alerting.record(world.event(level=Level.INFO), None, is_new=True)

    assert len(await world.alerts()) == 1


async def test_a_removed_template_has_no_rules_but_its_last_event_is_written(world: AlertWorld) -> None:
    await world.set_rules(any_motion())
    await world.database.write(lambda tx: tx.templates.remove(world.template_id, expected=2))

    event = await world.record(world.event())

    assert await world.alerts() == []
    assert (await world.database.read(lambda tx: tx.events.get(event.id))).id == event.id


@pytest.mark.parametrize("name", ["event.before_commit", "alert.before_commit"])
async def test_what_fails_before_the_commit_leaves_nothing_and_can_be_done_again(
    world: AlertWorld, name: str
) -> None:
    await world.add_channel()
    await world.set_rules(any_motion())
    event = world.event()
    failpoints.arm(f"{name}:raise:1")

    with pytest.raises(Unavailable):
        await world.record(event)
    left = (await world.alerts(), await world.jobs())
    with pytest.raises(NotFound):
        await world.database.read(lambda tx: tx.events.get(event.id))
    await world.record(event)

    assert left == ([], [])
    assert world.notices == [AlertNotice((await world.alerts())[0])]
    assert len(await world.jobs()) == 1


async def picture(world: AlertWorld, number: int) -> Artifact:
    frame = Frame(world.template_id, number, world.clock.now(), b"picture %d" % number, 640, 360)
    return await world.alerting.store_picture(frame)


@pytest.mark.parametrize(("fires_at", "kept"), [(None, [3]), (1, [1, 2, 3]), (2, [2, 3]), (3, [3])])
async def test_a_picture_that_somebody_was_sent_a_link_to_is_kept(
    world: AlertWorld, fires_at: int | None, kept: list[int]
) -> None:
    await world.set_rules(any_motion(when=Condition(min_score=0.5)))
    event = world.event()
    for number in (1, 2, 3):
        fires = fires_at is not None and number >= fires_at
        event = replace(event, metadata={"score": 0.9 if fires else 0.1})
        event = await world.alerting.record(event, await picture(world, number), is_new=number == 1)

    await sweep_garbage(world.database, world.store, now=world.clock.now() + SUPERSEDED_FOR)
    assert sorted(world.store.objects.values()) == [b"picture %d" % number for number in kept]


# What people do --------------------------------------------------------------------------------------


@pytest.fixture
async def alert(world: AlertWorld) -> Alert:
    await world.add_channel()
    await world.set_rules(any_motion())
    await world.record(world.event())
    world.notices.clear()
    return (await world.alerts())[0]


async def audit(world: AlertWorld) -> list[str]:
    page = await world.database.read(lambda tx: tx.audit.list(AuditFilter(), PageRequest()))
    return [f"{item.actor} {item.action} {item.subject}" for item in page.items]


async def test_the_first_to_acknowledge_is_remembered(world: AlertWorld, alert: Alert) -> None:
    seen = await world.alerting.acknowledge(alert.id, by=ADA)
    world.clock.advance(60)
    again = await world.alerting.acknowledge(alert.id, by=Actor("bob@example.org"))

    assert (seen.state, seen.acked_by) == ("acknowledged", "ada@example.org")
    assert seen.acked_at == world.clock.now() - timedelta(seconds=60)
    assert again == seen == await world.alerting.alert(alert.id, within=EVERYTHING)
    assert await audit(world) == [f"ada@example.org alert.acknowledged {alert.id}"]
    assert world.notices == [AlertNotice(seen)]


async def test_what_is_not_there_cannot_be_acknowledged_or_tried_again(world: AlertWorld) -> None:
    nothing = AlertId(new_id())

    with pytest.raises(NotFound):
        await world.alerting.acknowledge(nothing, by=ADA)
    with pytest.raises(NotFound):
        await world.alerting.retry(nothing, by=ADA)


async def test_a_delivery_given_up_is_tried_again_once_however_many_ask(
    world: AlertWorld, alert: Alert
) -> None:
    [delivery] = alert.deliveries
    job = await world.claim()
    ended = replace(job, status="dead", error="refused")
    await world.database.write(lambda tx: tx.jobs.finish(ended, fence=job.fence))
    dead = replace(delivery, status="dead", attempts=3, last_error="refused")
    await world.database.write(lambda tx: tx.deliveries.update(dead))

    results = await asyncio.gather(*(world.alerting.retry(alert.id, by=ADA) for _ in range(5)))

    [again] = await world.jobs()
    assert again.payload["delivery_id"] == delivery.id
    assert {result.deliveries[0].status for result in results} == {"pending"}
    assert (await world.delivery()).idempotency_key == delivery.idempotency_key
    assert len(await audit(world)) == 1


async def test_a_delivery_that_still_waits_is_left_alone(world: AlertWorld, alert: Alert) -> None:
    before = await world.jobs()

    await world.alerting.retry(alert.id, by=ADA)

    assert await world.jobs() == before
    assert await audit(world) == []
