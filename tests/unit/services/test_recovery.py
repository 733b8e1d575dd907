"""After any kill the next start leaves database and store in order."""

import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from glimpser.core.alerts import DeliveryStatus
from glimpser.core.clock import SystemClock
from glimpser.core.errors import Unavailable
from glimpser.core.jobs import Job
from glimpser.core.keys import artifact_key
from glimpser.core.ports import Database
from glimpser.db import migrate, open_database
from glimpser.services.alert_making import delivery_job
from glimpser.services.integrity import CheckLevel, check
from glimpser.services.recovery import Recovery, recover
from glimpser.storage import open_files
from glimpser.testing.clock import FakeClock
from glimpser.testing.storage import MemoryStore
from tests.contract.samples import alert, artifact, at, capture, event, job, settings_in

pytestmark = pytest.mark.anyio

NOTHING = Recovery(captures=0, events=0, jobs=0, deliveries=0, garbage=0, orphans=0)
DAY_S = 86_400.0


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    settings = settings_in(tmp_path)
    migrate(settings)
    async with open_database(settings) as opened:
        yield opened


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
async def clock(database: Database, store: MemoryStore) -> FakeClock:
    """The program has been started once before, at second 0."""
    clock = FakeClock(at(0))
    assert await recover(database, store, clock) == NOTHING
    return clock


def key_at(seconds: float) -> str:
    return artifact_key(artifact(seconds).id, "jpg", at(seconds))


async def test_does_nothing_where_nothing_broke(
    database: Database, store: MemoryStore, clock: FakeClock
) -> None:
    assert await recover(database, store, clock) == NOTHING


async def test_closes_what_was_running(database: Database, store: MemoryStore, clock: FakeClock) -> None:
    running, done = capture(1), capture(2, status="success", ended_at=at(3))
    await database.write(lambda tx: tx.captures.add(running))
    await database.write(lambda tx: tx.captures.add(done))
    clock.advance(100)

    first = await recover(database, store, clock)
    second = await recover(database, store, clock)

    assert (first.captures, second) == (1, NOTHING)
    assert await database.read(lambda tx: tx.captures.get(running.id)) == replace(
        running, status="failure", ended_at=clock.now(), error="ended by a restart"
    )
    assert await database.read(lambda tx: tx.captures.get(done.id)) == done


async def test_a_clock_set_back_gives_no_capture_that_ends_before_it_began(
    database: Database, store: MemoryStore, clock: FakeClock
) -> None:
    running = capture(5000)
    await database.write(lambda tx: tx.captures.add(running))

    await recover(database, store, clock)

    assert (await database.read(lambda tx: tx.captures.get(running.id))).ended_at == at(5000)


async def test_ends_motion_where_it_was_last_seen_and_leaves_other_events_open(
    database: Database, store: MemoryStore, clock: FakeClock
) -> None:
    with_peak, without, down = event(1, peak_at=at(4)), event(2), event(3, kind="health")
    await database.write(lambda tx: tx.events.add(with_peak))
    await database.write(lambda tx: tx.events.add(without))
    await database.write(lambda tx: tx.events.add(down))

    first = await recover(database, store, clock)
    second = await recover(database, store, clock)

    found = await database.read(
        lambda tx: [tx.events.get(happened.id).ended_at for happened in (with_peak, without, down)]
    )
    assert found == [at(4), at(2), None]
    assert (first.events, second) == (2, NOTHING)


async def test_gives_jobs_of_the_dead_back_to_the_queue_and_refuses_their_late_writes(
    database: Database, store: MemoryStore, clock: FakeClock
) -> None:
    held, waiting = job(1), job(2, scheduled_for=at(9))
    await database.write(lambda tx: [tx.jobs.add(each) for each in (held, waiting)])
    [claimed] = await claim(database, 3)

    first = await recover(database, store, clock)
    second = await recover(database, store, clock)
    late = await database.write(lambda tx: tx.jobs.finish(replace(claimed, status="success"), fence=1))
    [again] = await claim(database, 4)

    assert (first, second) == (replace(NOTHING, jobs=1), NOTHING)
    assert not late
    assert (again.id, again.fence) == (held.id, 2)
    assert await database.read(lambda tx: tx.jobs.get(waiting.id)) == waiting


