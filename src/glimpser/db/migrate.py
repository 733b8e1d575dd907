"""Brings a database to this version: forward only, in one transaction, or not at all."""

from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import DBAPIError

from glimpser.core import failpoints
from glimpser.core.errors import Misconfigured
from glimpser.db.faults import raise_translated
from glimpser.db.settings import DatabaseSettings
from glimpser.db.sqlite import make_engine, prepare_file
from glimpser.db.verification import reference_faults

_log = structlog.get_logger(__name__)

_SCRIPTS = "glimpser.db:migrations"


def migrate(settings: DatabaseSettings, revision: str | None = None) -> str:
    """Upgrade to the newest revision, or to a given one; gives the revision the database is then at.

    Blocks; call it before the database is opened. Of two programs that migrate at once one waits. A kill at
    any moment leaves the old version, whole. Foreign keys rest meanwhile, since a table that is rebuilt goes
    for a moment, and are checked before the commit.

    Raises:
        Misconfigured: a newer version of the program made this database, or its rows contradict each other.
        Unavailable: it is locked by somebody else, or the disk is full.
    """
    prepare_file(settings)
    with _connected(settings) as connection:
        before = _revision(connection)
        _refuse_newer(before)
        command.upgrade(_config(connection), revision or head())
        after = _revision(connection) or ""
        if after == head():  # the references known here are those of the newest tables
            _check_foreign_keys(connection)
    if before != after:
        _log.info("database.migrated", before=before, after=after)
    return after


def current(settings: DatabaseSettings) -> str | None:
    """Tell the revision a database is at; None if it is empty."""
    prepare_file(settings)
    with _connected(settings, begin="BEGIN") as connection:
        return _revision(connection)


def head() -> str:
    """Tell the newest revision this version of the program knows."""
    return str(_scripts().get_current_head())


def revisions() -> list[str]:
    """Give all revisions, oldest first."""
    return [script.revision for script in _scripts().walk_revisions()][::-1]


def _config(connection: Connection | None = None) -> Config:
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", _SCRIPTS)
    config.set_main_option("path_separator", "os")
    return config


def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())


@contextmanager
def _connected(settings: DatabaseSettings, begin: str = "BEGIN IMMEDIATE") -> Iterator[Connection]:
    engine = make_engine(settings, begin=begin, pragmas={"foreign_keys": "OFF"})
    _pass_failpoint_before_each_statement(engine)
    try:
        with engine.begin() as connection:
            yield connection
    except DBAPIError as error:
        raise_translated(error)
    finally:
        engine.dispose()


def _pass_failpoint_before_each_statement(engine: Engine) -> None:
    event.listen(engine, "before_cursor_execute", lambda *_: failpoints.hit("migration.statement"))


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _refuse_newer(revision: str | None) -> None:
    if revision is not None and revision not in revisions():
        raise Misconfigured(
            f"The database is at revision {revision}, made by a newer version of Glimpser; this one knows "
            f"those up to {head()}. Install the newer version, or restore a backup made before its update."
        )


def _check_foreign_keys(connection: Connection) -> None:
    if any(reference_faults(connection)):
        raise Misconfigured(
            "The migration would leave rows that name missing ones: run `glimpser fsck` first."
        )
