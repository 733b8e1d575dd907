"""What the database driver's errors mean for the program."""

import sqlite3
from typing import NoReturn

from sqlalchemy.exc import DBAPIError

from glimpser.core.errors import Conflict, GlimpserError, Misconfigured, Unavailable

BUSY = "The database is locked by somebody else."

_UNAVAILABLE = {
    sqlite3.SQLITE_BUSY: BUSY,
    sqlite3.SQLITE_LOCKED: BUSY,
    sqlite3.SQLITE_FULL: "The disk that holds the database is full: free some space.",
    sqlite3.SQLITE_IOERR: "The disk that holds the database fails to read or write: see the system's log.",
    sqlite3.SQLITE_CANTOPEN: "The database file or its log cannot be opened: look at its directory.",
    sqlite3.SQLITE_NOMEM: "The machine has no memory left for the database.",
    sqlite3.SQLITE_PROTOCOL: "The database's lock cannot be had: is it on a network disk?",
}
_MISCONFIGURED = {
    sqlite3.SQLITE_READONLY: "The database file cannot be written: look at its owner and its rights.",
    sqlite3.SQLITE_PERM: "The database file cannot be used: look at its owner and its rights.",
    sqlite3.SQLITE_CORRUPT: "The database file is damaged: restore a backup.",
    sqlite3.SQLITE_NOTADB: "The database file is no SQLite database: look at database.url.",
}


def raise_translated(error: DBAPIError) -> NoReturn:
    """Raise the error that says who must act, or this one if only a mistake in the program can cause it."""
    raise translated(error)


def translated(error: DBAPIError) -> Exception:
    """Give what `raise_translated` raises."""
    meaning = _meaning(_primary_code(error))
    if meaning is None:
        return error
    meaning.__cause__ = error
    return meaning


def is_busy(error: DBAPIError) -> bool:
    """Tell whether the same may succeed in a moment."""
    return _primary_code(error) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def is_disk_failure(error: DBAPIError) -> bool:
    """Tell whether the disk itself failed, so that the same would fail again."""
    return _primary_code(error) == sqlite3.SQLITE_IOERR


def is_refused(error: DBAPIError) -> bool:
    """Tell whether SQLite took back only the statement: the transaction stands."""
    return _primary_code(error) == sqlite3.SQLITE_CONSTRAINT


def _primary_code(error: DBAPIError) -> int | None:
    """The low byte of an extended code (https://sqlite.org/rescode.html)."""
    code = getattr(error.orig, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF


def _meaning(code: int | None) -> GlimpserError | None:
    if code in _UNAVAILABLE:
        return Unavailable(_UNAVAILABLE[code])
    if code in _MISCONFIGURED:
        return Misconfigured(_MISCONFIGURED[code])
    if code == sqlite3.SQLITE_CONSTRAINT:
        return Conflict("The change contradicts what is stored.")
    return None
