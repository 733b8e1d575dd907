"""What has been kept long enough."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from glimpser.core.ids import ArtifactId, TemplateId
from glimpser.core.retention import Kept, Removed


class Retention(Protocol):
    """What has been kept long enough.

    Whatever is pinned, has an end of its own, is a view's last good picture, or belongs to an alert that
    somebody is still to be told of, is neither given nor removed. The view None is that of what names none.
    """

    def next_view(self, after: TemplateId | None) -> TemplateId | None:
        """Give the next id, in their order, of which anything is kept; its template may be gone."""
        ...

    def pictures(self, view: TemplateId | None, *, until: tuple[datetime, str], limit: int) -> Sequence[Kept]:
        """Give a view's artifacts from the newest to the oldest, those before this time and id."""
        ...

    def all_pictures(self, *, until: str, limit: int) -> Sequence[Kept]:
        """Give those of all views in the order of their ids, the newest first, those before this id."""
        ...

    def remove_pictures(self, ids: Sequence[ArtifactId]) -> Removed:
        """Take at most 500 rows away and mark their objects as garbage, in this transaction."""
        ...

    def remove_events(self, view: TemplateId, *, before: datetime, limit: int) -> int:
        """Remove at most so many that began before then and have ended; gives how many."""
        ...

    def remove_captures(self, view: TemplateId, *, before: datetime, limit: int) -> int: ...
    def remove_observations(self, view: TemplateId, *, before: datetime, limit: int) -> int: ...
    def remove_alerts(self, view: TemplateId | None, *, before: datetime, limit: int) -> int:
        """Remove those made before then, with their deliveries."""
        ...

    def remove_audit(self, *, before: datetime, limit: int) -> int:
        """Remove at most so many entries of the audit log that are from before then."""
        ...

    def remove_refusals(self, action: str, *, keep: int, limit: int) -> int:
        """Remove at most so many entries of one action, none of its newest `keep`."""
        ...
