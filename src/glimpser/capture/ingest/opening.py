"""Opening a stream or file with libav, safely, and saying in plain words why it cannot be opened."""

import errno
import ipaddress
import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

import av
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from glimpser.capture.ingest.files import open_beneath
from glimpser.capture.ingest.peers import Peers
from glimpser.core.errors import GlimpserError, InvalidInput, Unavailable
from glimpser.core.live import MediaInput
from glimpser.core.redaction import redact
from glimpser.egress.gate import Gate
from glimpser.egress.proxy_client import refusal_of
from glimpser.egress.target import parse_target

OPEN_TIMEOUT_S = 8.0
CAMERA_SCHEMES = frozenset({"rtsp", "rtsps", "rtmp"})
WEB_SCHEMES = frozenset({"http", "https"})
_CAMERA_PROTOCOLS = "rtsp,rtsps,rtp,rtmp,tcp,udp,tls,srtp,crypto"
"""What libav may use under a camera's URL: not `file`, not `http`, no playlist of either."""
_CAMERA_FORMATS = "rtsp,flv,live_flv"
_WEB_PROTOCOLS = "http,https,httpproxy,tls,tcp,crypto"
"""What libav may use under a web address; `tcp` and `tls` to the proxy, `crypto` for encrypted HLS."""
_NO_PROTOCOL = "none"
"""No such protocol exists: a file opened by us cannot make libav open another."""
_FILE_FORMATS = (
    "mov,matroska,webm,avi,mpegts,mpeg,mpegvideo,m4v,h264,hevc,obu,ivf,flv,asf,ogg,nut,mxf,dv,mjpeg"
)
"""Demuxers of video: none of images, none that draws text (tty), none of playlists (hls, concat, sdp)."""
_WEB_FORMATS = f"{_FILE_FORMATS},live_flv,mpjpeg,hls,aac,ac3,eac3,mp3,webvtt"
"""Behind a web address also streams of JPEGs, and HLS with the sound and subtitles its playlists name."""
_IN_THEIR_TIME = frozenset({"mpjpeg", "mjpeg"})
"""Formats without time stamps: each picture is shown when it comes."""
MAX_PICTURE_PX = 8192 * 4320
"""Larger pictures are refused before memory is taken for them."""
MAX_REDIRECTS = 5
_FIELD_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_FIELD_VALUE = re.compile(r"[\t\x20-\x7e]*")
_READ_GRACE_S = 2.0
"""So much longer than the view counts as stalled do we wait for the stream to go on by itself."""


class Patience(Enum):
    """When to try again after a failure."""

    SOON = "soon"
    LATER = "later"
    """Slowly: cameras lock accounts after a few wrong passwords."""
    NEVER = "never"
    """Only a person can mend this."""


class MediaError(Exception):
    """A stream cannot be had: `reason` tells a person what is wrong and what to do, without secrets."""

    def __init__(self, reason: str, patience: Patience = Patience.SOON) -> None:
        super().__init__(reason)
        self.reason = reason
        self.patience = patience


@dataclass(frozen=True, slots=True)
class Media:
    """An open stream or file and its first video stream.

    `paced`: it may come faster than it is to be shown, in segments or all at once.
    """

    container: InputContainer
    stream: VideoStream
    paced: bool = False

    @property
    def nominal_fps(self) -> float | None:
        """The rate the stream says it has, if it says anything sensible."""
        rate = self.stream.average_rate or self.stream.guessed_rate
        return float(rate) if rate and 0.1 <= rate <= 240 else None


