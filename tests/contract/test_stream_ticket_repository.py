"""What every database keeps of tickets to streams."""

from dataclasses import replace

import pytest

from glimpser.core.errors import NotFound
from glimpser.core.ids import StreamTicketId, TemplateId, new_id
from glimpser.core.pages import Page, PageRequest
from glimpser.core.ports import Database
from glimpser.core.repositories import Transaction
from glimpser.core.stream_tickets import StreamTicket, TicketFilter
from tests.contract.samples import VIEW, at, id_at, stream_ticket

pytestmark = pytest.mark.anyio


async def test_gives_back_every_field_until_it_is_removed(database: Database) -> None:
    ticket = stream_ticket(kind="snapshot", maker_kind="api_key", maker_epoch=0)
    await database.write(lambda tx: tx.stream_tickets.add(ticket))

    assert await database.read(lambda tx: tx.stream_tickets.get(ticket.id)) == ticket
    await database.write(lambda tx: tx.stream_tickets.remove(ticket.id))

    with pytest.raises(NotFound):
        await database.read(lambda tx: tx.stream_tickets.get(ticket.id))
    with pytest.raises(NotFound):
        await database.write(lambda tx: tx.stream_tickets.remove(StreamTicketId(new_id())))


async def test_forgets_what_is_over_and_counts_by_maker(database: Database) -> None:
    makers = ("ann", "ann", "bob")
    tickets = [stream_ticket(number, maker_id=maker) for number, maker in enumerate(makers)]

    def add(tx: Transaction) -> None:
        for ticket in tickets:
            tx.stream_tickets.add(ticket)

    await database.write(add)
    assert await database.read(lambda tx: tx.stream_tickets.count("ann")) == 2

    assert await database.write(lambda tx: tx.stream_tickets.purge(at(60))) == 1

    assert await database.read(lambda tx: tx.stream_tickets.count("ann")) == 1
    assert await database.read(lambda tx: tx.stream_tickets.count("eve")) == 0


async def test_lists_those_to_one_view_that_are_not_over(database: Database) -> None:
    tickets = [stream_ticket(number, maker_id="ann" if number % 2 else "bob") for number in range(5)]
    elsewhere = stream_ticket(9, template_id=TemplateId(id_at(77)))

    def add(tx: Transaction) -> None:
        for ticket in (*reversed(tickets), elsewhere):
            tx.stream_tickets.add(ticket)

    await database.write(add)
    where = TicketFilter(template_id=VIEW, now=at(60))  # the first is over then

    def read(tx: Transaction) -> tuple[Page[StreamTicket], Page[StreamTicket], Page[StreamTicket]]:
        return (
            tx.stream_tickets.list(where, PageRequest(2)),
            tx.stream_tickets.list(where, PageRequest(2, tickets[2].id)),
            tx.stream_tickets.list(replace(where, maker_id="ann"), PageRequest()),
        )

    first, rest, anns = await database.read(read)
    assert [*first.items] == tickets[1:3]
    assert first.next_cursor is not None
    assert ([*rest.items], rest.next_cursor) == (tickets[3:], None)
    assert [*anns.items] == [tickets[1], tickets[3]]
