"""Accounts, as the program opens them."""

import os
import sys
import threading
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from glimpser.app.people import hashes_at_once, open_passwords, people_of
from glimpser.config import load
from glimpser.core.errors import TooMany, Unauthenticated
from glimpser.testing.clock import FakeClock
from tests.web_world import fresh_database

pytestmark = pytest.mark.anyio


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere threads have no priority of their own")
async def test_whoever_signs_in_steps_back_behind_everybody_else(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        passwords = open_passwords(load({"data_dir": tmp_path}, {}), stack)

        await passwords.verify(None, "correct horse battery staple")

        threads = [thread for thread in threading.enumerate() if thread.name.startswith("password")]
        own = os.getpriority(os.PRIO_PROCESS, 0)
        nice = {os.getpriority(os.PRIO_PROCESS, thread.native_id or 0) - own for thread in threads}
        assert nice == {10}


async def test_as_many_wrong_passwords_are_taken_as_the_configuration_allows(tmp_path: Path) -> None:
    limits = {"data_dir": tmp_path, "security.login_limits": "2/minute"}
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(fresh_database(tmp_path))
        accounts = people_of(load(limits, {}), database, FakeClock(), stack=stack).accounts

        for _ in range(2):
            with pytest.raises(Unauthenticated):
                await accounts.login("ann@example.org", "wrong", client_ip="192.0.2.7")
        with pytest.raises(TooMany):
            await accounts.login("ann@example.org", "wrong", client_ip="192.0.2.7")
        with pytest.raises(Unauthenticated):
            await accounts.login("ann@example.org", "wrong", client_ip="198.51.100.7")


@pytest.mark.parametrize(
    ("cores", "cores_each", "hashes"),
    [(None, 1, 1), (1, 1, 1), (2, 1, 1), (3, 1, 2), (5, 1, 4), (64, 1, 4), (2, 4, 1), (9, 4, 2), (16, 4, 3)],
)
async def test_a_core_is_left_to_those_who_have_signed_in(
    cores: int | None, cores_each: int, hashes: int
) -> None:
    assert hashes_at_once(cores, cores_each) == hashes
