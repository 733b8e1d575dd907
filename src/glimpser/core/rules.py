"""A rule says which events of its template somebody is told of, when, and through which channels."""

from dataclasses import dataclass, field
from datetime import datetime, time
from typing import Literal

from glimpser.core.events import Level
from glimpser.core.ids import ChannelId, RuleId
from glimpser.core.local_time import DAYS

Decision = Literal["fire", "suppress", "no_match"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """What an event must be. `min_score` is 0..1; `zone` is the name of one of the template's zones."""

    event: str = "motion"
    min_score: float = 0.0
    zone: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class QuietHours:
    """Local times of days on which nobody is told: from `start` (inclusive) to `end` (exclusive).

    An `end` at or before `start` is on the next day; `days` are those on which the time begins.
    """

    days: tuple[str, ...] = DAYS
    start: time
    end: time


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """`dedupe_s` after it fired it is silent; `timezone` is an IANA name; no channels: all enabled ones."""

    id: RuleId
    name: str
    enabled: bool = True
    when: Condition = field(default_factory=Condition)
    dedupe_s: float = 0.0
    quiet_hours: tuple[QuietHours, ...] = ()
    timezone: str = "UTC"
    level: Level = Level.WARNING
    channels: tuple[ChannelId, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleHistory:
    """What a rule must know of the past: when it last fired, and whether it did for this very event."""

    last_fired_at: datetime | None = None
    fired_for_event: bool = False


@dataclass(frozen=True, slots=True)
class TraceStep:
    """One question the rule asked; `detail` answers it in plain words."""

    step: str
    ok: bool
    detail: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a rule decided, and every step that led there."""

    decision: Decision
    reason: str
    trace: tuple[TraceStep, ...]
