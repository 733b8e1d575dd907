"""Opening a stream or file with libav, safely, and saying in plain words why it cannot be opened."""

import ipaddress
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import av
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from glimpser.capture.ingest.failures import MediaError, Patience, explain, unanswered
from glimpser.capture.ingest.files import open_beneath
from glimpser.capture.ingest.guards import MAX_PICTURE_PX, NO_PROTOCOL, VIDEO_FORMATS, limits
from glimpser.capture.ingest.hls import WEB_SCHEMES
from glimpser.capture.ingest.newest import newest_video
from glimpser.capture.ingest.peers import Peers
from glimpser.capture.ingest.web import is_stamped, open_web, stopped_by_proxy
from glimpser.core.clock import SystemClock
from glimpser.core.errors import GlimpserError, Unavailable
from glimpser.core.live import MediaInput
from glimpser.egress.gate import Gate
from glimpser.egress.target import parse_target

__all__ = [
    "CAMERA_SCHEMES",
    "MAX_PICTURE_PX",
    "OPEN_TIMEOUT_S",
    "WEB_SCHEMES",
    "Media",
    "MediaError",
    "Opener",
    "Patience",
    "explain",
]

OPEN_TIMEOUT_S = 8.0
CAMERA_SCHEMES = frozenset({"rtsp", "rtsps", "rtmp"})
_CAMERA_PROTOCOLS = "rtsp,rtsps,rtp,rtmp,tcp,udp,tls,srtp,crypto"
"""What libav may use under a camera's URL: not `file`, not `http`, no playlist of either."""
_CAMERA_FORMATS = "rtsp,flv,live_flv"
_READ_GRACE_S = 2.0
"""So much longer than the view counts as stalled do we wait for the stream to go on by itself."""


@dataclass(frozen=True, slots=True)
class Media:
    """An open stream or file and its first video stream.

    `paced`: it may come faster than it is to be shown, in segments or all at once. `stamped`: its time stamps
    are its own; libav makes some up, 25 a second, where a format has none. `is_outdated` tells of a file
    whether another has taken its place.
    """

    container: InputContainer
    stream: VideoStream
    paced: bool = False
    stamped: bool = True
    is_outdated: Callable[[], bool] = lambda: False

    @property
    def nominal_fps(self) -> float | None:
        """The rate the stream says it has, if it says anything sensible."""
        rate = self.stream.average_rate or self.stream.guessed_rate
        return float(rate) if rate and 0.1 <= rate <= 240 else None

    @property
    def codec(self) -> str:
        """FFmpeg's name of how the video is encoded, such as `h264`."""
        return self.stream.codec_context.name


class Opener:
    """Opens what an ingest worker may open. Blocks; safe to use from several threads."""

    def __init__(
        self,
        gate: Gate,
        *,
        file_roots: Sequence[Path],
        stall_timeout_s: float,
        open_timeout_s: float = OPEN_TIMEOUT_S,
    ) -> None:
        self._gate = gate
        self._file_roots = file_roots
        self._open_timeout_s = open_timeout_s
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
                chosen = self._chosen(media)
                container = self._open_in_time(chosen, stack)
                stamped = is_stamped(container)
                yield Media(
                    container,
                    _video_of(container),
                    paced=media.proxy is not None and stamped,
                    stamped=stamped,
                    is_outdated=lambda: self._chosen(media) != chosen,
                )
            except av.error.FFmpegError as error:
                raise stopped_by_proxy(error, media) or explain(error, is_file=media.is_file) from error
            except OSError as error:
                raise MediaError(f"Reading fails: {error.strerror}.") from error
            except Unavailable as error:
                raise MediaError(error.detail) from error
            except GlimpserError as error:
                raise MediaError(error.detail, Patience.NEVER) from error

    def _chosen(self, media: MediaInput) -> MediaInput:
        """Give what is to be opened now: of a folder its newest video."""
        if not media.newest:
            return media
        now_s = SystemClock().now().timestamp()
        return replace(media, address=newest_video(media.address, self._file_roots, now_s=now_s))

    def _open_file(self, media: MediaInput, stack: ExitStack) -> InputContainer:
        file = stack.enter_context(open_beneath(media.address, self._file_roots))
        options = limits(protocols=NO_PROTOCOL, formats=VIDEO_FORMATS)
        return stack.enter_context(av.open(file, "r", options=options))

    def _open_in_time(self, media: MediaInput, stack: ExitStack) -> InputContainer:
        """Open; libav has many names for what is silent until its time is up, here it gets one."""
        clock = SystemClock()
        began = clock.monotonic()
        try:
            return self._open_any(media, stack)
        except av.error.FFmpegError as error:
            if media.is_file or clock.monotonic() - began < self._open_timeout_s:
                raise
            raise stopped_by_proxy(error, media) or unanswered() from error

    def _open_any(self, media: MediaInput, stack: ExitStack) -> InputContainer:
        if media.is_file:
            return self._open_file(media, stack)
        if media.proxy is not None:
            return self._open_web(media, media.proxy, stack)
        return self._open_camera(media, stack)

    def _open_web(self, media: MediaInput, proxy: str, stack: ExitStack) -> InputContainer:
        """Open through the proxy, which checks this address and all it leads to."""
        way = parse_target(proxy, ("http",))
        # To streams of cameras that are opened meanwhile, connections to the proxy are no strangers.
        stack.enter_context(self._peers.expected(ipaddress.ip_address(way.host), way.effective_port or 0))
        timeout_s = self._open_timeout_s, self._read_timeout_s
        return stack.enter_context(open_web(media, proxy, timeout_s=timeout_s))

    def _open_camera(self, media: MediaInput, stack: ExitStack) -> InputContainer:
        checked = self._gate.check(media.address, schemes=CAMERA_SCHEMES)
        port = checked.target.effective_port or 0
        strangers = stack.enter_context(self._peers.expected(checked.address, port))
        container: InputContainer = stack.enter_context(
            av.open(
                checked.pinned_url,
                "r",
                options=_camera_options(checked.target.scheme, media.transport),
                timeout=(self._open_timeout_s, self._read_timeout_s),
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


def _camera_options(scheme: str, transport: str) -> dict[str, str]:
    """Give libav's options: `fpsprobesize` 0 halves the time until the first picture."""
    options = limits(protocols=_CAMERA_PROTOCOLS, formats=_CAMERA_FORMATS) | {"fpsprobesize": "0"}
    if scheme.startswith("rtsp"):
        options |= {"rtsp_transport": transport, "allowed_media_types": "video"}
    return options


_REDIRECTED = (
    "The camera sends us on to another address, which is not followed: enter the address it gives itself."
)
