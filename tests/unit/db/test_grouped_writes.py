"""Writes that wait share one COMMIT, and nothing else: none is hurt by what another does."""

import asyncio
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from glimpser.core.errors import Conflict, NotFound, Unavailable
from glimpser.core.repositories import Transaction
from glimpser.db import SqlDatabase, migrate, open_database
from tests.contract.samples import settings_in, user

pytestmark = pytest.mark.anyio

Work = Callable[[Transaction], Any]


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[SqlDatabase]:
    settings = settings_in(tmp_path, busy_timeout_s=20)
    migrate(settings)
    async with open_database(settings) as opened:
        yield opened


class Busy:
    """A writer at work, behind which others gather."""

    def __init__(self) -> None:
        self._began = threading.Event()
        self._release = threading.Event()

    async def begin(self, database: SqlDatabase) -> "asyncio.Future[None]":
        running = asyncio.ensure_future(database.write(self._work))
        await asyncio.to_thread(self._began.wait, 30)
        return running

    def end(self) -> None:
        self._release.set()

    def _work(self, _: Transaction) -> None:
        self._began.set()
        self._release.wait(30)


async def together(database: SqlDatabase, *works: Work) -> list[Any]:
    """Let all wait for their turn before the first gets it; gives what each gave or raised."""
    busy = Busy()
    running = await busy.begin(database)
    waiting = [asyncio.ensure_future(database.write(work)) for work in works]
    await asyncio.sleep(0)
    busy.end()
    await running
    return await asyncio.gather(*waiting, return_exceptions=True)


def put(key: str) -> Work:
    return lambda tx: tx.settings.put(key, "x")


def statement(tx: Transaction, sql: str) -> None:
    tx._connection.exec_driver_sql(sql)  # type: ignore[attr-defined]  # beneath the port on purpose


async def stored(database: SqlDatabase) -> str:
    """Tell which of the keys `a` to `e` are stored."""
    return await database.read(lambda tx: "".join(key for key in "abcde" if tx.settings.get(key)))


@contextmanager
def counted_commits(database: SqlDatabase) -> Iterator[list[str]]:
    commits: list[str] = []

    def count(_: object) -> None:
        commits.append("COMMIT")

    event.listen(database.writer, "commit", count)
    try:
        yield commits
    finally:
        event.remove(database.writer, "commit", count)


async def test_those_who_wait_share_one_commit(database: SqlDatabase) -> None:
    with counted_commits(database) as commits:
        answers = await together(database, *(put(key) for key in "abcde"))

    assert answers == [None] * 5
    assert len(commits) == 2  # the busy one's, and theirs
    assert await stored(database) == "abcde"


async def test_after_a_failed_sync_nothing_is_done_a_second_time(database: SqlDatabase) -> None:
    runs: list[str] = []
    failure = sqlite3.OperationalError("disk I/O error")
    failure.sqlite_errorcode = sqlite3.SQLITE_IOERR_FSYNC

    def work(key: str) -> Work:
        def run(tx: Transaction) -> None:
            runs.append(key)
            tx.settings.put(key, "x")

        return run

    def fail(_: object) -> None:
        if runs:
            raise OperationalError("COMMIT", None, failure)

    event.listen(database.writer, "commit", fail)
    answers = await together(database, *(work(key) for key in "abc"))
    event.remove(database.writer, "commit", fail)

    assert [type(answer) for answer in answers] == [Unavailable] * 3
    assert (runs, await stored(database)) == (["a", "b", "c"], "")
    await database.write(put("d"))
    assert await stored(database) == "d"


async def test_one_that_comes_alone_gets_no_savepoint(database: SqlDatabase) -> None:
    statements: list[str] = []
    event.listen(database.writer, "before_cursor_execute", lambda *given: statements.append(given[2]))

    await database.write(put("a"))

    assert statements[0] == "BEGIN IMMEDIATE"
    assert not [text for text in statements if "SAVEPOINT" in text]


