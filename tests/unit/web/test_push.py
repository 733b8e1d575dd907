"""Pictures that come in over HTTP."""

import pytest

from glimpser.core.accounts import Role
from glimpser.core.errors import Conflict, InvalidInput, Unavailable
from tests.web_world import World

pytestmark = pytest.mark.anyio

JPEG = {"Content-Type": "image/jpeg"}


async def a_view(world: World, role: Role = Role.OPERATOR) -> tuple[str, dict[str, str]]:
    admin = await world.sign_in()
    template_id = (await world.add_template(admin)).json()["id"]
    headers = await world.sign_in(role)
    return f"/api/stream/{template_id}/push", headers


async def test_a_picture_that_is_sent_is_taken(world: World) -> None:
    path, headers = await a_view(world)

    answer = await world.client.post(path, content=b"picture", headers=headers | JPEG)

    assert (answer.status_code, answer.content) == (202, b"")
    assert [data for _, data in world.pushes.sent] == [b"picture"]


async def test_pictures_may_be_larger_than_other_bodies_but_not_endless(world: World) -> None:
    path, headers = await a_view(world)

    large = await world.client.post(path, content=bytes(5 << 20), headers=headers | JPEG)
    larger = await world.client.post(path, content=bytes((32 << 20) + 1), headers=headers | JPEG)

    assert (large.status_code, larger.status_code) == (202, 413)
    assert len(world.pushes.sent) == 1


@pytest.mark.parametrize("media_type", ["image/svg+xml", "text/html", "application/json", ""])
async def test_what_does_not_call_itself_a_picture_is_refused(world: World, media_type: str) -> None:
    path, headers = await a_view(world)

    answer = await world.client.post(path, content=b"x", headers=headers | {"Content-Type": media_type})

    assert answer.status_code == 415
    assert not world.pushes.sent


async def test_viewers_may_send_nothing(world: World) -> None:
    path, headers = await a_view(world, Role.VIEWER)

    answer = await world.client.post(path, content=b"picture", headers=headers | JPEG)

    assert answer.status_code == 403


@pytest.mark.parametrize(
    ("refusal", "status"),
    [(Conflict("Another kind."), 409), (InvalidInput("No picture."), 422), (Unavailable("Off."), 503)],
    ids=str,
)
async def test_why_a_picture_is_not_taken_is_said(
    world: World, refusal: Conflict | InvalidInput | Unavailable, status: int
) -> None:
    path, headers = await a_view(world)
    world.pushes.refusal = refusal

    answer = await world.client.post(path, content=b"picture", headers=headers | JPEG)

    assert (answer.status_code, answer.json()["detail"]) == (status, refusal.detail)


async def test_a_view_that_is_not_there_takes_nothing(world: World) -> None:
    _, headers = await a_view(world)

    answer = await world.client.post(
        "/api/stream/01JZZZZZZZZZZZZZZZZZZZZZZZ/push", content=b"x", headers=headers | JPEG
    )

    assert answer.status_code == 404
