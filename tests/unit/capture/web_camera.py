"""An HTTP server on any loopback address that answers what a test wants, with or without a login."""

import base64
import hashlib
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Literal

REALM, NONCE = "camera", "c2FsdA"

Scheme = Literal["Basic", "Digest"]
Write = Callable[[bytes], None]
Body = Callable[[Write], None]
"""Writes all that follows the request, head included, until it returns or the client is gone."""


@dataclass
class WebCamera:
    """`heads` are the heads it was sent; `connections` counts also those that sent none."""

    host: str
    pages: dict[str, bytes | Body]
    login: tuple[str, str] | None = None
    scheme: Scheme = "Digest"
    port: int = 0
    connections: int = 0
    heads: list[str] = field(default_factory=list)

    def url(self, path: str, login: str = "") -> str:
        return f"http://{login}{self.host}:{self.port}{path}"

    def answer(self, connection: socket.socket) -> None:
        """Answer one request."""
        self.connections += 1
        with connection, suppress(OSError):
            connection.settimeout(20)
            head = _head(connection)
            self.heads.append(head)
            method, _, rest = head.partition(" ")
            path = rest.partition(" ")[0]
            if self.login and not _PROVES[self.scheme](head, method, self.login):
                connection.sendall(_CHALLENGE[self.scheme])
                return
            page = self.pages.get(
                path.partition("?")[0], b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
            )
            if callable(page):
                page(connection.sendall)
            else:
                connection.sendall(page)


_NOT_FOUND = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"


def _unauthorised(challenge: str) -> bytes:
    fields = f"WWW-Authenticate: {challenge}\r\nContent-Length: 0\r\nConnection: close"
    return f"HTTP/1.1 401 Unauthorized\r\n{fields}\r\n\r\n".encode()


_CHALLENGE: Mapping[Scheme, bytes] = {
    "Basic": _unauthorised(f'Basic realm="{REALM}"'),
    "Digest": _unauthorised(f'Digest realm="{REALM}", nonce="{NONCE}", qop="auth"'),
}


def _proves_by_basic(head: str, _method: str, login: tuple[str, str]) -> bool:
    """Check by RFC 7617, section 2."""
    wanted = base64.b64encode(":".join(login).encode()).decode()
    return f"\r\nauthorization: basic {wanted}\r\n".lower() in head.lower() and wanted in head


def _proves_by_digest(head: str, method: str, login: tuple[str, str]) -> bool:
    """Check a digest by RFC 7616, section 3.4.1, with MD5 and qop=auth."""
    given = dict(re.findall(r'(\w+)="?([^",\r]*)"?', head.partition("Authorization: Digest ")[2]))
    if given.get("nonce") != NONCE:
        return False
    user, password = login
    secret, asked = _md5(f"{user}:{REALM}:{password}"), _md5(f"{method}:{given['uri']}")
    response = _md5(f"{secret}:{NONCE}:{given['nc']}:{given['cnonce']}:auth:{asked}")
    return given.get("username") == user and given["response"] == response


_PROVES: Mapping[Scheme, Callable[[str, str, tuple[str, str]], bool]] = {
    "Basic": _proves_by_basic,
    "Digest": _proves_by_digest,
}


def _md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()


def _head(connection: socket.socket) -> str:
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(4096)
        if not piece:
            raise OSError
        data += piece
    return data.decode()


def page(body: bytes, kind: str = "application/octet-stream") -> bytes:
    return f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def moved(url: str) -> bytes:
    return f"HTTP/1.1 302 Found\r\nLocation: {url}\r\nContent-Length: 0\r\n\r\n".encode()


def playlist(*segments: str, before: str = "#") -> bytes:
    lines = ["#EXTM3U", "#EXT-X-VERSION:3", "#EXT-X-TARGETDURATION:2", before]
    for segment in segments:
        lines += ["#EXTINF:1.0,", segment]
    return page("\n".join([*lines, "#EXT-X-ENDLIST", ""]).encode(), "application/vnd.apple.mpegurl")


def motion_jpeg(jpeg: bytes, *, fps: float = 25, first: bytes = b"") -> Body:
    """Pictures one after the other as cameras send them (multipart/x-mixed-replace), for half a minute."""

    def write_all(write: Write) -> None:
        kind = "multipart/x-mixed-replace; boundary=frame"
        write(f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\n\r\n".encode() + first)
        part = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n".encode() + jpeg
        for _ in range(int(30 * fps)):
            write(part + b"\r\n")
            time.sleep(1 / fps)

    return write_all


def dripping(head: bytes) -> Body:
    def write_all(write: Write) -> None:
        write(head)
        for _ in range(300):
            write(b"#")
            time.sleep(0.1)

    return write_all


@contextmanager
def web_camera(
    pages: Mapping[str, bytes | Body],
    *,
    host: str = "127.0.0.2",
    login: tuple[str, str] | None = None,
    scheme: Scheme = "Digest",
    port: int = 0,
) -> Iterator[WebCamera]:
    """Serve; `pages` may be added to meanwhile. Each request has a connection and a thread."""
    listener = socket.create_server((host, port))
    camera = WebCamera(host, dict(pages), login, scheme, listener.getsockname()[1])

    def serve() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                threading.Thread(target=camera.answer, args=(connection,), daemon=True).start()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield camera
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(10)