async def test_no_more_share_a_commit_than_may_wait_for_each_other(database: SqlDatabase) -> None:
    with counted_commits(database) as commits:
        await together(database, *(put(f"key {number}") for number in range(100)))

    assert len(commits) == 1 + 4  # 32, 32, 32 and 4


async def test_answers_and_readers_wait_for_the_commit(database: SqlDatabase) -> None:
    first: list[asyncio.Future[None]] = []
    seen: list[tuple[bool, str]] = []
    loop = asyncio.get_running_loop()

    def look(tx: Transaction) -> None:
        theirs = asyncio.run_coroutine_threadsafe(stored(database), loop).result(30)
        seen.append((first[0].done(), theirs))
        assert tx.settings.get("a") == "x"

    async def write_first() -> None:
        await database.write(put("a"))

    busy = Busy()
    running = await busy.begin(database)
    first.append(asyncio.ensure_future(write_first()))
    await asyncio.sleep(0)
    looking = asyncio.ensure_future(database.write(look))
    await asyncio.sleep(0)
    busy.end()
    await asyncio.gather(running, first[0], looking)

    assert seen == [(False, "")]
    assert await stored(database) == "a"


async def test_one_that_fails_leaves_nothing_of_itself_and_all_of_the_others(database: SqlDatabase) -> None:
    def fail(tx: Transaction) -> None:
        tx.settings.put("b", "half")
        raise NotFound("There is no such thing.")

    answers = await together(database, put("a"), fail, put("c"))

    assert [type(answer) for answer in answers] == [type(None), NotFound, type(None)]
    assert await stored(database) == "ac"


async def test_one_whose_statement_is_refused_hurts_no_other(database: SqlDatabase) -> None:
    someone = user()

    def twice(tx: Transaction) -> None:
        tx.settings.put("b", "half")
        tx.users.add(someone)
        tx.users.add(someone)

    with counted_commits(database) as commits:
        answers = await together(database, put("a"), twice, put("c"))

    assert [type(answer) for answer in answers] == [type(None), Conflict, type(None)]
    assert await stored(database) == "ac"
    assert await database.read(lambda tx: tx.users.count()) == 0
    assert len(commits) == 2


async def test_one_that_spoils_the_commit_is_refused_alone(database: SqlDatabase) -> None:
    def dangle(tx: Transaction) -> None:
        statement(tx, "PRAGMA defer_foreign_keys=ON")
        tx.settings.put("b", "half")
        statement(tx, "INSERT INTO template_groups (name, template_id) VALUES ('a', 'nobody')")

    answers = await together(database, put("a"), dangle, put("c"))

    assert [type(answer) for answer in answers] == [type(None), Conflict, type(None)]
    assert await stored(database) == "ac"


async def test_one_that_does_not_fit_on_the_disk_is_refused_alone(database: SqlDatabase) -> None:
    def fill(tx: Transaction) -> None:
        tx.settings.put("b", "half")
        statement(tx, "PRAGMA max_page_count=1")
        tx.settings.put("large", "x" * 1_000_000)

    answers = await together(database, put("a"), fill, put("c"))

    assert [type(answer) for answer in answers] == [type(None), Unavailable, type(None)]
    assert await stored(database) == "ac"


async def test_a_mistake_in_one_hurts_no_other(database: SqlDatabase) -> None:
    answers = await together(database, put("a"), lambda tx: statement(tx, "SELECT nonsense"), put("c"))

    assert answers[0] is None
    assert "nonsense" in str(answers[1])
    assert answers[2] is None
    assert await stored(database) == "ac"


async def test_what_is_done_again_counts_once(database: SqlDatabase) -> None:
    def count_up(tx: Transaction) -> int:
        count = int(tx.settings.get("count") or 0) + 1
        tx.settings.put("count", str(count))
        return count

    broken: Work = lambda tx: statement(tx, "SELECT nonsense")  # noqa: E731 - it is data here
    answers = await together(database, count_up, count_up, broken, count_up)

    assert [answer for answer in answers if isinstance(answer, int)] == [1, 2, 3]
    assert await database.read(lambda tx: tx.settings.get("count")) == "3"


