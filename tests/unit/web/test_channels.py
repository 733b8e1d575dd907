"""Channels over HTTP: versions, secrets, and what they leave behind."""

from typing import Any

import pytest

from glimpser.core.accounts import AuditFilter
from glimpser.core.ids import new_id
from glimpser.core.pages import PageRequest
from tests.web_world import World

pytestmark = pytest.mark.anyio

PATH = "/api/admin/channels"
ANN: dict[str, Any] = {"name": "Ann", "kind": "fake", "config": {"to": "ann", "password": "hunter2"}}


async def test_a_channel_comes_back_as_it_was_sent_but_for_its_secrets(world: World) -> None:
    headers = await world.sign_in()

    created = await world.client.post(PATH, json=ANN, headers=headers)

    body = created.json()
    assert (created.status_code, created.headers["etag"]) == (201, '"1"')
    assert created.headers["location"] == f"{PATH}/{body['id']}"
    assert body == {
        "id": body["id"],
        "name": "Ann",
        "kind": "fake",
        "config": {"to": "ann"},
        "enabled": True,
        "version": 1,
        "last_result": None,
        "created_at": "2026-01-01T12:00:00Z",
        "updated_at": "2026-01-01T12:00:00Z",
    }
    read = await world.client.get(created.headers["location"], headers=headers)
    listed = await world.client.get(PATH, headers=headers)
    assert read.json() == body
    assert listed.json() == {"items": [body], "next_cursor": None}
    assert "hunter2" not in created.text + read.text + listed.text
    known = await world.client.get(
        created.headers["location"], headers=headers | {"If-None-Match": read.headers["etag"]}
    )
    assert known.status_code == 304


async def test_what_was_read_can_be_written_back_and_keeps_the_secrets(world: World) -> None:
    headers = await world.sign_in()
    created = await world.client.post(PATH, json=ANN, headers=headers)
    path, body = created.headers["location"], created.json()

    world.clock.advance(60)
    replaced = await world.client.put(
        path, json=body | {"name": "Anna", "enabled": False}, headers=headers | {"If-Match": '"1"'}
    )
    stored = await world.services.channels.get(body["id"])
    removed = await world.client.put(
        path,
        json=ANN | {"config": {"to": "ann", "password": ""}},
        headers=headers | {"If-Match": replaced.headers["etag"]},
    )

    assert (replaced.status_code, replaced.headers["etag"]) == (200, '"2"')
    assert (stored.name, stored.enabled) == ("Anna", False)
    assert stored.config == {"to": "ann", "password": "hunter2"}
    assert replaced.json()["updated_at"] == "2026-01-01T12:01:00Z"
    assert removed.status_code == 200
    assert (await world.services.channels.get(body["id"])).config == {"to": "ann"}


async def test_a_write_names_the_version_it_is_made_for(world: World) -> None:
    headers = await world.sign_in()
    path = (await world.client.post(PATH, json=ANN, headers=headers)).headers["location"]

    assert (await world.client.put(path, json=ANN, headers=headers)).status_code == 428
    assert (await world.client.delete(path, headers=headers)).status_code == 428
    stale = headers | {"If-Match": '"9"'}
    assert (await world.client.put(path, json=ANN, headers=stale)).status_code == 412
    assert (await world.client.delete(path, headers=stale)).status_code == 412
    right = headers | {"If-Match": '"1"'}
    assert (await world.client.delete(path, headers=right)).status_code == 204
    assert (await world.client.get(path, headers=headers)).status_code == 404


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"name": ""}, "/name"),
        ({"name": None}, "/name"),
        ({"kind": "pigeon"}, "/kind"),
        ({"config": {"to": 5}}, "/config/to"),
        ({"config": []}, "/config"),
        ({"enabled": "yes"}, "/enabled"),
        ({"surprise": 1}, "/surprise"),
    ],
)
async def test_a_wrong_field_is_named_and_nothing_is_made(
    world: World, change: dict[str, object], pointer: str
) -> None:
    headers = await world.sign_in()

    answer = await world.client.post(PATH, json=ANN | change, headers=headers)

    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
    assert "hunter2" not in answer.text
    assert (await world.client.get(PATH, headers=headers)).json()["items"] == []


async def test_every_change_is_in_the_audit_log_without_its_secrets(world: World) -> None:
    headers = await world.sign_in()
    created = await world.client.post(PATH, json=ANN, headers=headers)
    path = created.headers["location"]
    await world.client.put(path, json=ANN, headers=headers | {"If-Match": '"1"'})
    await world.client.delete(path, headers=headers | {"If-Match": '"2"'})

    page = await world.database.read(lambda tx: tx.audit.list(AuditFilter(), PageRequest()))

    actions = [item.action for item in page.items if item.subject == created.json()["id"]]
    assert actions[::-1] == ["channel.created", "channel.changed", "channel.removed"]
    assert "hunter2" not in str(page.items)


async def test_a_channel_is_tried_by_itself(world: World) -> None:
    headers = await world.sign_in()
    created = await world.client.post(PATH, json=ANN | {"enabled": False}, headers=headers)
    path = created.headers["location"]

    answer = await world.client.post(f"{path}/test", headers=headers)
    nobody = await world.client.post(f"{PATH}/{new_id()}/test", headers=headers)

    assert answer.json() == {"channel_id": created.json()["id"], "status": "sent", "error": None}
    assert nobody.status_code == 404
    read = await world.client.get(path, headers=headers)
    assert (read.json()["last_result"], read.headers["etag"]) == ("Test sent.", '"1"')


async def test_the_kinds_tell_the_schema_of_their_config(world: World) -> None:
    answer = await world.client.get("/api/channel-kinds", headers=await world.sign_in())

    assert answer.json() == [
        {
            "kind": "fake",
            "title": "Fake",
            "description": "A channel for tests.",
            "schema": {"type": "object"},
        }
    ]