class Opener:
    """Opens what an ingest worker may open. Blocks; safe to use from several threads."""

    def __init__(self, gate: Gate, *, file_roots: Sequence[Path], stall_timeout_s: float) -> None:
        self._gate = gate
        self._file_roots = file_roots
        self._read_timeout_s = stall_timeout_s + _READ_GRACE_S
        self._peers = Peers()

    @contextmanager
    def open(self, media: MediaInput) -> Iterator[Media]:
        """Open for the time of the context.

        Raises:
            MediaError: it cannot be opened, or reading inside the context failed.
        """
        with ExitStack() as stack:
            try:
                container = self._open_any(media, stack)
                from_web = media.proxy is not None
                paced = from_web and container.format.name not in _IN_THEIR_TIME
                yield Media(container, _video_of(container), paced=paced)
            except av.error.FFmpegError as error:
                raise _stopped_by_proxy(error, media) or explain(error, is_file=media.is_file) from error
            except OSError as error:
                raise MediaError(f"Reading fails: {error.strerror}.") from error
            except Unavailable as error:
                raise MediaError(error.detail) from error
            except GlimpserError as error:
                raise MediaError(error.detail, Patience.NEVER) from error

    def _open_file(self, media: MediaInput, stack: ExitStack) -> InputContainer:
        file = stack.enter_context(open_beneath(media.address, self._file_roots))
        options = _limits(protocols=_NO_PROTOCOL, formats=_FILE_FORMATS)
        return stack.enter_context(av.open(file, "r", options=options))

    def _open_any(self, media: MediaInput, stack: ExitStack) -> InputContainer:
        if media.is_file:
            return self._open_file(media, stack)
        if media.proxy is not None:
            return self._open_web(media, media.proxy, stack)
        return self._open_camera(media, stack)

    def _open_web(self, media: MediaInput, proxy: str, stack: ExitStack) -> InputContainer:
        """Open through the proxy, which checks this address and all it leads to."""
        target = parse_target(media.address, WEB_SCHEMES)
        way = parse_target(proxy, ("http",))
        # To streams of cameras that are opened meanwhile, connections to the proxy are no strangers.
        stack.enter_context(self._peers.expected(ipaddress.ip_address(way.host), way.effective_port or 0))
        return stack.enter_context(
            av.open(
                target.url(),
                "r",
                options=_web_options(media, proxy),
                timeout=(OPEN_TIMEOUT_S, self._read_timeout_s),
            )
        )

    def _open_camera(self, media: MediaInput, stack: ExitStack) -> InputContainer:
        checked = self._gate.check(media.address, schemes=CAMERA_SCHEMES)
        port = checked.target.effective_port or 0
        strangers = stack.enter_context(self._peers.expected(checked.address, port))
        container: InputContainer = stack.enter_context(
            av.open(
                checked.pinned_url,
                "r",
                options=_camera_options(checked.target.scheme, media.transport),
                timeout=(OPEN_TIMEOUT_S, self._read_timeout_s),
            )
        )
        astray = self._peers.led_astray(container.close, known=strangers)
        if astray is None:
            raise MediaError("Another stream was opened at the same moment.")
        if astray:
            raise MediaError(_REDIRECTED, Patience.NEVER)
        return container


def _video_of(container: InputContainer) -> VideoStream:
    """Choose the first video; the cover picture of a piece of music is none."""
    for stream in container.streams.video:
        if Disposition.attached_pic not in stream.disposition:
            stream.codec_context.options = {"max_pixels": str(MAX_PICTURE_PX)}
            return stream
    raise MediaError("There is no video in it.", Patience.LATER)


def _limits(*, protocols: str, formats: str) -> dict[str, str]:
    return {
        "protocol_whitelist": protocols,
        "format_whitelist": formats,
        "max_pixels": str(MAX_PICTURE_PX),  # for the decoders libav probes with
    }


def _camera_options(scheme: str, transport: str) -> dict[str, str]:
    """Give libav's options: `fpsprobesize` 0 halves the time until the first picture."""
    options = _limits(protocols=_CAMERA_PROTOCOLS, formats=_CAMERA_FORMATS) | {"fpsprobesize": "0"}
    if scheme.startswith("rtsp"):
        options |= {"rtsp_transport": transport, "allowed_media_types": "video"}
    return options


