"""What people ask for over HTTP: each field that is refused beside its neighbour that is taken."""

from typing import Any

import pytest

from glimpser.core.accounts import Role
from tests.web_world import World

pytestmark = pytest.mark.anyio

PATH = "/api/exports"
BEGAN, ENDED = "2026-11-01T00:00:00Z", "2026-11-08T00:00:00Z"
VIDEO, FILM = {"kind": "video"}, {"kind": "timelapse"}
TEASER = {"kind": "teaser", "template_id": None, "group": "street", "from": None, "to": None}
ZIP_OF_GROUP = {"kind": "zip", "template_id": None, "group": "street"}


async def add_view(world: World, headers: dict[str, str], *groups: str) -> str:
    config = {"url": "rtsp://cam/one"}
    made = await world.add_template(headers, name=f"Door {groups}", config=config, groups=list(groups))
    assert made.status_code == 201, made.text
    return str(made.json()["id"])


async def ask(world: World, headers: dict[str, str], view: str, **changes: object) -> Any:
    body = {"kind": "zip", "template_id": view, "from": BEGAN, "to": ENDED} | changes
    left_out = {name: value for name, value in body.items() if value is not None}
    return await world.client.post(PATH, json=left_out, headers=headers)


@pytest.mark.parametrize(
    ("pointer", "refused", "taken"),
    [
        ("/kind", {"kind": "gif"}, {"kind": "zip"}),
        ("/kind", {"kind": None}, {"kind": "video"}),
        ("/from", {"from": ENDED, "to": ENDED}, {"from": "2026-11-07T23:59:59.999999Z"}),
        ("/from", {"from": "2026-11-09T00:00:00Z"}, {"from": BEGAN}),
        ("/from", {"from": "2026-11-01T00:00:00"}, {"from": "2026-11-01T00:00:00+01:00"}),
        ("/from", {"from": None}, TEASER),
        ("/to", {"to": None}, TEASER),
        ("/from", {"from": "0001-01-01T00:00:00Z"}, {"from": "1970-01-01T00:00:00Z"}),
        ("/to", VIDEO | {"to": "2026-11-08T00:00:00.000001Z"}, VIDEO),
        ("/to", VIDEO | {"from": "2016-11-01T00:00:00Z"}, FILM | {"from": "2016-11-01T00:00:00Z"}),
        ("/fps", FILM | {"fps": 0}, FILM | {"fps": 1}),
        ("/fps", FILM | {"fps": 61}, FILM | {"fps": 60}),
        ("/fps", FILM | {"fps": 24.5}, FILM | {"fps": 24.0}),
        ("/fps", VIDEO | {"fps": 24}, FILM | {"fps": 24}),
        ("/length_s", FILM | {"length_s": 0.9}, FILM | {"length_s": 1}),
        ("/length_s", FILM | {"length_s": 600.1}, FILM | {"length_s": 600}),
        ("/length_s", {"length_s": 5}, TEASER | {"length_s": 5}),
        ("/width", FILM | {"width": 63}, FILM | {"width": 64}),
        ("/width", FILM | {"width": 3841}, FILM | {"width": 3840}),
        ("/width", {"width": 640}, VIDEO | {"width": 640}),
        ("/show_time", FILM | {"show_time": "no"}, FILM | {"show_time": False}),
        ("/template_id", {"group": "street"}, {}),
        ("/template_id", {"template_id": None}, ZIP_OF_GROUP),
        ("/template_id", {"template_id": "../../etc"}, {}),
        ("/template_id", {"template_id": "01JDTEMP0000000000000000AA"}, {}),
        ("/template_id", ZIP_OF_GROUP | FILM, FILM),
        ("/group", {"kind": "teaser"}, TEASER),
        ("/group", ZIP_OF_GROUP | {"group": "nowhere"}, ZIP_OF_GROUP),
        ("/group", ZIP_OF_GROUP | {"group": "x" * 51}, ZIP_OF_GROUP),
        ("/path", {"path": "/etc/passwd"}, {}),
    ],
)
async def test_what_cannot_be_made_is_refused_by_its_field(
    world: World, pointer: str, refused: dict[str, object], taken: dict[str, object]
) -> None:
    headers = await world.sign_in()
    view = await add_view(world, headers, "street")

    no, yes = await ask(world, headers, view, **refused), await ask(world, headers, view, **taken)

    assert (no.status_code, [error["pointer"] for error in no.json()["errors"]]) == (422, [pointer]), no.text
    assert yes.status_code == 202, yes.text
    listed = (await world.client.get(PATH, headers=headers)).json()["items"]
    assert [one["id"] for one in listed] == [yes.json()["id"]]


async def test_what_is_of_another_group_is_not_there(world: World) -> None:
    admin = await world.sign_in()
    theirs, foreign = await add_view(world, admin, "street"), await add_view(world, admin, "yard")
    hidden = (await ask(world, admin, foreign)).json()["id"]
    bea = await world.sign_in(Role.OPERATOR, groups=("street",))

    for path in (hidden, f"{hidden}/file"):
        assert (await world.client.get(f"{PATH}/{path}", headers=bea)).status_code == 404
    assert (await world.client.delete(f"{PATH}/{hidden}", headers=bea)).status_code == 404
    secret = await ask(world, bea, foreign)
    unknown = await ask(world, bea, "01JDTEMP0000000000000000AA")
    assert (secret.status_code, secret.json()["errors"]) == (422, unknown.json()["errors"])
    for group in ("yard", "nowhere"):
        assert (await ask(world, bea, "", **ZIP_OF_GROUP | {"group": group})).status_code == 422

    own = (await ask(world, bea, theirs)).json()["id"]
    assert (await world.client.get(f"{PATH}/{own}", headers=bea)).status_code == 200
    assert (await world.client.get(f"{PATH}/{own}/file", headers=bea)).status_code == 409
    assert (await world.client.delete(f"{PATH}/{own}", headers=bea)).status_code == 204
    assert (await world.client.get(f"{PATH}/{hidden}", headers=admin)).status_code == 200
