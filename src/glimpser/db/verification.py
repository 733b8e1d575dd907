"""Proof that a database holds together."""

from collections.abc import Iterator, Sequence

from sqlalchemy import Column, ColumnElement, Connection, ForeignKey, Select, delete, select, update

from glimpser.core.ports import DatabaseFault
from glimpser.db.tables import metadata

_MOST = 100
"""Faults of one sort that are worth telling."""


def find_faults(connection: Connection) -> Sequence[DatabaseFault]:
    """In a damaged file references are not worth following."""
    return list(_structure_faults(connection)) or list(reference_faults(connection))


def mend_references(connection: Connection) -> int:
    """Clear what points nowhere; where a pointer is the row's whole sense, the row goes."""
    return sum(_mend(connection, key) for key in _foreign_keys())


def reference_faults(connection: Connection) -> Iterator[DatabaseFault]:
    """Give rows that name a row which is gone."""
    for key in _foreign_keys():
        for row in connection.execute(_dangling(key).limit(_MOST)):
            yield DatabaseFault(
                "reference",
                f"{_child(key).table.name}/{row[0]}",
                f"{_child(key).name} names {row[1]}, which is not in {key.column.table.name}.",
            )


def _structure_faults(connection: Connection) -> Iterator[DatabaseFault]:
    """Ask SQLite; PostgreSQL watches over its own pages."""
    if connection.dialect.name != "sqlite":
        return
    for line in connection.exec_driver_sql(f"PRAGMA integrity_check({_MOST})").scalars().all():
        if line != "ok":
            yield DatabaseFault("structure", "database", str(line))


def _mend(connection: Connection, key: ForeignKey) -> int:
    column = _child(key)
    table = column.table
    statement = update(table).values({column: None}) if column.nullable else delete(table)
    return connection.execute(statement.where(_is_dangling(key))).rowcount


def _dangling(key: ForeignKey) -> Select[str, str]:
    column = _child(key)
    name: Column[str] = next(iter(column.table.primary_key.columns))
    return select(name, column).where(_is_dangling(key))


def _is_dangling(key: ForeignKey) -> ColumnElement[bool]:
    column = _child(key)
    return column.is_not(None) & ~select(key.column).where(key.column == column).exists()


def _child(key: ForeignKey) -> Column[str]:
    column: Column[str] = key.parent
    return column


def _foreign_keys() -> Iterator[ForeignKey]:
    for table in metadata.sorted_tables:
        yield from sorted(table.foreign_keys, key=lambda key: key.parent.name)
