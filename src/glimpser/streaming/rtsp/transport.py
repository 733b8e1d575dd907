"""The Transport header of SETUP (RFC 2326, section 12.39): what a client offers, what the server takes.

Only unicast playing is served. `destination` is ignored: packets go to the address that asked and to no
other, or the server would be a gun for hire.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

_PAIR: Final = re.compile(r"(\d{1,5})(?:-(\d{1,5}))?")
_LOWEST_PORT: Final = 1024  # below live services that answer to whoever they believe sent the packet


class Lower(StrEnum):
    """The lower transport: how RTP travels."""

    TCP = "tcp"
    UDP = "udp"


@dataclass(frozen=True, slots=True)
class Offer:
    """One acceptable way: the client's pair of channels (TCP) or ports (UDP), RTP first, then RTCP."""

    lower: Lower
    rtp: int
    rtcp: int


def choose(header: str, accepted: Collection[Lower]) -> Offer | None:
    """Take the first offer that can be served; None calls for 461."""
    return next((offer for offer in _offers(header) if offer.lower in accepted), None)


def _offers(header: str) -> Iterator[Offer]:
    for text in header.split(","):
        specification, *parameters = (part.strip() for part in text.split(";"))
        named = {name.lower(): value for name, _, value in (p.partition("=") for p in parameters)}
        if "multicast" in named or named.get("mode", "play").strip('"').lower() != "play":
            continue
        offer = _offer(specification.upper(), named)
        if offer is not None:
            yield offer


def _offer(specification: str, named: dict[str, str]) -> Offer | None:
    if specification == "RTP/AVP/TCP":
        pair = _pair(named.get("interleaved", "0-1"), highest=255)
        return pair and Offer(Lower.TCP, *pair)
    if specification in {"RTP/AVP", "RTP/AVP/UDP"}:
        pair = _pair(named.get("client_port", ""), highest=65_535)
        return Offer(Lower.UDP, *pair) if pair and min(pair) >= _LOWEST_PORT else None
    return None


def _pair(text: str, *, highest: int) -> tuple[int, int] | None:
    match = _PAIR.fullmatch(text)
    if match is None:
        return None
    first = int(match[1])
    second = int(match[2]) if match[2] else first + 1
    return (first, second) if first != second and max(first, second) <= highest else None
