"""Choosing among many pictures costs what is chosen, not what is there."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from glimpser.core.exports import Span
from glimpser.core.ids import ArtifactId, TemplateId
from glimpser.core.repositories.exports import Pictures
from glimpser.db.migrate import migrate
from glimpser.db.sqlite import make_engine
from glimpser.db.transactions import SqlTransaction
from tests.contract.samples import artifact, at, id_at, settings_in

FEW, MANY = TemplateId("01JQ0000000000000000000001"), TemplateId("01JQ0000000000000000000002")
SPAN = Span(at(0), at(10_000))
WANTED = 50


def steps_of(connection: Connection, work: Callable[[], Any]) -> int:
    """Count the instructions the database needs, in tens."""
    count = 0

    def note() -> int:
        nonlocal count
        count += 1
        return 0

    raw: Any = connection.connection.driver_connection
    raw.set_progress_handler(note, 10)
    work()
    raw.set_progress_handler(None, 0)
    return count


def evenly(pictures: Pictures, view: TemplateId) -> int:
    return len(pictures.evenly(view, SPAN, step=timedelta(seconds=200), limit=WANTED))


def newest(pictures: Pictures, view: TemplateId) -> int:
    return len(pictures.newest(view, SPAN, limit=WANTED))


def between(pictures: Pictures, view: TemplateId) -> int:
    return len(pictures.between(view, SPAN, after=None, limit=WANTED))


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with 100 pictures of a view and 10,000 of another, of the same time."""
    made = tmp_path_factory.mktemp("many")
    migrate(settings_in(made))
    with make_engine(settings_in(made), begin="BEGIN", pragmas={}).begin() as connection:
        artifacts = SqlTransaction(connection).artifacts
        for view, every_s in ((FEW, 100), (MANY, 1)):
            for second in range(0, 10_000, every_s):
                name = ArtifactId(f"{id_at(second)[:-1]}{view[-1]}")
                artifacts.add(artifact(second, id=name, template_id=view, uri=f"file:///{name}"))
    return made


@pytest.mark.parametrize("choose", [evenly, newest, between])
def test_a_hundred_times_as_many_cost_no_more(
    directory: Path, choose: Callable[[Pictures, TemplateId], int]
) -> None:
    engine = make_engine(settings_in(directory), begin="BEGIN", pragmas={})
    with engine.begin() as connection:
        pictures = SqlTransaction(connection).pictures
        assert [choose(pictures, view) for view in (FEW, MANY)] == [WANTED, WANTED]
        few, many = (steps_of(connection, lambda v=view: choose(pictures, v)) for view in (FEW, MANY))  # type: ignore[misc]
    engine.dispose()

    assert many <= 1.2 * few


def test_counting_ends_at_the_bound(directory: Path) -> None:
    engine = make_engine(settings_in(directory), begin="BEGIN", pragmas={})
    with engine.begin() as connection:
        pictures = SqlTransaction(connection).pictures
        counts = [pictures.count(MANY, SPAN, at_most=most) for most in (10, 20_000)]
        ten = steps_of(connection, lambda: pictures.count(MANY, SPAN, at_most=10))
        all_of_them = steps_of(connection, lambda: pictures.count(MANY, SPAN, at_most=20_000))
    engine.dispose()

    assert counts == [10, 10_000]
    assert ten * 50 < all_of_them
