"""Units of work: what somebody wants done in a transaction, and how it went."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from glimpser.db.faults import is_refused, translated


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a unit gave, or how it failed. It holds when the transaction it came from is committed."""

    value: Any = None
    error: BaseException | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Unit:
    """`deadline_s` is the moment of the monotonic clock after which it is not begun any more."""

    work: Callable[[Connection], Any]
    deadline_s: float
    answer: Future[Any] = field(default_factory=Future)

    def settle(self, outcome: Outcome) -> None:
        if outcome.error is None:
            self.answer.set_result(outcome.value)
        else:
            self.answer.set_exception(outcome.error)


def commit(units: Sequence[Unit], connection: Connection) -> Sequence[Outcome]:
    """Do units in one transaction; one that fails leaves nothing of itself and all of the others.

    Raises:
        DBAPIError: nothing of any of them is stored; any may be done again.
    """
    with connection.begin() as transaction:
        if len(units) > 1:
            return [_apart(unit, connection) for unit in units]
        outcome = _outcome(units[0], connection)
        if outcome.error is not None:
            transaction.rollback()
        return [outcome]


def _apart(unit: Unit, connection: Connection) -> Outcome:
    """Do one of several, so that it can be taken back alone (https://sqlite.org/lang_savepoint.html)."""
    connection.exec_driver_sql("SAVEPOINT unit")
    outcome = _outcome(unit, connection)
    if outcome.error is not None:
        connection.exec_driver_sql("ROLLBACK TO unit")
    connection.exec_driver_sql("RELEASE unit")
    return outcome


def _outcome(unit: Unit, connection: Connection) -> Outcome:
    """Raises: DBAPIError: one after which SQLite may have taken back the whole transaction."""
    try:
        return Outcome(unit.work(connection))
    except DBAPIError as error:
        if not is_refused(error):
            raise
        return Outcome(error=translated(error))
    except Exception as error:  # noqa: BLE001 - it is its caller's business
        return Outcome(error=error)
