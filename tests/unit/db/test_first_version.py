"""What the first version wrote is still there after all migrations."""

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from glimpser.db import current, head, migrate, open_database
from tests.contract.samples import settings_in
from tests.first_version import restore

Rows = dict[tuple[Any, ...], dict[str, Any]]


def rows_by_key(path: Path) -> dict[str, Rows]:
    """All rows of all tables, by table and primary key."""
    connection = sqlite3.connect(path)
    connection.row_factory = sqlite3.Row
    tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    found = {}
    for (table,) in tables:
        columns = connection.execute(f"PRAGMA table_info({table})").fetchall()
        key = [column["name"] for column in columns if column["pk"]]
        rows = [dict(row) for row in connection.execute(f"SELECT * FROM {table}")]
        found[table] = {tuple(row[name] for name in key): row for row in rows}
        assert len(found[table]) == len(rows)
    connection.close()
    del found["alembic_version"]
    return found


def test_the_first_version_left_something_in_every_table(tmp_path: Path) -> None:
    tables = rows_by_key(restore(tmp_path))

    assert current(settings_in(tmp_path)) == "0002"
    assert len(tables) == 15
    assert [table for table, rows in tables.items() if not rows] == []


def test_every_row_of_the_first_version_is_there_with_all_it_said(tmp_path: Path) -> None:
    path = restore(tmp_path)
    before = rows_by_key(path)

    assert migrate(settings_in(tmp_path)) == head()

    after = rows_by_key(path)
    changed = [
        (table, key, name, value)
        for table, rows in before.items()
        for key, row in rows.items()
        for name, value in row.items()
        if after[table][key].get(name, value) != value
    ]
    assert changed == []
    assert {table: len(after[table]) for table in before} == {t: len(rows) for t, rows in before.items()}


def test_no_column_of_the_first_version_was_dropped(tmp_path: Path) -> None:
    path = restore(tmp_path)
    before = rows_by_key(path)

    migrate(settings_in(tmp_path))

    after = rows_by_key(path)
    for table, rows in before.items():
        assert set(next(iter(rows.values()))) <= set(next(iter(after[table].values()))), table


def test_artifacts_learn_whose_they_are(tmp_path: Path) -> None:
    path = restore(tmp_path)

    migrate(settings_in(tmp_path))

    owned = {key: row["template_id"] for key, row in rows_by_key(path)["artifacts"].items()}
    assert set(owned.values()) - {None} <= {key[0] for key in rows_by_key(path)["templates"]}
    assert sum(owner is not None for owner in owned.values()) > 20


@pytest.mark.anyio
async def test_nothing_points_nowhere(tmp_path: Path) -> None:
    restore(tmp_path)
    migrate(settings_in(tmp_path))

    async with open_database(settings_in(tmp_path)) as database:
        assert await database.verify() == []
