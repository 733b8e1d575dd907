import asyncio
from dataclasses import replace

import pytest

from glimpser.core.errors import Conflict, InvalidInput, NotFound
from glimpser.testing.clock import FakeClock
from tests.unit.streaming.rtsp.client import (
    KEY,
    LIMITS,
    PPS,
    SPS,
    START,
    Connect,
    ready_mount,
    server_with,
    until,
)

pytestmark = pytest.mark.anyio


async def test_describe_waits_for_the_first_key_frame(connect: Connect) -> None:
    async with server_with() as server:
        mount = server.mount("cam")
        client = await connect(server)
        async with asyncio.TaskGroup() as group:
            asked = group.create_task(client.ask("DESCRIBE"))
            await until(lambda: mount.viewers == 1)

            mount.push(KEY, 0, key=True)

        assert asked.result().status == 200
        assert (await client.ask("OPTIONS")).status == 200


async def test_describe_gives_up_when_no_key_frame_comes(connect: Connect) -> None:
    clock = FakeClock()
    async with server_with(clock=clock) as server:
        mount = server.mount("cam")
        client = await connect(server)
        async with asyncio.TaskGroup() as group:
            asked = group.create_task(client.ask("DESCRIBE"))
            await until(lambda: mount.viewers == 1)
            clock.advance(LIMITS.describe_wait_s)
            server.sweep()

        assert asked.result().status == 503
        assert mount.viewers == 0


async def test_a_silent_player_is_closed_and_one_that_asks_now_and_then_is_not(connect: Connect) -> None:
    clock = FakeClock()
    async with server_with(clock=clock) as server:
        ready_mount(server)
        silent, asking = await connect(server), await connect(server)
        await silent.play()
        await asking.play()
        clock.advance(59)
        await asking.ask("GET_PARAMETER")

        clock.advance(1)
        server.sweep()

        assert await silent.ended()
        assert (await asking.ask("OPTIONS")).status == 200


async def test_a_client_that_never_sets_up_is_closed_however_much_it_talks(connect: Connect) -> None:
    clock = FakeClock()
    async with server_with(clock=clock) as server:
        client = await connect(server)
        clock.advance(LIMITS.handshake_s - 1)
        assert (await client.ask("OPTIONS")).status == 200

        clock.advance(1)
        server.sweep()

        assert await client.ended()


async def test_a_reader_that_never_reads_costs_a_constant_and_slows_nobody(connect: Connect) -> None:
    picture = START + SPS + START + PPS + START + b"\x65" + bytes([1]) * 20_000
    async with server_with() as server:
        mount = ready_mount(server)
        stuck, good = await connect(server), await connect(server)
        await stuck.play()
        await good.play()
        for number in range(400):  # 8 MB
            mount.push(picture, number * 3_600, key=True)
            await good.packets(2 + 15)

        [unsent, _] = sorted(
            (c._transport.get_write_buffer_size() for c in server._connections), reverse=True
        )
        assert LIMITS.send_buffer_bytes < unsent < LIMITS.send_buffer_bytes + 21_000

        client_packets = await stuck.packets(17 * 2)
        sequences = [int.from_bytes(packet[2:4], "big") for packet in client_packets]
        assert sequences == [(sequences[0] + n) & 0xFFFF for n in range(len(sequences))]


async def test_requests_without_end_from_a_client_that_does_not_read_are_left_in_the_network(
    connect: Connect,
) -> None:
    async with server_with() as server:
        ready_mount(server)
        flooding, good = await connect(server), await connect(server)
        flood = b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n" * 1_000

        for _ in range(300):
            flooding.writer.write(flood)
            await asyncio.sleep(0)

        assert (await good.ask("OPTIONS")).status == 200
        sizes = [c._transport.get_write_buffer_size() for c in server._connections]
        assert max(sizes) < LIMITS.send_buffer_bytes + 1_000
        flooding.writer.transport.abort()


async def test_more_connections_than_allowed_are_refused_and_a_place_becomes_free_again(
    connect: Connect,
) -> None:
    async with server_with(limits=replace(LIMITS, max_connections=1)) as server:
        first = await connect(server)
        await first.ask("OPTIONS")

        second = await connect(server)
        refused = await second.reply()
        first.writer.close()
        await until(lambda: server.connections == 0)
        third = await connect(server)

        assert refused.status == 503
        assert (await third.ask("OPTIONS")).status == 200


async def test_unmounting_ends_its_players_and_leaves_the_others(connect: Connect) -> None:
    async with server_with() as server:
        ready_mount(server)
        other = server.mount("other")
        other.push(KEY, 0, key=True)
        gone, staying = await connect(server), await connect(server)
        await gone.play()
        await staying.ask("DESCRIBE", "other")

        server.unmount("cam")

        assert await gone.ended()
        assert (await staying.ask("DESCRIBE", "cam")).status == 404
        assert other.viewers == 1


async def test_a_path_is_mounted_once_and_unmounted_once() -> None:
    server = server_with()
    server.mount("a/b-c.d_e~f")

    with pytest.raises(Conflict):
        server.mount("a/b-c.d_e~f")
    server.unmount("a/b-c.d_e~f")
    with pytest.raises(NotFound):
        server.unmount("a/b-c.d_e~f")


@pytest.mark.parametrize(
    "path", ["", "/cam", "cam/", "a//b", "..", "a/../b", "a b", "a\r\nb", "x" * 257, "ü"]
)
async def test_a_path_that_no_url_can_name_is_not_mounted(path: str) -> None:
    with pytest.raises(InvalidInput):
        server_with().mount(path)


async def test_leaving_closes_the_port_and_every_connection(connect: Connect) -> None:
    async with server_with() as server:
        ready_mount(server)
        client = await connect(server)
        await client.play()

    assert await client.ended()
    assert server.connections == 0
    with pytest.raises(ConnectionRefusedError):
        await connect(server)
