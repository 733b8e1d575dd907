"""The gate: each range on both sides, every spelling of an address, rebinding, our own sockets."""

import contextlib
import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glimpser.core.errors import Denied, GlimpserError, InvalidInput, Unavailable
from glimpser.egress.gate import Gate, GatePolicy, Resolve, is_local_address, resolve_host
from glimpser.egress.ranges import embedded

CLOSED = Gate(GatePolicy())


def opened(*networks: str, setting: str = "capture.egress_allow") -> Gate:
    return Gate(GatePolicy(allowed=tuple(map(ipaddress.ip_network, networks)), setting=setting))


EVERYTHING = opened("0.0.0.0/0", "::/0")


def answering(*addresses: str) -> Resolve:
    return lambda _host, _port: list(addresses)


def url_of(address: str) -> str:
    return f"http://[{address}]/" if ":" in address else f"http://{address}/"


NEVER = [
    "0.0.0.0",
    "0.0.0.1",
    "0.255.255.255",
    "169.254.0.0",
    "169.254.169.254",
    "169.254.255.255",
    "100.100.100.200",
    "168.63.129.16",
    "192.0.0.192",
    "224.0.0.0",
    "239.255.255.255",
    "255.255.255.255",
    "::",
    "fe80::",
    "fe80::1",
    "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    "ff00::",
    "ff02::1",
    "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    "fd00:ec2::254",
    "fd20:ce::254",
    "::ffff:169.254.169.254",
    "::ffff:0.0.0.0",
    "::169.254.169.254",
    "::ffff:0:169.254.169.254",
    "64:ff9b::169.254.169.254",
    "64:ff9b:1::169.254.169.254",
    "64:ff9b:1:a9fe:a9:fe00::",
    "2002:a9fe:a9fe::1",
    "2001:0:a9fe:a9fe::1",
    "2001:0:808:808::5601:5601",
]

LISTED = [
    "127.0.0.0",
    "127.0.0.1",
    "127.255.255.255",
    "10.0.0.0",
    "10.255.255.255",
    "172.16.0.0",
    "172.31.255.255",
    "192.168.0.0",
    "192.168.255.255",
    "100.64.0.0",
    "100.127.255.255",
    "192.0.0.0",
    "192.0.0.255",
    "192.0.2.1",
    "198.51.100.1",
    "203.0.113.1",
    "192.88.99.1",
    "198.18.0.0",
    "198.19.255.255",
    "240.0.0.0",
    "255.255.255.254",
    "::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::8.8.8.8",
    "::ffff:0:8.8.8.8",
    "64:ff9b::8.8.8.8",
    "64:ff9b::10.0.0.1",
    "64:ff9b:1::8.8.8.8",
    "2002:808:808::1",
    "2002:a00:1::1",
    "2001:0:808:808::f7f7:f7f7",
    "2001:2::1",
    "2001:20::1",
    "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff",
    "2001:db8::1",
    "3fff::1",
    "fc00::",
    "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    "fd00:ec2::253",
    "fd00:ec2::255",
    "fec0::1",
    "100::1",
    "5f00::1",
    "4000::",
    "1fff::1",
]

OPEN = [
    "1.0.0.0",
    "9.255.255.255",
    "11.0.0.0",
    "8.8.8.8",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "128.0.0.0",
    "168.63.129.15",
    "168.63.129.17",
    "169.253.255.255",
    "169.255.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "192.0.1.255",
    "192.0.3.0",
    "192.88.98.255",
    "192.88.100.0",
    "192.167.255.255",
    "192.169.0.0",
    "198.17.255.255",
    "198.20.0.0",
    "198.51.99.255",
    "198.51.101.0",
    "203.0.112.255",
    "203.0.114.0",
    "223.255.255.255",
    "::ffff:8.8.8.8",
    "2000::",
    "2001:200::1",
    "2001:db7:ffff:ffff:ffff:ffff:ffff:ffff",
    "2001:db9::",
    "2001:4860:4860::8888",
    "2003::1",
    "2606:4700::1111",
    "3ffe::1",
    "3fff:1000::1",
]


