"""When it is time, found the long way round: every minute of real time, and what the clock on the wall shows.

Shares nothing with the program but the standard library's zones.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

MINUTE = timedelta(minutes=1)


@cache
def numbers(field: str, low: int, high: int) -> frozenset[int]:
    """Read one field of plain numbers, ranges, lists and steps."""
    found: set[int] = set()
    for part in field.split(","):
        span, _, step = part.partition("/")
        first, _, last = span.partition("-")
        if span == "*":
            begin, end = low, high
        else:
            begin = int(first)
            end = int(last) if last else (high if step else begin)
        found.update(range(begin, end + 1, int(step or 1)))
    return frozenset(found)


@dataclass(frozen=True)
class Oracle:
    cron: str
    zone: str

    def fits(self, local: datetime) -> bool:
        minute, hour, day, month, weekday = self.cron.split()
        if local.minute not in numbers(minute, 0, 59):
            return False
        on_day = local.day in numbers(day, 1, 31)
        on_weekday = local.isoweekday() % 7 in {number % 7 for number in numbers(weekday, 0, 7)}
        both = day.startswith("*") or weekday.startswith("*")
        return (
            local.hour in numbers(hour, 0, 23)
            and local.month in numbers(month, 1, 12)
            and ((on_day and on_weekday) if both else (on_day or on_weekday))
        )

    def slots(self, start: datetime, end: datetime) -> Iterator[datetime]:
        """Walk from `start` (exclusive) to `end` (inclusive)."""
        zone = ZoneInfo(self.zone)
        names_hours = self.cron.split()[1] != "*"
        moment = start.replace(second=0, microsecond=0) - timedelta(days=2)
        shown_before: set[datetime] = set()
        last = moment.astimezone(zone).replace(tzinfo=None)
        while moment < end:
            moment += MINUTE
            local = moment.astimezone(zone).replace(tzinfo=None)
            left_out = self._between(last, local) if names_hours else []
            is_new = local not in shown_before
            is_due = any(map(self.fits, left_out)) or (self.fits(local) and (is_new or not names_hours))
            if is_due and moment > start:
                yield moment
            shown_before.add(local)
            if local.hour == 12 and local.minute == 0:
                shown_before = {local}
            last = local

    @staticmethod
    def _between(before: datetime, after: datetime) -> list[datetime]:
        """Give the minutes a clock jumped over."""
        count = int((after - before) / MINUTE) - 1
        return [before + MINUTE * (number + 1) for number in range(max(count, 0))]


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
