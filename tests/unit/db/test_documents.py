"""The settings of a template as JSON: readable by people, and by versions to come."""

import json
import sqlite3
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from glimpser.core.ports import Database
from glimpser.db import migrate, open_database
from tests.contract.samples import ORDINARY, RULE, settings_in, template

pytestmark = pytest.mark.anyio


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    settings = settings_in(tmp_path)
    migrate(settings)
    async with open_database(settings) as opened:
        yield opened


def change(directory: Path, edit: str = "document") -> dict[str, Any]:
    """Give the one document there is, changed by an expression of SQL."""
    connection = sqlite3.connect(directory / "glimpser.db")
    connection.execute(f"UPDATE templates SET document = {edit}")
    (text,) = connection.execute("SELECT document FROM templates").fetchone()
    connection.commit()
    connection.close()
    document: dict[str, Any] = json.loads(text)
    return document


async def test_times_of_quiet_hours_are_written_as_people_do(database: Database, tmp_path: Path) -> None:
    saved = template()

    await database.write(lambda tx: tx.templates.add(saved))

    [rule] = change(tmp_path)["rules"]
    assert rule["quiet_hours"] == [
        {"days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "start": "08:00", "end": "22:30"},
        {"days": ["sat", "sun"], "start": "00:00", "end": "23:59:59"},
    ]
    assert (rule["level"], rule["when"]) == (50, {"event": "motion", "min_score": 0.5, "zone": "door"})


@pytest.mark.parametrize(
    ("edit", "rules"),
    [
        ("json_remove(document, '$.rules')", ()),
        ("json_set(document, '$.rules', json('[]'))", ()),
        ("json_remove(document, '$.rules[0].quiet_hours')", (replace(RULE, quiet_hours=()),)),
        ("json_set(document, '$.gone', 1, '$.rules[0].gone', 1)", (RULE,)),
    ],
)
async def test_reads_what_another_version_wrote(
    database: Database, tmp_path: Path, edit: str, rules: tuple[Any, ...]
) -> None:
    saved = template()
    await database.write(lambda tx: tx.templates.add(saved))
    change(tmp_path, edit)

    found = await database.read(lambda tx: tx.templates.get(saved.id))

    assert found.settings == replace(ORDINARY, rules=rules)
