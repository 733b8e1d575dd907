"""What an address gives, by asking it for its first bytes."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote

from glimpser.capture.answers import body_of
from glimpser.capture.ingest.containers import begins_video
from glimpser.capture.ingest.files import open_beneath, place_of
from glimpser.capture.ingest.opening import CAMERA_SCHEMES
from glimpser.capture.pictures.headers import picture_header
from glimpser.core.contents import FROM_CAMERAS, Content
from glimpser.core.errors import Denied, InvalidInput, Unavailable
from glimpser.core.sources import ViewFailed
from glimpser.egress.fetching import Credentials, Fetch, Fetched, Fetcher
from glimpser.egress.pinned import SCHEMES
from glimpser.egress.target import Target, parse_target

_HEAD_BYTES = 4096
_PLAYLIST = b"#EXTM3U"
_PAGES = (b"<!doctype html", b"<html", b"<head", b"<body", b"<title", b"<script", b"<meta")


class Sites(Protocol):
    """Knows the sites whose pages hold videos."""

    async def knows(self, url: str) -> bool:
        """Tell whether a page is one of theirs, without asking it."""
        ...


class Sniffer:
    """Event loop's thread. `cameras` reaches the networks that are open to cameras alone."""

    def __init__(self, fetcher: Fetcher, cameras: Fetcher, sites: Sites, roots: Sequence[Path]) -> None:
        self._fetcher = fetcher
        self._roots = roots
        self._cameras = cameras
        self._sites = sites

    async def look(self, url: str) -> Content:
        """Find out what a URL gives; user name and password in it are used.

        Raises:
            InvalidInput: it is no URL that may be used, or gives nothing to be watched.
            Denied: the address is closed to us; the sentence names the setting that would open it.
            Unavailable: it gives nothing now; the sentence says why.
        """
        target = parse_target(url, sorted(CAMERA_SCHEMES | set(SCHEMES)))
        if target.scheme in CAMERA_SCHEMES:
            return Content.STREAM
        try:
            found = await self._seen(self._fetcher, target)
        except Denied as closed:
            return await self._seen_as_camera(target, closed)
        if found is Content.PAGE and await self._sites.knows(_bare(target)):
            return Content.VIDEO_PAGE
        return found

    async def look_at_file(self, path: str) -> Content:
        """Find out what a file below the allowed folders is, or a folder.

        Raises:
            InvalidInput: it lies elsewhere, or cannot be opened.
        """
        return await asyncio.to_thread(self._content_of_file, path)

    def _content_of_file(self, path: str) -> Content:
        root, below = place_of(path, self._roots)
        if (root / below).is_dir():
            return Content.FILE
        with open_beneath(path, self._roots) as file:
            head = file.read(_HEAD_BYTES)
        return Content.DOCUMENT if b"%PDF-" in head[:1024] else Content.FILE

    async def _seen_as_camera(self, target: Target, closed: Denied) -> Content:
        """Look once more where only cameras may be; anything else there stays closed."""
        try:
            found = await self._seen(self._cameras, target)
        except (Denied, InvalidInput):
            raise closed from None
        if found not in FROM_CAMERAS:
            raise closed
        return found

    async def _seen(self, fetcher: Fetcher, target: Target) -> Content:
        try:
            answer = await self._asked(fetcher, target)
        except Unavailable as error:
            if isinstance(error.__cause__, Denied):  # a name whose address is closed
                raise error.__cause__ from None
            raise
        try:
            return content_of(body_of(answer), answer.headers.get("content-type", ""))
        except ViewFailed:
            # Sites of videos turn away who is no browser; yt-dlp gets along with them.
            if await self._sites.knows(_bare(target)):
                return Content.VIDEO_PAGE
            raise

    async def _asked(self, fetcher: Fetcher, target: Target) -> Fetched:
        return await fetcher.get(
            Fetch(
                url=_bare(target),
                credentials=_credentials(target.userinfo),
                max_bytes=_HEAD_BYTES,
                only_head=True,
            )
        )


def _bare(target: Target) -> str:
    return replace(target, userinfo=None).url()


def _credentials(userinfo: str | None) -> Credentials | None:
    if userinfo is None:
        return None
    user, _, password = userinfo.partition(":")
    return Credentials(unquote(user), unquote(password))


def content_of(head: bytes, media_type: str) -> Content:
    """Say what begins like this. What the server calls it counts for pictures without an end alone.

    Raises:
        InvalidInput: nothing that can be watched begins like this.
    """
    if media_type.partition(";")[0].strip().lower() == "multipart/x-mixed-replace":
        return Content.VIDEO
    if head.startswith(b"\xff\xd8\xff") or picture_header(head):
        return Content.PICTURE
    if b"%PDF-" in head[:1024]:
        return Content.DOCUMENT
    if head.startswith(_PLAYLIST) or begins_video(head):
        return Content.VIDEO
    if _is_page(head):
        return Content.PAGE
    raise InvalidInput(
        "The address answers, but with nothing that can be watched: no page, picture, PDF document or video."
        " If you know what it is, choose the kind of view yourself."
    )


def _is_page(head: bytes) -> bool:
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith((b"<!--", b"<?xml")):
        return any(mark in text for mark in _PAGES)
    return text.startswith(_PAGES)
