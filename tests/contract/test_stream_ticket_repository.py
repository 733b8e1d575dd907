"""What every database keeps of tickets to streams."""

import pytest

from glimpser.core.errors import NotFound
from glimpser.core.ids import StreamTicketId, new_id
from glimpser.core.ports import Database
from glimpser.core.repositories import Transaction
from tests.contract.samples import at, stream_ticket

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
