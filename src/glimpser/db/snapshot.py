"""A copy of the database in one moment, while others write, and what is taken out of it before it leaves."""

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from glimpser.core import failpoints
from glimpser.core.backups import BACKUP, BACKUP_TYPE
from glimpser.core.errors import InvalidInput, Misconfigured, Unavailable
from glimpser.db.migrate import current, migrate, revisions
from glimpser.db.settings import DatabaseSettings
from glimpser.db.sqlite import sqlite_path

CARRIED = frozenset(
    (
        *("users", "api_keys", "templates", "template_groups", "artifacts", "garbage", "captures", "events"),
        *("observations", "channels", "alerts", "deliveries", "jobs", "schedules", "audit", "view_health"),
        *("exports", "settings"),
    )
)
"""Tables a backup holds. Configs are cleaned of secrets by whoever knows their kinds."""
LEFT_OUT = frozenset({"stream_tickets", "revocations"})
"""Tables that come back empty: what they hold opens a door, or ends with the sessions."""

_STRIP: Sequence[tuple[str, tuple[str, ...]]] = (
    ("DELETE FROM stream_tickets", ()),
    ("DELETE FROM revocations", ()),
    ("DELETE FROM artifacts WHERE media_type = ?", (BACKUP_TYPE,)),
    ("DELETE FROM jobs WHERE kind = ? AND status IN ('pending', 'running')", (BACKUP,)),
)


def copy_database(settings: DatabaseSettings, target: Path) -> None:
    """Write a whole and compact copy to a file that is not there yet; readers and writers go on. Blocks.

    It is durable, for our eyes only, and what was deleted before leaves no trace in it
    (https://sqlite.org/lang_vacuum.html).

    Raises:
        Unavailable: the database is locked, or there is no room for the copy.
    """
    source = sqlite_path(settings.url)
    os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600))
    with _opened(source, settings.busy_timeout_s) as connection:
        connection.execute("VACUUM INTO ?", (str(target),))
    sync(target)


def copy_stripped(settings: DatabaseSettings, target: Path) -> str:
    """Make a copy at this version's revision, without `LEFT_OUT` and earlier backups; gives the revision.

    Raises:
        Unavailable: as `copy_database`.
        Misconfigured: a newer version of the program made the database.
    """
    copy_database(settings, target)
    copied = DatabaseSettings(url=url_of(target), sqlite_wal=False)
    revision = migrate(copied)
    with _opened(target, settings.busy_timeout_s) as connection:
        connection.execute("BEGIN IMMEDIATE")
        for statement, values in _STRIP:
            connection.execute(statement, values)
        connection.execute("COMMIT")
    return revision


def bring_up(path: Path) -> None:
    """Bring a database out of a backup to this version. Blocks.

    Raises:
        InvalidInput: it is no database of this program, of a newer version, or its tables are not those of
            this program to the letter: what else they say would be run by our own statements.
    """
    settings = DatabaseSettings(url=url_of(path), sqlite_wal=False)
    try:
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            _refuse_programs(connection)
        before = current(settings)
    except (sqlite3.Error, Misconfigured) as error:
        raise InvalidInput("The backup's database cannot be read: it is damaged, or none.") from error
    if before is None:
        raise InvalidInput("The backup's database is none of Glimpser: it names no revision.")
    refuse_newer(before)
    try:
        migrate(settings)
    except (SQLAlchemyError, Misconfigured) as error:
        raise InvalidInput("The backup's database is not what its revision says.") from error
    foreign = _schema(path) ^ _schema_of_this_version(path.with_name("this-version.db"))
    if foreign:
        names = sorted({name[:60] for name, _ in foreign})[:5]
        raise InvalidInput(f"The backup's database has a form of its own: see {', '.join(names)}.")


def refuse_newer(revision: str) -> None:
    """Raises: InvalidInput: this version of the program does not know the revision."""
    if revision not in revisions():
        raise InvalidInput(
            f"The backup is of revision {revision[:40]!r}, made by a newer version of Glimpser; this one"
            f" knows those up to {revisions()[-1]}. Install the newer version, then restore."
        )


