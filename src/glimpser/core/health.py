"""Whether a view shows what it should: a verdict on the view itself, never mixed with what happens in it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from glimpser.core.ids import ArtifactId, EventId, TemplateId


class HealthState(StrEnum):
    """What can be wrong with a view of any kind.

    down: it gives nothing; stalled: it gave pictures and stopped; frozen: they come and are all the same;
    blank: there is nothing in them; blocked: a sign-in, consent or bot wall stands before it; error_page: the
    site answers with an error; moved: the camera was turned or covered. unknown: not looked at yet.
    """

    UNKNOWN = "unknown"
    OK = "ok"
    DOWN = "down"
    STALLED = "stalled"
    FROZEN = "frozen"
    BLANK = "blank"
    BLOCKED = "blocked"
    ERROR_PAGE = "error_page"
    MOVED = "moved"

    @property
    def is_trouble(self) -> bool:
        """Whether something is wrong, as far as is known."""
        return self not in (HealthState.OK, HealthState.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one look at a view says. `reason` is a sentence for a person, without secrets; None when ok."""

    state: HealthState
    reason: str | None = None


WELL = Verdict(HealthState.OK)


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewHealth:
    """The verdict that stands, since when, and the last picture that was good."""

    state: HealthState
    since: datetime
    reason: str | None = None
    last_good_at: datetime | None = None
    last_good_artifact_id: ArtifactId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthRecord:
    """What is kept of a view's health, so that a restart neither repeats nor loses an event.

    `trouble_since`: when what an event is about began; it outlasts short recoveries. `event_id` is that of
    the event that tells of it, chosen before the event is written. `by_capture`: the verdict is that of a
    single picture, not of a view that runs.
    """

    template_id: TemplateId
    health: ViewHealth
    trouble_since: datetime | None = None
    event_id: EventId | None = None
    by_capture: bool = False


@dataclass(frozen=True, slots=True)
class Judged:
    """A look at the pictures of a running view came to this verdict."""

    template_id: TemplateId
    verdict: Verdict
    at: datetime
