"""Passwords: argon2id (RFC 9106) in a small pool of threads, away from the event loop."""

import asyncio
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Protocol, TypeVar

import argon2
from argon2.exceptions import InvalidHashError, VerificationError

from glimpser.core.errors import InvalidInput, TooMany, Unavailable

T = TypeVar("T")

MIN_CHARS = 12
MAX_CHARS = 1024
MIN_MEMORY_KIB = 19 * 1024
MAX_WAITING = 32
"""Sign-ins that may wait for a thread; more are turned away at once instead of piling up."""
MAX_WAITING_OF_ONE = 4
"""Those of one client among them, so that it takes no place from others, whatever accounts it tries."""


class Hasher(Protocol):
    """Blocking calls, each of them slow on purpose."""

    def hash(self, password: str) -> str: ...
    def verify(self, encoded: str, password: str) -> bool: ...
    def is_outdated(self, encoded: str) -> bool:
        """Tell whether `encoded` was made at another cost than today's. Quick."""
        ...


class Argon2Hasher:
    """argon2id. The default cost is the least that OWASP's password storage guide names."""

    def __init__(self, *, time_cost: int = 2, memory_kib: int = MIN_MEMORY_KIB, parallelism: int = 1) -> None:
        self._argon2 = argon2.PasswordHasher(time_cost, memory_kib, parallelism, type=argon2.Type.ID)

    def hash(self, password: str) -> str:
        return self._argon2.hash(password)

    def verify(self, encoded: str, password: str) -> bool:
        try:
            return self._argon2.verify(encoded, password)
        except (VerificationError, InvalidHashError):
            return False

    def is_outdated(self, encoded: str) -> bool:
        return self._argon2.check_needs_rehash(encoded)


class Passwords:
    """Hashes and checks in the caller's pool. All calls on the event loop's thread."""

    def __init__(self, hasher: Hasher, executor: Executor, *, max_waiting: int = MAX_WAITING) -> None:
        self._hasher = hasher
        self._executor = executor
        self._max_waiting = max_waiting
        self._waiting: Counter[str | None] = Counter()
        self._nobodys = hasher.hash("the password of nobody")

    async def hash(self, password: str) -> str:
        """Hash a new password.

        Raises:
            InvalidInput: it is too short or too long.
            Unavailable: too many wait already.
        """
        check_password(password)
        return await self._run(lambda: self._hasher.hash(password))

    async def verify(self, encoded: str | None, password: str, *, client: str | None = None) -> bool:
        """Tell whether the password fits; without a hash it never does, and that takes as long.

        `client` is who asks, as they are counted; None is not counted.

        Raises:
            TooMany: too many of this client's wait already.
            Unavailable: too many of all wait already.
        """
        fits = await self._run(lambda: self._hasher.verify(encoded or self._nobodys, password), client)
        return fits and encoded is not None

    def is_outdated(self, encoded: str) -> bool:
        return self._hasher.is_outdated(encoded)

    async def _run(self, work: Callable[[], T], client: str | None = None) -> T:
        if client is not None and self._waiting[client] >= MAX_WAITING_OF_ONE:
            raise TooMany("Too many sign-ins from your address wait: try again.", retry_after_s=2)
        if self._waiting.total() >= self._max_waiting:
            raise Unavailable("Too many people sign in at this moment.", retry_after_s=2)
        self._waiting[client] += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._executor, work)
        finally:
            self._waiting[client] -= 1
            self._waiting += Counter()  # drops what has come to zero


def check_password(password: str, *, pointer: str = "/password") -> None:
    """Refuse a new password of the wrong length.

    Raises:
        InvalidInput: fewer than 12 or more than 1,024 characters.
    """
    if not MIN_CHARS <= len(password) <= MAX_CHARS:
        raise InvalidInput.field(pointer, f"A password has {MIN_CHARS} to {MAX_CHARS} characters.")
