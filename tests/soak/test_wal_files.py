import random
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.soak.wal_files import TAILS, Position, position, position_of, salt_of


@pytest.fixture
def database(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(tmp_path / "a.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("CREATE TABLE numbers (number)")
    yield connection
    connection.close()


def _add(database: sqlite3.Connection, number: int) -> None:
    database.execute("INSERT INTO numbers VALUES (?)", [number])


def _where(tmp_path: Path) -> Position:
    found = position_of(tmp_path / "a.db")
    assert found is not None
    return found


def _recovered(tmp_path: Path, log: bytes) -> list[int]:
    copy = tmp_path / "copy.db"
    shutil.copy(tmp_path / "a.db", copy)
    (tmp_path / "copy.db-wal").write_bytes(log)
    connection = sqlite3.connect(copy)
    try:
        return [number for (number,) in connection.execute("SELECT number FROM numbers ORDER BY rowid")]
    finally:
        connection.close()


@pytest.mark.parametrize("tail", sorted(TAILS))
def test_a_commit_outlives_what_breaks_off_behind_it_and_no_other_does(
    database: sqlite3.Connection, tmp_path: Path, tail: str
) -> None:
    _add(database, 1)
    cut = _where(tmp_path).end
    _add(database, 2)
    log = (tmp_path / "a.db-wal").read_bytes()

    damaged = TAILS[tail](log, cut, random.Random(1))

    assert _recovered(tmp_path, log) == [1, 2]
    assert _recovered(tmp_path, damaged) == [1]


def test_the_end_of_the_last_commit_is_that_of_the_file(database: sqlite3.Connection, tmp_path: Path) -> None:
    _add(database, 1)

    log = tmp_path / "a.db-wal"

    assert _where(tmp_path).end == log.stat().st_size
    assert _where(tmp_path).salt == salt_of(log.read_bytes())


def test_a_log_cannot_break_off_before_the_end_of_what_was_moved_from_it(
    database: sqlite3.Connection, tmp_path: Path
) -> None:
    _add(database, 1)
    before = _where(tmp_path)
    database.execute("PRAGMA wal_checkpoint(PASSIVE)")

    assert before.earliest_cut == 0
    assert _where(tmp_path).earliest_cut == before.end


def test_a_log_that_begins_anew_is_another(database: sqlite3.Connection, tmp_path: Path) -> None:
    _add(database, 1)
    before = _where(tmp_path)
    database.execute("PRAGMA wal_checkpoint(RESTART)")
    _add(database, 2)

    assert _where(tmp_path).salt != before.salt
    assert _where(tmp_path).earliest_cut == 0


def test_an_index_that_is_being_written_is_not_read(database: sqlite3.Connection, tmp_path: Path) -> None:
    _add(database, 1)
    index = bytearray((tmp_path / "a.db-shm").read_bytes())

    index[16] ^= 1

    assert position(bytes(index)) is None
    assert position(b"") is None
