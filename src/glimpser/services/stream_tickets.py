"""Tickets to streams: made by somebody who may watch, worth what their maker may see at each moment.

A ticket's text is `<id>.<expiry>.<mac>`: its row's id, and a ticket in the sense of `services.tickets` for
the path and that id. So what was made up costs no question to the database, and what was revoked opens
nothing.
"""

from dataclasses import dataclass
from datetime import timedelta

from glimpser.core.accounts import Principal, Role
from glimpser.core.clock import Clock
from glimpser.core.errors import Conflict, NotFound, Unavailable
from glimpser.core.ids import ApiKeyId, StreamTicketId, TemplateId, UserId, is_id, new_id
from glimpser.core.pages import Page, PageRequest
from glimpser.core.ports import Database
from glimpser.core.repositories import Transaction
from glimpser.core.stream_tickets import StreamKind, StreamTicket, TicketFilter
from glimpser.services.audit import Actor, entry
from glimpser.services.tickets import Tickets

MAX_OF_ONE = 500
"""Tickets one maker may have at a time."""


@dataclass(frozen=True, slots=True)
class Holder:
    """Who shows a ticket, with the rights its maker has now."""

    ticket: StreamTicket
    principal: Principal


@dataclass(frozen=True, slots=True)
class Listed:
    """A ticket with the name of who made it; None: there is no such account or key any more."""

    ticket: StreamTicket
    maker: str | None


class StreamTickets:
    """Event loop's thread."""

    def __init__(self, database: Database, tickets: Tickets, clock: Clock) -> None:
        self._database = database
        self._tickets = tickets
        self._clock = clock

    async def create(
        self, template_id: TemplateId, kind: StreamKind, ttl_s: int, *, maker: Principal, by: Actor
    ) -> StreamTicket:
        """Make a ticket that is good for `ttl_s` seconds.

        Raises:
            NotFound: there is no such template for its maker.
            Conflict: the maker has as many as one may.
        """
        now = self._clock.now()
        ticket = StreamTicket(
            id=StreamTicketId(new_id()),
            template_id=template_id,
            kind=kind,
            maker_id=maker.id,
            maker_kind=maker.kind,
            maker_epoch=maker.session_epoch,
            created_at=now,
            expires_at=(now + timedelta(seconds=ttl_s)).replace(microsecond=0),
        )
        made = entry(by, "ticket.created", ticket.id, clock=self._clock, detail=f"{kind} of {template_id}")

        def add(tx: Transaction) -> None:
            tx.within(maker.scope).templates.get(template_id)
            tx.stream_tickets.purge(now)
            if tx.stream_tickets.count(maker.id) >= MAX_OF_ONE:
                raise Conflict(f"You have {MAX_OF_ONE} tickets, as many as one may: revoke some first.")
            tx.stream_tickets.add(ticket)
            tx.audit.add(made)

        await self._database.write(add)
        return ticket

    async def list(self, template_id: TemplateId, page: PageRequest, *, caller: Principal) -> Page[Listed]:
        """List the tickets that are not over, oldest first: one's own, for an admin everybody's.

        Raises:
            NotFound: there is no such template for who asks.
        """
        maker_id = None if caller.role >= Role.ADMIN else caller.id
        where = TicketFilter(template_id=template_id, now=self._clock.now(), maker_id=maker_id)

        def read(tx: Transaction) -> Page[Listed]:
            tx.within(caller.scope).templates.get(template_id)
            found = tx.stream_tickets.list(where, page)
            return Page([Listed(ticket, _name(tx, ticket)) for ticket in found.items], found.next_cursor)

        return await self._database.read(read)

    async def revoke(
        self, template_id: TemplateId, ticket_id: StreamTicketId, *, caller: Principal, by: Actor
    ) -> None:
        """End a ticket before its time: one's own, or as an admin anybody's.

        Raises:
            NotFound: there is none, or it is somebody else's.
        """
        made = entry(by, "ticket.revoked", ticket_id, clock=self._clock)

        def remove(tx: Transaction) -> None:
            ticket = tx.stream_tickets.get(ticket_id)
            is_theirs = ticket.maker_id == caller.id or caller.role >= Role.ADMIN
            if ticket.template_id != template_id or not is_theirs:
                raise NotFound("There is no ticket with this id.")
            tx.stream_tickets.remove(ticket_id)
            tx.audit.add(made)

        await self._database.write(remove)

    def text(self, ticket: StreamTicket) -> str:
        """Give what its holder shows."""
        expires_s = int(ticket.expires_at.timestamp())
        return f"{ticket.id}.{self._tickets.sign(_signed(ticket.path, ticket.id), expires_s)}"

    async def holder(self, path: str, text: str) -> Holder | None:
        """Tell with whose rights the path is opened; None: the ticket is no good."""
        ticket_id, _, signature = text.partition(".")
        if not is_id(ticket_id) or not self._tickets.check(_signed(path, ticket_id), signature):
            return None
        return await self._holder(StreamTicketId(ticket_id))

    async def still_open(self, ticket: StreamTicket) -> bool:
        """Tell whether an open stream may go on. A database that cannot answer ends only what is over."""
        try:
            return await self._holder(ticket.id) is not None
        except Unavailable:
            return ticket.expires_at > self._clock.now()

    async def _holder(self, ticket_id: StreamTicketId) -> Holder | None:
        now = self._clock.now()

        def read(tx: Transaction) -> Holder | None:
            try:
                ticket = tx.stream_tickets.get(ticket_id)
                maker = _user(tx, ticket) if ticket.maker_kind == "user" else _key(tx, ticket)
                tx.within(maker.scope).templates.get(ticket.template_id)
            except NotFound:
                return None
            is_over = ticket.expires_at <= now or (maker.expires_at is not None and maker.expires_at <= now)
            return None if is_over else Holder(ticket, maker)

        return await self._database.read(read)


def _signed(path: str, ticket_id: str) -> str:
    """Join what the MAC is over; no path holds a line break."""
    return f"{ticket_id}\n{path}"


def _name(tx: Transaction, ticket: StreamTicket) -> str | None:
    try:
        if ticket.maker_kind == "user":
            return tx.users.get(UserId(ticket.maker_id)).email
        return tx.api_keys.get(ApiKeyId(ticket.maker_id)).name
    except NotFound:
        return None


def _user(tx: Transaction, ticket: StreamTicket) -> Principal:
    user = tx.users.get(UserId(ticket.maker_id))
    if user.disabled or user.session_epoch != ticket.maker_epoch:
        raise NotFound("Its maker may do nothing any more.")
    return Principal(id=user.id, name=user.email, role=user.role, groups=user.groups)


def _key(tx: Transaction, ticket: StreamTicket) -> Principal:
    key = tx.api_keys.get(ApiKeyId(ticket.maker_id))
    return Principal(
        id=key.id,
        name=key.name,
        role=key.role,
        groups=key.groups,
        kind="api_key",
        expires_at=key.expires_at,
    )