def end_sessions(path: Path, epoch: int) -> None:
    """Have every session end that began before: its token names another epoch. Blocks."""
    with _opened(path, 5.0) as connection:
        connection.execute("UPDATE users SET session_epoch = max(session_epoch + 1, ?)", (epoch,))


def note_garbage(settings: DatabaseSettings, uris: Sequence[str]) -> None:
    """Note objects that are about to be written and that nothing names yet: they go if it ends there. Blocks.

    Raises:
        Unavailable: the database does not take it.
    """
    with _opened(sqlite_path(settings.url), settings.busy_timeout_s) as connection:
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany("INSERT OR IGNORE INTO garbage (uri) VALUES (?)", [(uri,) for uri in uris])
        connection.execute("COMMIT")


def put_in_place(staged: Path, settings: DatabaseSettings, aside: Path | None) -> None:
    """Replace a database nobody has open by a durable one beside it, in one step. Blocks.

    The old one is kept as `aside`, if that is given. A kill at any moment leaves the old one or the new one,
    whole: the log is moved into the old file first, which then has a second name, and the rename takes only
    the first from it.

    Raises:
        Unavailable: the disk does not take it; the old one is in place.
    """
    path = sqlite_path(settings.url)
    try:
        _close_log(path, aside)
        failpoints.hit("restore.log_closed")
        if aside is not None and path.exists():
            aside.hardlink_to(path)
            sync(path.parent)
        failpoints.hit("restore.kept_aside")
        staged.replace(path)
        failpoints.hit("restore.replaced")
        sync(path.parent)
    except OSError as error:
        raise Unavailable(f"The database cannot be put in place: {error.strerror}.") from error


def forget_false_starts(settings: DatabaseSettings, pattern: str) -> None:
    """Remove second names of the database itself, left by a restore that was killed. Blocks."""
    path = sqlite_path(settings.url)
    for found in path.parent.glob(pattern):
        if path.exists() and found.samefile(path):
            found.unlink()


def _close_log(path: Path, aside: Path | None) -> None:
    """Move the log into the file; the log of a damaged file goes aside, so that the new file has none."""
    if not path.exists():
        return
    try:
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.Error:
        for ending in ("-wal", "-shm", "-journal"):
            log = path.with_name(path.name + ending)
            if log.exists() and aside is not None:
                log.replace(aside.with_name(aside.name + ending))
            else:
                log.unlink(missing_ok=True)


def url_of(path: Path) -> str:
    """Write a path as a database's URL."""
    return f"sqlite:///{str(path.absolute()).replace('%', '%25').replace('?', '%3F')}"


def sync(path: Path) -> None:
    """Have a file, or the names in a directory, survive a power cut. Blocks."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _refuse_programs(connection: sqlite3.Connection) -> None:
    """Triggers and views would be run by our own statements; this program makes none."""
    connection.execute("PRAGMA trusted_schema = OFF")
    found = connection.execute(
        "SELECT name FROM sqlite_schema WHERE type IN ('trigger', 'view') OR sql LIKE '%VIRTUAL%TABLE%'"
    ).fetchone()
    if found is not None:
        raise InvalidInput(f"The backup's database brings statements of its own: {str(found[0])[:100]!r}.")


def _schema_of_this_version(path: Path) -> frozenset[tuple[str, str]]:
    """Tell the schema of an empty database, made at `path` and removed. Blocks."""
    migrate(DatabaseSettings(url=url_of(path), sqlite_wal=False))
    try:
        return _schema(path)
    finally:
        path.unlink()


def _schema(path: Path) -> frozenset[tuple[str, str]]:
    """Tell the names and definitions of all tables and indices; SQLite's own have no definition."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        return frozenset(
            connection.execute(
                "SELECT name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite#_%' ESCAPE '#'"
            )
        )


@contextmanager
def _opened(path: Path, timeout_s: float) -> Iterator[sqlite3.Connection]:
    """Open a file that is there. Raises: Unavailable: whatever the database says against what is done."""
    uri = f"{path.absolute().as_uri()}?mode=rw"
    try:
        with closing(sqlite3.connect(uri, uri=True, timeout=timeout_s, isolation_level=None)) as connection:
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute("PRAGMA synchronous = FULL")
            yield connection
    except sqlite3.Error as error:
        raise Unavailable(f"The database cannot be copied now: {error}.") from error
