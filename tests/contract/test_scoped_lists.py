"""Lists through the eyes of somebody who may see some groups: in order, in pages, nothing twice."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from glimpser.core.accounts import Scope
from glimpser.core.alerts import AlertFilter
from glimpser.core.events import EventFilter
from glimpser.core.ids import TemplateId
from glimpser.core.jobs import JobFilter
from glimpser.core.pages import Page, PageRequest
from glimpser.core.ports import Database
from glimpser.core.repositories import Transaction
from glimpser.core.templates import Template
from glimpser.db.queries import paging
from tests.contract.given import add, every_page
from tests.contract.samples import alert, capture, event, job, template

pytestmark = pytest.mark.anyio

LISTS: Mapping[str, tuple[Callable[..., Any], Callable[[Transaction, PageRequest], Page[Any]]]] = {
    "events": (event, lambda tx, page: tx.events.list(EventFilter(), page)),
    "captures": (capture, lambda tx, page: tx.captures.list(None, page)),
    "alerts": (alert, lambda tx, page: tx.alerts.list(AlertFilter(), page)),
    "jobs": (job, lambda tx, page: tx.jobs.list(JobFilter(), page)),
}
BOTH = Scope(("inside", "outside"))


async def add_views(database: Database) -> list[Template]:
    """Two that are seen, one of them by two groups, and one that is not."""
    groups = (("inside", "outside"), ("outside",), ("elsewhere",))
    views = [template(groups=of) for of in groups]
    await add(database, *views)
    return views


@pytest.mark.parametrize("merged", [64, 0], ids=["merged", "walked"])
@pytest.mark.parametrize("name", LISTS)
async def test_what_is_seen_comes_newest_first_and_once(
    database: Database, name: str, merged: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paging, "MERGED", merged)
    make = LISTS[name][0]
    views = await add_views(database)
    rows = [make(second, template_id=views[second % 3].id) for second in range(12)]
    await add(database, *rows)

    def read(tx: Transaction, page: PageRequest) -> Page[Any]:
        return LISTS[name][1](tx.within(BOTH), page)

    shown = await every_page(database, read, limit=3)

    seen = [row for second, row in enumerate(rows) if second % 3 != 2]
    assert [row.id for row in shown] == [row.id for row in reversed(seen)]


async def test_a_group_without_any_view_sees_nothing(database: Database) -> None:
    views = await add_views(database)
    await add(database, event(template_id=views[0].id))

    found = await database.read(
        lambda tx: tx.within(Scope(("nobody's",))).events.list(EventFilter(), PageRequest())
    )

    assert found.items == []


async def test_a_view_out_of_sight_is_not_found_by_its_name(database: Database) -> None:
    views = await add_views(database)
    await add(database, event(template_id=views[2].id))
    where = EventFilter(template_id=TemplateId(views[2].id))

    found = await database.read(lambda tx: tx.within(BOTH).events.list(where, PageRequest()))

    assert found.items == []
