"""The one gate through which everything that leaves is checked: parse once, resolve once, connect to that.

A name that resolves to something else a moment later (DNS rebinding) changes nothing, because the caller
connects to `Checked.address`, or gives `Checked.pinned_url` to a program that would resolve by itself. Call
it again for every hop of a redirect.
"""

import ipaddress
import socket
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace

from glimpser.core.errors import Denied, InvalidInput, Unavailable
from glimpser.egress.ranges import IPNetwork, embedded, never, only_if_listed, unmapped
from glimpser.egress.target import IPAddress, Target, parse_target

__all__ = ["Checked", "Gate", "GatePolicy", "Resolve", "Target", "parse_target", "resolve_host"]

Resolve = Callable[[str, int], Sequence[str]]
"""Gives the addresses of a name, best first, for a port. OSError: the name does not resolve now."""

_WEB = frozenset({"http", "https"})


@dataclass(frozen=True, slots=True)
class GatePolicy:
    """What the operator opened.

    Attributes:
        allowed: networks open to this use besides the internet.
        own: our listening sockets, closed to every use; `0.0.0.0` or `::` stands for all of this machine's.
        setting: name of the setting that `allowed` comes from; refusals name it.
    """

    allowed: tuple[IPNetwork, ...] = ()
    own: frozenset[tuple[IPAddress, int]] = frozenset()
    setting: str = "capture.egress_allow"


@dataclass(frozen=True, slots=True)
class Checked:
    """Where to connect. `pinned_url` holds the address instead of the name, and the credentials.

    Over TLS the certificate is that of `target.host`: give it as server name beside the pinned URL.
    `addresses` are all that may be connected to, best first; `address` is the first of them.
    """

    address: IPAddress
    target: Target
    pinned_url: str = field(repr=False)
    addresses: tuple[IPAddress, ...]


def resolve_host(host: str, port: int) -> Sequence[str]:
    """Ask the system's resolver; blocks, so not on the event loop's thread."""
    answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in answers))


def is_local_address(address: IPAddress) -> bool:
    """Tell whether this machine has the address: only then can a socket be bound to it."""
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((str(address), 0))
        except OSError:
            return False
    return True


class Gate:
    """Checks URLs against one policy. It keeps no state: any thread may use it."""

    def __init__(
        self, policy: GatePolicy, *, is_local: Callable[[IPAddress], bool] = is_local_address
    ) -> None:
        self._policy = policy
        self._is_local = is_local

    def closed_to(self, address: IPAddress, port: int) -> "Gate":
        """Give the same gate with one more socket of our own, which nothing may connect to."""
        own = self._policy.own | {(address, port)}
        return Gate(replace(self._policy, own=own), is_local=self._is_local)

    def check(self, url: str, *, schemes: Collection[str] = _WEB, resolve: Resolve = resolve_host) -> Checked:
        """Parse, resolve and check a URL. Blocks while `resolve` does.

        Raises:
            InvalidInput: it is no URL that may be used; the sentence says how to write it.
            Denied: one of its addresses is closed; the sentence names the setting that would open it.
            Unavailable: the name does not resolve now.
        """
        return self.check_target(parse_target(url, schemes), resolve=resolve)

    def check_target(self, target: Target, *, resolve: Resolve = resolve_host) -> Checked:
        """Resolve and check a URL that has been parsed. Blocks and raises as `check`."""
        port = target.effective_port
        if port is None:
            raise InvalidInput(f"A {target.scheme} URL names its port: host:port.")
        literal = target.address
        found = [literal] if literal is not None else _resolved(target.host, port, resolve)
        addresses = [unmapped(address) for address in found]
        for address in addresses:
            self.check_address(address, port)
        return Checked(addresses[0], target, target.url(addresses[0]), tuple(addresses))

    def check_address(self, address: IPAddress, port: int) -> None:
        """Check one address, and those it stands for.

        Raises:
            Denied: as `check`.
        """
        outer = unmapped(address)
        candidates = (outer, *embedded(outer))
        for candidate in candidates:
            closed = never(candidate)
            if closed is not None:
                raise Denied(f"{_named(address, candidate)} is never connected to: {closed.name}.")
            self._check_own(candidate, port)
        for candidate in candidates:
            self._check_listed(candidate, shown=_named(address, candidate))

    def _check_listed(self, address: IPAddress, *, shown: str) -> None:
        closed = only_if_listed(address)
        if closed is not None and not any(address in network for network in self._policy.allowed):
            raise Denied(
                f"{shown} is closed: {closed.name}. If it is meant, list it in {self._policy.setting}"
                " in the configuration file."
            )

    def _check_own(self, address: IPAddress, port: int) -> None:
        for own, own_port in self._policy.own:
            if own_port != port:
                continue
            if address == unmapped(own) or (own.is_unspecified and self._is_local(address)):
                raise Denied(f"{address} port {port} is this program itself, which is never connected to.")


def _named(address: IPAddress, candidate: IPAddress) -> str:
    return f"{address}" if candidate == address else f"{address} (that is {candidate})"


def _resolved(host: str, port: int, resolve: Resolve) -> list[IPAddress]:
    try:
        addresses = [ipaddress.ip_address(text) for text in resolve(host, port)]
    except (OSError, ValueError) as error:  # UnicodeError, a ValueError, comes of labels no resolver takes
        raise Unavailable(f"The name {host} does not resolve now: check it, and the network.") from error
    if not addresses:
        raise Unavailable(f"The name {host} has no address now.")
    return addresses
