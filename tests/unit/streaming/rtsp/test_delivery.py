import asyncio
import socket
from collections.abc import Iterator

import pytest

from glimpser.streaming.rtsp.delivery import UdpDelivery
from glimpser.streaming.rtsp.transport import Lower, Offer

pytestmark = pytest.mark.anyio


@pytest.fixture
def receiver() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as opened:
        opened.bind(("127.0.0.1", 0))
        opened.settimeout(5)
        yield opened


@pytest.fixture
def delivery(receiver: socket.socket) -> Iterator[UdpDelivery]:
    port = receiver.getsockname()[1]
    opened = UdpDelivery("127.0.0.1", "127.0.0.1", Offer(Lower.UDP, port, port ^ 1))
    yield opened
    opened.close()


async def test_a_large_picture_leaves_in_bursts_and_in_order(
    delivery: UdpDelivery, receiver: socket.socket
) -> None:
    packets = [number.to_bytes(2, "big") for number in range(100)]

    delivery.send(packets)
    at_once = len(delivery._queue)
    loop = asyncio.get_running_loop()
    received = [await loop.run_in_executor(None, receiver.recv, 10) for _ in packets]

    assert at_once == 100 - 32
    assert received == packets


async def test_more_than_can_be_sent_is_told_as_congestion(delivery: UdpDelivery) -> None:
    delivery.send([b"x"] * 2_000)
    before = delivery.congested

    delivery.send([b"x"] * 200)

    assert (before, delivery.congested) == (False, True)


async def test_a_receiver_that_is_gone_is_no_error(delivery: UdpDelivery, receiver: socket.socket) -> None:
    receiver.close()

    for _ in range(5):
        delivery.send([b"x"])
        delivery.send_report(b"y")

    assert not delivery.congested


async def test_closing_drops_what_waits(delivery: UdpDelivery) -> None:
    delivery.send([b"x"] * 100)

    delivery.close()

    assert delivery._rtp.fileno() == -1
    assert not delivery._queue
