"""Every statement finds its rows through an index, in the order it wants them.

All repository methods are called and their statements explained (https://sqlite.org/eqp.html). A walk along
a whole index is right where a LIMIT ends it; a walk along a table, or a sort, never is.
"""

import itertools
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, get_type_hints

import pytest
from sqlalchemy import Engine, event

from glimpser.core.accounts import AuditFilter, Scope
from glimpser.core.alerts import AlertFilter
from glimpser.core.events import EventFilter, Level
from glimpser.core.exports import Span
from glimpser.core.ids import EventId, TemplateId
from glimpser.core.jobs import JobFilter
from glimpser.core.orders import EVENT_ORDERS, TEMPLATE_ORDERS
from glimpser.core.pages import PageRequest
from glimpser.core.schedule_state import ScheduleState
from glimpser.core.stream_tickets import TicketFilter
from glimpser.core.templates import TemplateFilter
from glimpser.db import migrate
from glimpser.db.settings import DatabaseSettings
from glimpser.db.sqlite import make_engine
from glimpser.db.transactions import SqlTransaction
from tests.contract.ordered_lists import LISTS
from tests.contract.samples import (
    ORDINARY,
    RULE,
    VIEW,
    alert,
    api_key,
    artifact,
    at,
    audit_entry,
    capture,
    channel,
    export,
    health_record,
    id_at,
    job,
    observation,
    settings_in,
    stream_ticket,
    template,
    user,
)
from tests.contract.samples import event as make_event

Statement = tuple[str, Any]

WALKED_WHOLE = (
    "SCAN captures USING INDEX ix_captures_running",  # the index holds nothing but what is asked for
    "SCAN users USING COVERING INDEX",  # a count of a small table
    *(  # counts for people, at most twice a minute
        f"SCAN {table} USING COVERING INDEX"
        for table in ("templates", "artifacts", "captures", "events", "alerts")
    ),
    "SCAN garbage",  # likewise: it is swept all the time
    "SCAN exports USING INDEX ix_exports_pending",  # likewise nothing but what is asked for
    "SCAN anon_",  # the rows of a subquery, as many as its LIMIT lets through
    "SCAN schedules",  # one small row for each template, read at the start and for lists of all
)

PAGES = [PageRequest(limit=50), PageRequest(limit=50, after=id_at(1))]


class Calls:
    """Stands before a repository and notes what was called."""

    def __init__(self, name: str, repository: object, called: set[str]) -> None:
        self._name = name
        self._repository = repository
        self._called = called

    def __getattr__(self, method: str) -> Any:
        self._called.add(f"{self._name}.{method}")
        return getattr(self._repository, method)


class Watched:
    """A transaction whose calls are noted."""

    def __init__(self, transaction: SqlTransaction, called: set[str] | None = None) -> None:
        self.called: set[str] = set() if called is None else called
        self._transaction = transaction

    def within(self, scope: Scope) -> "Watched":
        return Watched(self._transaction.within(scope), self.called)

    def __getattr__(self, name: str) -> Any:
        return Calls(name, getattr(self._transaction, name), self.called)


def repository_methods() -> set[str]:
    found = set()
    for name, member in vars(SqlTransaction).items():
        if isinstance(member, property):
            repository = get_type_hints(member.fget)["return"]
            found |= {f"{name}.{method}" for method in vars(repository) if not method.startswith("_")}
    return found


def combinations(**choices: Any) -> Iterator[dict[str, Any]]:
    """Give all choices in every combination, each of them taken or not."""
    for number in range(len(choices) + 1):
        for names in itertools.combinations(choices, number):
            yield {name: choices[name] for name in names}


def use_templates(tx: Any) -> None:
    saved = template()
    tx.templates.add(saved)
    tx.templates.get(saved.id)
    tx.templates.replace(saved.id, replace(ORDINARY, groups=("a",)), expected=1, now=at(1))
    tx.templates.set_config(saved.id, {})
    for where in combinations(kind="file", enabled=True, group="street", text="door"):
        for page in PAGES:
            tx.templates.list(TemplateFilter(**where), page)
    tx.templates.in_groups(("a", "b"))
    tx.templates.remove(saved.id, expected=2)


