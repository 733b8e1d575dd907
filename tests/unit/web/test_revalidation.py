"""What a client knows already is not sent again, whatever it reads."""

import pytest

from glimpser.web.application import ROUTES
from tests.web_world import World

pytestmark = pytest.mark.anyio

NEEDS_MORE = "/api/schedule/preview"
"""Cannot be read by its path alone."""
READS = sorted(row.path for row in ROUTES if row.is_read and "{" not in row.path and row.path != NEEDS_MORE)


@pytest.mark.parametrize("path", READS)
async def test_what_has_not_changed_is_not_sent_again(world: World, path: str) -> None:
    headers = await world.sign_in()
    etag = (await world.client.get(path, headers=headers)).headers["etag"]

    again = await world.client.get(path, headers=headers | {"If-None-Match": etag})
    other = await world.client.get(path, headers=headers | {"If-None-Match": 'W/"other"'})

    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == etag
    assert again.headers["cache-control"] == "no-store"
    assert (other.status_code, other.headers["etag"]) == (200, etag)


async def test_a_list_that_has_changed_is_sent(world: World) -> None:
    headers = await world.sign_in()
    before = (await world.client.get("/api/templates", headers=headers)).headers["etag"]
    await world.add_template(headers)

    after = await world.client.get("/api/templates", headers=headers | {"If-None-Match": before})

    assert after.status_code == 200
    assert len(after.json()["items"]) == 1
    assert after.headers["etag"] != before


async def test_one_of_several_known_tags_suffices(world: World) -> None:
    headers = await world.sign_in()
    etag = (await world.client.get("/api/events", headers=headers)).headers["etag"]
    conditions = [*headers.items(), ("If-None-Match", '"1", "2"'), ("If-None-Match", etag)]

    assert (await world.client.get("/api/events", headers=conditions)).status_code == 304


async def test_head_is_answered_as_get_is(world: World) -> None:
    headers = await world.sign_in()
    etag = (await world.client.get("/api/events", headers=headers)).headers["etag"]

    asked = await world.client.head("/api/events", headers=headers)
    known = await world.client.head("/api/events", headers=headers | {"If-None-Match": etag})

    assert (asked.status_code, asked.headers["etag"]) == (200, etag)
    assert known.status_code == 304


@pytest.mark.parametrize("path", ["/api/templates", "/api/admin/users"])
async def test_who_may_not_read_is_not_told_that_nothing_changed(world: World, path: str) -> None:
    etag = (await world.client.get(path, headers=await world.sign_in())).headers["etag"]

    for condition in (etag, "*"):
        refused = await world.client.get(path, headers={"If-None-Match": condition})

        assert refused.status_code == 401
        assert "etag" not in refused.headers


@pytest.mark.parametrize(
    "path",
    ["/api/events/01M80000000000000000000009", "/api/templates?limit=0", "/api/events?cursor=none"],
    ids=["missing", "limit", "cursor"],
)
async def test_a_refusal_has_no_tag_whatever_is_known(world: World, path: str) -> None:
    headers = await world.sign_in() | {"If-None-Match": "*"}

    refused = await world.client.get(path, headers=headers)

    assert refused.status_code in (404, 422)
    assert "etag" not in refused.headers


async def test_a_write_is_not_held_back_by_what_is_known(world: World) -> None:
    headers = await world.sign_in() | {"If-None-Match": "*"}

    assert (await world.add_template(headers)).status_code == 201
