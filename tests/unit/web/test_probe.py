"""Trying a view over HTTP before it is saved."""

import pytest

from glimpser.core.accounts import Role
from glimpser.core.errors import TooMany
from glimpser.core.ids import new_id
from glimpser.services.probing import Ask
from tests.web_world import World

pytestmark = pytest.mark.anyio

PATH = "/api/templates/probe"


async def test_an_address_is_tried_by_a_job(world: World) -> None:
    answer = await world.client.post(PATH, json={"url": " rtsp://cam/one "}, headers=await world.sign_in())

    job_id = answer.json()["job_id"]
    assert (answer.status_code, answer.headers["location"]) == (202, f"/api/admin/jobs/{job_id}")
    assert world.probing.asked == [Ask(url="rtsp://cam/one")]


async def test_a_config_is_tried_as_it_is(world: World) -> None:
    config = {"url": "rtsp://cam/one", "password": "hunter2"}

    answer = await world.client.post(
        PATH, json={"kind": "camera", "config": config}, headers=await world.sign_in()
    )

    assert answer.status_code == 202
    assert world.probing.asked == [Ask(kind="camera", config=config)]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"url": ""},
        {"url": "x" * 5000},
        {"kind": "camera"},
        {"config": {}},
        {"url": "rtsp://cam/", "kind": "camera", "config": {}},
        {"url": ["rtsp://cam/"]},
        {"url": "rtsp://cam/", "more": 1},
    ],
    ids=["nothing", "empty", "endless", "kind alone", "config alone", "both", "a list", "unknown field"],
)
async def test_what_is_neither_is_refused_with_its_field(world: World, body: object) -> None:
    answer = await world.client.post(PATH, json=body, headers=await world.sign_in())

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"].startswith("/")
    assert world.probing.asked == []


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR])
async def test_only_admins_may_have_addresses_tried(world: World, role: Role) -> None:
    answer = await world.client.post(PATH, json={"url": "rtsp://cam/"}, headers=await world.sign_in(role))

    assert answer.status_code == 403
    assert world.probing.asked == []


async def test_too_many_at_a_time_are_refused(world: World) -> None:
    world.probing.refusal = TooMany("Wait until some are done.")

    answer = await world.client.post(PATH, json={"url": "rtsp://cam/"}, headers=await world.sign_in())

    assert (answer.status_code, answer.headers["retry-after"]) == (429, "5")


async def test_a_change_of_a_view_is_tried_with_the_secrets_it_has(world: World) -> None:
    headers = await world.sign_in()
    stored = {"url": "rtsp://cam/one", "password": "hunter2"}
    template_id = (await world.add_template(headers, name="Door", config=stored)).json()["id"]
    changed = {"kind": "camera", "config": {"url": "rtsp://cam/two"}, "template_id": template_id}

    answer = await world.client.post(PATH, json=changed, headers=headers)

    assert answer.status_code == 202
    assert world.probing.asked == [
        Ask(kind="camera", config={"url": "rtsp://cam/two", "password": "hunter2"})
    ]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"url": "rtsp://cam/"}, 422),
        ({"kind": "moon", "config": {}}, 422),
        ({"kind": "camera", "config": {"url": "rtsp://cam/"}}, 404),
    ],
    ids=["an address", "no such kind", "no such view"],
)
async def test_secrets_are_lent_to_nothing_else(world: World, body: dict[str, object], status: int) -> None:
    headers = await world.sign_in()
    template_id = new_id()
    if status == 422:
        config = {"url": "rtsp://cam/one", "password": "hunter2"}
        template_id = (await world.add_template(headers, name="Door", config=config)).json()["id"]

    answer = await world.client.post(PATH, json=body | {"template_id": template_id}, headers=headers)

    assert answer.status_code == status
    assert world.probing.asked == []
