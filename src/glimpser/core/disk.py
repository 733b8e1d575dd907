"""How full a disk is, and when it will be."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

DiskState = Literal["ok", "warning", "full"]

WARN_FROM = 0.90
STOP_FROM = 0.95
RESUME_BELOW = 0.945
"""A little less than what stops it: at the very limit it would change its mind with every picture."""


@dataclass(frozen=True, slots=True)
class DiskUsage:
    """Of the disk that holds `path`: what there is, and what a user may still write."""

    path: str
    used_bytes: int
    free_bytes: int

    @property
    def total_bytes(self) -> int:
        return self.used_bytes + self.free_bytes

    @property
    def share(self) -> float:
        """Tell how full it is, 0 to 1."""
        return self.used_bytes / self.total_bytes if self.total_bytes else 1.0


@dataclass(frozen=True, slots=True)
class DiskSample:
    """How much lay on a disk at one time."""

    at: datetime
    used_bytes: int


def state_of(usage: DiskUsage, before: DiskState) -> DiskState:
    if usage.share >= STOP_FROM or (before == "full" and usage.share >= RESUME_BELOW):
        return "full"
    return "warning" if usage.share >= WARN_FROM else "ok"


def days_until_full(samples: Sequence[DiskSample], usage: DiskUsage) -> float | None:
    """Go on along the straight line of least squares through the samples, to where nothing more is written.

    None: they say too little (less than six hours), or it does not fill.
    """
    if not samples or samples[-1].at - samples[0].at < timedelta(hours=6):
        return None
    days = [(sample.at - samples[0].at) / timedelta(days=1) for sample in samples]
    used = [sample.used_bytes for sample in samples]
    mean_day, mean_used = sum(days) / len(days), sum(used) / len(used)
    spread = sum((day - mean_day) ** 2 for day in days)
    pairs = zip(days, used, strict=True)
    bytes_per_day = sum((day - mean_day) * (size - mean_used) for day, size in pairs) / spread
    room_bytes = STOP_FROM * usage.total_bytes - usage.used_bytes
    if bytes_per_day <= 0:
        return None
    return max(0.0, room_bytes / bytes_per_day)
