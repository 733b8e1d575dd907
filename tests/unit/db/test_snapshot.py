"""What a backup holds of the database, table by table."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from glimpser.db.snapshot import CARRIED, LEFT_OUT, copy_stripped
from glimpser.db.tables import metadata
from tests.contract.given import add
from tests.contract.samples import export, settings_in
from tests.web_world import fresh_database

pytestmark = pytest.mark.anyio


def test_of_every_table_it_is_said_whether_backups_hold_it() -> None:
    assert set(metadata.tables) == CARRIED | LEFT_OUT
    assert not CARRIED & LEFT_OUT


async def test_exports_come_along_and_what_opens_doors_does_not(tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    async with fresh_database(tmp_path) as database:
        wanted = export()
        await add(database, wanted)
        with closing(sqlite3.connect(tmp_path / "glimpser.db")) as connection, connection:
            connection.execute("INSERT INTO revocations VALUES ('x', 1)")

        copy_stripped(settings_in(tmp_path), copy)

    with closing(sqlite3.connect(copy)) as connection:
        assert connection.execute("SELECT id FROM exports").fetchall() == [(wanted.id,)]
        left = {name: connection.execute(f"SELECT count(*) FROM {name}").fetchone() for name in LEFT_OUT}
    assert set(left.values()) == {(0,)}
