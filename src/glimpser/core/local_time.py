"""Local time of IANA zones, and hours of the day on days of the week."""

import re
from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import Protocol
from zoneinfo import ZoneInfo

from glimpser.core.errors import InvalidInput

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_+-]{0,31}(?:/[A-Za-z0-9_+-]{1,31}){0,2}")
_NO_ZONES = frozenset(("posix", "right", "localtime", "posixrules"))
"""What lies beside the zones in the system's folder of them; `right` counts leap seconds."""

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Hours(Protocol):
    """Local times of `days`, on which they begin: from `start` (inclusive) to `end` (exclusive)."""

    @property
    def days(self) -> tuple[str, ...]: ...
    @property
    def start(self) -> time: ...
    @property
    def end(self) -> time: ...


def zone_of(name: str) -> tzinfo:
    """Give a zone by its IANA name. Reads a file the first time.

    Raises:
        InvalidInput: there is none of that name. UTC is there even without a database of zones.
    """
    if name == "UTC":
        return UTC
    if _NAME.fullmatch(name) and name.partition("/")[0] not in _NO_ZONES:
        try:
            return ZoneInfo(name)
        except (OSError, ValueError, LookupError):  # a folder, a file of something else, nothing
            pass
    raise InvalidInput(f"There is no time zone {name!r}: give an IANA name such as Europe/Berlin or UTC.")


def shown_zone(own: str, fallback: str | None) -> str | None:
    """Choose the zone of times that are written into pictures; None is this machine's, as a fallback is.

    A view is on UTC unless it was given a zone: that is no choice of UTC.
    """
    return fallback if own == "UTC" else own


def is_within(hours: Hours, local: datetime) -> bool:
    """Tell whether a local clock stands in these hours of these days.

    Only what the clock shows counts. So an hour that a change of the clock repeats is within both times, and
    one that it leaves out is not missed. An `end` at or before `start` is on the next day.
    """
    now = local.time().replace(fold=0)
    today = DAYS[local.weekday()] in hours.days
    if hours.start < hours.end:
        return today and hours.start <= now < hours.end
    yesterday = DAYS[(local - timedelta(days=1)).weekday()] in hours.days
    return (today and now >= hours.start) or (yesterday and now < hours.end)
