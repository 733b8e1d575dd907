"""What addresses are counted as."""

import pytest

from glimpser.core.addresses import subscriber


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::", "2001:db8:1:3::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("unknown", "unknown"),
        ("", ""),
        (None, ""),
    ],
)
def test_an_address_of_ipv6_counts_as_its_subscriber(address: str | None, counted: str) -> None:
    assert subscriber(address) == counted