def use_events(tx: Any) -> None:
    happened = make_event()
    tx.events.add(happened)
    tx.events.update(happened)
    tx.events.get(happened.id)
    tx.events.unfinished("motion")
    for level in (Level.INFO, Level.WARNING):
        choices = {"template_id": VIEW, "kind": "motion", "level": level, "text": "moved"}
        for where in combinations(**choices, start=at(0), end=at(1)):
            for page in PAGES:
                tx.events.list(EventFilter(**where), page)
                tx.events.lines(EventFilter(**where), page)


def use_captures(tx: Any) -> None:
    began = capture()
    tx.captures.add(began)
    tx.captures.get(began.id)
    tx.captures.finish(began)
    tx.captures.running()
    tx.captures.session_at(VIEW, at(1))
    for template_id, page in itertools.product((None, VIEW), PAGES):
        tx.captures.list(template_id, page)


def use_artifacts(tx: Any) -> None:
    saved = artifact()
    tx.artifacts.add(saved)
    tx.artifacts.get(saved.id)
    tx.artifacts.after(None, 10)
    tx.artifacts.after_uri("", 10)
    tx.artifacts.known([saved.uri])
    tx.artifacts.newest()
    tx.artifacts.count_below("memory:///")
    tx.artifacts.set_uri(saved.id, saved.uri)
    tx.artifacts.relocate(saved.id, saved.uri, saved.uri + "x")
    tx.garbage.forget([saved.uri])
    tx.artifacts.relocate(saved.id, saved.uri + "x", saved.uri)
    tx.artifacts.pin(saved.id, pinned=False)
    tx.artifacts.expire(saved.id, at(1))
    tx.artifacts.remove_expired(at(2), 10)
    tx.garbage.forget([saved.uri])
    tx.artifacts.add(saved)
    tx.artifacts.remove(saved.id)
    tx.garbage.count()
    tx.garbage.list(10)
    tx.garbage.forget([saved.uri])


def use_retention(tx: Any) -> None:
    old = artifact(2)
    tx.artifacts.add(old)
    tx.counts.all()
    tx.retention.next_view(None)
    tx.retention.next_view(VIEW)
    tx.events.add(make_event())
    tx.captures.add(capture(status="success"))
    tx.observations.add(observation())
    tx.alerts.add(alert())
    tx.retention.remove_events(VIEW, before=at(9), limit=10)
    tx.retention.remove_audit(before=at(9), limit=10)
    tx.retention.remove_refusals("login.refused", keep=5, limit=10)
    tx.retention.remove_captures(VIEW, before=at(9), limit=10)
    tx.retention.remove_observations(VIEW, before=at(9), limit=10)
    for view in (None, VIEW):
        tx.retention.pictures(view, until=(at(9), id_at(9)), limit=10)
        tx.retention.remove_alerts(view, before=at(9), limit=10)
    tx.retention.all_pictures(until=id_at(9), limit=10)
    tx.retention.remove_pictures([old.id])


def use_observations(tx: Any) -> None:
    tx.observations.add(observation())
    for name, start, end in itertools.product((None, "score"), (None, at(0)), (None, at(1))):
        tx.observations.list(VIEW, name, start, end)


def use_channels(tx: Any) -> None:
    saved = channel()
    tx.channels.add(saved)
    tx.channels.get(saved.id)
    tx.channels.replace(saved, expected=1)
    tx.channels.set_last_result(saved.id, "sent")
    tx.channels.set_config(saved.id, {})
    for page in PAGES:
        tx.channels.list(page)
    tx.channels.remove(saved.id, expected=2)


def use_alerts(tx: Any) -> None:
    saved = alert(channels=2)
    tx.alerts.add(saved)
    tx.alerts.get(saved.id)
    tx.alerts.set_state(saved)
    for rule_id in (RULE.id, None):
        tx.alerts.history(rule_id, VIEW, EventId(id_at(1)))
    choices = {"template_id": VIEW, "state": "open", "level": Level.WARNING}
    for where in combinations(**choices, start=at(0), end=at(1)):
        for page in PAGES:
            tx.alerts.list(AlertFilter(**where), page)
    tx.deliveries.get(saved.deliveries[0].id)
    tx.deliveries.update(saved.deliveries[0])
    tx.deliveries.unsettled(None, 10)


