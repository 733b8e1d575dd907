"""`glimpser restore`: a backup in place of what is there, or nothing changed at all."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import IO, Literal

import structlog

from glimpser.app.backups import open_kinds, open_workshop, settings_of
from glimpser.app.settings import database_settings, store_settings
from glimpser.config import Config
from glimpser.core import failpoints
from glimpser.core.clock import SystemClock
from glimpser.core.errors import GlimpserError, InvalidInput, Unavailable
from glimpser.core.ports import Database
from glimpser.db.engine import open_database
from glimpser.db.migrate import current, head, migrate
from glimpser.db.settings import DatabaseSettings
from glimpser.db.snapshot import (
    bring_up,
    copy_database,
    end_sessions,
    forget_false_starts,
    note_garbage,
    put_in_place,
    refuse_newer,
)
from glimpser.db.sqlite import sqlite_path
from glimpser.process.instance import sole_instance
from glimpser.services.backup_archive import DATABASE, SECRETS, Head, read_head
from glimpser.services.backup_rows import Secrets, carry_over, put_secrets
from glimpser.services.backup_secrets import unseal
from glimpser.services.job_kinds import Progress
from glimpser.services.reconciling import Reconciled, reconcile
from glimpser.services.restoring import Checked, ObjectRestore, Place, check_archive, check_rows
from glimpser.storage.objects import OpenStore, open_store

_log = structlog.get_logger(__name__)

_ASIDE = "before-restore-"


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreOrder:
    """How to restore. Without a passphrase, `without_secrets` says that sealed ones may be left out."""

    passphrase: str | None = None
    without_secrets: bool = False
    check_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What became of it. `aside` is where the database of before lies; None: there was none, or only a check.

    Of the objects, `stored` were put into the store and `there` already; `removed` rows had none, and
    `adopted` objects are named by no row of the backup and go after a week.
    """

    version: str
    revision: str
    created_at: str
    objects: int
    secrets: Literal["none", "not asked", "restored", "left out"]
    secrets_missing: int = 0
    stored: int = 0
    there: int = 0
    removed: int = 0
    adopted: int = 0
    aside: str | None = None


async def restore(config: Config, file: Path, order: RestoreOrder, progress: Progress) -> Restored:
    """Put a backup in place of what is there. Everything is proved before anything is replaced.

    Raises:
        Misconfigured: a program runs on this data directory.
        InvalidInput: the file is no backup, was changed, is of a newer version, or the passphrase is wrong.
        Unavailable: the store is away or a disk is full; nothing was replaced.
    """
    with nullcontext() if order.check_only else sole_instance(config.data_dir):
        async with open_workshop(config.data_dir, "restore") as scratch:
            with await asyncio.to_thread(_open_backup, file) as archive:
                return await _Restore(config, archive, scratch, order).run(progress)


def _open_backup(file: Path) -> IO[bytes]:
    try:
        return file.open("rb")
    except OSError as error:
        raise InvalidInput(f"{file} cannot be read: {error.strerror}.") from error