async def test_deliveries_that_were_on_their_way_are_tried_again(
    database: Database, store: MemoryStore, clock: FakeClock
) -> None:
    told = alert(channels=5)
    statuses: list[DeliveryStatus] = ["pending", "sending", "retrying", "sent", "dead"]
    deliveries = [
        replace(each, status=status) for each, status in zip(told.deliveries, statuses, strict=True)
    ]
    await database.write(lambda tx: tx.alerts.add(replace(told, deliveries=tuple(deliveries))))

    first = await recover(database, store, clock)
    second = await recover(database, store, clock)

    deliveries[1] = replace(deliveries[1], status="retrying", last_error="ended by a restart")
    found = await database.read(lambda tx: tx.alerts.get(told.id))
    assert (first, second) == (replace(NOTHING, deliveries=1), NOTHING)
    assert found.deliveries == tuple(deliveries)


async def test_a_program_that_dies_again_and_again_uses_up_no_attempt_of_what_it_never_sent(
    database: Database, store: MemoryStore, clock: FakeClock
) -> None:
    told = alert(channels=2)
    on_its_way, waiting = told.deliveries
    jobs = [delivery_job(each, None, at(0), key=each.idempotency_key) for each in told.deliveries]
    await database.write(lambda tx: tx.alerts.add(told))
    await database.write(lambda tx: [tx.jobs.add(each) for each in jobs])
    for _ in range(5):
        await claim(database, 1)
        await database.write(lambda tx: tx.deliveries.update(replace(on_its_way, status="sending")))
        await recover(database, store, clock)

    found = {each.payload["delivery_id"]: (each.attempts, each.error) for each in await claim(database, 1)}

    assert found == {on_its_way.id: (6, "ended by a restart"), waiting.id: (1, None)}


async def claim(database: Database, seconds: float) -> Sequence[Job]:
    return await database.write(
        lambda tx: tx.jobs.claim(["deliver"], limit=9, now=at(seconds), lease_until=at(seconds + 999))
    )


async def test_garbage_stays_garbage_while_the_store_is_away_and_the_program_starts(
    database: Database, store: MemoryStore, clock: FakeClock
) -> None:
    picture = artifact(1)
    await database.write(lambda tx: tx.artifacts.add(picture))
    await database.write(lambda tx: tx.artifacts.remove(picture.id))
    await database.write(lambda tx: tx.captures.add(capture(1)))
    store.failure = Unavailable("The store is away.")

    during = await recover(database, store, clock)
    store.failure = None
    after = await recover(database, store, clock)

    assert during == replace(NOTHING, captures=1)
    assert after == replace(NOTHING, garbage=1)


async def test_removes_objects_whose_row_never_came(
    database: Database, store: MemoryStore, clock: FakeClock
) -> None:
    kept = artifact(3 * DAY_S)
    kept_key = kept.uri.removeprefix("memory:///")
    await database.write(lambda tx: tx.artifacts.add(kept))
    lost = [key_at(3 * DAY_S - 1), key_at(3 * DAY_S + 1), key_at(4 * DAY_S)]
    store.objects = dict.fromkeys([kept_key, *lost, "artifacts/2025/04/02/README"], b"12345")
    clock.advance(4 * DAY_S + 60)

    first = await recover(database, store, clock)
    second = await recover(database, store, clock)

    assert (first.orphans, second) == (3, NOTHING)
    assert sorted(store.objects) == sorted([kept_key, "artifacts/2025/04/02/README"])


async def test_removes_the_very_first_object_if_its_row_never_came(
    database: Database, store: MemoryStore, clock: FakeClock
) -> None:
    store.objects[key_at(1)] = b"12345"
    clock.advance(2)

    assert (await recover(database, store, clock)).orphans == 1
    assert store.objects == {}


