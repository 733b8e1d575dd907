"""Stored files: their rows, and the objects whose rows are gone."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import Protocol

from glimpser.core.events import Artifact
from glimpser.core.ids import ArtifactId


class Artifacts(Protocol):
    def add(self, artifact: Artifact) -> None: ...
    def get(self, artifact_id: ArtifactId) -> Artifact:
        """Raises: NotFound."""
        ...

    def remove(self, artifact_id: ArtifactId) -> None:
        """Take the row away and mark its object as garbage, in this transaction."""
        ...

    def expire(self, artifact_id: ArtifactId, at: datetime) -> None:
        """Have an artifact removed after this moment. What names it stays as it is until then."""
        ...

    def pin(self, artifact_id: ArtifactId, *, pinned: bool) -> None:
        """Have an artifact kept whatever its age, or no more. Raises: NotFound."""
        ...

    def remove_expired(self, now: datetime, limit: int) -> int:
        """Remove, as `remove` does, at most so many whose time has come; gives how many those were.

        What is pinned stays.
        """
        ...

    def after(self, artifact_id: ArtifactId | None, limit: int) -> Sequence[Artifact]:
        """Give artifacts in id order, for walking all of them."""
        ...

    def after_uri(self, uri: str, limit: int) -> Sequence[Artifact]:
        """Give artifacts in the order of their URIs by code point, for walking them beside a store."""
        ...

    def known(self, uris: Sequence[str]) -> AbstractSet[str]:
        """Give those of at most 500 URIs that an artifact or the garbage names."""
        ...

    def newest(self) -> Artifact | None: ...
    def count_below(self, base_uri: str) -> int:
        """Count those whose URI begins so."""
        ...

    def set_uri(self, artifact_id: ArtifactId, uri: str) -> None:
        """Have the row name an object elsewhere; what it named before is nobody's concern."""
        ...

    def relocate(self, artifact_id: ArtifactId, uri: str, moved_to: str) -> None:
        """Have the row name a copy, and mark the old object as garbage; the copy, if the row has gone."""
        ...


class Garbage(Protocol):
    """URIs whose rows are gone and whose objects are still to be deleted."""

    def count(self) -> int: ...
    def list(self, limit: int) -> Sequence[str]: ...
    def forget(self, uris: Sequence[str]) -> None: ...
