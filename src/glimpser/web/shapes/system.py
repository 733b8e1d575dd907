"""What the program says of itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal


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
