"""The database of the original program: read, whatever else is in it."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from glimpser.core.errors import InvalidInput
from glimpser.db.foreign import read_original

COLUMNS = "id INTEGER PRIMARY KEY, name VARCHAR UNIQUE NOT NULL, frequency INTEGER, url VARCHAR, notes TEXT"


def made(path: Path, *statements: str) -> Path:
    with closing(sqlite3.connect(path)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()
    return path


def test_its_views_are_read_and_it_stays_as_it_was(tmp_path: Path) -> None:
    file = made(
        tmp_path / "a b?%.db",
        f"CREATE TABLE templates ({COLUMNS})",
        "INSERT INTO templates VALUES (1, 'door', 5, 'rtsp://cam/', '')",
        "CREATE TABLE settings (name, value)",
        "CREATE TRIGGER t AFTER INSERT ON templates BEGIN DELETE FROM settings; END",
    )
    before, names = file.read_bytes(), sorted(tmp_path.iterdir())

    rows = read_original(file)

    assert rows == [{"id": 1, "name": "door", "frequency": 5, "url": "rtsp://cam/", "notes": ""}]
    assert (file.read_bytes(), sorted(tmp_path.iterdir())) == (before, names)


def test_a_view_in_place_of_the_table_is_not_run(tmp_path: Path) -> None:
    endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM n) SELECT x AS name FROM n"
    file = made(tmp_path / "view.db", f"CREATE VIEW templates AS {endless}")

    with pytest.raises(InvalidInput, match="no table"):
        read_original(file)


def test_a_huge_value_is_refused(tmp_path: Path) -> None:
    file = made(
        tmp_path / "huge.db",
        f"CREATE TABLE templates ({COLUMNS})",
        "INSERT INTO templates VALUES (1, 'x', 5, 'rtsp://cam/', zeroblob(30000000))",
    )

    with pytest.raises(InvalidInput, match="cannot be read"):
        read_original(file)


def test_more_views_than_anybody_has_are_refused(tmp_path: Path) -> None:
    numbers = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM n WHERE x < {})"
    many = numbers + " SELECT x, 'v'||x, 1, '', '' FROM n"
    exact = made(
        tmp_path / "exact.db",
        f"CREATE TABLE templates ({COLUMNS})",
        "INSERT INTO templates " + many.format(10_000),
    )
    more = made(
        tmp_path / "more.db",
        f"CREATE TABLE templates ({COLUMNS})",
        "INSERT INTO templates " + many.format(10_001),
    )

    assert len(read_original(exact)) == 10_000
    with pytest.raises(InvalidInput, match="10000"):
        read_original(more)


@pytest.mark.parametrize("damage", ["cut", "noise", "empty", "none"])
def test_what_is_no_database_is_refused(tmp_path: Path, damage: str) -> None:
    file = made(tmp_path / "x.db", f"CREATE TABLE templates ({COLUMNS})")
    if damage == "none":
        file.unlink()
    else:
        whole = file.read_bytes()
        file.write_bytes({"cut": whole[:3000], "noise": whole[:100] + b"\xff" * 8000, "empty": b""}[damage])

    with pytest.raises(InvalidInput):
        read_original(file)
