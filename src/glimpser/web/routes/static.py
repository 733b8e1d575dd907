"""The web app: files that a build left, read once at the start and served from memory.

A request can name nothing but those files, so there is no way out of their directory.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from fastapi import Request, Response
from starlette.routing import Match
from starlette.types import Scope

from glimpser.core.errors import Misconfigured, NotFound
from glimpser.web.conditions import none_match, strong_tag
from glimpser.web.security import GuardedRoute

BUILT: Final = Path(__file__).parents[2] / "web_dist"
"""Where the build hook of the package leaves the app."""

INDEX: Final = "index.html"
ASSETS: Final = "assets/"
"""Names below this hold a hash of their content: what is there never changes."""

RESERVED: Final = ("api", "docs", "openapi.json", "version", "healthz", "readyz", "metrics")
"""First segments of paths that are never a page of the app, nor one of its files."""

MEDIA_TYPES: Mapping[str, str] = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/vnd.microsoft.icon",
    ".jpg": "image/jpeg",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
}
ENCODINGS: Mapping[str, str] = {"br": ".br", "gzip": ".gz"}
"""Content codings (RFC 9110, section 8.4.1) the build prepares, best first, and their file suffixes."""

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
    "font-src 'self'; media-src 'self' blob:; manifest-src 'self'; worker-src 'self'; "
    "frame-ancestors 'none'; base-uri 'self'; form-action 'self'; require-trusted-types-for 'script'; "
    "trusted-types glimpser-sw"
)

NOT_BUILT: Final = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Glimpser</title></head>
<body>
<h1>Glimpser runs, without its web app</h1>
<p>The app was not built into this installation. In a clone, <code>./run</code> builds it unless
GLIMPSER_UI=skip is set. Elsewhere, install the package again without that setting.</p>
<p>The interface for programs is complete: <a href="/docs">/docs</a></p>
</body>
</html>
"""

_ACCEPTED = re.compile(r"\s*([\w*-]+)\s*(?:;\s*q=([\d.]+)\s*)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class File:
    """One file with its prepared encodings; `tag` names the content, without quotes."""

    media_type: str
    content: bytes = field(repr=False)
    encoded: Mapping[str, bytes] = field(repr=False)
    tag: str
    is_immutable: bool


Site = Mapping[str, File]
"""The files of the app by their path in the address; empty when it was not built."""


class PageRoute(GuardedRoute):
    """Takes every GET that is no business of another route; so an unknown path under `/api` stays unknown."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        readable = scope.get("method") in ("GET", "HEAD")
        reserved = scope["path"].lstrip("/").partition("/")[0] in RESERVED
        return super().matches(scope) if readable and not reserved else (Match.NONE, {})


def load_site(directory: Path = BUILT) -> Site:
    """Read a built app; links that lead out of the directory and files of other types are left out.

    It is empty when its first page is missing.
    """
    site = {path.relative_to(directory).as_posix(): _file(path, directory) for path in _served(directory)}
    return site if INDEX in site else {}


def check_site(directory: Path) -> None:
    """Find out whether a directory somebody configured holds an app.

    Raises:
        Misconfigured: it has no first page, or cannot be read.
    """
    try:
        site = load_site(directory)
    except OSError as error:
        raise Misconfigured(
            f"server.static_dir: {error.filename} cannot be read ({error.strerror}). Mend its permissions, or"
            " leave the setting out to use the web app that comes with the program."
        ) from error
    if not site:
        raise Misconfigured(
            f"server.static_dir: there is no {INDEX} in {directory}. Name the directory of a built web app,"
            " or leave the setting out to use the one that comes with the program."
        )


async def page(path: str, request: Request) -> Response:
    """Give a file of the web app, or for any other address the page that then finds its way itself."""
    site: Site = request.app.state.site
    found = site.get(path)
    if found is None and (path.startswith(ASSETS) or "." in path.rpartition("/")[2]):
        raise NotFound("The web app has no such file.")
    if not site:
        return Response(NOT_BUILT, 200 if path == "" else 404, media_type="text/html")
    return _answer(found or site[INDEX], request)


def _answer(file: File, request: Request) -> Response:
    coding = _best(request.headers.get("accept-encoding", ""), file.encoded)
    etag = strong_tag(f"{file.tag}-{coding}" if coding else file.tag)
    headers = {
        "Cache-Control": "public, max-age=31536000, immutable" if file.is_immutable else "no-cache",
        "ETag": etag,
    }
    if file.encoded:
        headers["Vary"] = "Accept-Encoding"
    if file.media_type.startswith("text/html"):
        headers["Content-Security-Policy"] = POLICY
    if none_match(request.headers.get("if-none-match"), etag):
        return Response(status_code=304, headers=headers)
    if coding:
        headers["Content-Encoding"] = coding
    content = file.encoded[coding] if coding else file.content
    return Response(content, headers=headers | {"Content-Type": file.media_type})


def _best(accepted: str, encoded: Mapping[str, bytes]) -> str | None:
    """Choose among what is prepared by `Accept-Encoding` (RFC 9110, section 12.5.3)."""
    wanted = {
        match[1].lower(): float(match[2] or 1)
        for match in map(_ACCEPTED.fullmatch, accepted.split(","))
        if match and _is_weight(match[2])
    }
    return next((coding for coding in encoded if wanted.get(coding, 0) > 0), None)


def _is_weight(text: str | None) -> bool:
    return text is None or re.fullmatch(r"[01](\.\d{0,3})?", text) is not None


def _served(directory: Path) -> Iterator[Path]:
    for path in sorted(directory.rglob("*")):
        if path.suffix in MEDIA_TYPES and _is_within(path, directory):
            yield path


def _is_within(path: Path, directory: Path) -> bool:
    return path.is_file() and path.resolve().is_relative_to(directory.resolve())


def _file(path: Path, directory: Path) -> File:
    content = path.read_bytes()
    prepared = {coding: path.with_name(path.name + suffix) for coding, suffix in ENCODINGS.items()}
    return File(
        media_type=MEDIA_TYPES[path.suffix],
        content=content,
        encoded={
            coding: file.read_bytes() for coding, file in prepared.items() if _is_within(file, directory)
        },
        tag=hashlib.sha256(content).hexdigest()[:20],
        is_immutable=path.relative_to(directory).as_posix().startswith(ASSETS),
    )
