"""How the health of a view is told as an event: level, sentence, what rules can look at."""

from collections.abc import Mapping
from datetime import datetime

from glimpser.core.events import Event, Level
from glimpser.core.health import HealthRecord, HealthState
from glimpser.core.ids import EventId

HEALTH = "health"
"""The kind of these events: rules ask for it by `when.event`."""

_WORDS: Mapping[HealthState, str] = {
    HealthState.DOWN: "gives no picture",
    HealthState.STALLED: "has stopped giving pictures",
    HealthState.FROZEN: "shows the same picture all the time",
    HealthState.BLANK: "shows an empty picture",
    HealthState.BLOCKED: "is behind a wall: a sign-in, a consent or a check for robots",
    HealthState.ERROR_PAGE: "shows an error page",
    HealthState.MOVED: "was moved or covered",
}
_WARNINGS = frozenset({HealthState.FROZEN, HealthState.BLANK, HealthState.MOVED})
"""What is judged from pictures that come, and may have a reason nobody minds. The rest gives none at all."""


def level_of(state: HealthState) -> Level:
    return Level.WARNING if state in _WARNINGS else Level.ERROR


def event_of(record: HealthRecord, event_id: EventId, *, name: str, now: datetime) -> Event:
    """Make the event of a view that is in trouble, as it stands now."""
    health = record.health
    sentence = f"{name} {_WORDS.get(health.state, health.state.value)}."
    last_good_at = health.last_good_at
    return Event(
        id=event_id,
        template_id=record.template_id,
        kind=HEALTH,
        level=level_of(health.state),
        message=f"{sentence} {health.reason}" if health.reason else sentence,
        metadata={
            "state": health.state.value,
            "last_good_at": last_good_at.isoformat().replace("+00:00", "Z") if last_good_at else None,
        },
        started_at=record.trouble_since or health.since,
        created_at=now,
    )
