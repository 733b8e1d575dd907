"""Objects whose rows are gone."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from glimpser.core.errors import NotFound, Unavailable
from glimpser.core.events import Artifact
from glimpser.core.ports import Database
from glimpser.db import migrate, open_database
from glimpser.services.garbage import sweep_garbage
from glimpser.testing.storage import MemoryStore
from tests.contract.samples import artifact, at, settings_in

pytestmark = pytest.mark.anyio


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    settings = settings_in(tmp_path)
    migrate(settings)
    async with open_database(settings) as opened:
        yield opened


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


async def stored(database: Database, store: MemoryStore, seconds: float) -> Artifact:
    made = artifact(seconds)
    store.objects[made.uri.removeprefix("memory:///")] = b"12345"
    await database.write(lambda tx: tx.artifacts.add(made))
    return made


async def test_the_object_of_a_removed_row_goes_and_no_other(database: Database, store: MemoryStore) -> None:
    removed, kept = await stored(database, store, 1), await stored(database, store, 2)
    await database.write(lambda tx: tx.artifacts.remove(removed.id))

    swept = await sweep_garbage(database, store, now=at(3))

    assert swept == 1
    assert list(store.objects) == [kept.uri.removeprefix("memory:///")]
    assert await database.read(lambda tx: tx.garbage.count()) == 0


async def test_what_was_to_be_kept_until_a_moment_goes_after_it(
    database: Database, store: MemoryStore
) -> None:
    made = await stored(database, store, 1)
    await database.write(lambda tx: tx.artifacts.expire(made.id, at(60)))

    assert await sweep_garbage(database, store, now=at(59)) == 0
    assert await sweep_garbage(database, store, now=at(60)) == 1

    with pytest.raises(NotFound):
        await database.read(lambda tx: tx.artifacts.get(made.id))
    assert store.objects == {}


async def test_while_the_store_is_away_garbage_stays_garbage(database: Database, store: MemoryStore) -> None:
    made = await stored(database, store, 1)
    await database.write(lambda tx: tx.artifacts.remove(made.id))
    store.failure = Unavailable("The disk has gone away.")

    with pytest.raises(Unavailable):
        await sweep_garbage(database, store, now=at(2))

    assert await database.read(lambda tx: tx.garbage.count()) == 1
    store.failure = None
    assert await sweep_garbage(database, store, now=at(3)) == 1
