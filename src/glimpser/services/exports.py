"""The verbs on exports: ask for one, look at them, take the file, delete it. `exporting` makes the file."""

from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from glimpser.core.accounts import EVERYTHING, Scope
from glimpser.core.clock import Clock
from glimpser.core.errors import Conflict, InvalidInput, NotFound, TooMany
from glimpser.core.events import Artifact
from glimpser.core.exports import EXPORT, Export, ExportKind, FilmOptions, Origin
from glimpser.core.ids import ExportId, TemplateId, new_id
from glimpser.core.jobs import UNDONE, Job
from glimpser.core.local_time import zone_of
from glimpser.core.pages import Page, PageRequest
from glimpser.core.ports import Database, ObjectStore
from glimpser.core.repositories import Transaction
from glimpser.services.archive_making import slug
from glimpser.services.audit import Actor, entry
from glimpser.services.exporting import ending_of
from glimpser.services.jobs import Jobs

MAX_PENDING = 100
"""Exports that wait at one time, of all people together."""
PRIORITY, DAILY_PRIORITY = -5, -20
"""Behind all that somebody waits for; what people ask for goes before what comes each night."""
_TEASER_SPAN = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportAsk:
    """What somebody wants, of a template or of a group. Without `start` and `end`: the last day."""

    kind: ExportKind
    template_id: TemplateId | None = None
    group: str | None = None
    start: datetime | None = None
    end: datetime | None = None
    options: FilmOptions = field(default_factory=FilmOptions)


@dataclass(frozen=True, slots=True)
class Found:
    """An export with its job, which may be forgotten, and its file, if there is one."""

    export: Export
    job: Job | None
    file: Artifact | None

    @property
    def is_undone(self) -> bool:
        return self.job is not None and self.job.status in UNDONE


@dataclass(frozen=True, slots=True)
class Subject:
    """What an export is of; `timezone` is the clock of its times."""

    title: str
    timezone: str
    template_id: TemplateId | None = None
    group: str | None = None

    @property
    def lane(self) -> str:
        """Name it so that one export of it runs at a time."""
        return self.template_id or f"group {self.group}"


