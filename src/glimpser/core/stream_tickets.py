"""Leave to watch one view for a time, for players that cannot say who they are."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from glimpser.core.ids import StreamTicketId, TemplateId

StreamKind = Literal["mjpeg", "snapshot"]
"""What a ticket opens: the last part of its path."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamTicket:
    """Who holds its text sees what its maker may see of the template, until it ends or is revoked.

    `maker_epoch` is the session epoch of a user when they made it: a new password ends it too. An API key has
    none.
    """

    id: StreamTicketId
    template_id: TemplateId
    kind: StreamKind
    maker_id: str
    maker_kind: Literal["user", "api_key"]
    maker_epoch: int
    created_at: datetime
    expires_at: datetime

    @property
    def path(self) -> str:
        """The one path it opens."""
        return f"/api/stream/{self.template_id}/{self.kind}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketFilter:
    """Tickets to one template that are good after `now`; `maker_id` narrows to those of one maker."""

    template_id: TemplateId
    now: datetime
    maker_id: str | None = None
