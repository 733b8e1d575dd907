"""What has been kept long enough goes; what somebody needs stays."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from glimpser.cluster.local import LocalJobQueue
from glimpser.core.accounts import AuditFilter
from glimpser.core.errors import NotFound
from glimpser.core.events import Artifact
from glimpser.core.health import HealthRecord
from glimpser.core.ids import ChannelId, TemplateId, new_id
from glimpser.core.keys import artifact_key
from glimpser.core.pages import PageRequest
from glimpser.core.ports import Database
from glimpser.core.repositories import Transaction
from glimpser.core.retention import RetentionPolicy
from glimpser.core.templates import Template
from glimpser.db import migrate, open_database
from glimpser.services.garbage import sweep_garbage
from glimpser.services.integrity import CheckLevel, check
from glimpser.services.jobs import Jobs
from glimpser.services.retention import Nightly, Retention, RetentionLimits, SilentProgress
from glimpser.storage import open_files
from glimpser.testing.clock import FakeClock
from tests.contract.given import add
from tests.contract.samples import (
    VIEW,
    alert,
    artifact,
    at,
    audit_entry,
    capture,
    delivery,
    event,
    health_record,
    observation,
    settings_in,
    template,
)

pytestmark = pytest.mark.anyio

DAY_S = 86_400.0


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    migrate(settings_in(tmp_path))
    async with open_database(settings_in(tmp_path)) as opened:
        yield opened


@pytest.fixture
def clock() -> FakeClock:
    """It is day 100."""
    return FakeClock(at(100 * DAY_S))


async def view_with(database: Database, **policy: Any) -> Template:
    made = template(retention=RetentionPolicy(**policy))
    await add(database, made)
    return made


async def pictures(
    database: Database, view: TemplateId | None, *days: float, **changes: Any
) -> list[Artifact]:
    made = [artifact(day * DAY_S, template_id=view, **changes) for day in days]
    await add(database, *made)
    return made


async def run(database: Database, clock: FakeClock, **limits: Any) -> dict[str, int]:
    retention = Retention(database, RetentionLimits(**limits), clock=clock)
    return {name: count for name, count in (await retention.run(SilentProgress())).items() if count}


async def left(database: Database) -> set[str]:
    return {one.id for one in await database.read(lambda tx: tx.artifacts.after(None, 1000))}


def ids(made: list[Artifact]) -> set[str]:
    return {one.id for one in made}


async def test_a_view_s_own_age_comes_before_that_of_all(database: Database, clock: FakeClock) -> None:
    mine = await view_with(database, max_age_days=7)
    other = await view_with(database)
    own = await pictures(database, mine.id, 92.5, 93.5)
    all_else = await pictures(database, other.id, 69.5, 70.5)

    removed = await run(database, clock)

    assert await left(database) == ids([own[1], all_else[1]])
    assert removed == {"artifacts": 2, "bytes": 10}
    assert set(await database.read(lambda tx: tx.garbage.list(10))) == {own[0].uri, all_else[0].uri}
    assert await run(database, clock) == {}


async def test_more_than_one_batch_goes_by_number(database: Database, clock: FakeClock) -> None:
    mine = await view_with(database, max_count=50)
    made = await pictures(database, mine.id, *(90 + number / 100 for number in range(500)))

    await run(database, clock)

    assert await left(database) == ids(made[-50:])


async def test_all_views_together_are_limited_by_bytes(database: Database, clock: FakeClock) -> None:
    views = [await view_with(database), await view_with(database)]
    made = []
    for number in range(10):
        made += await pictures(database, views[number % 2].id, 90 + number)

    await run(database, clock, total=RetentionPolicy(max_bytes=15))

    assert await left(database) == ids(made[-3:])


async def test_what_is_pinned_stays_with_what_shows_it(database: Database, clock: FakeClock) -> None:
    [kept, gone] = await pictures(database, VIEW, 1, 2)
    shown = event(DAY_S, artifact_id=kept.id, ended_at=at(DAY_S))
    await add(
        database,
        shown,
        event(DAY_S, artifact_id=gone.id, ended_at=at(DAY_S)),
        capture(DAY_S, artifact_id=kept.id, status="success"),
        observation(DAY_S, artifact_id=kept.id),
    )
    await database.write(lambda tx: tx.artifacts.pin(kept.id, pinned=True))

    removed = await run(database, clock)

    assert removed == {"artifacts": 1, "bytes": 5, "events": 1}
    assert (await database.read(lambda tx: tx.events.get(shown.id))).artifact_id == kept.id
    await database.write(lambda tx: tx.artifacts.pin(kept.id, pinned=False))
    assert await run(database, clock) == {
        "artifacts": 1, "bytes": 5, "events": 1, "captures": 1, "observations": 1,
    }  # fmt: skip


async def test_what_was_pinned_a_moment_ago_is_not_removed(database: Database) -> None:
    [pinned, other] = await pictures(database, VIEW, 1, 2)
    await database.write(lambda tx: tx.artifacts.pin(pinned.id, pinned=True))

    removed = await database.write(lambda tx: tx.retention.remove_pictures([pinned.id, other.id]))

    assert (removed.count, await left(database)) == (1, {pinned.id})


async def test_the_last_good_picture_of_a_view_stays(database: Database, clock: FakeClock) -> None:
    [last, older] = await pictures(database, VIEW, 2, 1)
    record: HealthRecord = health_record(
        health=replace(health_record().health, last_good_artifact_id=last.id)
    )
    await database.write(lambda tx: tx.healths.put(record))

    await run(database, clock)

    assert await left(database) == {last.id}
    assert older.id not in await left(database)


@pytest.mark.parametrize(
    ("status", "stays"), [("pending", True), ("retrying", True), ("sent", False), ("dead", False)]
)
async def test_an_alert_stays_with_all_it_shows_until_it_is_delivered(
    database: Database, clock: FakeClock, status: Any, *, stays: bool
) -> None:
    [picture] = await pictures(database, VIEW, 1)
    happened = event(DAY_S, artifact_id=picture.id, ended_at=at(DAY_S))
    told = alert(DAY_S, event_id=happened.id)
    sent = delivery(told.id, ChannelId(new_id()), status=status)
    await add(database, happened, replace(told, deliveries=(sent,)))

    removed = await run(database, clock)

    expected = {} if stays else {"artifacts": 1, "bytes": 5, "events": 1, "alerts": 1}
    assert removed == expected


async def test_what_goes_on_stays_whatever_its_age(database: Database, clock: FakeClock) -> None:
    mine = await view_with(database)
    moving = event(1, template_id=mine.id)
    ill = event(1, template_id=mine.id, kind="health")
    ended = event(1, template_id=mine.id, ended_at=at(2))
    await add(database, moving, ill, ended, capture(1, template_id=mine.id))
    await database.write(lambda tx: tx.healths.put(health_record(template_id=mine.id, event_id=ill.id)))

    assert await run(database, clock) == {"events": 1}

    with pytest.raises(NotFound):
        await database.read(lambda tx: tx.events.get(ended.id))


async def test_rows_outlive_pictures(database: Database, clock: FakeClock) -> None:
    mine = await view_with(database)
    [picture] = await pictures(database, mine.id, 50)
    shown = event(50 * DAY_S, template_id=mine.id, artifact_id=picture.id, ended_at=at(50 * DAY_S))
    await add(database, shown)

    assert await run(database, clock) == {"artifacts": 1, "bytes": 5}
    assert (await database.read(lambda tx: tx.events.get(shown.id))).artifact_id is None


async def test_guessing_pushes_nothing_but_older_guesses_out_of_the_audit_log(
    database: Database, clock: FakeClock
) -> None:
    guesses = [replace(audit_entry(90 * DAY_S + number), action="login.refused") for number in range(450)]
    change, ancient = audit_entry(50 * DAY_S), audit_entry(39 * DAY_S)
    await add(database, *guesses, change, ancient)

    assert await run(database, clock, audit_days=60, refusals=20) == {"audit": 431}

    page = await database.read(lambda tx: tx.audit.list(AuditFilter(), PageRequest(200)))
    assert list(page.items) == [*reversed(guesses[-20:]), change]
    assert await run(database, clock, audit_days=60, refusals=20) == {}


async def test_of_a_deleted_view_everything_goes_a_week_after_it_was_made(
    database: Database, clock: FakeClock
) -> None:
    existing = await view_with(database)
    [old, young] = await pictures(database, VIEW, 92, 94)
    [mine] = await pictures(database, existing.id, 91)
    await add(
        database, event(92 * DAY_S, ended_at=at(92 * DAY_S)), observation(92 * DAY_S), alert(92 * DAY_S)
    )
    await add(database, event(94 * DAY_S, ended_at=at(94 * DAY_S)))

    removed = await run(database, clock)

    assert removed == {"artifacts": 1, "bytes": 5, "events": 1, "observations": 1, "alerts": 1}
    assert await left(database) == ids([young, mine])
    assert old.id not in await left(database)


async def test_what_has_an_end_of_its_own_is_left_alone(database: Database, clock: FakeClock) -> None:
    [export] = await pictures(database, None, 1, expires_at=at(200 * DAY_S))

    await run(database, clock, total=RetentionPolicy(max_count=1))

    assert await left(database) == {export.id}


async def test_a_reader_reads_to_the_end_what_retention_takes(
    database: Database, clock: FakeClock, tmp_path: Path
) -> None:
    async def content() -> AsyncIterator[bytes]:
        yield bytes(3_000_000)

    async with open_files(tmp_path / "objects") as store:
        made = artifact(DAY_S, template_id=VIEW, size_bytes=3_000_000)
        stored = await store.put(
            artifact_key(made.id, "jpg", at(DAY_S)), content(), content_type="image/jpeg"
        )
        await add(database, artifact(DAY_S, template_id=VIEW, uri=stored.uri, size_bytes=3_000_000))
        reading = store.get(stored.uri)
        read = len(await anext(reading))

        await run(database, clock)
        assert await sweep_garbage(database, store, now=clock.now()) == 1

        read += sum([len(piece) async for piece in reading])
        assert read == 3_000_000
        with pytest.raises(NotFound):
            await anext(store.get(stored.uri))


async def test_it_is_submitted_once_a_night(database: Database, clock: FakeClock) -> None:
    nightly = Nightly(Jobs(database, LocalJobQueue(), {}, clock=clock), clock=clock, hour=3)

    first = await nightly.submit()  # 00:59: the job of the night before
    assert await nightly.submit() == first
    clock.advance(timedelta(hours=3).total_seconds())
    second = await nightly.submit()
    clock.advance(timedelta(hours=20).total_seconds())

    assert second != first
    assert await nightly.submit() == second


KILLED = """
import asyncio, sys
from pathlib import Path
from glimpser.core import failpoints
from glimpser.db import open_database
from glimpser.services.retention import Retention, RetentionLimits, SilentProgress
from glimpser.testing.clock import FakeClock
from tests.contract.samples import at, settings_in

