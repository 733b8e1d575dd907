"""Exports and the pictures they are made of, as the services see them in one transaction."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from glimpser.core.exports import Export, Span, StoredPicture
from glimpser.core.ids import ArtifactId, ExportId, TemplateId
from glimpser.core.jobs import JobStatus
from glimpser.core.pages import Page, PageRequest


class Exports(Protocol):
    def add(self, export: Export) -> None: ...
    def get(self, export_id: ExportId) -> Export:
        """Raises: NotFound."""
        ...

    def list(self, page: PageRequest) -> Page[Export]:
        """Newest first."""
        ...

    def count_pending(self) -> int: ...
    def settle(
        self, export_id: ExportId, status: JobStatus, *, error: str | None, expires_at: datetime | None
    ) -> None:
        """Note what became of the job; one that is gone is ignored. An end already noted stays."""
        ...

    def attach(
        self,
        export_id: ExportId,
        artifact_id: ArtifactId,
        *,
        result: Mapping[str, object],
        expires_at: datetime,
    ) -> bool:
        """Note the file; False when the export was deleted meanwhile."""
        ...

    def remove(self, export_id: ExportId) -> None:
        """Raises: NotFound."""
        ...

    def purge(self, now: datetime) -> int:
        """Forget those whose time has come and whose file is gone; gives how many."""
        ...


class Pictures(Protocol):
    """The stored pictures of a view in the order of their times.

    Left out are those that are about to be removed, and those of failed captures, which show something else
    than the view. Of a view that was deleted the pictures are there until retention takes them.
    """

    def bounds(self, template_id: TemplateId, span: Span) -> tuple[datetime, datetime] | None:
        """Tell when the first and the last picture were taken; None: there is none."""
        ...

    def count(self, template_id: TemplateId, span: Span, *, at_most: int) -> int:
        """Count about how many there are, for progress."""
        ...

    def evenly(
        self, template_id: TemplateId, span: Span, *, step: timedelta, limit: int
    ) -> Sequence[StoredPicture]:
        """Give the first picture of each `step` from `span.start` on, at most so many.

        To go on, call it with the start of the step behind the last one given. What it costs depends on how
        many are given, not on how many there are.
        """
        ...

    def between(
        self, template_id: TemplateId, span: Span, *, after: StoredPicture | None, limit: int
    ) -> Sequence[StoredPicture]:
        """Give all, in pages."""
        ...

    def newest(self, template_id: TemplateId, span: Span, *, limit: int) -> Sequence[StoredPicture]:
        """Give the newest, oldest first."""
        ...
