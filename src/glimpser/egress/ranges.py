"""What the address ranges are for, after the IANA special-purpose registries (RFC 6890 and its updates)."""

import ipaddress
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from glimpser.egress.target import IPAddress

IPNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class Range:
    network: IPNetwork
    name: str


def _ranges(*rows: tuple[str, str]) -> tuple[Range, ...]:
    return tuple(Range(ipaddress.ip_network(network), name) for network, name in rows)


NEVER = _ranges(
    ("0.0.0.0/8", "this host (RFC 1122)"),
    ("169.254.0.0/16", "link-local or cloud metadata (RFC 3927)"),
    ("100.100.100.200/32", "cloud metadata"),
    ("168.63.129.16/32", "cloud metadata"),
    ("192.0.0.192/32", "cloud metadata"),
    ("224.0.0.0/4", "multicast (RFC 5771)"),
    ("255.255.255.255/32", "broadcast (RFC 919)"),
    ("::/128", "unspecified (RFC 4291)"),
    ("fe80::/10", "link-local (RFC 4291)"),
    ("fd00:ec2::254/128", "cloud metadata"),
    ("fd00:ec2::23/128", "cloud metadata"),
    ("fd20:ce::254/128", "cloud metadata"),
    ("ff00::/8", "multicast (RFC 4291)"),
)
"""No configuration opens these."""

ONLY_IF_LISTED = _ranges(
    ("127.0.0.0/8", "loopback (RFC 1122)"),
    ("10.0.0.0/8", "private (RFC 1918)"),
    ("172.16.0.0/12", "private (RFC 1918)"),
    ("192.168.0.0/16", "private (RFC 1918)"),
    ("100.64.0.0/10", "carrier-grade NAT (RFC 6598)"),
    ("192.0.0.0/24", "reserved for protocols (RFC 6890)"),
    ("192.0.2.0/24", "documentation (RFC 5737)"),
    ("198.51.100.0/24", "documentation (RFC 5737)"),
    ("203.0.113.0/24", "documentation (RFC 5737)"),
    ("192.88.99.0/24", "6to4 relay (RFC 7526)"),
    ("198.18.0.0/15", "benchmarking (RFC 2544)"),
    ("240.0.0.0/4", "reserved (RFC 1112)"),
    ("::1/128", "loopback (RFC 4291)"),
    ("::/96", "IPv4-compatible (RFC 4291)"),
    ("::ffff:0:0:0/96", "IPv4-translated (RFC 2765)"),
    ("64:ff9b::/96", "NAT64 (RFC 6052)"),
    ("64:ff9b:1::/48", "NAT64 (RFC 8215)"),
    ("2001::/32", "Teredo (RFC 4380)"),
    ("2001::/23", "reserved for protocols (RFC 2928)"),
    ("2001:db8::/32", "documentation (RFC 3849)"),
    ("2002::/16", "6to4 (RFC 3056)"),
    ("3fff::/20", "documentation (RFC 9637)"),
    ("fc00::/7", "unique local (RFC 4193)"),
    ("fec0::/10", "site-local (RFC 3879)"),
)
"""The configuration may open these, one network at a time. The first match names the range."""

_GLOBAL_V6 = ipaddress.ip_network("2000::/3")
_RESERVED_V6 = Range(ipaddress.ip_network("::/0"), "reserved (RFC 4291)")


def _low_32(value: int) -> tuple[int, ...]:
    return (value & 0xFFFFFFFF,)


def _sixtofour(value: int) -> tuple[int, ...]:
    return (value >> 80 & 0xFFFFFFFF,)


def _teredo(value: int) -> tuple[int, ...]:
    return (value >> 64 & 0xFFFFFFFF, ~value & 0xFFFFFFFF)


def _nat64_local(value: int) -> tuple[int, ...]:
    # RFC 6052, section 2.2: behind a /48 the address lies around the reserved octet, behind a /96 at the end.
    # Which one the network uses cannot be seen, so both count; what is empty is not used.
    first_half = value >> 64 & 0xFFFF
    after_48 = first_half << 16 | value >> 40 & 0xFFFF
    return tuple(found for found in (after_48 if first_half else 0, value & 0xFFFFFFFF) if found)


_Extract = Callable[[int], tuple[int, ...]]
_EMBEDDING: tuple[tuple[IPNetwork, _Extract], ...] = (
    (ipaddress.ip_network("::/96"), _low_32),
    (ipaddress.ip_network("::ffff:0:0:0/96"), _low_32),
    (ipaddress.ip_network("64:ff9b::/96"), _low_32),
    (ipaddress.ip_network("64:ff9b:1::/48"), _nat64_local),
    (ipaddress.ip_network("2001::/32"), _teredo),
    (ipaddress.ip_network("2002::/16"), _sixtofour),
)


def unmapped(address: IPAddress) -> IPAddress:
    """Give what the kernel connects to: `::ffff:a.b.c.d` is the IPv4 address itself (RFC 4291, 2.5.5.2)."""
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped if mapped is not None else address


def embedded(address: IPAddress) -> Iterator[ipaddress.IPv4Address]:
    """Give the IPv4 addresses that a translator or tunnel behind `address` would send to."""
    if address.version == 4 or int(address) <= 1:  # :: and ::1 have ranges of their own
        return
    for network, extract in _EMBEDDING:
        if address in network:
            yield from (ipaddress.IPv4Address(value) for value in extract(int(address)))


def never(address: IPAddress) -> Range | None:
    """The range of `NEVER` that holds `address`, if one does."""
    return next((item for item in NEVER if address in item.network), None)


def only_if_listed(address: IPAddress) -> Range | None:
    """The range that keeps `address` closed until it is listed; None for the open internet."""
    found = next((item for item in ONLY_IF_LISTED if address in item.network), None)
    if found is None and address.version == 6 and address not in _GLOBAL_V6:
        return _RESERVED_V6
    return found
