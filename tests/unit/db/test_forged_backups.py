"""Databases out of backups that somebody made to do harm, and one that nobody touched."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from glimpser.core.errors import InvalidInput
from glimpser.db import current, head, migrate
from glimpser.db.snapshot import bring_up
from tests.contract.samples import settings_in
from tests.first_version import restore

FORGERIES = {
    "a trigger": "CREATE TRIGGER t AFTER INSERT ON audit BEGIN DELETE FROM users; END",
    "a view": "CREATE VIEW v AS SELECT * FROM users",
    "a virtual table": "CREATE VIRTUAL TABLE f USING fts5(text)",
    "another table": "CREATE TABLE more (id TEXT)",
    "another index": "CREATE INDEX i ON users (lower(email))",
    "another column": "ALTER TABLE users ADD COLUMN more TEXT DEFAULT (hex(randomblob(9)))",
    "a computed column": "ALTER TABLE users ADD COLUMN more TEXT AS (upper(email))",
    "a table less": "DROP TABLE revocations",
    "a newer revision": "UPDATE alembic_version SET version_num = '9999'",
    "no revision": "DELETE FROM alembic_version",
    "an older revision than its tables": "UPDATE alembic_version SET version_num = '0002'",
}


def database(directory: Path, *statements: str) -> Path:
    migrate(settings_in(directory))
    path = directory / "glimpser.db"
    change(path, *statements)
    return path


def change(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
        for statement in statements:
            connection.execute(statement)


@pytest.mark.parametrize("statement", FORGERIES.values(), ids=list(FORGERIES))
def test_a_forged_database_is_refused(tmp_path: Path, statement: str) -> None:
    path = database(tmp_path, statement)

    with pytest.raises(InvalidInput, match="backup"):
        bring_up(path)

    assert list(tmp_path.iterdir()) == [path]


def test_a_check_that_was_rewritten_is_refused(tmp_path: Path) -> None:
    path = database(tmp_path)
    change(
        path,
        "PRAGMA writable_schema = ON",
        "UPDATE sqlite_schema SET sql = replace(sql, 'NOT NULL', 'NOT NULL CHECK (length(1))')"
        " WHERE name = 'settings'",
    )

    with pytest.raises(InvalidInput, match="form of its own: see settings"):
        bring_up(path)


@pytest.mark.parametrize("content", [b"", b"SQLite format 3\0" + bytes(4096), b"no database at all" * 99])
def test_what_is_no_database_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "glimpser.db"
    path.write_bytes(content)

    with pytest.raises(InvalidInput, match="backup"):
        bring_up(path)


def test_a_database_that_nobody_touched_is_taken(tmp_path: Path) -> None:
    path = database(tmp_path, "ANALYZE")

    bring_up(path)

    assert list(tmp_path.iterdir()) == [path]


def test_a_database_of_the_first_version_is_brought_up(tmp_path: Path) -> None:
    path = restore(tmp_path)

    bring_up(path)

    assert current(settings_in(tmp_path)) == head()
