"""Lists in every order there is: whole, in pages, and on from an item that is gone or has changed."""

from dataclasses import replace
from typing import Any

import pytest

from glimpser.core.orders import TEMPLATE_ORDERS
from glimpser.core.pages import Page, PageRequest
from glimpser.core.ports import Database
from glimpser.core.repositories import Transaction
from glimpser.core.templates import TemplateFilter
from tests.contract.given import add
from tests.contract.ordered_lists import CASES, LISTS, NAMES, Listed
from tests.contract.samples import template

pytestmark = pytest.mark.anyio


async def read(database: Database, listed: Listed, request: PageRequest) -> Page[Any]:
    return await database.read(lambda tx: listed.read(tx, request))


async def follow(database: Database, listed: Listed, sort: str, limit: int) -> list[Any]:
    request = listed.orders.page(limit, sort=sort)
    items: list[Any] = []
    for _ in range(100):
        page = await read(database, listed, request)
        items += page.items
        if page.next_cursor is None:
            return items
        request = listed.orders.page(limit, sort=sort, cursor=page.next_cursor)
    raise AssertionError("The list has no end.")


@pytest.mark.parametrize(("name", "sort"), CASES)
async def test_pages_in_an_order_hold_every_item_once(database: Database, name: str, sort: str) -> None:
    listed = LISTS[name]
    items = list(listed.items())

    def fill(tx: Transaction) -> None:
        for item in items:
            getattr(tx, name).add(item)

    await database.write(fill)
    key_of = listed.orders.fields[sort.removeprefix("-")].key_of

    found = await follow(database, listed, sort, 2)

    wanted = sorted(items, key=lambda item: (key_of(item), item.id), reverse=sort.startswith("-"))
    assert [item.id for item in found] == [item.id for item in wanted]


@pytest.mark.parametrize("sort", ["name", "-name", "updated_at", "-updated_at"])
@pytest.mark.parametrize("fate", ["removed", "renamed"])
async def test_a_list_goes_on_behind_an_item_that_is_not_there_any_more(
    database: Database, sort: str, fate: str
) -> None:
    listed = LISTS["templates"]
    await add(database, *(template(name=name) for name in NAMES))
    whole = [item.id for item in await follow(database, listed, sort, 50)]
    page = await read(database, listed, listed.orders.page(3, sort=sort))
    last, cursor = page.items[-1], page.next_cursor

    def change(tx: Transaction) -> None:
        if fate == "removed":
            tx.templates.remove(last.id, expected=1)
        else:
            changed = replace(last.settings, name=f"{last.settings.name} again")
            tx.templates.replace(last.id, changed, expected=1, now=last.updated_at)

    await database.write(change)
    found = await read(database, listed, TEMPLATE_ORDERS.page(50, sort=sort, cursor=cursor))

    assert [item.id for item in found.items if item.id != last.id] == whole[3:]


async def test_an_order_and_a_filter_go_together(database: Database) -> None:
    kinds = ["file" if number % 2 else "page" for number in range(len(NAMES))]
    views = [template(name=name, kind=kind) for name, kind in zip(NAMES, kinds, strict=True)]
    await add(database, *views)

    page = await database.read(
        lambda tx: tx.templates.list(TemplateFilter(kind="file"), TEMPLATE_ORDERS.page(50, sort="-name"))
    )

    names = [view.settings.name for view in views if view.settings.kind == "file"]
    assert [view.settings.name for view in page.items] == sorted(names, key=str.casefold, reverse=True)