class _Restore:
    """One restore, step by step."""

    def __init__(self, config: Config, archive: IO[bytes], scratch: Path, order: RestoreOrder) -> None:
        self._config = config
        self._archive = archive
        self._scratch = scratch
        self._order = order
        self._settings = database_settings(config)
        self._staged = scratch / DATABASE
        self._clock = SystemClock()

    async def run(self, progress: Progress) -> Restored:
        await progress.report(None, "checking")
        try:
            checked, secrets = await self._check()
            if self._order.check_only:
                return _told(checked, secrets, self._order)
            await asyncio.to_thread(failpoints.hit, "restore.checked")
            return await self._replace(checked, secrets, progress)
        except OSError as error:
            raise Unavailable(f"The backup cannot be restored: {error.strerror}.") from error

    async def _check(self) -> tuple[Checked, Secrets | None]:
        found = await asyncio.to_thread(read_head, self._archive)
        await asyncio.to_thread(refuse_newer, found.revision)
        checked = await asyncio.to_thread(check_archive, self._archive, self._scratch)
        secrets = await asyncio.to_thread(self._unsealed, checked)
        await asyncio.to_thread(bring_up, self._staged)
        async with open_database(settings_of(self._staged)) as database:
            await check_rows(database, self._scratch)
        return checked, secrets

    def _unsealed(self, checked: Checked) -> Secrets | None:
        """Open the secrets. Blocks."""
        order = self._order
        if not checked.has_secrets:
            return None
        if order.passphrase is not None:
            return Secrets.parse(unseal((self._scratch / SECRETS).read_bytes(), order.passphrase))
        if order.without_secrets or order.check_only:
            return None
        raise InvalidInput(
            "The backup's secrets are sealed: give the passphrase by --passphrase-file or --passphrase, or"
            " restore --without-secrets."
        )

    async def _replace(self, checked: Checked, secrets: Secrets | None, progress: Progress) -> Restored:
        aside = await asyncio.to_thread(self._prepare)
        async with open_database(settings_of(self._staged)) as database, self._former() as former:
            missing = await self._put_secrets(database, former, checked.head, secrets)
            async with open_store(store_settings(self._config)) as opened:
                counts, agreed = await self._put_objects(database, former, checked, opened, progress)
        await progress.report(None, "putting in place")
        await asyncio.to_thread(self._put_in_place, aside)
        return replace(
            _told(checked, secrets, self._order),
            secrets_missing=missing,
            stored=counts["stored"],
            there=counts["there"],
            removed=agreed.removed,
            adopted=agreed.adopted,
            aside=str(aside) if aside else None,
        )

    def _prepare(self) -> Path | None:
        """See that there is a database, to note in what is begun; gives where to keep it aside. Blocks."""
        path = sqlite_path(self._settings.url)
        forget_false_starts(self._settings, f"{_ASIDE}*.db")
        if path.exists() and path.stat().st_size > 0:
            return path.with_name(f"{_ASIDE}{self._clock.now():%Y%m%dT%H%M%S%f}.db")
        migrate(self._settings)
        return None

    @asynccontextmanager
    async def _former(self) -> AsyncIterator[Database | None]:
        """Open the database of before, if it can be read by this version."""
        if not await asyncio.to_thread(_is_readable, self._settings):
            yield None
            return
        async with open_database(self._settings) as former:
            yield former

    async def _put_secrets(
        self, database: Database, former: Database | None, told: Head, secrets: Secrets | None
    ) -> int:
        """Put secrets back, of the backup or, where that has none, of the database of before."""
        known: set[str] = set()
        if secrets is not None:
            await put_secrets(database, secrets)
            known = {*secrets.views, *secrets.channels}
        elif former is not None and (told.views or told.channels):
            async with open_kinds(self._config) as kinds:
                carried = await carry_over(database, former, kinds)
            known = {*carried.views, *carried.channels}
        return len({*told.views, *told.channels} - known)

    async def _put_objects(
        self,
        database: Database,
        former: Database | None,
        checked: Checked,
        opened: OpenStore,
        progress: Progress,
    ) -> tuple[Counter[str], Reconciled]:
        place = Place(store=opened.store, bases=opened.bases, note=partial(_note, self._settings))
        objects = ObjectRestore(database, place, checked.head)
        await objects.follow()
        counts = await objects.put_all(self._archive, checked.objects, progress)
        await progress.report(None, "comparing with the store")
        return counts, await reconcile(database, opened.store, former, now=self._clock.now())

    def _put_in_place(self, aside: Path | None) -> None:
        """Blocks."""
        end_sessions(self._staged, int(self._clock.now().timestamp()))
        whole = sqlite_path(self._settings.url).with_name(f".{_ASIDE}new.db")
        whole.unlink(missing_ok=True)
        try:
            # The copy is compact, durable, and beside the old one, so that one rename takes its place.
            copy_database(settings_of(self._staged), whole)
            failpoints.hit("restore.staged")
            put_in_place(whole, self._settings, aside)
        finally:
            whole.unlink(missing_ok=True)


def _told(checked: Checked, secrets: Secrets | None, order: RestoreOrder) -> Restored:
    told = checked.head
    state: Literal["none", "not asked", "restored", "left out"] = "none"
    if secrets is not None:
        state = "restored"
    elif checked.has_secrets and order.check_only:
        state = "not asked"
    elif told.views or told.channels:
        state = "left out"
    return Restored(
        version=told.version,
        revision=told.revision,
        created_at=told.created_at,
        objects=checked.objects,
        secrets=state,
        secrets_missing=len(told.views) + len(told.channels) if secrets is None else 0,
    )


def _is_readable(settings: DatabaseSettings) -> bool:
    try:
        return current(settings) == head()
    except GlimpserError as error:
        _log.warning("restore.former_database_unreadable", reason=error.detail)
        return False


def _note(settings: DatabaseSettings, uris: list[str]) -> None:
    """Note it if it can be noted: a damaged database is not made worse by what it does not know."""
    try:
        note_garbage(settings, uris)
    except Unavailable as error:
        _log.warning("restore.not_noted", reason=error.detail)
