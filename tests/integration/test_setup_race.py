"""Many at once who all know the setup code, and some who guess it, over real sockets."""

import asyncio
from collections import Counter
from pathlib import Path

import httpx2
import pytest

from glimpser.web.server import WebServer, listen
from tests.web_world import PASSWORD, World, open_world

pytestmark = pytest.mark.anyio


async def post_all(world: World, codes: list[str]) -> list[httpx2.Response]:
    """Send all of them at once, each on a connection of its own."""
    server = WebServer(world.app, listen("127.0.0.1", 0), ending=world.services.ending)

    async def post(client: httpx2.AsyncClient, number: int, code: str) -> httpx2.Response:
        body = {"code": code, "email": f"user{number}@example.org", "password": PASSWORD}
        return await client.post(f"http://127.0.0.1:{server.port}/api/setup", json=body)

    limits = httpx2.Limits(max_connections=len(codes))
    async with asyncio.TaskGroup() as tasks, httpx2.AsyncClient(limits=limits) as client:
        tasks.create_task(server.serve())
        answers = await asyncio.gather(*(post(client, *item) for item in enumerate(codes)))
        server.stop()
    return answers


async def test_fifty_setups_with_the_code_make_one_admin(tmp_path: Path) -> None:
    async with open_world(tmp_path) as world:
        code = await world.services.accounts.open_setup() or ""

        answers = await post_all(world, [code] * 50)

        assert Counter(answer.status_code for answer in answers) == {201: 1, 409: 49}
        [winner] = [answer.json()["user"] for answer in answers if answer.status_code == 201]
        assert await world.database.read(lambda tx: tx.users.count()) == 1
        assert (await world.services.users.find(winner["email"])).id == winner["id"]


async def test_wrong_codes_are_limited_and_make_nobody(tmp_path: Path) -> None:
    async with open_world(tmp_path) as world:
        await world.services.accounts.open_setup()

        answers = await post_all(world, ["0000-0000-0000-0000"] * 20)

        assert Counter(answer.status_code for answer in answers) == {403: 5, 429: 15}
        assert all(answer.headers["Retry-After"] for answer in answers if answer.status_code == 429)
        assert await world.services.accounts.needs_setup()
