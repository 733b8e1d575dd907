"""What links to streams look like."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from glimpser.core.stream_tickets import StreamKind
from glimpser.services.stream_tickets import Listed
from glimpser.web.shapes.listing import Listing


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamTicketView:
    """A link that opens one stream for whoever has it, until it ends or is revoked."""

    id: str
    url: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeTicketView:
    """A link that was made, without its address. `made_by` is null when there is no such account any more."""

    id: str
    kind: StreamKind
    made_by: str | None
    maker_kind: Literal["user", "api_key"]
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamTicketList(Listing[MadeTicketView]):
    """Links to one stream, oldest first."""

    items: Sequence[MadeTicketView]


def made_ticket_view(listed: Listed) -> MadeTicketView:
    ticket = listed.ticket
    return MadeTicketView(
        id=ticket.id,
        kind=ticket.kind,
        made_by=listed.maker,
        maker_kind=ticket.maker_kind,
        created_at=ticket.created_at,
        expires_at=ticket.expires_at,
    )
