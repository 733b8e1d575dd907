"""Whoever has groups sees what is theirs alone, in lists, on streams and on the wall."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx2
import pytest
from websockets.asyncio.client import ClientConnection, connect

from glimpser.core.accounts import EVERYTHING
from glimpser.core.events import Event
from glimpser.core.ids import TemplateId
from glimpser.core.repositories import Transaction
from glimpser.services.notices import EventNotice
from glimpser.web.server import WebServer, listen
from tests.contract.samples import alert, at, capture, event
from tests.web_world import World, open_world

pytestmark = pytest.mark.anyio


@dataclass
class House:
    """A view in the garden and one inside, and a key for the garden."""

    world: World
    address: str
    admin: dict[str, str]
    garden: TemplateId
    inside: TemplateId
    key: dict[str, Any]

    @property
    def visitor(self) -> dict[str, str]:
        return {"x-api-key": self.key["key"]}

    async def items(self, path: str, **params: Any) -> list[dict[str, Any]]:
        """Follow a list to its end, as the visitor."""
        found: list[dict[str, Any]] = []
        cursor = None
        while True:
            wanted = params | {"limit": 2} | ({"cursor": cursor} if cursor else {})
            page = (await self.world.client.get(path, params=wanted, headers=self.visitor)).json()
            found += page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                return found

    async def move_garden_away(self) -> None:
        settings = (await self.world.services.templates.get(self.garden, within=EVERYTHING)).settings

        def move(tx: Transaction) -> None:
            moved = replace(settings, groups=("elsewhere",))
            tx.templates.replace(self.garden, moved, expected=1, now=at(1))

        await self.world.database.write(move)

    async def revoke(self) -> None:
        answer = await self.world.client.delete(f"/api/admin/api-keys/{self.key['id']}", headers=self.admin)
        assert answer.status_code == 204


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with open_world(tmp_path) as world, asyncio.timeout(40), asyncio.TaskGroup() as tasks:
        server = WebServer(world.app, listen("127.0.0.1", 0), ending=world.services.ending)
        serving = tasks.create_task(server.serve())
        admin = await world.sign_in()
        garden, inside = [
            TemplateId((await world.add_template(admin, name=name, groups=[name])).json()["id"])
            for name in ("garden", "inside")
        ]
        body = {"name": "Visitor", "role": "operator", "groups": ["garden", "shed"]}
        key = (await world.client.post("/api/admin/api-keys", json=body, headers=admin)).json()
        yield House(world, f"127.0.0.1:{server.port}", admin, garden, inside, key)
        server.stop()
        await serving


async def happen(house: House, count: int = 5) -> None:
    """Let things happen on both views in turns, and one alert that is of no view."""

    def put(tx: Transaction) -> None:
        for number in range(count):
            for view in (house.garden, house.inside):
                tx.events.add(event(number, template_id=view))
                tx.captures.add(capture(number, template_id=view))
            tx.alerts.add(alert(number, template_id=house.garden if number % 2 else house.inside))
        tx.alerts.add(alert(count, template_id=None))

    await house.world.database.write(put)


async def test_lists_hold_what_is_in_the_groups_on_full_pages(house: House) -> None:
    await happen(house)

    assert [item["id"] for item in await house.items("/api/templates")] == [house.garden]
    for path, count in (("/api/events", 5), ("/api/captures", 5), ("/api/alerts", 2)):
        found = await house.items(path)
        assert [item["template_id"] for item in found] == [house.garden] * count, path
    assert await house.items("/api/events", template_id=house.inside) == []
    assert await house.items("/api/templates", group="inside") == []


async def test_what_is_of_a_deleted_view_is_for_those_who_see_everything(house: House) -> None:
    await happen(house)
    removal = house.admin | {"If-Match": "*"}
    await house.world.client.delete(f"/api/templates/{house.garden}", headers=removal)

    assert await house.items("/api/events") == []
    everything = (await house.world.client.get("/api/events", headers=house.admin)).json()["items"]
    assert len(everything) == 10


async def test_another_groups_alert_is_not_acknowledged(house: House) -> None:
    foreign, own = alert(1, template_id=house.inside), alert(2, template_id=house.garden)
    await house.world.database.write(lambda tx: tx.alerts.add(foreign))
    await house.world.database.write(lambda tx: tx.alerts.add(own))

    refused = await house.world.client.post(f"/api/alerts/{foreign.id}/ack", headers=house.visitor)
    taken = await house.world.client.post(f"/api/alerts/{own.id}/ack", headers=house.visitor)

    assert (refused.status_code, taken.status_code) == (404, 200)
    assert taken.json()["acked_by"] == "API key Visitor"
    untouched = await house.world.database.read(lambda tx: tx.alerts.get(foreign.id))
    assert untouched.state == "open"


def wall(house: House) -> connect:
    return connect(f"ws://{house.address}/api/live", additional_headers=house.visitor, proxy=None)


async def told(socket: ClientConnection) -> dict[str, Any]:
    message: dict[str, Any] = json.loads(await socket.recv())
    return message


async def test_the_wall_tells_of_the_groups_alone(house: House) -> None:
    def tell(happened: Event) -> None:
        house.world.services.notices.publish(EventNotice(happened))

    async with wall(house) as socket:
        tiles = [{"id": view, "fps": 1, "w": 320} for view in (house.inside, house.garden)]
        await socket.send(json.dumps({"tiles": tiles}))
        refused, shown = await told(socket), await told(socket)
        tell(event(1, template_id=house.inside))
        tell(event(2, template_id=house.garden))
        heard = await told(socket)

    assert (refused["type"], refused["template_id"], refused["status"]) == ("error", house.inside, 404)
    assert (shown["type"], shown["template_id"]) == ("state", house.garden)
    assert heard["event"]["template_id"] == house.garden


async def test_a_tile_goes_when_its_view_leaves_the_groups(house: House) -> None:
    async with wall(house) as socket:
        await socket.send(json.dumps({"tiles": [{"id": house.garden, "fps": 1, "w": 320}]}))
        assert (await told(socket))["type"] == "state"
        began_s = time.monotonic()
        await house.move_garden_away()

        gone = await told(socket)

    assert (gone["type"], gone["status"]) == ("error", 404)
    assert time.monotonic() - began_s < 10


@pytest.mark.parametrize("end", [House.revoke, House.move_garden_away], ids=["key revoked", "view moved"])
async def test_an_open_stream_ends_within_ten_seconds(house: House, end: Any) -> None:
    address = f"http://{house.address}/api/stream/{house.garden}/mjpeg"
    async with (
        httpx2.AsyncClient(timeout=15) as client,
        client.stream("GET", address, headers=house.visitor) as stream,
    ):
        assert stream.status_code == 200
        house.world.live.hub.publish(house.world.frame(house.garden), 640)
        began_s = time.monotonic()
        await end(house)

        async for _ in stream.aiter_bytes():
            pass

    assert time.monotonic() - began_s < 10
