"""Settings of views that would run a command, read a file or leave the web, each with its legal neighbour."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Config = Mapping[str, Any]

MARK = "attacked"
"""Name of the file that every command in this table would make in the temporary folder it is told."""


@dataclass(frozen=True, slots=True)
class Row:
    """A config that is refused at `pointer`, and one of the same kind that is taken."""

    name: str
    kind: str
    config: Config
    pointer: str
    twin: Config


CAMERA = {"url": "rtsp://127.0.0.2/stream1"}
PAGE = {"url": "https://example.org/weather"}
VIDEO = {"url": "https://example.org/watch?v=a;b|c$(d)"}
PICTURE = {"url": "http://127.0.0.2/a.jpg"}
DOCUMENT = {"url": "http://127.0.0.2/a.pdf"}
FILE = {"path": "day one/$(clip); 1.mp4"}

_TOUCH = f"touch {MARK}"
_NO_ADDRESS = {
    "option": "-i",
    "long option": f"--exec={_TOUCH}",
    "shell": f"http://127.0.0.2/; {_TOUCH}",
    "substitution": f"$({_TOUCH})",
    "second line": f"http://127.0.0.2/\n{_TOUCH}",
    "file": "file:///etc/passwd",
    "path": "/etc/passwd",
    "data": "data:text/html,<script>1</script>",
    "javascript": "javascript://127.0.0.2/%0aalert(1)",
    "gopher": "gopher://127.0.0.2:6379/_FLUSHALL",
    "other host": "http://127.0.0.2\\@127.0.0.9/",
    "two hosts": "http://a@127.0.0.2@127.0.0.9/",
    "short IPv4": "http://127.9/",
    "octal IPv4": "http://0177.0.0.9/",
    "number": "http://2130706441/",
    "look-alike": "http://127。0。0。9/",
    "split request": "http://127.0.0.2/%0d\r\nX-Evil: 1",
    "split login": "http://a%0d%0aX-Evil:b@127.0.0.2/",
}
_NO_STREAM = {
    "concat": "concat:/etc/passwd|/etc/shadow",
    "subfile": "subfile,,start,0,end,99,,:/etc/passwd",
    "pipe": "pipe:0",
    "program": f"exec:{_TOUCH}",
    "filter": "lavfi:movie=/etc/passwd",
    "device": "v4l2:///dev/video0",
    "socket": "unix:/var/run/docker.sock",
    "tee": "tee:out.mp4",
    "smb": "smb://127.0.0.9/share",
}
_NO_PAGE = {
    "source": "view-source:http://127.0.0.2/",
    "blank": "about:blank",
    "settings": "chrome://settings",
    "DevTools": "devtools://devtools/bundled/inspector.html",
    "blob": "blob:http://127.0.0.2/1",
    "script in capitals": "  JaVaScRiPt:alert(1)",
    "socket": "ws://127.0.0.2/",
}
_FREE = {
    "ffmpeg": ("options", "input_args", "output_args", "ffmpeg", "env", "protocol_whitelist"),
    "website": ("args", "chrome_options", "script", "extension", "download_dir"),
    "yt": ("options", "args", "cookies", "config_location", "exec"),
    "image": ("options", "proxy"),
    "pdf": ("options", "password_command"),
    "file": ("format", "options"),
    "push": ("path", "command"),
}
_LEGAL: Mapping[str, Config] = {
    "ffmpeg": CAMERA,
    "website": PAGE,
    "yt": VIDEO,
    "image": PICTURE,
    "pdf": DOCUMENT,
    "file": FILE,
    "push": {},
}


def rows() -> Iterator[Row]:
    """Give the whole table."""
    yield from _addresses()
    for kind, names in _FREE.items():
        legal = _LEGAL[kind]
        for name in names:
            yield Row(f"{kind} {name}", kind, {**legal, name: f"-y; {_TOUCH}"}, f"/config/{name}", legal)
    yield from _values()


def _addresses() -> Iterator[Row]:
    more = {"ffmpeg": _NO_STREAM, "website": _NO_PAGE}
    for kind in ("ffmpeg", "website", "yt", "image", "pdf"):
        for name, url in (_NO_ADDRESS | more.get(kind, {})).items():
            # A document has an address or a path: what is no address of the web is refused as such.
            yield Row(f"{kind} {name}", kind, {"url": url}, "/config/url", _LEGAL[kind])


def _values() -> Iterator[Row]:
    """Give values of other fields; where it matters the twin differs by what makes it legal alone."""
    for name, path in {"outside": "/etc/passwd", "above": "../../etc/passwd"}.items():
        yield Row(f"file {name}", "file", {"path": path}, "/config/path", FILE)
        yield Row(f"pdf {name}", "pdf", {"path": path}, "/config/path", {"path": "plan;1.pdf"})
    login, legal = {"username": "a\r\nX-Evil: 1"}, {"username": "$(a);b", "password": "-p;`q`"}
    yield Row("ffmpeg login", "ffmpeg", CAMERA | login, "/config/username", CAMERA | legal)
    yield Row("image login", "image", PICTURE | login, "/config/username", PICTURE | legal)
    yield from _values_of_pages()
    choice = {"format": f"best; {_TOUCH}"}
    yield Row("yt format option", "yt", VIDEO | {"format": "--exec"}, "/config/format", VIDEO)
    yield Row(
        "yt format shell", "yt", VIDEO | choice, "/config/format", VIDEO | {"format": "bv*[height<=480]+ba/b"}
    )
    yield Row("ffmpeg transport", "ffmpeg", CAMERA | {"transport": "-y"}, "/config/transport", CAMERA)
    yield Row("ffmpeg hardware", "ffmpeg", CAMERA | {"hwaccel": "vaapi -y"}, "/config/hwaccel", CAMERA)


def _values_of_pages() -> Iterator[Row]:
    refused: Mapping[str, tuple[Any, Any]] = {
        "headers": ({"X-Ok": "a\r\nX-Evil: 1"}, {"X-Ok": "--a; $(b)"}),
        "user_agent": ("a\r\nX-Evil: 1", "--no-sandbox; $(a)"),
        "language": ("en --no-sandbox", "en-GB"),
        "proxy": ("socks5://127.0.0.9:1080", None),
        "attached": (True, False),
    }
    for name, (hostile, legal) in refused.items():
        yield Row(
            f"website {name}", "website", {**PAGE, name: hostile}, f"/config/{name}", {**PAGE, name: legal}
        )
    framing = {"headers": {"Host": "127.0.0.9"}}
    yield Row(
        "website host", "website", PAGE | framing, "/config/headers", PAGE | {"headers": {"Hosts": "a"}}
    )
