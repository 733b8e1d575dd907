"""Opening a stream or file with libav, safely, and saying in plain words why it cannot be opened."""

import errno
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from glimpser.capture.ingest.files import open_beneath
from glimpser.core.errors import GlimpserError, Unavailable
from glimpser.core.live import MediaInput
from glimpser.egress.gate import Gate
from glimpser.egress.redaction import redact

OPEN_TIMEOUT_S = 8.0
CAMERA_SCHEMES = frozenset({"rtsp", "rtsps", "rtmp"})
_CAMERA_PROTOCOLS = "rtsp,rtsps,rtp,rtmp,tcp,udp,tls,srtp,crypto"
"""What libav may use under a camera's URL: not `file`, not `http`, no playlist of either."""
_NO_PROTOCOL = "none"
"""No such protocol exists: a file opened by us cannot make libav open another."""


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
    """An open stream or file and its first video stream."""

    container: InputContainer
    stream: VideoStream

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
        self._read_timeout_s = stall_timeout_s

    @contextmanager
    def open(self, media: MediaInput) -> Iterator[Media]:
        """Open for the time of the context.

        Raises:
            MediaError: it cannot be opened, or reading inside the context failed.
        """
        with ExitStack() as stack:
            try:
                container = stack.enter_context(
                    self._open_file(media, stack) if media.is_file else self._open_camera(media)
                )
                if not container.streams.video:
                    raise MediaError("There is no video in it.", Patience.LATER)
                yield Media(container, container.streams.video[0])
            except av.error.FFmpegError as error:
                raise explain(error, is_file=media.is_file) from error
            except Unavailable as error:
                raise MediaError(error.detail) from error
            except GlimpserError as error:
                raise MediaError(error.detail, Patience.NEVER) from error

    def _open_file(self, media: MediaInput, stack: ExitStack) -> InputContainer:
        file = stack.enter_context(open_beneath(media.address, self._file_roots))
        return av.open(file, "r", options={"protocol_whitelist": _NO_PROTOCOL})

    def _open_camera(self, media: MediaInput) -> InputContainer:
        checked = self._gate.check(media.address, schemes=CAMERA_SCHEMES)
        return av.open(
            checked.pinned_url,
            "r",
            options=dict(_camera_options(checked.target.scheme, media.transport)),
            timeout=(OPEN_TIMEOUT_S, self._read_timeout_s),
        )


def _camera_options(scheme: str, transport: str) -> Mapping[str, str]:
    """Give libav's options: `fpsprobesize` 0 halves the time until the first picture."""
    options = {"protocol_whitelist": _CAMERA_PROTOCOLS, "fpsprobesize": "0"}
    if scheme.startswith("rtsp"):
        options |= {"rtsp_transport": transport, "allowed_media_types": "video"}
    return options


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
        return MediaError(f"The file cannot be played ({_libav(error)}): is it a video?", Patience.NEVER)
    if getattr(error, "errno", None) in _UNREACHABLE:
        return MediaError("There is no way to the camera's network: check address and routing.")
    for kind, sentence, patience in _SENTENCES:
        if isinstance(error, kind):
            return MediaError(sentence, patience)
    return MediaError(f"The stream cannot be read ({_libav(error)}).")


def _libav(error: av.error.FFmpegError) -> str:
    return redact(str(error.strerror or type(error).__name__))
