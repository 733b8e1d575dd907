"""Tickets to streams that are neither revoked nor long over."""

from datetime import datetime

from sqlalchemy import Connection, bindparam, delete, func, insert, select

from glimpser.core.errors import NotFound
from glimpser.core.ids import StreamTicketId
from glimpser.core.orders import TICKET_ORDERS
from glimpser.core.pages import Page, PageRequest
from glimpser.core.stream_tickets import StreamTicket, TicketFilter
from glimpser.db.queries.paging import AnyRow, fetch_page, oldest_first
from glimpser.db.tables import stream_tickets

_ADD = insert(stream_tickets)
_GET = select(stream_tickets).where(stream_tickets.c.id == bindparam("id"))
_COUNT = (
    select(func.count()).select_from(stream_tickets).where(stream_tickets.c.maker_id == bindparam("maker_id"))
)
_LIST = select(stream_tickets)
_REMOVE = delete(stream_tickets).where(stream_tickets.c.id == bindparam("id"))
_PURGE = delete(stream_tickets).where(stream_tickets.c.expires_at <= bindparam("now"))


class SqlStreamTickets:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, ticket: StreamTicket) -> None:
        row = {
            "id": ticket.id,
            "template_id": ticket.template_id,
            "kind": ticket.kind,
            "maker_id": ticket.maker_id,
            "maker_kind": ticket.maker_kind,
            "maker_epoch": ticket.maker_epoch,
            "created_at": ticket.created_at,
            "expires_at": ticket.expires_at,
        }
        self._connection.execute(_ADD, row)

    def get(self, ticket_id: StreamTicketId) -> StreamTicket:
        row = self._connection.execute(_GET, {"id": ticket_id}).mappings().one_or_none()
        if row is None:
            raise _none()
        return StreamTicket(**row)

    def count(self, maker_id: str) -> int:
        return self._connection.scalar(_COUNT, {"maker_id": maker_id}) or 0

    def list(self, where: TicketFilter, page: PageRequest) -> Page[StreamTicket]:
        statement = _LIST.where(
            stream_tickets.c.template_id == where.template_id, stream_tickets.c.expires_at > where.now
        )
        if where.maker_id is not None:
            statement = statement.where(stream_tickets.c.maker_id == where.maker_id)
        ordered = oldest_first(statement, page, {})
        return fetch_page(self._connection, ordered, page, TICKET_ORDERS, make=_ticket)

    def remove(self, ticket_id: StreamTicketId) -> None:
        if self._connection.execute(_REMOVE, {"id": ticket_id}).rowcount == 0:
            raise _none()

    def purge(self, now: datetime) -> int:
        return self._connection.execute(_PURGE, {"now": now}).rowcount


def _ticket(row: AnyRow) -> StreamTicket:
    return StreamTicket(**row._asdict())


def _none() -> NotFound:
    return NotFound("There is no ticket with this id.")
