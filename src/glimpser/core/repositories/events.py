"""What happened in a view: events, captures and observations."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from glimpser.core.events import Capture, Event, EventFilter, EventLine, Observation
from glimpser.core.ids import CaptureId, EventId, TemplateId
from glimpser.core.pages import Page, PageRequest


class Events(Protocol):
    """Lists are ordered by `started_at`, then id, so that `start` and `end` cut a list at its ends."""

    def add(self, event: Event) -> None: ...
    def get(self, event_id: EventId) -> Event:
        """Raises: NotFound."""
        ...

    def list(self, where: EventFilter, page: PageRequest) -> Page[Event]:
        """Newest first."""
        ...

    def lines(self, where: EventFilter, page: PageRequest) -> Page[EventLine]:
        """Give the same page as `list`, for passing on."""
        ...

    def update(self, event: Event) -> None:
        """Write metadata, level, message, peak, end and artifact of an event that goes on.

        Raises: NotFound.
        """
        ...

    def unfinished(self, kind: str) -> Sequence[Event]:
        """Give the events of a kind that have no end."""
        ...


class Captures(Protocol):
    def add(self, capture: Capture) -> None: ...
    def get(self, capture_id: CaptureId) -> Capture: ...
    def list(self, template_id: TemplateId | None, page: PageRequest) -> Page[Capture]:
        """Newest first."""
        ...

    def finish(self, capture: Capture) -> None:
        """Write status, end, artifacts, details and error of a capture that ran."""
        ...

    def running(self) -> Sequence[Capture]: ...
    def session_at(self, template_id: TemplateId, moment: datetime) -> Capture | None:
        """Give the live session that had begun last at `moment`; it may have ended before."""
        ...


class Observations(Protocol):
    def add(self, observation: Observation) -> None: ...
    def list(
        self, template_id: TemplateId, name: str | None, start: datetime | None, end: datetime | None
    ) -> Sequence[Observation]:
        """Oldest first, at most 10,000."""
        ...
