"""A video site on loopback whose addresses of videos are good for a while only."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

_PAGE = '<html><title>Room</title><video><source src="/{token}.mp4" type="video/mp4"></video></html>'


class VideoSite:
    """`revoke` ends every address that was given so far; `page_status` is that of the page."""

    def __init__(self, clip: bytes, port: int) -> None:
        self.clip = clip
        self.url = f"http://127.0.0.1:{port}/watch"
        self.asked = 0
        self.refused = 0
        self.page_status = 200
        self._revoked = 0

    def revoke(self) -> None:
        self._revoked = self.asked

    def page(self) -> bytes:
        self.asked += 1
        return _PAGE.format(token=self.asked).encode()

    def allows(self, path: str) -> bool:
        token = int(path.strip("/").removesuffix(".mp4"))
        self.refused += token <= self._revoked
        return token > self._revoked


@contextmanager
def video_site(clip: Path) -> Iterator[VideoSite]:
    """Have a site with one video for the time of the context."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    site = VideoSite(clip.read_bytes(), server.server_port)
    server.RequestHandlerClass = _handler_of(site)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _handler_of(site: VideoSite) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if not self.path.endswith(".mp4"):
                self._answer(site.page_status, site.page(), "text/html")
            elif site.allows(self.path):
                self._give_part()
            else:
                self._answer(403, b"", "text/plain")

        do_HEAD = do_GET  # noqa: N815  # the name is the standard library's

        def _give_part(self) -> None:
            """Answer a request for a range (RFC 9110, 14.2) or for all."""
            asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
            start = int(asked[1]) if asked else 0
            end = int(asked[2]) + 1 if asked and asked[2] else len(site.clip)
            self._range = f"bytes {start}-{end - 1}/{len(site.clip)}"
            self._answer(206 if asked else 200, site.clip[start:end], "video/mp4")

        def _answer(self, status: int, body: bytes, content_type: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            if status == 206:
                self.send_header("Content-Range", self._range)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    return Handler