async def test_a_new_database_beside_an_old_store_costs_no_picture(
    database: Database, store: MemoryStore
) -> None:
    old = {key_at(-1): b"12345", key_at(-3600): b"12345", key_at(-DAY_S): b"12345"}
    store.objects = dict(old)

    first = await recover(database, store, FakeClock(at(0)))
    second = await recover(database, store, FakeClock(at(10)))

    assert (first, second) == (NOTHING, NOTHING)
    assert store.objects == old


async def test_a_clock_set_back_hides_no_lost_object(
    database: Database, store: MemoryStore, clock: FakeClock
) -> None:
    future = artifact(40 * DAY_S)
    await database.write(lambda tx: tx.artifacts.add(future))
    store.objects = {future.uri.removeprefix("memory:///"): b"12345", key_at(60): b"12345"}
    clock.jump(120)

    assert (await recover(database, store, clock)).orphans == 1
    assert list(store.objects) == [future.uri.removeprefix("memory:///")]


CAPTURING = """
import asyncio, hashlib, sys
from datetime import UTC, datetime
from pathlib import Path
from glimpser.core import failpoints
from glimpser.core.alerts import DeliveryStatus
from glimpser.core.clock import SystemClock
from glimpser.core.events import Artifact, Capture, Event, Level
from glimpser.core.ids import new_id
from glimpser.core.jobs import Job
from glimpser.core.keys import artifact_key
from glimpser.db import DatabaseSettings, migrate, open_database
from glimpser.services.recovery import recover
from glimpser.storage import open_files

async def jpeg():
    yield b"12345"

async def main(root):
    settings = DatabaseSettings(url=f"sqlite:///{root}/glimpser.db")
    migrate(settings)
    async with open_database(settings) as database, open_files(root / "store") as store:
        clock = SystemClock()
        await recover(database, store, clock)
        view, started = new_id(), clock.now()
        session = Capture(id=new_id(), template_id=view, kind="live", status="running", started_at=started)
        await database.write(lambda tx: tx.captures.add(session))
        while True:
            now, identifier = clock.now(), new_id()
            stored = await store.put(artifact_key(identifier, "jpg", now), jpeg(), content_type="image/jpeg")
            row = Artifact(id=identifier, uri=stored.uri, media_type="image/jpeg", created_at=now,
                           size_bytes=stored.size_bytes, sha256=stored.sha256, width=None, height=None)
            moved = Event(id=new_id(), template_id=view, kind="motion", level=Level.INFO, message="",
                          started_at=now, created_at=now, artifact_id=identifier)
            await database.write(lambda tx: (tx.artifacts.add(row), tx.events.add(moved)))

failpoints.arm(sys.argv[2])
asyncio.run(main(Path(sys.argv[1])))
"""


@pytest.mark.parametrize(
    "failpoint",
    ["storage.written:kill:1", "storage.renamed:kill:1", "storage.written:kill:4", "storage.renamed:kill:4"],
)
async def test_after_a_kill_and_a_restart_the_check_finds_no_problem(tmp_path: Path, failpoint: str) -> None:
    killed = subprocess.run(  # noqa: ASYNC221 - the loop has nothing else to do
        [sys.executable, "-c", CAPTURING, str(tmp_path), failpoint], timeout=60, check=False
    )

    settings = settings_in(tmp_path)
    migrate(settings)
    async with open_database(settings) as database, open_files(tmp_path / "store") as store:
        before = await check(database, store, CheckLevel.HASH)
        recovery = await recover(database, store, SystemClock())
        again = await recover(database, store, SystemClock())
        after = await check(database, store, CheckLevel.HASH)

    rows = int(failpoint[-1]) - 1
    lost = int("renamed" in failpoint)
    assert killed.returncode == -signal.SIGKILL
    assert [problem.kind for problem in before.problems] == ["orphan"] * lost
    assert recovery == replace(NOTHING, captures=1, events=rows, orphans=lost)
    assert again == NOTHING
    assert after.problems == ()
    assert after.counts["artifacts"] == after.counts["objects"] == rows
