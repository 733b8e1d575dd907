"""Where SQLite files lie and how they are set up."""

import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from glimpser.core.errors import Misconfigured
from glimpser.db import DatabaseSettings
from glimpser.db.sqlite import make_engine, prepare_file, sqlite_path
from tests.contract.samples import settings_in


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("sqlite:///glimpser.db", "glimpser.db"),
        ("sqlite:///data/glimpser.db", "data/glimpser.db"),
        ("sqlite:////var/lib/glimpser/glimpser.db", "/var/lib/glimpser/glimpser.db"),
        ("sqlite:////a b/c%20d/%C3%A4.db", "/a b/c d/ä.db"),
        ("sqlite:////100%25.db", "/100%.db"),
        ("sqlite:////what%3F.db", "/what?.db"),
    ],
)
def test_takes_the_path_out_of_a_url(url: str, path: str) -> None:
    assert sqlite_path(url) == Path(path)


@pytest.mark.parametrize(
    "url",
    [
        "sqlite://",
        "sqlite:///",
        "sqlite:///:memory:",
        "sqlite:data.db",
        "sqlite:////a.db?mode=memory",
        "sqlite:////a%00b",
        "postgresql://user:secret@host/name",
        "/var/lib/glimpser.db",
        "",
    ],
)
def test_refuses_what_this_version_cannot_open_and_tells_no_secret(url: str) -> None:
    with pytest.raises(Misconfigured, match=r"database\.url") as caught:
        sqlite_path(url)

    assert "secret" not in caught.value.detail


def test_a_new_file_is_for_our_eyes_only(tmp_path: Path) -> None:
    path = prepare_file(settings_in(tmp_path / "new" / "directory"))

    assert path.stat().st_mode & 0o077 == 0


def test_paths_with_special_characters_work_to_the_end(tmp_path: Path) -> None:
    settings = DatabaseSettings(url=f"sqlite:///{tmp_path}/a%20b%3Fc%25%23d.db")
    prepare_file(settings)

    with make_engine(settings, begin="BEGIN", pragmas={}).begin() as connection:
        connection.exec_driver_sql("CREATE TABLE t (x)")

    assert [path.name for path in tmp_path.glob("*.db")] == ["a b?c%#d.db"]


@pytest.mark.parametrize(
    ("changes", "journal", "synchronous"), [({}, "wal", 2), ({"sqlite_wal": False}, "delete", 3)]
)
def test_commits_survive_a_power_cut(
    tmp_path: Path, changes: dict[str, Any], journal: str, synchronous: int
) -> None:
    settings = settings_in(tmp_path, **changes)
    prepare_file(replace(settings, sqlite_wal=not settings.sqlite_wal))

    prepare_file(settings)
    with make_engine(settings, begin="BEGIN", pragmas={}).begin() as connection:
        values = [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("journal_mode", "synchronous")
        ]

    assert values == [journal, synchronous]


def test_an_error_tells_the_statement_and_not_the_values(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    prepare_file(settings)

    with (
        pytest.raises(Exception, match="no such table") as caught,
        make_engine(settings, begin="BEGIN", pragmas={}).begin() as connection,
    ):
        connection.exec_driver_sql("INSERT INTO users VALUES (?)", ("$argon2id$secret",))

    assert "argon2id" not in str(caught.value)


def test_says_what_is_wrong_with_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "glimpser.db").write_text("This is a letter, not a database. " * 100)

    with pytest.raises(Misconfigured, match=r"database\.url.*glimpser\.db"):
        prepare_file(settings_in(tmp_path))


def test_says_what_is_wrong_with_a_place_that_cannot_hold_one(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(Misconfigured, match=r"database\.url"):
        prepare_file(settings_in(tmp_path / "file"))


def test_an_existing_file_keeps_its_rows(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "glimpser.db")
    connection.execute("CREATE TABLE t AS SELECT 1 AS x")
    connection.close()

    prepare_file(settings_in(tmp_path))

    with make_engine(settings_in(tmp_path), begin="BEGIN", pragmas={}).begin() as again:
        assert again.exec_driver_sql("SELECT x FROM t").scalar() == 1
