"""What the tests of the logs do over and over."""

import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import structlog

HIDDEN = "open-sesame-open-sesame"
"""A secret that must not appear anywhere."""


@dataclass(frozen=True, slots=True)
class Settings:
    log_level: str = "info"
    log_levels: Mapping[str, str] = field(default_factory=dict)
    log_format: str = "json"


class Output:
    """Where a test's logs go."""

    def __init__(self) -> None:
        self.stream = io.StringIO()

    @property
    def text(self) -> str:
        return self.stream.getvalue()

    @property
    def entries(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text.splitlines()]


Configure = Callable[..., Output]


def log_failure(error: OSError | ValueError, *, in_a_local: str = "") -> None:
    """Log an error where it is caught, with a local variable in the frame that raised it."""
    try:
        _fail(error, in_a_local)
    except (OSError, ValueError):
        structlog.get_logger("glimpser").exception("failed")


def _fail(error: OSError | ValueError, _in_a_local: str) -> None:
    raise error
