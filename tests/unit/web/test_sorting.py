"""Lists in the order that is asked for, the same way everywhere."""

from typing import Any

import pytest

from glimpser.web.application import ROUTES
from tests.web_world import World

pytestmark = pytest.mark.anyio


def orders_of(document: dict[str, Any], path: str) -> list[str]:
    """What the document says that a list can be sorted by."""
    parameters = document["paths"][path]["get"]["parameters"]
    [sort] = [each for each in parameters if each["name"] == "sort"]
    orders: list[str] = sort["schema"]["anyOf"][0]["enum"]
    return orders


LISTS = sorted(row.path for row in ROUTES if getattr(row.answer, "__name__", "").endswith("List"))
PATHS = [path for path in LISTS if "{" not in path]


@pytest.mark.parametrize("path", PATHS)
async def test_every_list_takes_the_orders_it_is_described_with(world: World, path: str) -> None:
    headers = await world.sign_in()
    document = (await world.client.get("/openapi.json")).json()

    statuses = {}
    for sort in orders_of(document, path):
        answer = await world.client.get(path, params={"sort": sort}, headers=headers)
        statuses[sort] = answer.status_code

    assert set(statuses.values()) == {200}
    assert {sort.removeprefix("-") for sort in statuses} == {s for s in statuses if not s.startswith("-")}


@pytest.mark.parametrize("path", PATHS)
async def test_an_unknown_order_is_refused_with_the_known_ones(world: World, path: str) -> None:
    headers = await world.sign_in()
    document = (await world.client.get("/openapi.json")).json()

    answer = await world.client.get(path, params={"sort": "id; DROP TABLE users"}, headers=headers)

    assert answer.status_code == 422
    [error] = answer.json()["errors"]
    assert error["pointer"] == "/sort"
    assert ", ".join(orders_of(document, path)) in error["message"]


async def test_no_list_is_without_an_order() -> None:
    assert len(LISTS) == len(PATHS) + 1
    assert "/api/stream/{template_id}/tickets" in LISTS


async def test_views_are_read_by_name_page_by_page(world: World) -> None:
    headers = await world.sign_in()
    for name in ("beta", "Alpha", "gamma", "alpha"):
        await world.add_template(headers, name=name)

    async def read(sort: str) -> list[str]:
        names, query = [], {"sort": sort, "limit": "1"}
        while True:
            page = (await world.client.get("/api/templates", params=query, headers=headers)).json()
            names += [item["name"] for item in page["items"]]
            if page["next_cursor"] is None:
                return names
            query["cursor"] = page["next_cursor"]

    assert [name.lower() for name in await read("name")] == ["alpha", "alpha", "beta", "gamma"]
    assert await read("-name") == list(reversed(await read("name")))


async def test_a_cursor_of_another_order_is_refused_and_says_so(world: World) -> None:
    headers = await world.sign_in()
    for name in ("a", "b"):
        await world.add_template(headers, name=name)
    first = await world.client.get("/api/templates", params={"sort": "name", "limit": 1}, headers=headers)
    cursor = first.json()["next_cursor"]

    refused = [
        await world.client.get("/api/templates", params={"cursor": cursor, **other}, headers=headers)
        for other in ({}, {"sort": "-name"}, {"sort": "updated_at"})
    ]
    served = await world.client.get(
        "/api/templates", params={"cursor": cursor, "sort": "name"}, headers=headers
    )

    assert [answer.status_code for answer in refused] == [422] * 3
    assert {answer.json()["errors"][0]["pointer"] for answer in refused} == {"/cursor"}
    assert [item["name"] for item in served.json()["items"]] == ["b"]