class Exports:
    """Event loop's thread."""

    def __init__(
        self, database: Database, store: ObjectStore, jobs: Jobs, *, clock: Clock, timezone: str = "UTC"
    ) -> None:
        """`timezone` is the clock of exports of groups."""
        self._timezone = timezone
        self._database = database
        self._store = store
        self._jobs = jobs
        self._clock = clock

    async def create(self, ask: ExportAsk, *, by: Actor) -> Found:
        """Have a file made.

        Raises:
            InvalidInput: there is no such template or group in sight; it names the field.
            TooMany: many are waiting already.
        """
        now = self._clock.now()

        def create(tx: Transaction) -> tuple[Export, Job]:
            if tx.exports.count_pending() >= MAX_PENDING:
                raise TooMany(f"{MAX_PENDING} exports wait already: try again when some are done.", 60)
            subject = _subject(tx.within(by.scope), ask, by.scope, timezone=self._timezone)
            export, job = self.make(ask, subject, created_by=by.name, now=now)
            tx.jobs.add(job)
            tx.exports.add(export)
            tx.audit.add(entry(by, "export.asked", export.id, clock=self._clock, detail=export.title))
            return export, job

        export, job = await self._database.write(create)
        self._jobs.added(job)
        return Found(export, job, None)

    def make(
        self,
        ask: ExportAsk,
        subject: Subject,
        *,
        created_by: str,
        now: datetime,
        origin: Origin = "asked",
        key: str | None = None,
    ) -> tuple[Export, Job]:
        """Make an export with its job, for a caller that adds both in its own transaction."""
        export_id = ExportId(new_id())
        job = self._jobs.make(
            EXPORT,
            {"export_id": export_id, "subject": subject.lane},
            template_id=subject.template_id,
            priority=PRIORITY if origin == "asked" else DAILY_PRIORITY,
            key=key,
        )
        end = ask.end or now
        export = Export(
            id=export_id,
            kind=ask.kind,
            template_id=subject.template_id,
            group=subject.group,
            title=subject.title,
            timezone=subject.timezone,
            start=ask.start or end - _TEASER_SPAN,
            end=end,
            options=ask.options,
            origin=origin,
            created_by=created_by,
            created_at=now,
            job_id=job.id,
        )
        return export, job

    async def list(self, page: PageRequest, *, within: Scope) -> Page[Found]:
        """Newest first."""

        def read(tx: Transaction) -> Page[Found]:
            found = tx.within(within).exports.list(page)
            return Page([_found(tx, export) for export in found.items], found.next_cursor)

        return await self._database.read(read)

    async def get(self, export_id: ExportId, *, within: Scope) -> Found:
        """Raises: NotFound."""
        return await self._database.read(lambda tx: _found(tx, tx.within(within).exports.get(export_id)))

    async def file(self, export_id: ExportId, *, within: Scope) -> tuple[Export, Artifact]:
        """Give the file of an export that is done.

        Raises:
            NotFound: there is no such export, or its file is gone.
            Conflict: it is not done.
        """
        found = await self.get(export_id, within=within)
        if found.file is None:
            if found.is_undone:
                raise Conflict("The file is not made yet: the export says how far it has come.")
            raise NotFound("There is no file: the export says why.")
        return found.export, found.file

    def content(self, file: Artifact) -> AsyncIterator[bytes]:
        """Read a file. Raises: NotFound."""
        return self._store.get(file.uri)

    async def remove(self, export_id: ExportId, *, by: Actor) -> None:
        """Delete an export and its file; one that is being made is broken off.

        Raises:
            NotFound: there is no such export, or not for them.
        """
        found = await self.get(export_id, within=by.scope)
        if found.is_undone:
            with suppress(Conflict, NotFound):  # it has ended meanwhile
                # The job of a group names no template, so it lies outside every scope: the export is in it.
                await self._jobs.cancel(found.export.job_id, by=replace(by, scope=EVERYTHING))
        made = entry(by, "export.deleted", export_id, clock=self._clock, detail=found.export.title)

        def remove(tx: Transaction) -> None:
            export = tx.within(by.scope).exports.get(export_id)
            if export.artifact_id is not None:
                tx.artifacts.remove(export.artifact_id)
            tx.exports.remove(export_id)
            tx.audit.add(made)

        await self._database.write(remove)


def file_name(export: Export) -> str:
    """Give the file a name that says what it is: subject, days on the view's clock, kind."""
    zone = zone_of(export.timezone)
    first = export.start.astimezone(zone).date()
    last = (export.end - timedelta(microseconds=1)).astimezone(zone).date()
    days = f"{first}" if first == last else f"{first}_{last}"
    kind = "pictures" if export.kind == "zip" else export.kind
    return f"{slug(export.title)}_{days}_{kind}.{ending_of(export)}"


def _subject(tx: Transaction, ask: ExportAsk, scope: Scope, *, timezone: str) -> Subject:
    if ask.template_id is not None:
        try:
            settings = tx.templates.get(ask.template_id).settings
        except NotFound:
            raise InvalidInput.field("/template_id", "There is no template with this id.") from None
        return Subject(settings.name, settings.timezone, template_id=ask.template_id)
    group = ask.group or ""
    is_seen = scope.groups is None or group in scope.groups
    if not is_seen or not tx.templates.in_groups((group,)):
        raise InvalidInput.field("/group", "There is no view in a group of this name.")
    return Subject(group, timezone, group=group)


def _found(tx: Transaction, export: Export) -> Found:
    """The transaction sees everything: what is looked up belongs to the export."""
    job, file = None, None
    with suppress(NotFound):
        job = tx.jobs.get(export.job_id)
    if export.artifact_id is not None:
        with suppress(NotFound):
            file = tx.artifacts.get(export.artifact_id)
    return Found(export, job, file)
