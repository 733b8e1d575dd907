"""Fetching what HLS playlists name: our code decides what is opened, libav only reads it.

libav's own HLS opens whatever a playlist names with the protocols it needs to reach a proxy at all: `tcp://`
and `httpproxy://` in a playlist go straight to an address nobody checked. So each of its requests comes here,
is held to http and https, and goes through a tunnel of the proxy.
"""

import http.client
import io
import socket
import ssl
import threading
import time
import urllib.error
import urllib.request
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Final
from urllib.parse import unquote, urljoin

from glimpser.capture.ingest.failures import MediaError, Patience, answered
from glimpser.core.errors import InvalidInput
from glimpser.core.live import MediaInput
from glimpser.egress.proxy_client import refusal_of
from glimpser.egress.target import Target, parse_target

WEB_SCHEMES: Final = frozenset({"http", "https"})
MAX_REDIRECTS: Final = 5
MAX_PLAYLIST_BYTES: Final = 1024 * 1024
MAX_OPENS: Final = 60
"""So many are opened within `PERIOD_S`: a playlist may name itself, or be due for reloading all the time."""
PERIOD_S: Final = 10.0
SEGMENT_PATIENCE_S: Final = 30.0
"""A segment may be sent while it is being made, but not for ever."""
_PLAYLIST: Final = b"#EXTM3U"
_ENCRYPTED: Final = "The stream is encrypted (HLS AES-128), which cannot be read yet."
_ENDLESS: Final = "The playlist leads to too many others: enter the address of one of its streams."
_TOO_SLOW: Final = "The server of the stream takes too long."
_TOO_LONG: Final = "The playlist is too long."


class Reader:
    """A body as it comes. All waiting for it together may take `patience_s`; after that it has ended."""

    def __init__(self, body: http.client.HTTPResponse, patience_s: float) -> None:
        self._body = body
        self.patience_s = patience_s
        self._begun = b""

    def put_back(self, data: bytes) -> None:
        self._begun = data

    def read(self, size: int) -> bytes:
        """Give what is there, `size` bytes at most; nothing at the end, in time or not."""
        if self._begun:
            data, self._begun = self._begun[:size], self._begun[size:]
            return data
        began = time.monotonic()
        try:
            data = self._body.read1(size) if self.patience_s > 0 else b""
        except (OSError, http.client.HTTPException, ValueError):
            data = b""
        self.patience_s -= time.monotonic() - began
        return data

    def close(self) -> None:
        self._body.close()


Body = Reader | io.BytesIO