def use_jobs(tx: Any) -> None:
    saved = job(idempotency_key="once")
    tx.jobs.add(saved)
    tx.jobs.get(saved.id)
    for kinds in (("deliver",), ("deliver", "capture")):
        tx.jobs.claim(kinds, limit=10, now=at(1), lease_until=at(2))
    tx.jobs.extend(saved.id, fence=1, lease_until=at(3))
    tx.jobs.release(saved.id, fence=1)
    tx.jobs.finish(replace(saved, status="success"), fence=1)
    tx.jobs.unfinished(None, 10)
    tx.jobs.add_all([job(idempotency_key="once"), job()])
    tx.jobs.busy("deliver")
    tx.jobs.by_key("once")
    tx.jobs.report(saved.id, fence=1, progress=0.5, step="half")
    tx.jobs.cancel(saved)
    tx.jobs.request_cancel(saved.id)
    tx.jobs.cancelling(("deliver",))
    tx.jobs.replay(saved.id, now=at(4))
    tx.jobs.nth_end(9)
    tx.jobs.purge(before=at(5), limit=10)
    for status in ("pending", "dead"):
        for where in combinations(kind="deliver", status=status, template_id=VIEW):
            for page in PAGES:
                tx.jobs.list(JobFilter(**where), page)


def use_schedules(tx: Any) -> None:
    view = template()
    tx.templates.add(view)
    state = ScheduleState(template_id=view.id, plan="", settled_until=at(0))
    for _ in range(2):
        tx.schedules.put([state])
    tx.schedules.settle([state])
    tx.schedules.get(view.id)
    tx.schedules.all()
    tx.schedules.paused()


def use_exports(tx: Any) -> None:
    wanted, file = export(), artifact(5)
    tx.artifacts.add(file)
    tx.exports.add(wanted)
    tx.exports.get(wanted.id)
    tx.exports.count_pending()
    tx.exports.settle(wanted.id, "dead", error="x", expires_at=at(1))
    tx.exports.attach(wanted.id, file.id, result={}, expires_at=at(1))
    for page in PAGES:
        tx.exports.list(page)
    tx.exports.purge(at(2))
    tx.exports.remove(wanted.id)
    span = Span(at(0), at(9))
    tx.artifacts.add(artifact(1, template_id=VIEW))
    tx.pictures.bounds(VIEW, span)
    tx.pictures.count(VIEW, span, at_most=9)
    found = tx.pictures.evenly(VIEW, span, step=timedelta(seconds=1), limit=9)
    for after in (None, found[0]):
        tx.pictures.between(VIEW, span, after=after, limit=9)
    tx.pictures.newest(VIEW, span, limit=9)


def use_orders(tx: Any) -> None:
    for listed in LISTS.values():
        for sort in listed.orders.names:
            page = listed.orders.page(50, sort=sort)
            key = listed.orders.fields[sort.removeprefix("-")].kind(7)
            for request in (page, replace(page, after=id_at(1), key=key if page.order else None)):
                listed.read(tx, request)
                listed.read(tx.within(Scope(("inside", "outside"))), request)
    for sort, where in itertools.product(TEMPLATE_ORDERS.names, combinations(kind="file", group="street")):
        tx.templates.list(TemplateFilter(**where), TEMPLATE_ORDERS.page(50, sort=sort))
    for where in combinations(template_id=VIEW, kind="motion", level=Level.WARNING, start=at(0)):
        tx.events.lines(EventFilter(**where), EVENT_ORDERS.page(50, sort="started_at"))


