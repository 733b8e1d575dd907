"""What the program says of itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from glimpser.core.disk import DiskState
from glimpser.services.system import SystemReport


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionView:
    version: str
    commit: str | None
    api: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AliveView:
    status: Literal["ok"] = "ok"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckView:
    ok: bool
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadyView:
    status: Literal["ready", "not_ready"]
    checks: Mapping[str, CheckView]


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskView:
    """The fullest disk the program writes to; `path` is for admins."""

    state: DiskState
    used_bytes: int
    total_bytes: int
    path: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemView:
    """The program as a whole. `days_until_full` is null while it does not fill, or nobody knows.

    `waiting_objects`, for admins, have still to be sent to a store that is away.
    """

    version: str
    uptime_s: float
    counts: Mapping[str, int]
    disk: DiskView | None
    days_until_full: float | None
    waiting_objects: int | None


def system_view(report: SystemReport, *, version: str, for_admin: bool) -> SystemView:
    disk = report.disk
    days = disk.days_until_full if disk else None
    return SystemView(
        version=version,
        uptime_s=report.uptime_s,
        counts=report.counts,
        disk=DiskView(
            state=disk.state,
            used_bytes=disk.usage.used_bytes,
            total_bytes=disk.usage.total_bytes,
            path=disk.usage.path if for_admin else None,
        )
        if disk
        else None,
        days_until_full=None if days is None else round(days, 1),
        waiting_objects=report.waiting if for_admin else None,
    )