class Fetcher:
    """Opens what one HLS stream names. Used by the thread that reads the stream.

    Nothing is raised into libav: what cannot be had is empty, and `failure` says why.
    """

    def __init__(self, media: MediaInput, proxy: str, *, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._proxy = proxy
        self._tunnels = _Tunnels(proxy)
        self._opener = _opener(media, self._tunnels)
        self._open_by: float | None = time.monotonic() + timeout_s
        self.address = _address(parse_target(media.address, WEB_SCHEMES))
        self._opened_at: deque[float] = deque(maxlen=MAX_OPENS)
        self._responses: list[http.client.HTTPResponse] = []
        self.failure: MediaError | None = None

    def open(self, url: str, _flags: int, options: Mapping[str, str]) -> Body:
        """Open for reading, as PyAV's `io_open`; honours the byte ranges of `options`."""
        try:
            return self._open(url, options)
        except InvalidInput as error:
            self.failure = MediaError(error.detail, Patience.NEVER)
        except MediaError as error:
            self.failure = error
        except urllib.error.HTTPError as error:
            error.close()
            self.failure = answered(error.code)
        except (OSError, http.client.HTTPException, ValueError):
            self.failure = self._why_not(url)
        return io.BytesIO()

    def close(self) -> None:
        """Let go of all bodies; libav forgets those of a stream that it cannot open."""
        for response in self._responses:
            response.close()
        self._responses.clear()

    def settled(self) -> None:
        """Say that the stream is open: from now on each request has its own time."""
        self._open_by = None

    def _open(self, url: str, options: Mapping[str, str]) -> Body:
        self._count()
        if url.startswith("crypto"):
            raise MediaError(_ENCRYPTED, Patience.NEVER)
        target = parse_target(url, WEB_SCHEMES)
        request = urllib.request.Request(_address(target), headers=_range(options))  # noqa: S310  # checked above
        with _within(self._timeout_s, self._tunnels.break_off):
            response = self._opener.open(request, timeout=self._timeout_s)
        self._responses = [one for one in self._responses if not one.isclosed()] + [response]
        reader = Reader(response, self._timeout_s)
        begun = _first_bytes(reader, len(_PLAYLIST))
        if begun != _PLAYLIST:
            reader.put_back(begun)
            reader.patience_s = SEGMENT_PATIENCE_S
            return reader
        return io.BytesIO(self._playlist(begun, reader, response.geturl()))

    def _playlist(self, begun: bytes, reader: "Reader", came_from: str) -> bytes:
        """Read a playlist whole and make its addresses absolute, for libav does not see redirects."""
        text = begun
        while piece := reader.read(MAX_PLAYLIST_BYTES):
            text += piece
            if len(text) > MAX_PLAYLIST_BYTES:
                raise MediaError(_TOO_LONG, Patience.LATER)
        reader.close()
        lines = (_absolute(line.strip(), came_from) for line in text.split(b"\n"))
        return b"\n".join(lines)

    def _count(self) -> None:
        now = time.monotonic()
        if self._open_by is not None and now > self._open_by:
            raise MediaError(_TOO_SLOW)
        if len(self._opened_at) == MAX_OPENS and now - self._opened_at[0] < PERIOD_S:
            raise MediaError(_ENDLESS, Patience.LATER)
        self._opened_at.append(now)

    def _why_not(self, url: str) -> MediaError:
        refusal = refusal_of(self._proxy, parse_target(url, WEB_SCHEMES))
        if refusal is None:
            return MediaError("The server of the stream does not answer as it should.")
        return MediaError(refusal.reason, Patience.NEVER if refusal.status == 403 else Patience.SOON)


@contextmanager
def _within(seconds: float, break_off: Callable[[], None]) -> Iterator[None]:
    """Break off what takes longer: a time-out of a socket begins anew with each byte."""
    timer = threading.Timer(seconds, break_off)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _first_bytes(reader: Reader, count: int) -> bytes:
    begun = b""
    while len(begun) < count and (piece := reader.read(count - len(begun))):
        begun += piece
    return begun


def _absolute(line: bytes, base: str) -> bytes:
    if not line or line.startswith(b"#"):
        return line
    return urljoin(base, line.decode("latin-1")).encode("latin-1")


def _address(target: Target) -> str:
    """Give the URL without credentials: they are sent to the stream's own server alone, when it asks."""
    return replace(target, userinfo=None).url().partition("#")[0]


def _range(options: Mapping[str, str]) -> dict[str, str]:
    """Write the byte range of a segment (RFC 8216, section 4.3.2.2; RFC 9110, section 14.2)."""
    start, end = int(options.get("offset", 0)), int(options.get("end_offset", 0))
    return {"Range": f"bytes={start}-{end - 1}"} if end > start else {}


def _opener(media: MediaInput, tunnels: "_Tunnels") -> urllib.request.OpenerDirector:
    """Make an opener that knows http, https, redirects and logins, and one way out: the proxy."""
    target = parse_target(media.address, WEB_SCHEMES)
    passwords = urllib.request.HTTPPasswordMgrWithDefaultRealm()
    if target.userinfo:
        user, _, password = target.userinfo.partition(":")
        passwords.add_password(None, _address(replace(target, path="/")), unquote(user), unquote(password))
    opener = urllib.request.OpenerDirector()
    handlers: list[urllib.request.BaseHandler] = [
        tunnels,
        _Redirects(),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.UnknownHandler(),
        urllib.request.HTTPDigestAuthHandler(passwords),
        urllib.request.HTTPBasicAuthHandler(passwords),
    ]
    for handler in handlers:
        opener.add_handler(handler)
    opener.addheaders = list(media.headers)
    return opener


class _Redirects(urllib.request.HTTPRedirectHandler):
    max_redirections = MAX_REDIRECTS


class _Tunnels(urllib.request.AbstractHTTPHandler):
    """Connects through the proxy, with CONNECT also for http: so a digest is of what the server is asked."""

    def __init__(self, proxy: str) -> None:
        super().__init__()
        self._way = parse_target(proxy, ("http",))
        self._latest: http.client.HTTPConnection | None = None

    def http_request(self, request: urllib.request.Request) -> urllib.request.Request:
        return self.do_request_(request)

    https_request = http_request

    def http_open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(self._plain, request)

    def https_open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(self._encrypted, request)

    def _plain(self, host: str, /, *, timeout: float = 0, **_: object) -> http.client.HTTPConnection:
        connection = http.client.HTTPConnection(self._way.host, self._way.port, timeout=timeout)
        return self._tunnelled(connection, parse_target(f"http://{host}", ("http",)))

    def _encrypted(self, host: str, /, *, timeout: float = 0, **_: object) -> http.client.HTTPConnection:
        context = ssl.create_default_context()
        context.check_hostname = False  # as libav does: cameras sign their certificates by themselves
        context.verify_mode = ssl.CERT_NONE
        connection = http.client.HTTPSConnection(
            self._way.host, self._way.port, timeout=timeout, context=context
        )
        return self._tunnelled(connection, parse_target(f"https://{host}", ("https",)))

    def _tunnelled(
        self, connection: http.client.HTTPConnection, target: Target
    ) -> http.client.HTTPConnection:
        connection.set_tunnel(target.host, target.effective_port)
        self._latest = connection
        return connection

    def break_off(self) -> None:
        """End the latest connection, from another thread."""
        connected = self._latest.sock if self._latest else None
        with suppress(OSError):
            if connected is not None:
                connected.shutdown(socket.SHUT_RDWR)
