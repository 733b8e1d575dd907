"""Hashes wait their turn, and nobody takes all the turns."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from glimpser.core.errors import TooMany, Unavailable
from glimpser.services.passwords import MAX_WAITING_OF_ONE, Passwords

pytestmark = pytest.mark.anyio


class StuckHasher:
    """Verifies nothing until it is let go."""

    def __init__(self) -> None:
        self.let_go = Event()

    def hash(self, password: str) -> str:
        return password

    def verify(self, encoded: str, password: str) -> bool:
        assert self.let_go.wait(10)
        return encoded == password

    def is_outdated(self, encoded: str) -> bool:
        return False


@pytest.fixture
def hasher() -> Iterator[StuckHasher]:
    hasher = StuckHasher()
    yield hasher
    hasher.let_go.set()


async def test_one_client_cannot_take_the_places_of_others(hasher: StuckHasher) -> None:
    with ThreadPoolExecutor(1) as pool:
        passwords = Passwords(hasher, pool, max_waiting=MAX_WAITING_OF_ONE + 1)
        async with asyncio.TaskGroup() as tasks:
            for _ in range(MAX_WAITING_OF_ONE):
                tasks.create_task(passwords.verify("right", "wrong", client="203.0.113.9"))
            await asyncio.sleep(0)
            with pytest.raises(TooMany, match="from your address"):
                await passwords.verify("right", "wrong", client="203.0.113.9")

            other = tasks.create_task(passwords.verify("right", "right", client="203.0.113.10"))
            await asyncio.sleep(0)
            with pytest.raises(Unavailable, match="at this moment"):
                await passwords.verify("right", "right", client="203.0.113.11")
            hasher.let_go.set()

        assert other.result()
        assert await passwords.verify("right", "right", client="203.0.113.9")
        assert not passwords._waiting
