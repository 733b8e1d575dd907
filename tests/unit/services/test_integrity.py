"""The check finds what is wrong, repairs what loses nothing, and touches nothing else."""

import hashlib
import sqlite3
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from glimpser.core.alerts import DeliveryStatus
from glimpser.core.clock import SystemClock
from glimpser.core.errors import NotFound
from glimpser.core.events import Artifact
from glimpser.core.keys import artifact_key
from glimpser.core.ports import Database, StoredEntry
from glimpser.core.repositories import Transaction
from glimpser.db import migrate, open_database
from glimpser.services.integrity import CheckLevel, Problem, check
from glimpser.testing.storage import MemoryStore
from tests.contract.samples import VIEW, alert, artifact, at, capture, event, job, settings_in

pytestmark = pytest.mark.anyio

JPEG = b"a picture"
STATUSES: tuple[DeliveryStatus, ...] = ("pending", "pending", "sending", "retrying", "sent", "dead")


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    settings = settings_in(tmp_path)
    migrate(settings)
    async with open_database(settings) as opened:
        yield opened


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


async def stored(database: Database, store: MemoryStore, seconds: float = 0) -> Artifact:
    """Store a picture as the program does: first the object, then the row."""
    ordinary = artifact(seconds)
    key = artifact_key(ordinary.id, "jpg", ordinary.created_at)

    async def data() -> AsyncIterator[bytes]:
        yield JPEG

    kept = await store.put(key, data(), content_type="image/jpeg")
    row = replace(ordinary, uri=kept.uri, size_bytes=kept.size_bytes, sha256=kept.sha256)
    await database.write(lambda tx: tx.artifacts.add(row))
    return row


def key_of(row: Artifact) -> str:
    return row.uri.removeprefix("memory:///")


def told(problems: tuple[Problem, ...]) -> list[tuple[str, str, bool]]:
    return [(problem.kind, problem.subject, problem.repaired) for problem in problems]


@pytest.mark.parametrize("level", CheckLevel)
async def test_finds_nothing_where_all_is_well(
    database: Database, store: MemoryStore, level: CheckLevel
) -> None:
    rows = [await stored(database, store, number) for number in range(3)]
    await database.write(lambda tx: tx.events.add(event(artifact_id=rows[0].id, ended_at=at(1))))
    await database.write(lambda tx: tx.artifacts.remove(rows[1].id))

    report = await check(database, store, level, repair=True)

    assert report.problems == ()
    assert report.counts == {"artifacts": 2, "objects": 3, "bytes": 3 * len(JPEG), "garbage": 1}
    assert len(store.objects) == 3


async def test_finds_nothing_in_nothing(database: Database, store: MemoryStore) -> None:
    report = await check(database, store, CheckLevel.HASH, repair=True)

    assert report.problems == ()


async def test_finds_rows_without_object_and_removes_them(database: Database, store: MemoryStore) -> None:
    lost, _kept = await stored(database, store, 0), await stored(database, store, 1)
    happened = event(artifact_id=lost.id, ended_at=at(1))
    await database.write(lambda tx: tx.events.add(happened))
    del store.objects[key_of(lost)]

    seen = await check(database, store, CheckLevel.PRESENCE)
    repaired = await check(database, store, CheckLevel.PRESENCE, repair=True)
    after = await check(database, store, CheckLevel.PRESENCE)

    assert told(seen.problems) == [("missing", f"artifacts/{lost.id}", False)]
    assert told(repaired.problems) == [("missing", f"artifacts/{lost.id}", True)]
    assert (seen.unrepaired, repaired.unrepaired) == (1, 0)
    assert after.problems == ()
    assert await database.read(lambda tx: tx.events.get(happened.id)) == replace(happened, artifact_id=None)


async def test_finds_objects_without_row_and_removes_them(database: Database, store: MemoryStore) -> None:
    kept = await stored(database, store)
    store.objects["artifacts/2025/03/30/nobody.jpg"] = JPEG
    store.objects["exports/2025.zip"] = b"not an artifact"

    seen = await check(database, store, CheckLevel.PRESENCE)
    repaired = await check(database, store, CheckLevel.PRESENCE, repair=True)

    assert told(seen.problems) == [("orphan", "memory:///artifacts/2025/03/30/nobody.jpg", False)]
    assert told(repaired.problems) == [("orphan", "memory:///artifacts/2025/03/30/nobody.jpg", True)]
    assert sorted(store.objects) == [key_of(kept), "exports/2025.zip"]


