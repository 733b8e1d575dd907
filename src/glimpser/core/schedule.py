"""When something is to happen again and again: cron expressions, on the clock of a place.

Five fields (minute, hour, day of the month, month, day of the week) or six (seconds first), as crontab(5) of
Debian and `cronsim` know them, and the words `@hourly`, `@daily` … A slot is a moment at which it is time.

Where clocks are changed, an expression that names hours means what the clock shows, once: a time that comes
twice counts the first time, and times that are left out count together when the clock jumps. One whose hour
is `*` means every hour that passes, whatever it is called.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import Literal

from cronsim import CronSim, CronSimError

from glimpser.core.errors import InvalidInput
from glimpser.core.local_time import DAYS, is_within, zone_of

Action = Literal["snapshot", "record"]
CatchUp = Literal["one", "none"]

MAX_CRON_CHARS = 200
MAX_JITTER_MS = 3_600_000
MACROS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_SECOND = timedelta(seconds=1)
_STEP = timedelta(days=7)
"""No zone changes its clock twice within so long and ends where it began."""
_MAX_CLOSED = 2000
"""So many slots in a row outside all windows: then there will be none."""
_LAST_YEAR = 9990


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Hours of days on which slots count: local times from `start` (inclusive) to `end` (exclusive).

    An `end` at or before `start` is on the next day; `days` are those on which the time begins.
    """

    days: tuple[str, ...] = DAYS
    start: time
    end: time


class Timetable:
    """All slots of one expression on the clock of one place. Not for several threads at once.

    It remembers the last answer, so that many who share it ask the calendar once.
    """

    def __init__(self, cron: str, timezone: str = "UTC", windows: Sequence[Window] = ()) -> None:
        """Raises: InvalidInput, with the pointer `/schedule` or `/timezone`."""
        self.zone = _zone(timezone)
        self.windows = tuple(windows)
        self._fields = _fields(cron)
        self._follows_the_clock = self._fields[2] == "*"
        self._asked = datetime.max.replace(tzinfo=UTC)
        self._answer: datetime | None = None

    def next_after(self, moment: datetime) -> datetime | None:
        """Give the first slot after a moment (aware), in UTC; None if there is none any more."""
        if self._answer is not None and self._asked <= moment < self._answer:
            return self._answer
        self._asked = moment
        slots = self._hourly(moment) if self._follows_the_clock else self._named(moment)
        self._answer = next(slots, None)
        return self._answer

    def upcoming(self, moment: datetime, count: int) -> list[datetime]:
        """Give the next slots after a moment, in UTC."""
        found: list[datetime] = []
        while len(found) < count:
            slot = self.next_after(found[-1] if found else moment)
            if slot is None:
                break
            found.append(slot)
        return found

    def in_words(self) -> str:
        """Say in plain English when it is time."""
        words = CronSim(" ".join(self._fields), _NAIVE).explain()
        hours = "; ".join(_window_in_words(window) for window in self.windows)
        return f"{words}{f', only {hours}' if hours else ''} ({self.zone})"

    def _named(self, moment: datetime) -> Iterator[datetime]:
        """Give what the clock shows, each time once."""
        for local in self._local_slots(_naive(moment, self.zone)):
            slot = first_moment_of(local, self.zone)
            if slot > moment:
                yield slot

    def _hourly(self, moment: datetime) -> Iterator[datetime]:
        """Give what the clock shows, as often as it shows it; after each change it is another clock."""
        since, local, offset = moment, _naive(moment, self.zone), _offset(moment, self.zone)
        while True:
            shown = next(self._local_slots(local), None)
            if shown is None:
                return
            slot = shown.replace(tzinfo=UTC) - offset
            change = _next_change(since, slot, self.zone)
            if change is None:
                yield slot
                since, local = slot, shown
            else:
                since, offset = change, _offset(change, self.zone)
                local = _naive(change, self.zone) - _SECOND

    def _local_slots(self, local: datetime) -> Iterator[datetime]:
        """Give the local times (naive) after one that fit the expression and a window, in order."""
        calendar = CronSim(" ".join(self._fields), local)
        closed = 0
        while closed < _MAX_CLOSED:
            slot = next(calendar, None)
            if slot is None or slot.year > _LAST_YEAR:
                return
            if not self.windows or any(is_within(window, slot) for window in self.windows):
                closed = 0
                yield slot
                continue
            closed += 1
            calendar = CronSim(" ".join(self._fields), self._opening(slot) - _SECOND)

    def _opening(self, local: datetime) -> datetime:
        """Give the next local time at which a window opens."""
        openings = (
            datetime.combine(local.date() + timedelta(days=day), window.start)
            for day in range(9)
            for window in self.windows
            if DAYS[(local.date() + timedelta(days=day)).weekday()] in window.days
        )
        return min(opening for opening in openings if opening > local)


