"""The self-test, and what happens with a server that is not the one it knows. Real servers: see contract."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

import pytest
from starlette.types import Message, Send

from glimpser.core.frames import Frame
from glimpser.core.ids import TemplateId
from glimpser.streaming import fast_write
from glimpser.streaming.fast_write import Connection
from glimpser.streaming.subscriptions import Published


@dataclass
class Transport:
    waiting_bytes: int = 0
    closing: bool = False
    aborted: bool = False
    written: list[bytes] = field(default_factory=list)

    def get_write_buffer_size(self) -> int:
        return self.waiting_bytes

    def is_closing(self) -> bool:
        return self.closing

    def write(self, data: bytes) -> None:
        self.written.append(data)

    def close(self) -> None:
        self.closing = True

    def abort(self) -> None:
        self.aborted = True


@dataclass
class Cycle:
    transport: Any = field(default_factory=Transport)
    chunked_encoding: bool | None = None

    async def send(self, message: Message) -> None:
        pass


def connected(cycle: Cycle) -> Connection:
    connection = Connection.of(cycle.send)
    assert connection is not None
    return connection


PICTURE = Published(Frame(TemplateId("cam"), 1, None, b"jpeg", 4, 3))  # type: ignore[arg-type]  # its time is not looked at


def form(frame: Frame) -> bytes:
    return b"part:" + frame.jpeg


def clock() -> float:
    return 0.0


async def wrapped(message: Message) -> None:
    pass


def test_a_wrapped_send_has_no_connection() -> None:
    assert Connection.of(wrapped) is None


def test_another_servers_send_has_no_connection() -> None:
    class Other:
        async def send(self, message: Message) -> None:
            pass

    assert Connection.of(Other().send) is None
    assert Connection.of(Cycle(transport=None).send) is None


def test_an_idle_connection_gets_the_picture() -> None:
    cycle = Cycle()

    assert connected(cycle).sink(form, clock).take(PICTURE)

    assert cycle.transport.written == [b"part:jpeg"]


def test_a_busy_connection_is_skipped_and_its_time_is_taken() -> None:
    cycle = Cycle(Transport(waiting_bytes=1))
    sink = connected(cycle).sink(form, iter([5.0, 6.0]).__next__)

    assert not sink.take(PICTURE)
    assert not sink.take(PICTURE)

    assert cycle.transport.written == []
    assert sink.blocked_at == 5.0
    cycle.transport.waiting_bytes = 0
    assert sink.take(PICTURE)
    assert sink.blocked_at is None


def test_nothing_is_written_to_a_closing_connection() -> None:
    cycle = Cycle(Transport(closing=True))
    connection = connected(cycle)

    assert connection.sink(form, clock).take(PICTURE)
    connection.write(b"end")

    assert cycle.transport.written == []


def test_a_closing_connection_is_dropped_after_its_time_and_an_open_one_is_not() -> None:
    async def scenario() -> None:
        closing, lasting = Cycle(Transport(closing=True)), Cycle()
        connected(closing).limit_closing(0.0)
        connected(lasting).limit_closing(0.0)
        await asyncio.sleep(0.01)

        assert closing.transport.aborted
        assert not lasting.transport.aborted

    asyncio.run(scenario())


def test_a_connection_that_does_not_empty_is_dropped() -> None:
    async def gone() -> Message:
        return {"type": "http.disconnect"}

    async def scenario() -> None:
        stuck, quick = Cycle(Transport(waiting_bytes=1)), Cycle()

        assert not await connected(stuck).emptied(within_s=0.0)
        assert await connected(quick).emptied(within_s=0.0)
        await connected(stuck).drop(gone, within_s=0.0)
        await connected(quick).drop(gone, within_s=0.0)

        assert stuck.transport.aborted
        assert quick.transport.closing
        assert not quick.transport.aborted

    asyncio.run(scenario())


def test_the_server_as_pinned_passes_the_self_test() -> None:
    assert asyncio.run(fast_write.available())


class SendsChunksToEveryone(Connection):
    def leave_unchunked(self) -> None:
        pass


class LosesBytes(Connection):
    def write(self, data: bytes) -> None:
        pass


class FramesNothing(Connection):
    @property
    def chunked(self) -> bool:
        return False


class FindsNothing(Connection):
    @classmethod
    def of(cls, send: Send) -> None:
        return None


@pytest.mark.parametrize("kind", [SendsChunksToEveryone, LosesBytes, FramesNothing, FindsNothing])
def test_a_server_whose_inside_changed_fails_the_self_test(kind: type[Connection]) -> None:
    assert not asyncio.run(fast_write.available(kind))