@pytest.mark.parametrize(
    ("data", "level", "kinds"),
    [
        (b"longer than it was", CheckLevel.PRESENCE, []),
        (b"longer than it was", CheckLevel.SIZE, ["size"]),
        (b"longer than it was", CheckLevel.HASH, ["size"]),
        (JPEG.upper(), CheckLevel.SIZE, []),
        (JPEG.upper(), CheckLevel.HASH, ["hash"]),
    ],
)
async def test_finds_objects_that_are_not_what_their_row_says_and_keeps_them(
    database: Database, store: MemoryStore, data: bytes, level: CheckLevel, kinds: list[str]
) -> None:
    row = await stored(database, store)
    store.objects[key_of(row)] = data

    report = await check(database, store, level, repair=True)

    assert told(report.problems) == [(kind, f"artifacts/{row.id}", False) for kind in kinds]
    assert store.objects == {key_of(row): data}
    assert await database.read(lambda tx: tx.artifacts.get(row.id)) == row


async def test_removes_nothing_where_the_store_is_another_one(database: Database, store: MemoryStore) -> None:
    row = await stored(database, store)
    other = MemoryStore()
    other.objects["artifacts/2025/03/30/somebody-else.jpg"] = JPEG

    report = await check(database, other, CheckLevel.HASH, repair=True)

    assert told(report.problems) == [
        ("missing", f"artifacts/{row.id}", False),
        ("orphan", "memory:///artifacts/2025/03/30/somebody-else.jpg", False),
    ]
    assert len(other.objects) == 1
    assert await database.read(lambda tx: tx.artifacts.get(row.id)) == row


async def test_looks_twice_at_what_a_running_program_is_about_to_finish(
    database: Database, store: MemoryStore
) -> None:
    await stored(database, store)
    late = artifact(9)

    class Busy(MemoryStore):
        """Between the list and the second look the row of the listed object arrives."""

        async def list(self, prefix: str = "") -> AsyncIterator[StoredEntry]:
            async for entry in super().list(prefix):
                yield entry
            await database.write(lambda tx: tx.artifacts.add(late))

    busy = Busy()
    busy.objects = {**store.objects, key_of(late): JPEG}

    report = await check(database, busy, CheckLevel.PRESENCE, repair=True)

    assert report.problems == ()
    assert key_of(late) in busy.objects


async def test_gives_what_is_under_way_the_time_to_be_committed(
    database: Database, store: MemoryStore
) -> None:
    row = await stored(database, store)
    await database.write(lambda tx: tx.artifacts.remove(row.id))
    settled: list[bool] = []

    async def settle() -> None:
        await database.write(lambda tx: tx.artifacts.add(row))
        settled.append(True)

    assert (await check(database, store, CheckLevel.HASH, settle=settle)).problems == ()
    assert (await check(database, store, CheckLevel.HASH, settle=settle)).problems == ()
    assert settled == [True]


async def test_walks_further_than_one_batch(database: Database, store: MemoryStore) -> None:
    digest = hashlib.sha256(JPEG).hexdigest()
    rows = [artifact(number, size_bytes=len(JPEG), sha256=digest) for number in range(1203)]

    def add_all(tx: Transaction) -> None:
        for row in rows:
            tx.artifacts.add(row)

    await database.write(add_all)
    store.objects = {key_of(row): JPEG for row in rows}
    for position in (0, 499, 500, 1202):
        del store.objects[key_of(sorted(rows, key=lambda row: row.uri)[position])]

    report = await check(database, store, CheckLevel.HASH)

    assert [problem.kind for problem in report.problems] == ["missing"] * 4
    assert report.counts["artifacts"] == 1203


async def test_finds_and_clears_references_to_rows_that_are_gone(
    database: Database, store: MemoryStore, tmp_path: Path
) -> None:
    row = await stored(database, store)
    happened = event(artifact_id=row.id, ended_at=at(1))
    await database.write(lambda tx: tx.events.add(happened))
    raw = sqlite3.connect(tmp_path / "glimpser.db")
    raw.execute("INSERT INTO garbage SELECT uri FROM artifacts")
    raw.execute("DELETE FROM artifacts")
    raw.commit()
    raw.close()

    seen = await check(database, store, CheckLevel.PRESENCE)
    repaired = await check(database, store, CheckLevel.PRESENCE, repair=True)

    assert told(seen.problems) == [("reference", f"events/{happened.id}", False)]
    assert told(repaired.problems) == [("reference", f"events/{happened.id}", True)]
    assert (await check(database, store, CheckLevel.PRESENCE)).problems == ()


async def test_finds_and_ends_events_whose_session_is_over(database: Database, store: MemoryStore) -> None:
    ended_session, running_session = capture(0, status="success", ended_at=at(60)), capture(100)
    abandoned, going_on = event(5, peak_at=at(7)), event(105)
    await database.write(lambda tx: tx.captures.add(ended_session))
    await database.write(lambda tx: tx.captures.add(running_session))
    await database.write(lambda tx: tx.events.add(abandoned))
    await database.write(lambda tx: tx.events.add(going_on))

    seen = await check(database, store, CheckLevel.PRESENCE)
    repaired = await check(database, store, CheckLevel.PRESENCE, repair=True)

    assert told(seen.problems) == [("unfinished", f"events/{abandoned.id}", False)]
    assert told(repaired.problems) == [("unfinished", f"events/{abandoned.id}", True)]
    assert (await database.read(lambda tx: tx.events.get(abandoned.id))).ended_at == at(7)
    assert await database.read(lambda tx: tx.events.get(going_on.id)) == going_on


