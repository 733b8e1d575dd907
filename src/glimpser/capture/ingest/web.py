"""Opening streams under http and https, through the proxy: by libav itself, or HLS by our own fetching."""

import re
from collections.abc import Sequence

import av
from av.container import InputContainer

from glimpser.capture.ingest.failures import MediaError, Patience
from glimpser.capture.ingest.guards import NO_PROTOCOL, VIDEO_FORMATS, limits
from glimpser.capture.ingest.hls import MAX_REDIRECTS, WEB_SCHEMES, Fetcher
from glimpser.core.errors import InvalidInput
from glimpser.core.live import MediaInput
from glimpser.egress.proxy_client import refusal_of
from glimpser.egress.target import parse_target

_PROTOCOLS = "http,https,httpproxy,tls,tcp"
"""For one request to what we name. No demuxer of `_FORMATS` opens anything by itself."""
_FORMATS = f"{VIDEO_FORMATS},live_flv,mpjpeg"
_HLS_FORMATS = f"hls,{VIDEO_FORMATS},aac,ac3,eac3,mp3,webvtt"
"""With the sound and subtitles that playlists name."""
_UNSTAMPED = frozenset({"mpjpeg", "mjpeg"})
"""Formats without time stamps: each picture is shown when it comes."""
_FIELD_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_FIELD_VALUE = re.compile(r"[\t\x20-\x7e]*")


def open_web(media: MediaInput, proxy: str, *, timeout_s: tuple[float, float]) -> InputContainer:
    """Open a stream; `timeout_s` are those for opening and for each packet.

    Raises:
        InvalidInput: the address or a header field cannot be used.
        MediaError, FFmpegError: it cannot be opened.
    """
    _check_fields(media.headers)
    path = parse_target(media.address, WEB_SCHEMES).path.partition("?")[0]
    if path.lower().endswith(".m3u8"):
        return _open_hls(media, proxy, timeout_s)
    try:
        return av.open(
            parse_target(media.address, WEB_SCHEMES).url(),
            "r",
            options=_options(media, proxy),
            timeout=timeout_s,
        )
    except av.error.ArgumentError:  # libav's word for a demuxer that is not on the list
        return _open_hls(media, proxy, timeout_s)


def is_stamped(container: InputContainer) -> bool:
    """Tell whether a stream says when its pictures are to be shown."""
    return container.format.name not in _UNSTAMPED


_FORBIDDEN = (
    "The camera forbids this stream to this user, or sends us on to an address that is closed: see the log."
)


def stopped_by_proxy(error: av.error.FFmpegError, media: MediaInput) -> MediaError | None:
    """Ask the proxy whether it was the one that refused, and why: libav keeps but the status."""
    if media.proxy is None or not isinstance(error, (av.error.HTTPForbiddenError, av.error.HTTPServerError)):
        return None
    refusal = refusal_of(media.proxy, parse_target(media.address, WEB_SCHEMES))
    if refusal is None:
        is_forbidden = isinstance(error, av.error.HTTPForbiddenError)
        return MediaError(_FORBIDDEN, Patience.LATER) if is_forbidden else None
    return MediaError(refusal.reason, Patience.NEVER if refusal.status == 403 else Patience.SOON)


def _open_hls(media: MediaInput, proxy: str, timeout_s: tuple[float, float]) -> InputContainer:
    fetcher = Fetcher(media, proxy, timeout_s=timeout_s[0])
    try:
        container = av.open(
            fetcher.address,
            "r",
            format="hls",
            options=_HLS_OPTIONS,
            timeout=timeout_s,
            io_open=fetcher.open,
        )
    except av.error.FFmpegError as error:
        fetcher.close()
        raise fetcher.failure or error from error
    if fetcher.failure is not None and not container.streams.video:
        container.close()
        fetcher.close()
        raise fetcher.failure
    fetcher.settled()
    return container


_HLS_OPTIONS = limits(protocols=NO_PROTOCOL, formats=_HLS_FORMATS) | {
    "fpsprobesize": "0",
    # Formats are limited above, so that a name need not prove one.
    "extension_picky": "0",
    "allowed_extensions": "ALL",
    "allowed_segment_extensions": "ALL",
    "http_persistent": "0",
    "http_multiple": "0",
    "live_start_index": "-1",
}
"""What is live is shown from its newest segment on."""


def _options(media: MediaInput, proxy: str) -> dict[str, str]:
    options = limits(protocols=_PROTOCOLS, formats=_FORMATS)
    options |= {"http_proxy": proxy, "max_redirects": str(MAX_REDIRECTS), "fpsprobesize": "0"}
    if media.headers:
        options["headers"] = "".join(f"{name}: {value}\r\n" for name, value in media.headers)
    agents = [value for name, value in media.headers if name.lower() == "user-agent"]
    return options | ({"user_agent": agents[-1]} if agents else {})


def _check_fields(headers: Sequence[tuple[str, str]]) -> None:
    """Refuse what RFC 9110 (sections 5.1 and 5.5) does not call a field."""
    for name, value in headers:
        if not _FIELD_NAME.fullmatch(name) or not _FIELD_VALUE.fullmatch(value):
            raise InvalidInput("A header field for the stream's server is malformed.")