@pytest.mark.parametrize("address", NEVER)
def test_no_setting_opens_what_is_never_connected_to(address: str) -> None:
    for gate in (CLOSED, EVERYTHING):
        with pytest.raises(Denied, match="never connected to"):
            gate.check(url_of(address))


@pytest.mark.parametrize("address", LISTED)
def test_a_special_range_is_closed_until_it_is_listed(address: str) -> None:
    with pytest.raises(Denied, match=r"capture\.egress_allow"):
        CLOSED.check(url_of(address))

    assert EVERYTHING.check(url_of(address)).target.host


@pytest.mark.parametrize("address", OPEN)
def test_the_internet_is_open(address: str) -> None:
    checked = CLOSED.check(url_of(address))

    assert checked.address == (
        ipaddress.ip_address("8.8.8.8") if "ffff:8.8" in address else ipaddress.ip_address(address)
    )


def test_a_name_is_refused_when_one_of_its_addresses_is() -> None:
    with pytest.raises(Denied, match=r"10\.0\.0\.1"):
        CLOSED.check("http://cam.example/", resolve=answering("8.8.8.8", "10.0.0.1"))


def test_a_name_is_pinned_to_its_first_address() -> None:
    checked = CLOSED.check(
        "http://u:p%40w@cam.example:81/x?y", resolve=answering("2606:4700::1111", "8.8.8.8")
    )

    assert checked.pinned_url == "http://u:p%40w@[2606:4700::1111]:81/x?y"
    assert checked.target.host == "cam.example"


def test_a_mapped_address_is_pinned_as_ipv4() -> None:
    checked = opened("10.0.0.0/8").check("http://cam.example/", resolve=answering("::ffff:10.0.0.1"))

    assert checked.pinned_url == "http://10.0.0.1/"


def test_a_name_is_resolved_once() -> None:
    asked: list[str] = []

    def rebinding(host: str, _port: int) -> list[str]:
        asked.append(host)
        return ["8.8.8.8"] if len(asked) == 1 else ["127.0.0.1"]

    checked = CLOSED.check("http://rebind.example/", resolve=rebinding)

    assert checked.pinned_url == "http://8.8.8.8/"
    assert asked == ["rebind.example"]


def test_an_address_is_not_resolved() -> None:
    def unexpected(host: str, _port: int) -> list[str]:
        raise AssertionError(host)

    assert CLOSED.check("http://8.8.8.8/", resolve=unexpected).pinned_url == "http://8.8.8.8/"


def test_a_refusal_names_the_setting_of_its_policy() -> None:
    gate = opened("192.168.0.0/16", setting="capture.camera_cidrs")

    with pytest.raises(Denied, match=r"private \(RFC 1918\).*capture\.camera_cidrs"):
        gate.check("rtsp://10.0.0.5/", schemes={"rtsp"})

    assert gate.check("rtsp://192.168.1.5/", schemes={"rtsp"}).pinned_url == "rtsp://192.168.1.5/"


def test_a_listed_translator_does_not_open_what_lies_behind_it() -> None:
    gate = opened("64:ff9b::/96")

    with pytest.raises(Denied, match=r"that is 10\.0\.0\.1"):
        gate.check("http://[64:ff9b::10.0.0.1]/")

    assert gate.check("http://[64:ff9b::8.8.8.8]/").pinned_url == "http://[64:ff9b::808:808]/"


@pytest.mark.parametrize(
    ("address", "inner"),
    [
        ("64:ff9b::192.0.2.33", {"192.0.2.33"}),
        ("2002:c000:221::", {"192.0.2.33"}),
        # The example of RFC 4380, section 4: server and, inverted, client.
        ("2001:0:4136:e378:8000:63bf:3fff:fdd2", {"65.54.227.120", "192.0.2.45"}),
        ("::192.0.2.33", {"192.0.2.33"}),
        ("2606:4700::1111", set()),
        ("::1", set()),
    ],
)
def test_embedded_addresses_are_found(address: str, inner: set[str]) -> None:
    assert {str(found) for found in embedded(ipaddress.ip_address(address))} == inner