async def test_one_cancelled_while_it_waits_is_not_begun(database: SqlDatabase) -> None:
    busy = Busy()
    running = await busy.begin(database)
    waiting = [asyncio.ensure_future(database.write(put(key))) for key in "abc"]
    await asyncio.sleep(0)
    waiting[1].cancel()
    await asyncio.sleep(0)
    busy.end()
    await running
    await asyncio.gather(*waiting, return_exceptions=True)

    assert waiting[1].cancelled()
    assert await stored(database) == "ac"


async def test_one_cancelled_after_its_group_began_is_done_wholly(database: SqlDatabase) -> None:
    busy, in_group = Busy(), Busy()
    running = await busy.begin(database)
    blocking = asyncio.ensure_future(database.write(in_group._work))
    waiting = asyncio.ensure_future(database.write(put("a")))
    await asyncio.sleep(0)
    busy.end()
    await asyncio.to_thread(in_group._began.wait, 30)
    waiting.cancel()
    await asyncio.sleep(0)
    in_group.end()
    await asyncio.gather(running, blocking, waiting, return_exceptions=True)

    assert waiting.cancelled()
    assert await stored(database) == "a"


async def test_a_lock_that_ends_in_time_costs_a_group_nothing_but_time(
    database: SqlDatabase, tmp_path: Path
) -> None:
    other = sqlite3.connect(tmp_path / "glimpser.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    waiting = [asyncio.ensure_future(database.write(put(key))) for key in "abc"]
    await stored(database)  # one turn to a thread and back
    other.execute("ROLLBACK")
    other.close()

    await asyncio.gather(*waiting)

    assert await stored(database) == "abc"


async def test_even_a_unit_that_ends_its_thread_leaves_nobody_waiting(database: SqlDatabase) -> None:
    def leave(_: Transaction) -> None:
        raise SystemExit

    busy = Busy()
    running = await busy.begin(database)
    waiting = [asyncio.ensure_future(_ended(database, work)) for work in (put("a"), leave, put("c"))]
    await asyncio.sleep(0)
    busy.end()
    await running

    assert await asyncio.gather(*waiting) == ["SystemExit"] * 3
    assert await stored(database) == ""
    await database.write(put("d"))
    assert await stored(database) == "d"


async def _ended(database: SqlDatabase, work: Work) -> str:
    """Tell how a write ended; an exception of this sort must not reach the loop."""
    try:
        await database.write(work)
    except BaseException as error:  # noqa: BLE001 - SystemExit too
        return type(error).__name__
    return "stored"


def test_a_kill_before_the_commit_leaves_nothing_of_a_group_and_tells_nobody(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    migrate(settings)
    program = f"""
import asyncio, threading
from glimpser.core import failpoints
from glimpser.db import open_database
from tests.contract.samples import settings_in
import pathlib

async def write(database, key):
    def work(tx):
        tx.settings.put(key, "x")
        if key != "alone":
            failpoints.hit("group.before_commit")
    await database.write(work)
    print("told", key, flush=True)

async def main():
    async with open_database(settings_in(pathlib.Path({str(tmp_path)!r}))) as database:
        await write(database, "alone")
        release = threading.Event()
        running = asyncio.ensure_future(database.write(lambda _: release.wait(30)))
        group = [asyncio.ensure_future(write(database, key)) for key in "abcde"]
        await asyncio.sleep(0)
        release.set()
        await asyncio.gather(running, *group)

failpoints.arm("group.before_commit:kill:4")
asyncio.run(main())
"""

    killed = subprocess.run(
        [sys.executable, "-c", program], timeout=60, check=False, capture_output=True, text=True
    )
    with sqlite3.connect(tmp_path / "glimpser.db") as raw:
        keys = [row[0] for row in raw.execute("SELECT key FROM settings ORDER BY key")]
    raw.close()

    assert killed.returncode == -signal.SIGKILL
    assert [line for line in killed.stdout.splitlines() if line.startswith("told")] == ["told alone"]
    assert keys == ["alone"]
