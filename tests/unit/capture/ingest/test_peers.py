import ipaddress
import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing

import pytest

from glimpser.capture.ingest.peers import Peers

HOME = ipaddress.ip_address("127.0.0.1")


class Net:
    """Listening sockets, and connections of this process to them."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack

    def listen(self, family: socket.AddressFamily = socket.AF_INET) -> int:
        host = "127.0.0.1" if family == socket.AF_INET else "::1"
        listener = self._stack.enter_context(socket.create_server((host, 0), family=family))
        return int(listener.getsockname()[1])

    def connect(self, port: int, host: str = "127.0.0.1") -> socket.socket:
        return self._stack.enter_context(closing(socket.create_connection((host, port))))


@pytest.fixture
def net() -> Iterator[Net]:
    with ExitStack() as stack:
        yield Net(stack)


def test_whoever_is_connected_where_it_should_be_has_not_been_led_astray(net: Net) -> None:
    peers, port = Peers(), net.listen()

    with peers.expected(HOME, port) as known:
        connection = net.connect(port)

        assert peers.led_astray(connection.close, known=known) is False
        assert connection.fileno() >= 0


def test_whoever_is_connected_elsewhere_has_been_led_astray_and_is_closed(net: Net) -> None:
    peers, expected, elsewhere = Peers(), net.listen(), net.listen()

    with peers.expected(HOME, expected) as known:
        connection = net.connect(elsewhere)

        assert peers.led_astray(connection.close, known=known) is True
        assert connection.fileno() == -1


def test_a_stranger_of_somebody_else_is_not_held_against_a_stream(net: Net) -> None:
    peers, expected, elsewhere = Peers(), net.listen(), net.listen()

    with peers.expected(HOME, expected) as known:
        connection, _other = net.connect(expected), net.connect(elsewhere)

        assert peers.led_astray(connection.close, known=known) is None


def test_strangers_that_were_there_before_are_nobodys_concern(net: Net) -> None:
    peers, expected, elsewhere = Peers(), net.listen(), net.listen()
    net.connect(elsewhere)

    with peers.expected(HOME, expected) as known:
        connection = net.connect(expected)

        assert peers.led_astray(connection.close, known=known) is False


def test_an_address_is_expected_as_long_as_one_stream_expects_it(net: Net) -> None:
    peers, port = Peers(), net.listen()
    net.connect(port)
    before = len(peers.strangers())

    with peers.expected(HOME, port):
        with peers.expected(HOME, port):
            pass
        meanwhile = len(peers.strangers())

    assert (meanwhile, len(peers.strangers())) == (before - 1, before)


def test_the_same_address_on_another_port_is_a_stranger(net: Net) -> None:
    peers, port = Peers(), net.listen()

    with peers.expected(HOME, port + 1 if port < 65535 else port - 1) as known:
        connection = net.connect(port)

        assert peers.led_astray(connection.close, known=known) is True


def test_only_connected_tcp_sockets_count(net: Net) -> None:
    peers = Peers()
    before = peers.strangers()
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp,
        socket.socket(socket.AF_UNIX) as unconnected,
        socket.socket() as fresh,
    ):
        udp.connect(("127.0.0.1", 9))
        assert unconnected.fileno() != fresh.fileno()
        net.listen()

        assert peers.strangers() == before


@pytest.mark.skipif(not socket.has_ipv6, reason="no IPv6 on this machine")
def test_ipv6_is_seen_and_an_ipv4_address_in_its_clothes_is_the_ipv4_address(net: Net) -> None:
    peers = Peers()
    try:
        port6 = net.listen(socket.AF_INET6)
    except OSError:
        pytest.skip("no IPv6 on this machine")
    port4 = net.listen()

    with peers.expected(ipaddress.ip_address("::1"), port6) as known, peers.expected(HOME, port4):
        net.connect(port6, "::1")
        mapped = net.connect(port4, "::ffff:127.0.0.1")

        assert peers.led_astray(mapped.close, known=known) is False