def test_a_local_nat64_prefix_holds_its_address_in_two_places() -> None:
    # RFC 6052, section 2.4: 192.0.2.33 behind a /48.
    found = {str(address) for address in embedded(ipaddress.ip_address("64:ff9b:1:c000:2:2100::"))}

    assert "192.0.2.33" in found


def own(address: str, port: int) -> GatePolicy:
    return GatePolicy(
        allowed=(ipaddress.ip_network("0.0.0.0/0"), ipaddress.ip_network("::/0")),
        own=frozenset({(ipaddress.ip_address(address), port)}),
    )


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:8080/", "http://[::ffff:127.0.0.1]:8080/", "http://[64:ff9b::127.0.0.1]:8080/"],
)
def test_our_own_socket_is_never_connected_to(url: str) -> None:
    gate = Gate(own("127.0.0.1", 8080))

    with pytest.raises(Denied, match="this program itself"):
        gate.check(url)

    assert gate.check("http://127.0.0.1:8081/").pinned_url == "http://127.0.0.1:8081/"


@pytest.mark.parametrize("wildcard", ["0.0.0.0", "::"])
def test_listening_everywhere_covers_every_address_of_this_machine(wildcard: str) -> None:
    ours = {ipaddress.ip_address("192.168.1.9"), ipaddress.ip_address("::1")}
    gate = Gate(own(wildcard, 80), is_local=ours.__contains__)

    for url in ("http://192.168.1.9/", "http://[::1]/"):
        with pytest.raises(Denied, match="this program itself"):
            gate.check(url)

    assert gate.check("http://192.168.1.10/").pinned_url == "http://192.168.1.10/"


def test_a_machine_knows_its_own_addresses() -> None:
    assert is_local_address(ipaddress.ip_address("127.0.0.1"))
    assert not is_local_address(ipaddress.ip_address("192.0.2.1"))


def test_a_name_that_does_not_resolve_is_unavailable() -> None:
    def failing(_host: str, _port: int) -> list[str]:
        raise OSError(-2, "Name or service not known")

    for resolve in (failing, answering(), answering("garbage")):
        with pytest.raises(Unavailable, match=r"cam\.example"):
            CLOSED.check("http://cam.example/", resolve=resolve)


def test_a_zone_in_an_answer_does_not_hide_its_range() -> None:
    with pytest.raises(Denied, match="link-local"):
        EVERYTHING.check("http://cam.example/", resolve=answering("fe80::1%eth0"))


def test_a_scheme_without_a_port_of_its_own_needs_one() -> None:
    with pytest.raises(InvalidInput, match="port"):
        CLOSED.check("srt://8.8.8.8", schemes={"srt"})

    assert CLOSED.check("srt://8.8.8.8:9000", schemes={"srt"}).pinned_url == "srt://8.8.8.8:9000/"


def test_the_system_resolver_gives_each_address_once() -> None:
    addresses = resolve_host("127.0.0.1", 80)

    assert addresses == ["127.0.0.1"]


@given(st.ip_addresses())
def test_the_closed_gate_passes_global_addresses_alone(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    try:
        checked = CLOSED.check(url_of(str(address)))
    except Denied:
        return

    assert checked.address.is_global
    assert not checked.address.is_multicast
    assert not checked.address.is_reserved


@given(st.text(max_size=80), st.lists(st.text(max_size=20), max_size=3))
def test_no_url_and_no_answer_raises_anything_but_our_errors(url: str, answers: list[str]) -> None:
    with contextlib.suppress(GlimpserError):
        CLOSED.check(url, resolve=answering(*answers))
    with contextlib.suppress(GlimpserError):
        CLOSED.check("http://cam.example/", resolve=answering(*answers))
