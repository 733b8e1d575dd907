"""What a forward proxy reads and writes (RFC 9110, RFC 9112), without a socket.

Requests are read more strictly than the RFCs ask for: whatever two programs could frame differently is
refused. Responses are read leniently, for cameras answer oddly; nothing can be smuggled in one, because a
connection carries no second.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from glimpser.core.errors import InvalidInput
from glimpser.egress.target import Target, parse_target

MAX_HEAD_BYTES: Final = 64 * 1024
_MAX_FIELDS: Final = 200
_REQUEST_LINE: Final = re.compile(r"([A-Za-z0-9!#$%&'*+.^_`|~-]{1,32}) ([\x21-\xff]+) HTTP/1\.([01])")
_FIELD: Final = re.compile(r"([A-Za-z0-9!#$%&'*+.^_`|~-]+):[ \t]*([\t\x20-\x7e\x80-\xff]*)")
_ABSOLUTE: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://([^/?#]*)([^#]*)")
_STATUS_LINE: Final = re.compile(r"(?:HTTP/1\.[01]|ICY) +([1-5][0-9]{2})(?: .*)?")
_LENGTH: Final = re.compile(r"[0-9]{1,15}")
_NOT_ASCII: Final = re.compile(r"[\x80-\xff]")
_END: Final = re.compile(rb"\r?\n\r?\n")

_OF_THIS_HOP: Final = frozenset({"connection", "keep-alive", "te", "trailer", "upgrade"})
"""Fields for the next program alone, beside all that begin with `proxy-` (RFC 9110, section 7.6.1)."""

Fields = tuple[tuple[str, str], ...]


class BadMessage(Exception):
    """A message that is not passed on. `status` is what the client is told, `reason` why."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a client asks for.

    Attributes:
        target: scheme, host and port; its path is not the request's.
        path: path and query to ask the target for, in ASCII, as the client wrote them.
        fields: header fields to pass on, in their order.
        body_bytes: how much of a body follows.
        tunnel: the client asks for a connection (CONNECT) and will speak through it by itself.
        upgrade: the client asks to speak WebSocket from here on.
    """

    method: str
    target: Target
    path: str
    minor: str
    fields: Fields
    body_bytes: int
    tunnel: bool
    upgrade: bool


@dataclass(frozen=True, slots=True)
class Response:
    """The head of an answer. `head` is what the client is sent of it, in bytes."""

    status: int
    head: bytes

    @property
    def is_interim(self) -> bool:
        """Whether another head follows (RFC 9110, section 15.2)."""
        return 100 <= self.status < 200 and self.status != 101


def end_of_head(received: bytes | bytearray, start: int = 0) -> int | None:
    """Tell where the head ends and the body begins; looks from `start` on. None: there is more to come."""
    found = _END.search(received, max(0, start - 3))
    return found.end() if found else None


def parse_request(head: bytes) -> Request:
    """Read the head of a request, its empty line included.

    Raises:
        BadMessage: it is none that is passed on.
    """
    first, *rest = head.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
    line = _REQUEST_LINE.fullmatch(first)
    if line is None:
        raise BadMessage(400, "This is no HTTP/1.1 request.")
    method, written, minor = line.groups()
    fields = _parse_fields(rest)
    tunnel = method == "CONNECT"
    target, path = _authority_form(written) if tunnel else _absolute_form(written)
    body_bytes = _body_bytes(fields)
    if tunnel and body_bytes:
        raise BadMessage(400, "A CONNECT request has no body.")
    return Request(
        method=method,
        target=target,
        path=path,
        minor=minor,
        fields=tuple(_passed_on(fields)),
        body_bytes=body_bytes,
        tunnel=tunnel,
        upgrade=not tunnel and _asks_for_websocket(fields),
    )


def format_request(request: Request) -> bytes:
    """Write the head for the target, in origin form; it asks for the end of the connection afterwards."""
    how = ("Connection: Upgrade", "Upgrade: websocket") if request.upgrade else ("Connection: close",)
    lines = (
        f"{request.method} {request.path} HTTP/1.{request.minor}",
        # Whatever Host said: the target is what was checked (RFC 9112, section 3.2.2).
        f"Host: {authority_of(request.target)}",
        *(f"{name}: {value}" for name, value in request.fields if name.lower() != "host"),
        *how,
    )
    return "".join(f"{line}\r\n" for line in (*lines, "")).encode("latin-1")


def parse_response(head: bytes, *, upgrade: bool = False) -> Response:
    """Read the head of an answer; `upgrade`: a change of protocol was asked for.

    Raises:
        BadMessage: it is no HTTP.
    """
    # A carriage return alone counts as a space (RFC 9112, section 2.2).
    lines = head.decode("latin-1").replace("\r\n", "\n").replace("\r", " ").rstrip("\n")
    first, *rest = lines.split("\n")
    line = _STATUS_LINE.fullmatch(first)
    if line is None:
        raise BadMessage(502, "The server does not answer in HTTP.")
    status = int(line[1])
    if status == 101 and not upgrade:
        raise BadMessage(502, "The server changes the protocol, which nobody asked for.")
    kept = list(_lenient_fields(rest))
    kept += ["Connection: Upgrade", "Upgrade: websocket"] if status == 101 else ["Connection: close"]
    shown = first.replace("ICY", "HTTP/1.0", 1)
    return Response(status, "".join(f"{line}\r\n" for line in (shown, *kept, "")).encode("latin-1"))


def authority_of(target: Target) -> str:
    """Write host and port as in a Host field (RFC 9110, section 7.2)."""
    host = f"[{target.host}]" if ":" in target.host else target.host
    return host if target.port is None else f"{host}:{target.port}"


def _parse_fields(lines: Sequence[str]) -> Fields:
    if len(lines) > _MAX_FIELDS:
        raise BadMessage(431, f"There are more than {_MAX_FIELDS} header fields.")
    matches = [_FIELD.fullmatch(line) for line in lines]
    found = tuple((match[1], match[2].rstrip(" \t")) for match in matches if match)
    if len(found) != len(lines):
        raise BadMessage(400, "A header field is malformed.")
    return found


def _values(fields: Fields, wanted: str) -> list[str]:
    return [value for name, value in fields if name.lower() == wanted]


def _body_bytes(fields: Fields) -> int:
    """Tell how long the body is, where nobody can think otherwise (RFC 9112, section 6.3)."""
    if _values(fields, "transfer-encoding"):
        raise BadMessage(411, "A body comes with Content-Length here, not with Transfer-Encoding.")
    lengths = _values(fields, "content-length")
    if not lengths:
        return 0
    if len(lengths) > 1 or not _LENGTH.fullmatch(lengths[0]):
        raise BadMessage(400, "Content-Length stands once, in digits.")
    return int(lengths[0])


def _asks_for_websocket(fields: Fields) -> bool:
    return "upgrade" in _named_in_connection(fields) and [
        value.lower() for value in _values(fields, "upgrade")
    ] == ["websocket"]


def _named_in_connection(fields: Fields) -> frozenset[str]:
    return frozenset(
        name.strip().lower() for value in _values(fields, "connection") for name in value.split(",")
    )


def _passed_on(fields: Fields) -> Iterator[tuple[str, str]]:
    # Nobody makes us drop the length of a body by naming it in Connection.
    dropped = _OF_THIS_HOP | (_named_in_connection(fields) - {"content-length", "host"})
    for name, value in fields:
        if name.lower() not in dropped and not name.lower().startswith("proxy-"):
            yield name, value


def _lenient_fields(lines: Sequence[str]) -> Iterator[str]:
    """Give a response's field lines without those of this hop; a folded line goes with the one before it."""
    dropping = False
    for line in lines:
        if not line.startswith((" ", "\t")):
            name = line.partition(":")[0].strip().lower()
            dropping = name in _OF_THIS_HOP or name.startswith("proxy-")
        if not dropping:
            yield line


def _absolute_form(written: str) -> tuple[Target, str]:
    parts = _ABSOLUTE.fullmatch(written)
    if parts is None:
        raise BadMessage(400, "This is a proxy: a request names its whole URL (RFC 9112, section 3.2.2).")
    # Only host and port decide where it goes; a path may be long, and hold what Target does not.
    target = _parse(f"{parts[1]}://{parts[2]}/", ("http", "ws"))
    path = _NOT_ASCII.sub(lambda found: f"%{ord(found[0]):02X}", parts[3])
    return target, path if path.startswith("/") else f"/{path}"


def _authority_form(written: str) -> tuple[Target, str]:
    target = _parse(f"https://{written}/", ("https",))
    if target.port is None or target.path != "/":
        raise BadMessage(400, "CONNECT names host:port (RFC 9112, section 3.2.3).")
    return target, ""


def _parse(url: str, schemes: Sequence[str]) -> Target:
    try:
        target = parse_target(url, schemes)
    except InvalidInput as error:
        raise BadMessage(400, error.detail) from error
    if target.userinfo is not None:
        raise BadMessage(400, "Credentials go into the Authorization field, not into the URL.")
    return target
