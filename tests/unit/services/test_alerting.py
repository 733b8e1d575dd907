"""Recording events with their pictures; what follows from them is tested with the rules."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from glimpser.core.errors import Unavailable
from glimpser.core.events import Event
from glimpser.core.frames import Frame
from glimpser.core.ids import EventId, TemplateId, new_id
from glimpser.core.keys import is_key
from glimpser.db import SqlDatabase, open_database
from glimpser.services.alerting import SUPERSEDED_FOR, Alerting
from glimpser.testing.clock import START, FakeClock
from glimpser.testing.storage import MemoryStore
from tests.contract.samples import VIEW, at, event
from tests.unit.services.viewing import NoQueue, new_database

pytestmark = pytest.mark.anyio


class World:
    def __init__(self, database: SqlDatabase) -> None:
        self.database = database
        self.store = MemoryStore()
        self.alerting = Alerting(database, self.store, NoQueue(), clock=FakeClock())

    async def saved(self, event_id: EventId) -> Event:
        return await self.database.read(lambda tx: tx.events.get(event_id))


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with open_database(new_database(tmp_path)) as database:
        yield World(database)


def opened() -> Event:
    return replace(event(), id=EventId(new_id()), ended_at=None, artifact_id=None)


def frame(jpeg: bytes = b"jpeg") -> Frame:
    return Frame(TemplateId(VIEW), 1, at(0), jpeg, 640, 360)


async def test_a_picture_is_stored_under_its_day_and_described(world: World) -> None:
    artifact = await world.alerting.store_picture(frame(b"one picture"))

    [(key, data)] = world.store.objects.items()
    assert key == f"artifacts/{START:%Y/%m/%d}/{artifact.id}.jpg"
    assert is_key(key)
    assert data == b"one picture"
    assert (artifact.size_bytes, artifact.width, artifact.height) == (11, 640, 360)
    assert (artifact.media_type, artifact.template_id) == ("image/jpeg", VIEW)


async def test_an_event_is_written_with_its_picture(world: World) -> None:
    picture = await world.alerting.store_picture(frame())

    written = await world.alerting.record(opened(), picture, is_new=True)

    assert written.artifact_id == picture.id
    assert await world.saved(written.id) == written
    assert await world.database.read(lambda tx: tx.artifacts.get(picture.id)) == picture


async def test_a_better_picture_takes_the_place_of_the_one_before(world: World) -> None:
    first = await world.alerting.store_picture(frame(b"first"))
    written = await world.alerting.record(opened(), first, is_new=True)
    second = await world.alerting.store_picture(frame(b"second"))

    await world.alerting.record(written, second, is_new=False)

    assert (await world.saved(written.id)).artifact_id == second.id
    superseded = await world.database.read(lambda tx: tx.artifacts.get(first.id))
    assert superseded.expires_at == START + SUPERSEDED_FOR


async def test_an_event_without_a_new_picture_keeps_the_one_it_has(world: World) -> None:
    picture = await world.alerting.store_picture(frame())
    written = await world.alerting.record(opened(), picture, is_new=True)

    await world.alerting.record(replace(written, ended_at=at(9)), None, is_new=False)

    saved = await world.saved(written.id)
    assert (saved.artifact_id, saved.ended_at) == (picture.id, at(9))


async def test_an_event_that_is_over_leaves_its_score_behind_once(world: World) -> None:
    begun = replace(opened(), metadata={"score": 0.25, "boxes": []})
    written = await world.alerting.record(begun, None, is_new=True)

    await world.alerting.record(replace(written, ended_at=at(9)), None, is_new=False)

    [observation] = await world.database.read(
        lambda tx: tx.observations.list(written.template_id, written.kind, None, None)
    )
    assert (observation.value, observation.event_id) == (0.25, written.id)


async def test_a_store_that_is_full_leaves_no_row_behind(world: World) -> None:
    world.store.failure = Unavailable("The disk is full.")

    with pytest.raises(Unavailable):
        await world.alerting.store_picture(frame())

    assert await world.database.read(lambda tx: tx.artifacts.newest()) is None
