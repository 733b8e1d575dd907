"""Migrations: from nothing, from every earlier revision, and after a kill at any statement."""

import sqlite3
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from glimpser.core import failpoints
from glimpser.core.errors import Misconfigured, Unavailable
from glimpser.db import current, head, migrate, open_database
from glimpser.db.migrate import revisions
from glimpser.db.sqlite import make_engine
from glimpser.db.tables import metadata
from tests.contract.samples import settings_in

KILL_AT_EACH_STATEMENT = """
import os, signal, sqlite3, sys
from pathlib import Path
from glimpser.core import failpoints
from glimpser.db import DatabaseSettings, migrate

def content(path):
    with sqlite3.connect(path) as connection:
        found = connection.execute("SELECT name, sql FROM sqlite_master ORDER BY name").fetchall()
    connection.close()
    return found

def kills(statement, settings, to):
    child = os.fork()
    if child == 0:
        failpoints.arm(f"migration.statement:kill:{statement}")
        migrate(settings, to)
        os._exit(0)
    return os.waitpid(child, 0)[1] == signal.SIGKILL

path = Path(sys.argv[1]) / "glimpser.db"
before = content(path)
statement = 1
while kills(statement, DatabaseSettings(url=f"sqlite:///{path}"), sys.argv[2]):
    assert content(path) == before, "half a migration"
    statement += 1
print(statement - 1)
"""


def schema(directory: Path) -> dict[str, str]:
    """Tables and indexes as SQLite tells them, without differences of layout."""
    connection = sqlite3.connect(directory / "glimpser.db")
    rows = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    connection.close()
    return {name: _sorted_parts(sql) for name, sql in rows if name != "alembic_version"}


def _sorted_parts(sql: str) -> str:
    """Columns and constraints may stand in another order."""
    flat = " ".join(sql.split())
    start, end = flat.index("(") + 1, flat.rindex(")")
    parts = sorted(part.strip() for part in flat[start:end].split(", "))
    return f"{flat[:start]}{', '.join(parts)}{flat[end:]}"


def test_brings_an_empty_database_to_the_newest_revision(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)

    assert current(settings) is None
    assert migrate(settings) == head()
    assert current(settings) == head()
    assert migrate(settings) == head()


@pytest.mark.parametrize("revision", revisions())
def test_upgrades_from_every_earlier_revision(tmp_path: Path, revision: str) -> None:
    settings = settings_in(tmp_path)
    migrate(settings, revision)

    assert current(settings) == revision
    assert migrate(settings) == head()


def test_revisions_are_numbered_without_holes() -> None:
    assert revisions() == [f"{number:04d}" for number in range(1, len(revisions()) + 1)]


def test_migrations_and_tables_do_not_differ(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    migrate(settings)
    engine = make_engine(settings, begin="BEGIN", pragmas={})

    with engine.begin() as connection:
        differences = compare_metadata(
            MigrationContext.configure(connection, opts={"compare_type": True}), metadata
        )

    assert differences == []


def test_migrations_make_the_same_checks_and_partial_indexes_as_the_tables(tmp_path: Path) -> None:
    (tmp_path / "made").mkdir()
    (tmp_path / "migrated").mkdir()
    migrate(settings_in(tmp_path / "migrated"))
    engine = make_engine(settings_in(tmp_path / "made"), begin="BEGIN", pragmas={})
    with engine.begin() as connection:
        metadata.create_all(connection)

    assert schema(tmp_path / "migrated") == schema(tmp_path / "made")
    assert len(schema(tmp_path / "made")) > len(metadata.tables)


def test_refuses_a_database_of_a_newer_version_naming_both(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    migrate(settings)
    connection = sqlite3.connect(tmp_path / "glimpser.db")
    connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.commit()
    connection.close()

    with pytest.raises(Misconfigured, match=f"9999.*{head()}"):
        migrate(settings)

    assert current(settings) == "9999"


@pytest.mark.parametrize(("before", "to"), [(None, head()), *pairwise(revisions())])
def test_a_kill_at_any_statement_leaves_a_database_that_upgrades(
    tmp_path: Path, before: str | None, to: str
) -> None:
    """In the one transaction of a new database, and in each migration of a database that has content."""
    if before:
        migrate(settings_in(tmp_path), before)
    tables = len(schema(tmp_path))
    program = [sys.executable, "-c", KILL_AT_EACH_STATEMENT, str(tmp_path), to]

    ran = subprocess.run(program, capture_output=True, text=True, timeout=100, check=False)

    assert ran.returncode == 0, ran.stderr
    assert int(ran.stdout.splitlines()[-1]) > len(schema(tmp_path)) - tables
    assert current(settings_in(tmp_path)) == to
    assert migrate(settings_in(tmp_path)) == head()


def test_a_failure_between_statements_changes_nothing(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    failpoints.arm("migration.statement:raise:12")
    try:
        with pytest.raises(Unavailable):
            migrate(settings)
    finally:
        failpoints.arm("")

    assert schema(tmp_path) == {}
    assert migrate(settings) == head()


def test_says_when_somebody_else_holds_the_database(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, busy_timeout_s=0.05)
    other = sqlite3.connect(tmp_path / "glimpser.db", isolation_level=None)
    other.execute("PRAGMA journal_mode=WAL")
    other.execute("BEGIN IMMEDIATE")

    with pytest.raises(Unavailable, match="locked"):
        migrate(settings)
    other.execute("ROLLBACK")

    assert migrate(settings) == head()
    other.close()


def test_rows_that_contradict_each_other_stop_a_migration(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    migrate(settings)
    connection = sqlite3.connect(tmp_path / "glimpser.db")
    connection.execute("INSERT INTO template_groups (name, template_id) VALUES ('a', 'nobody')")
    connection.commit()
    connection.close()

    with pytest.raises(Misconfigured, match="fsck"):
        migrate(settings)


@pytest.mark.anyio
async def test_a_migrated_database_can_be_opened_and_is_whole(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    migrate(settings)

    async with open_database(settings) as database:
        assert await database.verify() == []
