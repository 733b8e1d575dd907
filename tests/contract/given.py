"""What the tests of repositories do over and over."""

from collections.abc import Callable
from functools import partial
from typing import Any

from glimpser.core.accounts import AuditEntry
from glimpser.core.pages import Page, PageRequest, decode_cursor
from glimpser.core.ports import Database
from glimpser.core.repositories import Transaction


async def add(database: Database, *values: Any) -> None:
    """Store values, each in the repository of its type."""

    def work(tx: Transaction) -> None:
        for value in values:
            name = "audit" if isinstance(value, AuditEntry) else f"{type(value).__name__.lower()}s"
            getattr(tx, name).add(value)

    await database.write(work)


def _call(
    read: Callable[[Transaction, PageRequest], Page[Any]], request: PageRequest, tx: Transaction
) -> Page[Any]:
    return read(tx, request)


async def every_page(
    database: Database, read: Callable[[Transaction, PageRequest], Page[Any]], limit: int
) -> list[Any]:
    """Follow the cursors to the end."""
    items: list[Any] = []
    request = PageRequest(limit=limit)
    for _ in range(100):
        page = await database.read(partial(_call, read, request))
        assert len(page.items) <= limit
        items += page.items
        if page.next_cursor is None:
            return items
        request = PageRequest(limit=limit, after=decode_cursor(page.next_cursor))
    raise AssertionError("The list has no end.")
