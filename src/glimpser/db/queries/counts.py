"""How many rows there are."""

from collections.abc import Mapping

from sqlalchemy import Connection, func, select

from glimpser.db.tables import alerts, artifacts, captures, events, garbage, templates

_COUNTED = (templates, artifacts, captures, events, alerts, garbage)


class SqlCounts:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def all(self) -> Mapping[str, int]:
        return {
            table.name: self._connection.scalar(select(func.count()).select_from(table)) or 0
            for table in _COUNTED
        }
