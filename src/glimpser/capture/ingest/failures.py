"""Why a stream cannot be had, in words for the person who must mend it."""

import errno
from collections.abc import Sequence
from enum import Enum

import av

from glimpser.core.redaction import redact


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


def unanswered() -> MediaError:
    """Say that nothing came in the time there was."""
    return MediaError(_NO_ANSWER)


_ANSWERS = {401: _SENTENCES[0], 403: _SENTENCES[1], 404: _SENTENCES[2]}


def answered(status: int) -> MediaError:
    """Turn a status of HTTP into a sentence."""
    if status in _ANSWERS:
        _, sentence, patience = _ANSWERS[status]
        return MediaError(sentence, patience)
    return MediaError(f"The server of the stream answers with HTTP {status}.")
