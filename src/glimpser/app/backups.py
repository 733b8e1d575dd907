"""Backups, wired: as jobs of the program, and as a command beside it."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from glimpser import __version__
from glimpser.app.capture_settings import egress_policy
from glimpser.app.channels import channel_kinds
from glimpser.app.means import open_means_alone
from glimpser.app.registry import registry_of
from glimpser.app.settings import database_settings, store_settings
from glimpser.config import Config
from glimpser.core import failpoints
from glimpser.core.backups import BACKUP
from glimpser.core.clock import Clock, SystemClock
from glimpser.core.errors import InvalidInput, Unavailable
from glimpser.core.ports import Database, ObjectStore
from glimpser.db.engine import open_database
from glimpser.db.settings import DatabaseSettings
from glimpser.db.snapshot import copy_database, copy_stripped, sync, url_of
from glimpser.db.sqlite import sqlite_path
from glimpser.egress.gate import Gate
from glimpser.notify.posting import open_poster
from glimpser.process.instance import sole_workshop
from glimpser.services.backing_up import BackedUp, BackupMaker, Wanted
from glimpser.services.backup_rows import Kinds
from glimpser.services.backups import Backups, Keep, open_new
from glimpser.services.job_kinds import Progress
from glimpser.services.jobs import Jobs
from glimpser.storage.objects import OpenStore, open_store


@dataclass(frozen=True, slots=True)
class DatabaseCopies:
    """Implements `services.backing_up.Copies`."""

    settings: DatabaseSettings

    def copy(self, target: Path) -> str:
        return copy_stripped(self.settings, target)

    def compact(self, source: Path, target: Path) -> None:
        copy_database(settings_of(source), target)

    def open(self, path: Path) -> AbstractAsyncContextManager[Database]:
        return open_database(settings_of(path))


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupGround:
    """What backups stand on. `store` is where they are kept; `opened` holds what they are made of."""

    config: Config
    database: Database
    opened: OpenStore
    store: ObjectStore
    kinds: Kinds
    clock: Clock


def settings_of(path: Path) -> DatabaseSettings:
    """Settings of a copy that one process works with, for a while."""
    return DatabaseSettings(url=url_of(path), pool_size=1, sqlite_wal=False)


def wire_backups(ground: BackupGround, jobs: Jobs) -> Backups:
    return Backups(
        jobs,
        _maker(ground.config, ground.opened, ground.kinds, ground.clock),
        Keep(ground.database, ground.store),
        workshop=partial(open_workshop, ground.config.data_dir, BACKUP),
        clock=ground.clock,
    )


async def back_up(
    config: Config, file: Path, wanted: Wanted, *, force: bool = False, progress: Progress
) -> BackedUp:
    """Write a backup to a file. A program that runs meanwhile goes on.

    The file appears when it is whole and durable, and only then.

    Raises:
        InvalidInput: the file is there, or its folder is not; the passphrase is too short.
        Unavailable: the database or the store is away, a disk is full, or another backup is being made.
    """
    await asyncio.to_thread(_check_target, file, force=force)
    await asyncio.to_thread(_check_source, config)
    part = file.with_name(f".{file.name}.{os.getpid()}.part")
    async with (
        open_workshop(config.data_dir, BACKUP) as scratch,
        open_kinds(config) as kinds,
        open_store(store_settings(config), is_sending=False) as opened,
    ):
        maker = _maker(config, opened, kinds, SystemClock())
        try:
            with open_new(part) as target:
                made = await maker.write(wanted, target, scratch, progress)
                target.flush()
                await asyncio.to_thread(os.fsync, target.fileno())
            await asyncio.to_thread(_publish, part, file, force=force)
        except OSError as error:
            raise Unavailable(f"{file} cannot be written: {error.strerror}.") from error
        finally:
            with suppress(OSError):
                part.unlink()
    return made


def _check_target(file: Path, *, force: bool) -> None:
    if file.is_dir() or not file.absolute().parent.is_dir():
        raise InvalidInput(f"{file} cannot be written: name a file in a folder that is there.")
    if file.exists() and not force:
        raise InvalidInput(f"{file} is there already: name a new file, or replace it with --force.")


def _check_source(config: Config) -> None:
    path = sqlite_path(database_settings(config).url)
    if not path.is_file():
        raise InvalidInput(f"There is no database at {path}: is --data-dir the right one?")


def _publish(part: Path, file: Path, *, force: bool) -> None:
    """Give a whole file its name. Blocks."""
    failpoints.hit("backup.before_publish")
    if force:
        part.replace(file)
    else:
        _publish_new(part, file)
    sync(file.absolute().parent)
    failpoints.hit("backup.published")


def _publish_new(part: Path, file: Path) -> None:
    """Take no name that somebody else has taken meanwhile. Raises: InvalidInput."""
    try:
        file.hardlink_to(part)
    except FileExistsError:
        raise InvalidInput(f"{file} has appeared meanwhile: name a new file.") from None
    except OSError:  # a disk without such links
        if file.exists():
            raise InvalidInput(f"{file} has appeared meanwhile: name a new file.") from None
        part.replace(file)


def _maker(config: Config, opened: OpenStore, kinds: Kinds, clock: Clock) -> BackupMaker:
    settings = replace(database_settings(config), pool_size=1)
    return BackupMaker(
        DatabaseCopies(settings), opened.store, kinds, bases=opened.bases, clock=clock, version=__version__
    )


@asynccontextmanager
async def open_kinds(config: Config) -> AsyncIterator[Kinds]:
    """Open all kinds, for a command that only asks which of their fields are secret."""
    clock = SystemClock()
    async with open_means_alone(config) as means, open_poster(Gate(egress_policy(config, ()))) as poster:
        yield Kinds(registry_of(config, means), channel_kinds(poster, clock))


@asynccontextmanager
async def open_workshop(data_dir: Path, name: str) -> AsyncIterator[Path]:
    """Open `sole_workshop`. Raises: Unavailable: another one works in it."""
    workshop = sole_workshop(data_dir, name)
    directory = await asyncio.to_thread(workshop.__enter__)
    try:
        yield directory
    finally:
        await asyncio.to_thread(workshop.__exit__, None, None, None)
