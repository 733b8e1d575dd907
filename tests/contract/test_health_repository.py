"""What every database keeps to with what is known of the health of views."""

from dataclasses import replace

import pytest

from glimpser.core.health import HealthState, ViewHealth
from glimpser.core.ids import ArtifactId, TemplateId, new_id
from glimpser.core.ports import Database
from tests.contract.samples import artifact, at, health_record

pytestmark = pytest.mark.anyio


async def test_a_record_is_read_as_it_was_written(database: Database) -> None:
    record = health_record()
    plain = health_record(
        template_id=TemplateId(new_id()),
        health=ViewHealth(state=HealthState.OK, since=at(1)),
        trouble_since=None,
        event_id=None,
        by_capture=False,
    )

    for each in (record, plain):
        await database.write(lambda tx, each=each: tx.healths.put(each))  # type: ignore[misc]

    found = await database.read(lambda tx: tx.healths.after(None, 10))
    assert sorted(found, key=lambda each: each.template_id) == sorted(
        (record, plain), key=lambda each: each.template_id
    )


@pytest.mark.parametrize("state", list(HealthState))
async def test_a_later_record_takes_the_place_of_the_one_before(
    database: Database, state: HealthState
) -> None:
    later = health_record(health=ViewHealth(state=state, since=at(9)), event_id=None)

    await database.write(lambda tx: tx.healths.put(health_record()))
    await database.write(lambda tx: tx.healths.put(later))

    assert list(await database.read(lambda tx: tx.healths.after(None, 10))) == [later]


async def test_a_view_that_is_forgotten_has_no_record(database: Database) -> None:
    record = health_record()
    await database.write(lambda tx: tx.healths.put(record))

    for _ in range(2):
        await database.write(lambda tx: tx.healths.remove(record.template_id))

    assert not await database.read(lambda tx: tx.healths.after(None, 10))


async def test_a_record_loses_the_picture_that_retention_takes(database: Database) -> None:
    picture = artifact()
    health = replace(health_record().health, last_good_artifact_id=picture.id)
    await database.write(lambda tx: tx.artifacts.add(picture))
    await database.write(lambda tx: tx.healths.put(health_record(health=health)))

    await database.write(lambda tx: tx.artifacts.remove(picture.id))

    (found,) = await database.read(lambda tx: tx.healths.after(None, 10))
    assert found == health_record()


async def test_a_picture_that_is_gone_already_is_left_out(database: Database) -> None:
    health = replace(health_record().health, last_good_artifact_id=ArtifactId(new_id()))

    await database.write(lambda tx: tx.healths.put(health_record(health=health)))

    assert list(await database.read(lambda tx: tx.healths.after(None, 10))) == [health_record()]


async def test_all_records_are_walked_in_batches(database: Database) -> None:
    records = [health_record(template_id=TemplateId(new_id())) for _ in range(5)]
    for record in records:
        await database.write(lambda tx, record=record: tx.healths.put(record))  # type: ignore[misc]

    first = await database.read(lambda tx: tx.healths.after(None, 3))
    rest = await database.read(lambda tx: tx.healths.after(first[-1].template_id, 3))

    assert [*first, *rest] == sorted(records, key=lambda each: each.template_id)
