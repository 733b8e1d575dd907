"""Damage from outside is found, told and, where that loses nothing, mended."""

import sqlite3
from pathlib import Path

import pytest

from glimpser.core.ports import DatabaseFault
from glimpser.db import migrate, open_database
from tests.contract.samples import artifact, event, observation, settings_in, template

pytestmark = pytest.mark.anyio


async def test_finds_and_clears_references_to_what_is_gone(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    migrate(settings)
    picture, view = artifact(), template()
    happened, kept = event(artifact_id=picture.id), event()
    async with open_database(settings) as database:
        await database.write(lambda tx: tx.artifacts.add(picture))
        await database.write(lambda tx: tx.templates.add(view))
        await database.write(lambda tx: tx.events.add(happened))
        await database.write(lambda tx: tx.events.add(kept))
        await database.write(lambda tx: tx.observations.add(observation(event_id=kept.id)))
        _without_foreign_keys(tmp_path, "DELETE FROM artifacts", "DELETE FROM templates")

        faults = await database.verify()
        mended = await database.mend()

        assert DatabaseFault(
            "reference",
            f"events/{happened.id}",
            f"artifact_id names {picture.id}, which is not in artifacts.",
        ) in list(faults)
        assert {fault.subject for fault in faults} == {
            f"events/{happened.id}",
            "template_groups/outside",
            "template_groups/street",
        }
        assert mended == 3
        assert await database.verify() == []
        assert (await database.read(lambda tx: tx.events.get(happened.id))).artifact_id is None
        assert await database.read(lambda tx: tx.events.get(kept.id)) == kept


def _without_foreign_keys(directory: Path, *statements: str) -> None:
    """Do what the program never does."""
    connection = sqlite3.connect(directory / "glimpser.db")
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()