_NAIVE = datetime(2000, 1, 1)  # noqa: DTZ001 (a place in the calendar, without a clock)


def jitter_of(identity: str, slot: datetime, jitter_ms: int) -> timedelta:
    """Give a delay from 0 to `jitter_ms` that looks like chance and is always the same for one slot."""
    if not jitter_ms:
        return timedelta()
    digest = hashlib.blake2b(f"{identity} {slot.isoformat()}".encode(), digest_size=8).digest()
    return timedelta(milliseconds=int.from_bytes(digest, "big") % (jitter_ms + 1))


def first_moment_of(local: datetime, zone: tzinfo) -> datetime:
    """Give the moment (UTC) at which a clock first shows a local time (naive), or jumps over it."""
    moment = local.replace(tzinfo=zone).astimezone(UTC)
    if _naive(moment, zone) == local:
        return moment
    after = local.replace(tzinfo=zone, fold=1).astimezone(UTC)  # reckoned from behind the gap: too early
    return _change_between(after, moment, zone)


def _fields(cron: str) -> tuple[str, ...]:
    """Take an expression apart into six fields.

    Raises:
        InvalidInput: it is none, or names no day that there is.
    """
    text = cron.strip()
    known = MACROS.get(text.lower(), text)
    fields = known.upper().split()
    fields = ["0", *fields] if len(fields) == 5 else fields
    if len(text) > MAX_CRON_CHARS or len(fields) != 6:
        raise InvalidInput.field("/schedule", f"Write five or six fields, or one of {', '.join(MACROS)}.")
    try:
        never = next(CronSim(" ".join(fields), _NAIVE), None) is None
    except (CronSimError, ValueError, AssertionError) as error:
        reason = str(error) or "it cannot be read"
        raise InvalidInput.field("/schedule", f"This is no cron expression: {reason}.") from None
    if never:
        raise InvalidInput.field("/schedule", "There is no such day.")
    return tuple(fields)


def _zone(name: str) -> tzinfo:
    try:
        return zone_of(name)
    except InvalidInput as error:
        raise InvalidInput.field("/timezone", error.detail) from None


def _naive(moment: datetime, zone: tzinfo) -> datetime:
    return moment.astimezone(zone).replace(tzinfo=None, fold=0)


def _offset(moment: datetime, zone: tzinfo) -> timedelta:
    return moment.astimezone(zone).utcoffset() or timedelta()


def _next_change(start: datetime, end: datetime, zone: tzinfo) -> datetime | None:
    """Give the first change of the clock after `start` and up to `end`."""
    if zone is UTC:
        return None
    low = start
    while low < end:
        high = min(low + _STEP, end)
        if _offset(low, zone) != _offset(high, zone):
            return _change_between(low, high, zone)
        low = high
    return None


def _change_between(low: datetime, high: datetime, zone: tzinfo) -> datetime:
    """Find the second at which the offset changes; it is another at `high` than at `low`."""
    before = _offset(low, zone)
    low, high = low.replace(microsecond=0), high.replace(microsecond=0)
    while high - low > _SECOND:
        middle = low + (high - low) // 2
        middle = middle.replace(microsecond=0)
        if _offset(middle, zone) == before:
            low = middle
        else:
            high = middle
    return high


def _window_in_words(window: Window) -> str:
    days = "" if set(window.days) == set(DAYS) else f"{', '.join(window.days)} "
    return f"{days}{window.start:%H:%M}–{window.end:%H:%M}"
