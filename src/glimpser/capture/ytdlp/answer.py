"""What yt-dlp answers, and which of the streams it found is taken. No I/O."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from urllib.parse import parse_qsl, urlsplit

import msgspec

from glimpser.core.clock import from_timestamp
from glimpser.core.sources import ViewFailed

MAX_HEIGHT_PX = 1080
DEFAULT_LIFE = timedelta(hours=6)
"""How long an address is taken to be good that does not say."""
_MAX_LIFE = timedelta(days=7)
_MIN_LIFE = timedelta(seconds=30)
_PROTOCOLS = frozenset({"http", "https", "m3u8", "m3u8_native"})
_EXPIRY_PARAMETERS = frozenset({"expire", "expires", "exp", "e", "x-expires"})
_UNKNOWN_HEIGHT_PX = 360
_WORTH_OF_CODEC = {"h264": 1.0, "unknown": 0.8, "other": 0.6}
"""Decoding VP9, AV1 or HEVC costs so much more that a smaller H.264 picture is the better one."""
_NOT_LIVE = frozenset({"was_live", "post_live", "not_live"})
_HEADERS = frozenset({"user-agent", "referer", "origin", "accept", "accept-language"})
"""Headers a site may ask for; cookies and credentials are not among them."""


class Format(msgspec.Struct, frozen=True):
    """One stream of a video, by the names of yt-dlp's documentation."""

    url: str | None = None
    protocol: str | None = None
    vcodec: str | None = None
    height: float | None = None
    tbr: float | None = None
    has_drm: bool | str | None = None
    http_headers: Mapping[str, str] | None = None

    @property
    def usable(self) -> bool:
        """Whether it is video that libav may open."""
        return (
            bool(self.url)
            and self.protocol in _PROTOCOLS
            and self.vcodec != "none"
            and self.has_drm not in (True, "maybe")
        )

    @property
    def rank(self) -> tuple[bool, float, float]:
        """The largest is the best one."""
        height = self.height or _UNKNOWN_HEIGHT_PX
        return height <= MAX_HEIGHT_PX, height * _WORTH_OF_CODEC[_family(self.vcodec)], self.tbr or 0.0


class Answer(Format, frozen=True, kw_only=True):
    """A video or, with `entries`, a list of videos."""

    is_live: bool | None = None
    live_status: str | None = None
    formats: Sequence[Format] | None = None
    requested_formats: Sequence[Format] | None = None
    entries: Sequence["Answer | None"] | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """A stream that was found; `url` is not checked yet."""

    url: str = field(repr=False)
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)


_answers = msgspec.json.Decoder(Answer)


def parse_answer(stdout: bytes, *, ours: bool, only_live: bool) -> Found:
    """Take a stream out of what yt-dlp wrote; the choice is `ours`, or that of the format it was told.

    Raises:
        ViewFailed: it is not understood, or there is no stream that can be shown now.
    """
    try:
        answer = _answers.decode(stdout)
    except (msgspec.DecodeError, RecursionError):
        raise ViewFailed("What yt-dlp answers is not understood: update Glimpser.", 3600) from None
    video = next(_videos(answer), None)
    if video is None:
        raise ViewFailed("There is no video under this address now.", 300)
    if video.live_status == "is_upcoming":
        raise ViewFailed("This has not begun yet: it will be looked for again.", 300)
    if only_live and (video.is_live is False or video.live_status in _NOT_LIVE):
        raise ViewFailed("It is not live now: it will be looked for again.", 300)
    best = max(_candidates(video, ours=ours), key=lambda stream: stream.rank, default=None)
    if best is None or best.url is None:
        raise ViewFailed("None of its streams can be shown: they are protected, or of an unknown kind.", 3600)
    return Found(best.url, _headers(best.http_headers or video.http_headers or {}))


def expiry_of(url: str, now: datetime) -> datetime:
    """Say when an address ends: by a parameter of its query or path, else after six hours."""
    parts = urlsplit(url)
    segments = parts.path.split("/")
    pairs = [*parse_qsl(parts.query), *pairwise(segments)]
    for name, value in pairs:
        # Seconds since 1970 have ten digits until the year 2286.
        if name.lower() in _EXPIRY_PARAMETERS and value.isascii() and value.isdecimal() and len(value) == 10:
            expires = from_timestamp(int(value))
            return min(max(expires, now + _MIN_LIFE), now + _MAX_LIFE)
    return now + DEFAULT_LIFE


def _videos(answer: Answer) -> Iterator[Answer]:
    if answer.entries is None:
        yield answer
        return
    for entry in answer.entries:
        if entry is not None:
            yield from _videos(entry)


def _candidates(video: Answer, *, ours: bool) -> Sequence[Format]:
    chosen: Sequence[Format] = video.requested_formats or (video,)
    return [stream for stream in ((ours and video.formats) or chosen) if stream.usable]


def _family(vcodec: str | None) -> str:
    if not vcodec:
        return "unknown"
    return "h264" if vcodec.lower().startswith(("avc", "h264")) else "other"


def _headers(given: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Keep headers that are harmless and well formed: a line break would begin another one."""
    return tuple(
        (name, value)
        for name, value in given.items()
        if name.lower() in _HEADERS and value.isascii() and value.isprintable()
    )
