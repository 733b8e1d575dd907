"""Our own URL parser: it accepts less than RFC 3986 allows, so that no two programs read a URL differently.

Whatever passes names the same host to urllib, to libav and to a browser. Everything those disagree about
(backslashes, a second `@`, look-alike characters, odd spellings of IPv4) is refused with the remedy.
"""

import ipaddress
import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass, field
from urllib.parse import quote

from glimpser.core.errors import InvalidInput

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

MAX_LENGTH = 4096
"""Longer URLs are refused, in characters."""

DEFAULT_PORTS = {
    "ftp": 21,
    "http": 80,
    "https": 443,
    "rtmp": 1935,
    "rtmps": 443,
    "rtsp": 554,
    "rtsps": 322,
    "ws": 80,
    "wss": 443,
}

_SPLIT = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://([^/?#]*)(.*)", re.DOTALL)
_USERINFO = re.compile(r"(?:[A-Za-z0-9._~!$&'()*+,;=:-]|%[0-9A-Fa-f]{2})+")
_CONTROL = re.compile(r"%(?:[01][0-9A-Fa-f]|7[Ff])")
_LABEL = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)")
_NUMBER = re.compile(r"[0-9]+|0[xX][0-9A-Fa-f]*")
_PORT = re.compile(r"[1-9][0-9]{0,4}")


@dataclass(frozen=True, slots=True)
class Target:
    """A URL taken apart.

    Attributes:
        scheme: in lower case.
        host: a name in lower-case ASCII, a dotted quad, or an IPv6 address without brackets.
        port: as written; None when the URL has none.
        path: path, query and fragment, beginning with `/`, in ASCII.
        userinfo: `user` or `user:password`, percent-encoded as written; None when the URL has none.
    """

    scheme: str
    host: str
    port: int | None
    path: str
    userinfo: str | None = field(default=None, repr=False)

    @property
    def effective_port(self) -> int | None:
        """The port a client connects to; None when the scheme has no port of its own."""
        return self.port if self.port is not None else DEFAULT_PORTS.get(self.scheme)

    @property
    def address(self) -> IPAddress | None:
        """The host as an address; None when it is a name."""
        try:
            return ipaddress.ip_address(self.host)
        except ValueError:
            return None

    def url(self, address: IPAddress | None = None) -> str:
        """Put the URL together again, with its credentials; `address` takes the host's place."""
        host = str(address) if address is not None else self.host
        if ":" in host:
            host = f"[{host}]"
        credentials = f"{self.userinfo}@" if self.userinfo is not None else ""
        port = f":{self.port}" if self.port is not None else ""
        return f"{self.scheme}://{credentials}{host}{port}{self.path}"


def parse_target(url: str, schemes: Collection[str]) -> Target:
    """Take a URL apart; `schemes` are those the caller can use, in lower case.

    Raises:
        InvalidInput: it is no URL of these schemes, or one that programs read differently. The sentence never
            repeats the URL, which may hold a password.
    """
    _check_characters(url)
    parts = _SPLIT.fullmatch(url)
    if parts is None:
        raise InvalidInput(f"This is no URL: begin with {_alternatives(schemes)}, then the host.")
    scheme, authority, rest = parts[1].lower(), parts[2], parts[3]
    if scheme not in schemes:
        raise InvalidInput(f"The scheme {scheme!r} cannot be used here: use {_alternatives(schemes)}.")
    userinfo, host_and_port = _split_userinfo(authority)
    host, port = _split_port(host_and_port)
    return Target(scheme=scheme, host=_parse_host(host), port=port, path=_parse_rest(rest), userinfo=userinfo)


def _alternatives(schemes: Collection[str]) -> str:
    return " or ".join(f"{scheme}://" for scheme in sorted(schemes))


def _check_characters(url: str) -> None:
    if len(url) > MAX_LENGTH:
        raise InvalidInput(f"The URL is longer than {MAX_LENGTH} characters.")
    if "\\" in url:
        raise InvalidInput("A URL has no backslash: write / between its parts, or %5C for the character.")
    # Categories C* and Z* of Unicode: controls, surrogates, direction marks and every kind of space.
    if any(unicodedata.category(character)[0] in "CZ" for character in url):
        raise InvalidInput("A URL has no spaces and no control characters: write %20 for a space.")


def _split_userinfo(authority: str) -> tuple[str | None, str]:
    if not authority.isascii():
        raise InvalidInput(
            "The part before the path must be ASCII: write a host name in its xn-- form,"
            " and percent-encode other letters in user name and password."
        )
    userinfo, at, host_and_port = authority.rpartition("@")
    if not at:
        return None, host_and_port
    if not _USERINFO.fullmatch(userinfo):
        raise InvalidInput(
            "User name and password stand once before one @, and special characters in them are"
            " percent-encoded: @ as %40, : as %3A, / as %2F, % as %25."
        )
    if _CONTROL.search(userinfo):  # libav writes them into the header as they are, where a line ends with one
        raise InvalidInput("User name and password have no control characters, percent-encoded ones neither.")
    return userinfo, host_and_port


def _split_port(host_and_port: str) -> tuple[str, int | None]:
    head, bracket, tail = host_and_port.partition("]")
    if bracket:
        host, port_text = head + bracket, tail
    else:
        host, colon, digits = host_and_port.partition(":")
        port_text = colon + digits
    if not port_text:
        return host, None
    if port_text[0] != ":" or not _PORT.fullmatch(port_text[1:]) or int(port_text[1:]) > 65535:
        raise InvalidInput(
            "What follows the host's colon is no port from 1 to 65535. A / or @ in a password is"
            " percent-encoded: %2F, %40; an IPv6 address stands in brackets."
        )
    return host, int(port_text[1:])


def _parse_host(host: str) -> str:
    if not host:
        raise InvalidInput("The URL names no host.")
    if host[0] == "[":
        return _parse_ipv6(host)
    labels = host.removesuffix(".").split(".")
    # The rule of the WHATWG URL standard ("ends in a number"): such a host can only be an IPv4 address.
    if _NUMBER.fullmatch(labels[-1]):
        return _parse_ipv4(host)
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise InvalidInput("The host is no name: letters, digits, hyphens and single dots between them.")
    return host.lower()


def _parse_ipv6(host: str) -> str:
    if "%" in host:
        raise InvalidInput("An IPv6 address with a zone (%) is good on one network only: use one without.")
    try:
        return str(ipaddress.IPv6Address(host[1:-1] if host[-1] == "]" else ""))
    except ValueError as error:
        raise InvalidInput("What stands in brackets is no IPv6 address.") from error


def _parse_ipv4(host: str) -> str:
    try:
        # Refuses leading zeros, which some programs read as octal, and every form but four decimals.
        return str(ipaddress.IPv4Address(host))
    except ValueError as error:
        raise InvalidInput(
            "An IPv4 address is four decimal numbers from 0 to 255, without leading zeros."
        ) from error


def _parse_rest(rest: str) -> str:
    # A path that begins with / ends the authority for every parser, also for those that know no ? or #.
    path = rest if rest.startswith("/") else f"/{rest}"
    return path if path.isascii() else "".join(c if c.isascii() else quote(c) for c in path)
