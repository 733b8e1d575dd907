"""RTSP/1.0 messages (RFC 2326, sections 4 to 7 and 10.12): bytes in, values out, and back.

No I/O, and nothing here raises because of what a client sent: what cannot be understood becomes a
`Malformed` value, after which the byte stream cannot be followed any further.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final
from urllib.parse import unquote

MAX_HEAD_BYTES: Final = 8_192
MAX_HEADERS: Final = 64
MAX_BODY_BYTES: Final = 16_384

TRACK: Final = "trackID=0"
"""The control attribute of the only track: clients append it to the Content-Base."""

REASONS: Final[Mapping[int, str]] = {
    200: "OK",
    400: "Bad Request",
    401: "Unauthorized",
    404: "Not Found",
    413: "Request Entity Too Large",
    431: "Request Header Fields Too Large",
    451: "Parameter Not Understood",
    454: "Session Not Found",
    455: "Method Not Valid in This State",
    461: "Unsupported Transport",
    501: "Not Implemented",
    503: "Service Unavailable",
    505: "RTSP Version Not Supported",
}

_REQUEST_LINE: Final = re.compile(r"([A-Za-z_-]{1,32}) (\S{1,2048}) ([A-Z]{1,8}/\d{1,3}\.\d{1,3})")
_FIELD_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}")
_CONTROL: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_NUMBER: Final = re.compile(r"[0-9]{1,10}")
_URL: Final = re.compile(r"(rtsps?)://(?:[^/?#@]*@)?([^/?#@]+)(?:/([^?#]*))?(?:\?[^#]*)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Request:
    """One request. Header names are lower case; a repeated header is joined with commas."""

    method: str
    target: str
    cseq: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class InterleavedData:
    """A binary message between requests, such as a viewer's RTCP report (RFC 2326, 10.12)."""

    channel: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class Malformed:
    """Bytes that are no RTSP: answer with `status`, then close."""

    status: int
    cseq: int | None = None


Message = Request | InterleavedData | Malformed


@dataclass(frozen=True, slots=True)
class Url:
    """An `rtsp:` URL without user-info, query and track: what the server needs of it."""

    base: str
    path: str


class MessageReader:
    """Cuts a client's byte stream into messages; holds at most one message plus what was just fed."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._head: Request | None = None  # parsed, its body still on the way
        self._broken = False

    def feed(self, data: bytes) -> None:
        """Take bytes as they came from the network; after a `Malformed` message they are dropped."""
        if not self._broken:
            self._buffer += data

    def next_message(self) -> Message | None:
        """Give the next complete message, or None when more bytes are needed."""
        message = self._request() if self._head is not None else self._first_message()
        if isinstance(message, Malformed):
            self._broken, self._head = True, None
            self._buffer.clear()
        return message

    def _first_message(self) -> Message | None:
        while self._buffer[:2] == b"\r\n":  # blank lines between messages are tolerated (RFC 2326, 4)
            del self._buffer[:2]
        if not self._buffer or self._buffer == b"\r":
            return None
        return self._interleaved() if self._buffer[0] == ord("$") else self._request()

    def _interleaved(self) -> InterleavedData | None:
        if len(self._buffer) < 4:
            return None
        end = 4 + int.from_bytes(self._buffer[2:4], "big")
        if len(self._buffer) < end:
            return None
        message = InterleavedData(self._buffer[1], bytes(self._buffer[4:end]))
        del self._buffer[:end]
        return message

    def _request(self) -> Request | Malformed | None:
        if self._head is None:
            end = self._buffer.find(b"\r\n\r\n", 0, MAX_HEAD_BYTES)
            if end < 0:
                return self._incomplete_head()
            head = _parse_head(bytes(self._buffer[:end]))
            if isinstance(head, Malformed):
                return head
            self._head = head
            del self._buffer[: end + 4]
        return self._with_body(self._head)

    def _with_body(self, head: Request) -> Request | Malformed | None:
        length = _content_length(head)
        if length is None:
            return Malformed(400, head.cseq)
        if length > MAX_BODY_BYTES:
            return Malformed(413, head.cseq)
        if len(self._buffer) < length:
            return None
        body = bytes(self._buffer[:length])
        del self._buffer[:length]
        self._head = None
        return replace(head, body=body)

    def _incomplete_head(self) -> Malformed | None:
        if len(self._buffer) >= MAX_HEAD_BYTES:
            return Malformed(431)
        if not chr(self._buffer[0]).isalpha() or self._buffer[0] > 0x7F:
            return Malformed(400)  # binary noise: no need to wait for the end of a head
        return None


def _parse_head(head: bytes) -> Request | Malformed:
    try:
        first, *lines = head.decode("utf-8").split("\r\n")
    except UnicodeDecodeError:
        return Malformed(400)
    line = _REQUEST_LINE.fullmatch(first)
    if line is None:
        return Malformed(400)
    method, target, version = line.groups()
    headers = _parse_headers(lines)
    if headers is None or _CONTROL.search(target):
        return Malformed(400)
    cseq = headers.get("cseq", "")
    if not _NUMBER.fullmatch(cseq):
        return Malformed(400)
    if version != "RTSP/1.0":
        return Malformed(505, int(cseq))
    return Request(method, target, int(cseq), headers)


def _parse_headers(lines: Iterable[str]) -> dict[str, str] | None:
    headers: dict[str, str] = {}
    for number, line in enumerate(lines):
        name, colon, value = line.partition(":")
        if number >= MAX_HEADERS or not colon or not _FIELD_NAME.fullmatch(name) or _CONTROL.search(value):
            return None
        name, value = name.lower(), value.strip(" \t")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


def _content_length(request: Request) -> int | None:
    value = request.headers.get("content-length", "0")
    return int(value) if _NUMBER.fullmatch(value) else None


def parse_url(target: str) -> Url | None:
    """Take the mount's path out of a request's absolute URL; None when it is not an RTSP URL.

    The query is dropped (players append their own), percent-encoding is undone, and the track's control
    suffix with it. The path is only ever looked up in a table of mounts, never used on a disk.
    """
    match = _URL.fullmatch(target)
    if match is None:
        return None
    scheme, authority, raw_path = match.groups()
    segments = (raw_path or "").rstrip("/").split("/")
    if segments[-1] == TRACK:
        segments.pop()
    raw_path = "/".join(segments).rstrip("/")
    return Url(base=f"{scheme.lower()}://{authority}/{raw_path}/", path=unquote(raw_path))


def format_response(
    status: int, cseq: int | None, headers: Iterable[tuple[str, str]] = (), *, body: bytes = b""
) -> bytes:
    """Write a response as it goes on the wire.

    Raises:
        ValueError: a header would break out of its line; a mistake of the caller, never of the client.
    """
    lines = [f"RTSP/1.0 {status} {REASONS[status]}"]
    if cseq is not None:
        lines.append(f"CSeq: {cseq}")
    lines += [f"{name}: {value}" for name, value in headers]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    if any(_CONTROL.search(line) for line in lines):
        msg = "control character in a response header"
        raise ValueError(msg)
    return "\r\n".join([*lines, "", ""]).encode() + body
