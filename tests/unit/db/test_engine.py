"""The database under trouble: locks, a full disk, cancelled callers, too many of them."""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import structlog

from glimpser.core.errors import Conflict, Misconfigured, Unavailable
from glimpser.core.repositories import Transaction
from glimpser.db import SqlDatabase, migrate, open_database
from tests.contract.samples import at, event, settings_in, user

pytestmark = pytest.mark.anyio


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[SqlDatabase]:
    settings = settings_in(tmp_path, busy_timeout_s=0.05)
    migrate(settings)
    async with open_database(settings) as opened:
        yield opened


@contextmanager
def locked(tmp_path: Path) -> Iterator[None]:
    """Another program writes."""
    other = sqlite3.connect(tmp_path / "glimpser.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.execute("ROLLBACK")
        other.close()


def files_in(directory: Path) -> list[str]:
    return [path.name for path in directory.iterdir()]


def put(value: str) -> Any:
    return lambda tx: tx.settings.put("key", value)


def get(tx: Transaction) -> str | None:
    return tx.settings.get("key")


def statement(tx: Transaction, sql: str) -> Any:
    return tx._connection.exec_driver_sql(sql)  # type: ignore[attr-defined]  # beneath the port on purpose


async def test_a_lock_ends_in_unavailable_while_reads_go_on(database: SqlDatabase, tmp_path: Path) -> None:
    await database.write(put("before"))

    with locked(tmp_path):
        with pytest.raises(Unavailable, match="locked") as caught:
            await database.write(put("during"))
        read = await database.read(get)
    await database.write(put("after"))

    assert caught.value.retry_after_s > 0
    assert read == "before"
    assert await database.read(get) == "after"


async def test_a_lock_leaves_the_loop_free(database: SqlDatabase, tmp_path: Path) -> None:
    turns = 0

    with locked(tmp_path):
        writing = asyncio.ensure_future(database.write(put("x")))
        while not writing.done():
            turns += 1
            await asyncio.sleep(0)

    with pytest.raises(Unavailable):
        writing.result()
    assert turns > 100


async def test_a_lock_that_ends_in_time_costs_nothing_but_time(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, busy_timeout_s=20)
    migrate(settings)
    async with open_database(settings) as database:
        with locked(tmp_path):
            writing = asyncio.ensure_future(database.write(put("x")))
            read = await database.read(get)
        await writing

        assert read is None
        assert await database.read(get) == "x"


async def test_those_who_wait_behind_a_lock_are_not_made_to_wait_one_after_another(
    database: SqlDatabase, tmp_path: Path
) -> None:
    ran: list[int] = []

    with locked(tmp_path):
        results = await asyncio.gather(
            *(database.write(lambda _: ran.append(1)) for _ in range(200)), return_exceptions=True
        )

    assert ran == []
    assert {type(result) for result in results} == {Unavailable}


async def test_refuses_more_callers_than_it_can_hold(database: SqlDatabase) -> None:
    release = threading.Event()
    holding = asyncio.ensure_future(database.write(lambda _: release.wait(30)))
    await asyncio.sleep(0)

    calls = [asyncio.ensure_future(database.write(put("x"))) for _ in range(1200)]
    await asyncio.sleep(0)
    refused = sum(call.done() and isinstance(call.exception(), Unavailable) for call in calls)
    release.set()
    await asyncio.gather(holding, *calls, return_exceptions=True)

    assert refused == 201
    await database.write(put("y"))
    assert await database.read(get) == "y"


async def test_a_full_disk_writes_nothing_and_recovers_by_itself(database: SqlDatabase) -> None:
    def fill(tx: Transaction) -> None:
        tx.settings.put("key", "lost")
        statement(tx, "PRAGMA max_page_count=1")
        tx.settings.put("large", "x" * 1_000_000)

    await database.write(put("kept"))

    with pytest.raises(Unavailable, match="full"):
        await database.write(fill)

    assert await database.read(get) == "kept"
    await database.write(put("again"))
    assert await database.read(get) == "again"


async def test_a_damaged_page_is_told_as_such(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    migrate(settings)
    with sqlite3.connect(tmp_path / "glimpser.db") as raw:
        raw.execute("INSERT INTO settings VALUES ('key', 'value')")
        root = raw.execute("SELECT rootpage FROM sqlite_master WHERE name='settings'").fetchone()[0]
        page_bytes = raw.execute("PRAGMA page_size").fetchone()[0]
    raw.close()  # the last to close a file moves the log into it
    with (tmp_path / "glimpser.db").open("r+b") as file:
        file.seek((root - 1) * page_bytes)
        file.write(b"\xff" * page_bytes)

    async with open_database(settings) as database:
        with pytest.raises(Misconfigured, match="damaged"):
            await database.read(get)
        faults = await database.verify()

    assert faults
    assert {fault.kind for fault in faults} == {"structure"}


async def test_readers_cannot_write(database: SqlDatabase) -> None:
    with pytest.raises(Misconfigured):
        await database.read(put("x"))

    assert await database.read(get) is None


async def test_a_refused_statement_does_not_harm_the_connection(database: SqlDatabase) -> None:
    await database.write(lambda tx: tx.users.add(user()))

    with pytest.raises(Conflict):
        await database.write(lambda tx: tx.users.add(user()))

    await database.write(put("x"))
    assert await database.read(lambda tx: tx.users.count()) == 1


async def test_a_refused_commit_changes_nothing(database: SqlDatabase) -> None:
    def work(tx: Transaction) -> None:
        statement(tx, "PRAGMA defer_foreign_keys=ON")
        tx.settings.put("key", "x")
        statement(tx, "INSERT INTO template_groups (name, template_id) VALUES ('a', 'nobody')")

    with pytest.raises(Conflict):
        await database.write(work)

    assert await database.read(get) is None
    await database.write(put("y"))
    assert await database.read(get) == "y"


async def test_a_naive_moment_is_a_mistake(database: SqlDatabase) -> None:
    with pytest.raises(Exception, match="naive"):
        await database.write(lambda tx: tx.revocations.add("token", at(0).replace(tzinfo=None)))


async def test_work_whose_caller_went_away_is_done_wholly_or_not_begun(database: SqlDatabase) -> None:
    began, release = threading.Event(), threading.Event()

    def work(tx: Transaction) -> None:
        began.set()
        release.wait(30)
        tx.settings.put("key", "x")

    running = asyncio.ensure_future(database.write(work))
    waiting = asyncio.ensure_future(database.write(put("y")))
    await asyncio.to_thread(began.wait, 30)
    running.cancel()
    waiting.cancel()
    await asyncio.sleep(0)
    release.set()

    await database.write(lambda tx: tx.settings.put("other", "z"))
    assert await database.read(get) == "x"


async def test_readers_run_side_by_side(database: SqlDatabase) -> None:
    meeting = threading.Barrier(2, timeout=30)

    await asyncio.gather(*(database.read(lambda _: meeting.wait()) for _ in range(2)))


async def test_many_writers_lose_nothing(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    migrate(settings)

    def count_up(tx: Transaction) -> None:
        tx.settings.put("key", str(int(tx.settings.get("key") or 0) + 1))

    async with open_database(settings) as database, asyncio.TaskGroup() as group:
        for _ in range(100):
            group.create_task(database.write(count_up))
    async with open_database(settings) as database:
        assert await database.read(get) == "100"


async def test_closing_moves_the_log_into_the_file(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    migrate(settings)
    async with open_database(settings) as database:
        await database.write(lambda tx: tx.events.add(event()))

    assert files_in(tmp_path) == ["glimpser.db"]
    with pytest.raises(Unavailable, match="closed"):
        await database.write(put("x"))


async def test_says_at_the_start_how_it_is_set_up(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    migrate(settings)

    with structlog.testing.capture_logs() as logs:
        async with open_database(settings):
            pass

    opened = next(entry for entry in logs if entry["event"] == "database.opened")
    assert (opened["readers"], opened["journal_mode"], opened["synchronous"]) == (2, "wal", 2)


async def test_works_without_a_write_ahead_log(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, sqlite_wal=False)
    migrate(settings)

    async with open_database(settings) as database:
        await database.write(put("x"))
        assert await database.read(get) == "x"
        assert "glimpser.db-wal" not in files_in(tmp_path)
