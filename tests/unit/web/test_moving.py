"""Templates as a file, over HTTP: written, and read again after a look at what would change."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from glimpser.core.accounts import Role
from glimpser.services.yaml_text import parse_yaml
from glimpser.web.routes.templates import MAX_FILE_BYTES
from tests.web_world import World

pytestmark = pytest.mark.anyio

OUT, IN = "/api/templates/export", "/api/templates/import"
YAML = {"Content-Type": "application/yaml"}


async def bring_in(
    world: World, headers: dict[str, str], body: object, *, apply: bool = False
) -> dict[str, Any]:
    content = body if isinstance(body, str) else json.dumps(body)
    path = f"{IN}?dry_run=false" if apply else IN
    answer = await world.client.post(path, content=content, headers=headers | YAML)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def names(world: World, headers: dict[str, str]) -> list[str]:
    items = (await world.client.get("/api/templates?limit=200", headers=headers)).json()["items"]
    return [item["name"] for item in items]


async def test_what_is_exported_holds_no_secret_and_is_read_again_as_it_was(world: World) -> None:
    headers = await world.sign_in()
    await world.add_template(headers, name="Door", config={"url": "rtsp://cam/one", "password": "hunter2"})

    answer = await world.client.get(OUT, headers=headers)
    found = await bring_in(world, headers, answer.text, apply=True)

    assert answer.headers["content-type"].startswith("application/yaml")
    assert "hunter2" not in answer.text
    [document] = parse_yaml(answer.content)["templates"]
    assert (document["name"], document["secrets"]) == ("Door", ["password"])
    assert [(item["action"], item["missing_secrets"]) for item in found["items"]] == [("same", [])]


async def test_nothing_is_changed_unless_it_is_asked_for(world: World) -> None:
    headers = await world.sign_in()
    body = {"templates": [{"name": "Yard", "kind": "camera", "config": {"url": "rtsp://cam/two"}}]}

    looked = await bring_in(world, headers, body)
    before = await names(world, headers)
    done = await bring_in(world, headers, body, apply=True)
    again = await bring_in(world, headers, body, apply=True)

    assert [one["items"][0]["action"] for one in (looked, done, again)] == ["add", "add", "same"]
    assert (looked["dry_run"], before, await names(world, headers)) == (True, [], ["Yard"])


async def test_a_change_names_its_fields_and_keeps_secrets(world: World) -> None:
    headers = await world.sign_in()
    config = {"url": "rtsp://cam/one", "password": "hunter2"}
    template_id = (await world.add_template(headers, name="Door", config=config)).json()["id"]
    text = (await world.client.get(OUT, headers=headers)).text.replace("name: Door", "name: Front door")

    found = await bring_in(world, headers, text, apply=True)

    [item] = found["items"]
    assert (item["action"], item["fields"], item["id"]) == ("change", ["name"], template_id)
    stored = await world.database.read(lambda tx: tx.templates.get(template_id))
    assert (stored.settings.name, stored.settings.config["password"]) == ("Front door", "hunter2")


async def test_what_cannot_be_used_is_refused_by_itself(world: World) -> None:
    headers = await world.sign_in()
    good = {"name": "Yard", "kind": "camera", "config": {"url": "rtsp://cam/two"}}
    body = {
        "templates": [
            good,
            good,
            good | {"name": ""},
            good | {"name": "b", "kind": "telescope"},
            good | {"name": "c", "typo": 1},
            good | {"name": "d", "config": {"url": "rtsp://ann:***@cam/"}},
        ]
    }

    found = await bring_in(world, headers, body, apply=True)

    assert [item["action"] for item in found["items"]] == ["add"] + ["refused"] * 5
    pointers = [item["errors"][0]["pointer"] for item in found["items"][1:]]
    assert pointers == ["/name", "/name", "/kind", "/typo", "/config/url"]
    assert await names(world, headers) == ["Yard"]


async def test_secrets_that_are_to_be_set_again_are_named(world: World) -> None:
    headers = await world.sign_in()
    body = {
        "templates": [
            {"name": "Door", "kind": "camera", "config": {"url": "rtsp://cam/"}, "secrets": ["password"]}
        ]
    }

    found = await bring_in(world, headers, body)

    assert found["items"][0]["missing_secrets"] == ["password"]


async def test_streams_of_glimpser_rs_are_read(world: World) -> None:
    headers = await world.sign_in()
    stream = {"name": "Pond", "config": {"kind": "camera", "url": "rtsp://cam/", "crf": 23}}

    for body in ({"streams": [stream]}, {"success": True, "data": {"streams": [stream]}}):
        [item] = (await bring_in(world, headers, body))["items"]
        assert (item["name"], set(item["left"])) == ("Pond", {"url", "crf"})


@pytest.mark.parametrize(
    "body",
    ["", "just text", "[]", "templates: 5", "templates: [5]", "a: &a [*a]", "{", "format: 9\ntemplates: []"],
)
async def test_what_is_no_such_file_is_refused(world: World, body: str) -> None:
    headers = await world.sign_in()

    answer = await world.client.post(IN, content=body, headers=headers | YAML)

    assert answer.status_code == 422


async def test_what_is_too_large_or_of_another_type_is_refused(world: World) -> None:
    headers = await world.sign_in()

    answer = await world.client.post(IN, content=b"#" * (MAX_FILE_BYTES + 1), headers=headers | YAML)
    other = await world.client.post(IN, content=b"x", headers=headers | {"Content-Type": "image/png"})

    assert (answer.status_code, other.status_code) == (413, 415)


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR])
async def test_only_admins_move_templates(world: World, role: Role) -> None:
    headers = await world.sign_in(role)

    out = await world.client.get(OUT, headers=headers)
    brought = await world.client.post(IN, content="templates: []", headers=headers | YAML)

    assert (out.status_code, brought.status_code) == (403, 403)


async def test_the_database_of_the_original_program_is_read(world: World, tmp_path: Path) -> None:
    headers = await world.sign_in()
    file = tmp_path / "glimpser.db"
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE templates (name TEXT, url TEXT, frequency INTEGER)")
        connection.execute("INSERT INTO templates VALUES ('Door', 'rtsp://cam/one', 5)")
        connection.commit()
    sqlite = headers | {"Content-Type": "application/vnd.sqlite3"}

    answer = await world.client.post(IN, content=file.read_bytes(), headers=sqlite)

    [item] = answer.json()["items"]
    assert (answer.status_code, item["name"]) == (200, "Door")


async def test_a_damaged_database_is_refused_with_its_reason(world: World) -> None:
    headers = await world.sign_in() | {"Content-Type": "application/vnd.sqlite3"}

    answer = await world.client.post(IN, content=b"SQLite format 3\0" + b"\xff" * 4000, headers=headers)

    assert answer.status_code == 422
    assert "cannot be read" in answer.json()["detail"]