async def test_finds_deliveries_that_no_job_will_send_and_adds_the_job(
    database: Database, store: MemoryStore
) -> None:
    sent = alert(channels=len(STATUSES))
    deliveries = tuple(
        replace(each, status=status) for each, status in zip(sent.deliveries, STATUSES, strict=True)
    )
    lost, waiting, running, ended, *_settled = deliveries
    jobs = [
        job(1, payload={"delivery_id": waiting.id}),
        job(2, payload={"delivery_id": running.id}, status="running", lease_until=at(9)),
        job(3, payload={"delivery_id": ended.id}, status="dead", idempotency_key=ended.idempotency_key),
        job(4, payload={"delivery_id": lost.id}, kind="export"),
    ]
    await database.write(lambda tx: tx.alerts.add(replace(sent, deliveries=deliveries)))
    await database.write(lambda tx: tx.alerts.add(alert(1)))
    await database.write(lambda tx: [tx.jobs.add(each) for each in jobs])

    seen = await check(database, store, CheckLevel.PRESENCE)
    repaired = await check(database, store, CheckLevel.PRESENCE, repair=True)
    after = await check(database, store, CheckLevel.PRESENCE)
    added = await database.write(
        lambda tx: tx.jobs.claim(["deliver"], limit=9, now=SystemClock().now(), lease_until=at(0))
    )

    subjects = sorted(f"deliveries/{each.id}" for each in (lost, ended))
    assert told_of(seen.problems, "undelivered") == [(subject, False) for subject in subjects]
    assert told_of(repaired.problems, "undelivered") == [(subject, True) for subject in subjects]
    assert after.problems == ()
    assert {each.payload["delivery_id"] for each in added} == {lost.id, ended.id, waiting.id, running.id}
    assert {each.template_id for each in added if each.payload["delivery_id"] == lost.id} == {VIEW}


async def test_finds_jobs_that_run_under_no_lease_and_gives_them_back(
    database: Database, store: MemoryStore
) -> None:
    leaseless = job(1, status="running", fence=1)
    held = job(2, status="running", fence=1, lease_until=at(3))
    await database.write(lambda tx: [tx.jobs.add(each) for each in (leaseless, held, job(3))])

    seen = await check(database, store, CheckLevel.PRESENCE)
    repaired = await check(database, store, CheckLevel.PRESENCE, repair=True)
    after = await check(database, store, CheckLevel.PRESENCE)

    assert told(seen.problems) == [("leaseless", f"jobs/{leaseless.id}", False)]
    assert told(repaired.problems) == [("leaseless", f"jobs/{leaseless.id}", True)]
    assert after.problems == ()
    assert (await database.read(lambda tx: tx.jobs.get(leaseless.id))).status == "pending"
    assert await database.read(lambda tx: tx.jobs.get(held.id)) == held


async def test_walks_deliveries_and_jobs_further_than_one_batch(
    database: Database, store: MemoryStore
) -> None:
    alerts = [alert(number, channels=3) for number in range(400)]
    deliveries = [each for sent in alerts for each in sent.deliveries]
    lost = deliveries.pop(700)

    def add_all(tx: Transaction) -> None:
        for each in alerts:
            tx.alerts.add(each)
        for number, delivery in enumerate(deliveries):
            tx.jobs.add(job(number, payload={"delivery_id": delivery.id}))

    await database.write(add_all)

    report = await check(database, store, CheckLevel.PRESENCE)

    assert told(report.problems) == [("undelivered", f"deliveries/{lost.id}", False)]


def told_of(problems: tuple[Problem, ...], kind: str) -> list[tuple[str, bool]]:
    """Give the problems of one kind; there are no others."""
    assert {problem.kind for problem in problems} == {kind}
    return sorted((problem.subject, problem.repaired) for problem in problems)


def test_levels_are_named_as_the_command_names_them() -> None:
    assert [CheckLevel.parse(label) for label in ("presence", "size", "hash")] == list(CheckLevel)


async def test_a_missing_row_is_really_gone_after_repair(database: Database, store: MemoryStore) -> None:
    lost, _ = await stored(database, store, 0), await stored(database, store, 1)
    del store.objects[key_of(lost)]

    await check(database, store, CheckLevel.PRESENCE, repair=True)

    with pytest.raises(NotFound):
        await database.read(lambda tx: tx.artifacts.get(lost.id))
