"""How long what was captured is kept, and which of a view's pictures go."""

from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from typing import Literal

from glimpser.core.ids import ArtifactId

ThinTo = Literal["hour", "day"]

_BUCKETS: dict[ThinTo, timedelta] = {"hour": timedelta(hours=1), "day": timedelta(days=1)}


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionPolicy:
    """What of one view is kept. None is no limit; in a template: as for all views.

    Of what is older than `thin_after_days` one picture is kept for each hour or day (UTC), the newest.
    """

    max_age_days: int | None = None
    max_count: int | None = None
    max_bytes: int | None = None
    thin_after_days: int | None = None
    thin_to: ThinTo | None = None

    def over(self, default: "RetentionPolicy") -> "RetentionPolicy":
        """Take from `default` what is not given here."""
        given = {field.name: getattr(self, field.name) for field in fields(self)}
        return replace(default, **{name: value for name, value in given.items() if value is not None})


@dataclass(frozen=True, slots=True)
class Kept:
    """An artifact as far as retention looks at it."""

    id: ArtifactId
    created_at: datetime
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Removed:
    """How much was removed."""

    count: int = 0
    size_bytes: int = 0

    def __add__(self, other: "Removed") -> "Removed":
        return Removed(self.count + other.count, self.size_bytes + other.size_bytes)


class Sieve:
    """Says of the pictures of one view, given from the newest to the oldest, which go.

    Nothing younger than `begin` goes; None: even the newest may.
    """

    def __init__(self, policy: RetentionPolicy, now: datetime) -> None:
        self._policy = policy
        self._bucket = _BUCKETS[policy.thin_to or "hour"]
        self._too_old = _before(now, policy.max_age_days)
        self._thinned = _floor(_before(now, policy.thin_after_days), self._bucket)
        self._last: datetime | None = None
        self._count = 0
        self._size_bytes = 0

    @property
    def begin(self) -> datetime | None:
        """Tell from where on to look. With limits by count or bytes everything counts."""
        if self._policy.max_count is not None or self._policy.max_bytes is not None:
            return None
        return max(self._too_old, self._thinned)

    def goes(self, kept: Kept) -> bool:
        """Decide on the next older one."""
        return kept.created_at < self._too_old or self._is_thinned(kept) or self._is_too_much(kept)

    def _is_thinned(self, kept: Kept) -> bool:
        if kept.created_at >= self._thinned:
            return False
        bucket = _floor(kept.created_at, self._bucket)
        is_second, self._last = bucket == self._last, bucket
        return is_second

    def _is_too_much(self, kept: Kept) -> bool:
        self._count += 1
        self._size_bytes += kept.size_bytes
        count, size_bytes = self._policy.max_count, self._policy.max_bytes
        return (count is not None and self._count > count) or (
            size_bytes is not None and self._size_bytes > size_bytes
        )


def days_before(now: datetime, days: int) -> datetime:
    """Go back in time, at most to the first moment there is."""
    first = datetime.min.replace(tzinfo=now.tzinfo)
    return now - timedelta(days=days) if now - first > timedelta(days=days) else first


def _before(now: datetime, days: int | None) -> datetime:
    return datetime.min.replace(tzinfo=now.tzinfo) if days is None else days_before(now, days)


def _floor(moment: datetime, step: timedelta) -> datetime:
    first = datetime.min.replace(tzinfo=moment.tzinfo)
    return moment - (moment - first) % step