async def main() -> None:
    failpoints.arm(sys.argv[2])
    async with open_database(settings_in(Path(sys.argv[1]))) as database:
        clock = FakeClock(at(100 * 86_400))
        await Retention(database, RetentionLimits(), clock=clock).run(SilentProgress())

asyncio.run(main())
"""


@pytest.mark.parametrize("failpoint", ["retention.before_commit:kill:2", "retention.committed:kill:1"])
async def test_a_kill_leaves_rows_and_objects_in_agreement_and_the_next_run_ends_the_work(
    database: Database, clock: FakeClock, tmp_path: Path, failpoint: str
) -> None:
    async def content() -> AsyncIterator[bytes]:
        yield b"12345"

    async with open_files(tmp_path / "objects") as store:
        for number in range(450):
            made = artifact(DAY_S + number, template_id=VIEW)
            stored = await store.put(
                artifact_key(made.id, "jpg", made.created_at), content(), content_type="x"
            )
            await add(database, artifact(DAY_S + number, template_id=VIEW, uri=stored.uri))

        ended = await asyncio.create_subprocess_exec(sys.executable, "-c", KILLED, str(tmp_path), failpoint)

        assert await ended.wait() == -signal.SIGKILL
        assert len(await left(database)) == 250
        assert (await check(database, store, CheckLevel.SIZE)).problems == ()
        assert await run(database, clock) == {"artifacts": 250, "bytes": 1250}
        assert await sweep_garbage(database, store, now=clock.now()) == 450
        assert [entry async for entry in store.list()] == []


async def test_views_are_found_although_nothing_but_one_row_names_them(database: Database) -> None:
    ids_of = [TemplateId(new_id()) for _ in range(3)]
    await add(
        database, event(template_id=ids_of[0]), capture(template_id=ids_of[1]), alert(template_id=ids_of[2])
    )

    def walk(tx: Transaction) -> list[TemplateId]:
        found: list[TemplateId] = []
        while (view := tx.retention.next_view(found[-1] if found else None)) is not None:
            found.append(view)
        return found

    assert await database.read(walk) == sorted(ids_of)
