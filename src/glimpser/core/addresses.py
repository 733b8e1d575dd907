"""Whom an address on the internet stands for, when somebody is to be counted."""

import ipaddress
from functools import lru_cache

IPV6_PREFIX = 64
"""What one subscriber has at least (RFC 6177): the addresses of such a network count as one."""


@lru_cache(maxsize=4096)  # it is asked several times for each request
def subscriber(address: str | None) -> str:
    """Give what an address is counted as; what is none is counted as it stands."""
    try:
        parsed = ipaddress.ip_address(address or "")
    except ValueError:
        return address or ""
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    if parsed.version == 4:
        return str(parsed)
    return str(ipaddress.ip_network((int(parsed), IPV6_PREFIX), strict=False))