def _web_options(media: MediaInput, proxy: str) -> dict[str, str]:
    """Give libav's options; HLS passes those of HTTP on to its playlists and segments."""
    options = _limits(protocols=_WEB_PROTOCOLS, formats=_WEB_FORMATS)
    options |= {
        "http_proxy": proxy,
        "max_redirects": str(MAX_REDIRECTS),
        "fpsprobesize": "0",
        # For HLS: formats are limited above, so that a name need not prove one; a connection of the proxy
        # carries one request; and what is live is shown from its newest segment on.
        "extension_picky": "0",
        "allowed_extensions": "ALL",
        "allowed_segment_extensions": "ALL",
        "http_persistent": "0",
        "http_multiple": "0",
        "live_start_index": "-1",
    }
    return options | _header_options(media.headers)


def _header_options(headers: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Write header fields as libav takes them.

    Raises:
        InvalidInput: they are not what RFC 9110 (5.1, 5.5) calls a field.
    """
    for name, value in headers:
        if not _FIELD_NAME.fullmatch(name) or not _FIELD_VALUE.fullmatch(value):
            raise InvalidInput("A header field for the stream's server is malformed.")
    if not headers:
        return {}
    options = {"headers": "".join(f"{name}: {value}\r\n" for name, value in headers)}
    agents = [value for name, value in headers if name.lower() == "user-agent"]
    return options | ({"user_agent": agents[-1]} if agents else {})


def _stopped_by_proxy(error: av.error.FFmpegError, media: MediaInput) -> MediaError | None:
    """Ask the proxy whether it was the one that refused, and why: libav keeps but the status."""
    if media.proxy is None or not isinstance(error, (av.error.HTTPForbiddenError, av.error.HTTPServerError)):
        return None
    refusal = refusal_of(media.proxy, parse_target(media.address, WEB_SCHEMES))
    if refusal is None:
        return None
    return MediaError(refusal.reason, Patience.NEVER if refusal.status == 403 else Patience.SOON)


_REDIRECTED = (
    "The camera sends us on to another address, which is not followed: enter the address it gives itself."
)
_NOT_VIDEO = "This is not a video that can be read: check what the address gives."
_NO_ANSWER = "The camera does not answer: is it on, and can it be reached from here?"
_SENTENCES: Sequence[tuple[type[av.error.FFmpegError], str, Patience]] = (
    (
        av.error.HTTPUnauthorizedError,
        "The camera refuses the credentials: check user name and password.",
        Patience.LATER,
    ),
    (av.error.HTTPForbiddenError, "The camera forbids this stream to this user.", Patience.LATER),
    (av.error.HTTPNotFoundError, "The camera has no stream under this path: check the URL.", Patience.SOON),
    (
        av.error.ConnectionRefusedError,
        "The camera refuses the connection: is it on, and is the port right?",
        Patience.SOON,
    ),
    (av.error.ExitError, _NO_ANSWER, Patience.SOON),
    (av.error.TimeoutError, _NO_ANSWER, Patience.SOON),
    (av.error.InvalidDataError, _NOT_VIDEO, Patience.SOON),
    (av.error.EOFError, "The stream ended.", Patience.SOON),
)
_UNREACHABLE = frozenset({errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN})


def explain(error: av.error.FFmpegError, *, is_file: bool) -> MediaError:
    """Turn libav's error into a sentence for the person who must mend it."""
    if is_file:
        return MediaError(
            f"This file is no video that can be played ({_libav(error)}): pictures, texts and lists are not.",
            Patience.NEVER,
        )
    if getattr(error, "errno", None) in _UNREACHABLE:
        return MediaError("There is no way to the camera's network: check address and routing.")
    for kind, sentence, patience in _SENTENCES:
        if isinstance(error, kind):
            return MediaError(sentence, patience)
    return MediaError(f"The stream cannot be read ({_libav(error)}).")


def _libav(error: av.error.FFmpegError) -> str:
    return redact(str(error.strerror or type(error).__name__))
