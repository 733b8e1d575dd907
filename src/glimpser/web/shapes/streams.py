"""What links to streams look like."""

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamTicketView:
    """A link that opens one stream for whoever has it, until it ends or is revoked."""

    id: str
    url: str = field(repr=False)
    expires_at: datetime