def use_the_rest(tx: Any) -> None:
    tx.healths.put(health_record())
    tx.healths.after(None, 10)
    tx.healths.remove(VIEW)
    ann = user()
    tx.users.add(ann)
    tx.users.get(ann.id)
    tx.users.by_email(ann.email)
    tx.users.count()
    tx.users.count_active_admins()
    tx.users.set_password_hash(ann.id, "x")
    tx.users.replace(ann, expected=1)
    key = api_key()
    tx.api_keys.add(key)
    tx.api_keys.get(key.id)
    tx.api_keys.note_uses({key.id: at(1)})
    for page in PAGES:
        tx.users.list(page)
        tx.api_keys.list(page)
    tx.api_keys.remove(key.id)
    tx.users.remove(ann.id, expected=2)
    ticket = stream_ticket()
    tx.stream_tickets.add(ticket)
    tx.stream_tickets.get(ticket.id)
    tx.stream_tickets.count(ticket.maker_id)
    for maker_id, page in itertools.product(
        (None, ticket.maker_id), (PageRequest(), PageRequest(9, id_at(1)))
    ):
        tx.stream_tickets.list(TicketFilter(template_id=VIEW, now=at(0), maker_id=maker_id), page)
    tx.stream_tickets.purge(at(0))
    tx.stream_tickets.remove(ticket.id)
    tx.revocations.add("token", at(0))
    tx.revocations.is_revoked("token")
    tx.revocations.purge(at(1))
    tx.audit.add(audit_entry(1))
    for where in combinations(actor="ann", action="user.created", start=at(0), end=at(1)):
        for page in PAGES:
            tx.audit.list(AuditFilter(**where), page)
    tx.settings.put("key", "value")
    tx.settings.get("key")


def look_through_a_scope(tx: Any) -> None:
    """Read everything that is narrowed, as somebody with two groups and as somebody with one."""
    saved = template(groups=("outside",))
    happened = make_event(template_id=saved.id)
    began, told, picture = capture(template_id=saved.id), alert(template_id=saved.id), artifact()
    tx.templates.add(saved)
    tx.events.add(happened)
    tx.captures.add(began)
    tx.alerts.add(told)
    tx.artifacts.add(picture)
    tx.observations.add(observation(template_id=saved.id, artifact_id=picture.id))
    work = job(template_id=saved.id)
    tx.jobs.add(work)
    wanted = export(template_id=saved.id)
    tx.exports.add(wanted)
    for groups in (("inside", "outside"), ("outside",)):
        seen = tx.within(Scope(groups))
        seen.templates.get(saved.id)
        seen.events.get(happened.id)
        seen.captures.get(began.id)
        seen.alerts.get(told.id)
        seen.artifacts.get(picture.id)
        seen.jobs.get(work.id)
        seen.exports.get(wanted.id)
        look_through_lists(seen, saved.id)


def look_through_lists(seen: Any, template_id: TemplateId) -> None:
    span = {"start": at(0), "end": at(1)}
    for page in PAGES:
        for where in combinations(kind="file", group="street", text="door"):
            seen.templates.list(TemplateFilter(**where), page)
        for level in (Level.INFO, Level.WARNING):
            for where in combinations(template_id=template_id, kind="motion", level=level, **span):
                seen.events.list(EventFilter(**where), page)
            for where in combinations(template_id=template_id, state="open", level=level, **span):
                seen.alerts.list(AlertFilter(**where), page)
        seen.exports.list(page)
        for wanted in (None, template_id):
            seen.captures.list(wanted, page)
        for where in combinations(template_id=template_id, kind="deliver", status="success"):
            seen.jobs.list(JobFilter(**where), page)
    seen.observations.list(template_id, "score", at(0), at(1))


@contextmanager
def watched(engine: Engine) -> Iterator[list[Statement]]:
    statements: list[Statement] = []

    @event.listens_for(engine, "before_cursor_execute")
    def note(_connection: Any, _cursor: Any, sql: str, parameters: Any, *_: Any) -> None:
        if not sql.startswith("BEGIN"):
            statements.append((sql, parameters))

    yield statements


@pytest.fixture
def settings(tmp_path: Path) -> DatabaseSettings:
    migrate(settings_in(tmp_path))
    return settings_in(tmp_path)


