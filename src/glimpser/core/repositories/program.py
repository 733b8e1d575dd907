"""What the program knows of itself."""

from collections.abc import Mapping
from typing import Protocol


class Settings(Protocol):
    """Small things the program remembers about itself."""

    def get(self, key: str) -> str | None: ...
    def put(self, key: str, value: str) -> None: ...


class Counts(Protocol):
    def all(self) -> Mapping[str, int]:
        """Count templates, artifacts, captures, events, alerts and garbage. Reads whole indexes."""
        ...
