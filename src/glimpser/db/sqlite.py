"""SQLite files: where they lie and how a connection to one is set up (https://sqlite.org/pragma.html)."""

import os
import sqlite3
from pathlib import Path
from urllib.parse import unquote

from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, event

from glimpser.core.errors import Misconfigured
from glimpser.db.settings import DatabaseSettings
from glimpser.db.wire import dump_json, load_json

_SCHEME = "sqlite:///"
_WAL_LIMIT_BYTES = 64 * 1024 * 1024

SqliteValue = str | bytes | int | float | None


def sqlite_path(url: str) -> Path:
    """Take the file's path out of a `sqlite:///` URL.

    Raises:
        Misconfigured: it is another database, one in memory, or has options behind a `?`.
    """
    scheme = url.partition(":")[0]
    if scheme != "sqlite":
        raise Misconfigured(f"database.url: {scheme!r} is not in this version; use sqlite:///PATH.")
    path = unquote(url.removeprefix(_SCHEME))
    if not url.startswith(_SCHEME) or path in ("", ":memory:") or "?" in url or "\0" in path:
        raise Misconfigured("database.url: write sqlite:///PATH of a file, a '?' in its name as %3F.")
    return Path(path)


def prepare_file(settings: DatabaseSettings) -> Path:
    """Make the file for our eyes only if there is none, and set its journal mode.

    SQLite gives the files of the log the same access rights.

    Raises:
        Misconfigured: the file cannot be made or opened, is no database, or its disk cannot do WAL.
    """
    path = sqlite_path(settings.url)
    wanted = "wal" if settings.sqlite_wal else "delete"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
        actual = _set_journal_mode(path, wanted, settings.busy_timeout_s)
    except (OSError, sqlite3.Error) as error:
        raise Misconfigured(f"database.url: cannot open {path}: {error}") from error
    if actual != wanted:
        raise Misconfigured(f"The disk of {path} cannot do WAL: set database.sqlite_wal to false.")
    return path


def _set_journal_mode(path: Path, mode: str, timeout_s: float) -> str:
    connection = sqlite3.connect(path, timeout=timeout_s, isolation_level=None)
    try:
        return str(connection.execute(f"PRAGMA journal_mode={mode}").fetchone()[0])
    finally:
        connection.close()


def make_engine(settings: DatabaseSettings, *, begin: str, pragmas: dict[str, str]) -> Engine:
    """Make an engine whose transactions start with `begin`.

    The driver would begin none before DDL or SELECT: its own handling of transactions is switched off.
    Connections may pass from the thread that made them to the one that closes them.
    """
    engine = create_engine(
        URL.create("sqlite+pysqlite", database=str(sqlite_path(settings.url))),
        poolclass=NullPool,
        connect_args={
            "check_same_thread": False,
            "isolation_level": None,
            "timeout": settings.busy_timeout_s,
        },
        hide_parameters=True,  # an error's text must not tell a password hash
        json_serializer=dump_json,
        json_deserializer=load_json,
    )
    wanted = _durability(settings) | pragmas

    @event.listens_for(engine, "connect")
    def set_up(connection: sqlite3.Connection, _record: object) -> None:
        for name, value in wanted.items():
            connection.execute(f"PRAGMA {name}={value}")
        # SQLite's own knows ASCII alone. No index or constraint may use it: other programs lack this one.
        connection.create_function("lower", 1, _lower, deterministic=True)

    @event.listens_for(engine, "begin")
    def begin_transaction(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


def _durability(settings: DatabaseSettings) -> dict[str, str]:
    """A commit survives a power cut: FULL syncs the log, EXTRA the journal's directory entry too."""
    return {
        "synchronous": "FULL" if settings.sqlite_wal else "EXTRA",
        "journal_size_limit": str(_WAL_LIMIT_BYTES),
        "trusted_schema": "OFF",
    }


def _lower(text: SqliteValue) -> SqliteValue:
    return text.lower() if isinstance(text, str) else text
