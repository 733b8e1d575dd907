"""`glimpser user` and `glimpser apikey`, and what they change in a program that runs meanwhile."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from glimpser.core.accounts import Role
from tests.web_world import PASSWORD, World, open_world

pytestmark = pytest.mark.anyio


async def command(directory: Path, *arguments: str, given: str = "") -> tuple[int, str, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "glimpser",
        *arguments,
        "--data-dir",
        str(directory),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, error = await process.communicate(given.encode())
    return process.returncode or 0, out.decode(), error.decode()


async def values(directory: Path, *arguments: str, given: str = "") -> Any:
    status, out, error = await command(directory, *arguments, "--json", given=given)
    assert status == 0, error
    return json.loads(out)


async def status_of(world: World, headers: dict[str, str]) -> int:
    world.clock.advance(1.0)  # the longest that a change may take
    return (await world.client.get("/api/me", headers=headers)).status_code


async def test_commands_are_in_force_beside_a_program_within_a_second(tmp_path: Path) -> None:
    async with open_world(tmp_path) as world:
        ann = ("user", "add", "ann@example.org", "--role", "admin", "--password-stdin")
        made = await values(tmp_path, *ann, given=f"{PASSWORD}\n")
        bob = await world.add_user(Role.OPERATOR, email="bob@example.org")
        key = await values(tmp_path, "apikey", "create", "Door", "--role", "operator", "--group", "garden")
        session = {"Authorization": f"Bearer {world.tokens.issue(bob.id, bob.role)[0]}"}
        by_key = {"x-api-key": key["key"]}
        assert [await status_of(world, each) for each in (session, by_key)] == [200, 200]

        await values(tmp_path, "user", "disable", "BOB@example.org")
        await values(tmp_path, "apikey", "revoke", key["id"])

        assert [await status_of(world, each) for each in (session, by_key)] == [401, 401]
        listed = await values(tmp_path, "user", "list")
        assert [(user["id"], user["disabled"]) for user in listed] == [(made["id"], False), (bob.id, True)]


@pytest.mark.parametrize(
    ("arguments", "given", "complaint"),
    [
        (("user", "add", "ann@example.org", "--password-stdin"), "short\n", "12 to 1024 characters"),
        (("user", "passwd", "nobody@example.org", "--password-stdin"), f"{PASSWORD}\n", "no user"),
        (("apikey", "create", "Door", "--expires-at", "tomorrow"), "", "time with its offset"),
        (("apikey", "revoke", "Door"), "", "no API key"),
    ],
    ids=["short password", "unknown user", "no time", "no id"],
)
async def test_what_cannot_be_done_is_said_in_one_sentence(
    tmp_path: Path, arguments: tuple[str, ...], given: str, complaint: str
) -> None:
    status, out, error = await command(tmp_path, *arguments, given=given)

    assert (status, out) == (1, "")
    assert complaint in error
    assert "Traceback" not in error