def complaints(path: Path, statements: list[Statement]) -> list[str]:
    connection = sqlite3.connect(path)
    found = [
        f"{line}: {sql}"
        for sql, parameters in dict(statements).items()
        for *_, line in connection.execute(f"EXPLAIN QUERY PLAN {sql}", _first(parameters))
        if is_bad(line, sql)
    ]
    connection.close()
    return found


def _first(parameters: Any) -> Any:
    """Of many rows at once the first will do."""
    return parameters[0] if isinstance(parameters, list) else parameters


def is_bad(line: str, sql: str) -> bool:
    if line.startswith("USE TEMP B-TREE"):
        return True
    if not line.startswith("SCAN ") or line.startswith(WALKED_WHOLE):
        return False
    return "INDEX" not in line or "LIMIT" not in sql


def test_every_statement_is_served_by_an_index(settings: DatabaseSettings, tmp_path: Path) -> None:
    engine = make_engine(settings, begin="BEGIN", pragmas={"foreign_keys": "ON"})

    with watched(engine) as statements, engine.begin() as connection:
        tx = Watched(SqlTransaction(connection))
        for use in (
            use_templates,
            use_events,
            use_captures,
            use_artifacts,
            use_retention,
            use_observations,
            use_channels,
            use_alerts,
            use_jobs,
            use_schedules,
            use_exports,
            use_orders,
            use_the_rest,
            look_through_a_scope,
        ):
            use(tx)

    assert repository_methods() - tx.called == set()
    assert len({sql for sql, _ in statements}) > 100
    assert complaints(tmp_path / "glimpser.db", statements) == []


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM events",
        "SELECT * FROM events ORDER BY message LIMIT 1",
        "SELECT * FROM events ORDER BY started_at",
        "SELECT * FROM users WHERE email = 'ann'",
    ],
)
def test_a_statement_without_an_index_would_be_found(
    settings: DatabaseSettings, tmp_path: Path, sql: str
) -> None:
    assert complaints(tmp_path / "glimpser.db", [(sql, ())]) != []


def test_what_is_not_due_costs_a_claim_nothing(settings: DatabaseSettings, tmp_path: Path) -> None:
    engine = make_engine(settings, begin="BEGIN", pragmas={})

    with watched(engine) as statements, engine.begin() as connection:
        jobs = SqlTransaction(connection).jobs
        jobs.add(job(1))
        jobs.claim(("deliver",), limit=10, now=at(1), lease_until=at(2))

    assert plan(tmp_path, statements[1:-1]) == [
        "SEARCH jobs USING INDEX ix_jobs_leased (kind=? AND lease_until<?)",
        "SEARCH jobs USING INDEX ix_jobs_due (kind=? AND priority<?)",
        "SEARCH jobs USING INDEX ix_jobs_due (kind=? AND priority=? AND scheduled_for<?)",
        "SEARCH jobs USING INDEX ix_jobs_due (kind=? AND priority<?)",
    ]


@pytest.mark.parametrize(
    ("where", "index"),
    [
        ({}, "ix_events_started_at_id"),
        ({"template_id": VIEW}, "ix_events_template_id_started_at_id"),
        ({"kind": "motion"}, "ix_events_kind_started_at_id"),
        ({"level": Level.WARNING}, "ix_events_warning"),
        ({"level": Level.CRITICAL}, "ix_events_warning"),
    ],
)
def test_what_narrows_a_list_of_events_has_its_own_index(
    settings: DatabaseSettings, tmp_path: Path, where: dict[str, Any], index: str
) -> None:
    engine = make_engine(settings, begin="BEGIN", pragmas={})

    with watched(engine) as statements, engine.begin() as connection:
        SqlTransaction(connection).events.list(EventFilter(**where), PAGES[0])

    assert index in plan(tmp_path, statements[-1:])[0]


def plan(directory: Path, statements: list[Statement]) -> list[str]:
    connection = sqlite3.connect(directory / "glimpser.db")
    lines = [
        line
        for sql, parameters in statements
        for *_, line in connection.execute(f"EXPLAIN QUERY PLAN {sql}", parameters)
    ]
    connection.close()
    return [line.replace(" COVERING", "") for line in lines]  # newer versions of SQLite see it more often
