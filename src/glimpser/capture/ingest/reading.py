"""Packets of an open stream in their time: a camera's as they come, a file's at the file's own speed."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import av

from glimpser.capture.ingest.opening import Media, MediaError, Patience
from glimpser.capture.ingest.pace import LagMeter
from glimpser.capture.ingest.ring import VideoPacket
from glimpser.core.live import MediaInput

_MAX_CAMERA_STEP_S = 1.0
_MAX_FILE_STEP_S = 10.0
"""A file may hold a picture for seconds; what lasts longer is taken for damage."""
_DEFAULT_STEP_S = 0.04
_WAITED_S = 0.005
"""A packet that took longer was waited for; others were there already."""
_MAX_LATE_S = 5.0
"""A file that is played later than this goes on from where it is: nothing waits for its missed part."""


class Ending(Protocol):
    """Like `threading.Event`."""

    def wait(self, timeout: float | None = None) -> bool: ...


@dataclass(frozen=True, slots=True)
class Read:
    """One packet. `media_s` never falls, whatever the stream's own clock does.

    `lag_s` is how far reading is behind the source. `rewound`: the stream begins anew with this packet.
    """

    packet: VideoPacket
    media_s: float
    lag_s: float
    rewound: bool = False


class MediaTime:
    """Makes a clock that never falls out of time stamps that may be missing, jump, wrap or begin anew."""

    def __init__(self, max_step_s: float) -> None:
        """Steps larger than `max_step_s`, forwards or back, are taken for jumps of the stream's clock."""
        self._max_step_s = max_step_s
        self._offset_s = 0.0
        self._last_s: float | None = None

    def of(self, packet: VideoPacket, *, otherwise_s: float, anew: bool = False) -> float:
        """Give the packet's place in the stream, in seconds.

        `otherwise_s` is the step to take where the stamps do not tell, or begin `anew`.
        """
        stamp = packet.dts if packet.dts is not None else packet.pts
        stamp_s = None if stamp is None or packet.time_base is None else float(stamp * packet.time_base)
        if self._last_s is None:
            self._last_s = 0.0
            self._offset_s = -(stamp_s or 0.0)
            return 0.0
        step_s = None if stamp_s is None else stamp_s + self._offset_s - self._last_s
        if step_s is None or anew or abs(step_s) > self._max_step_s:
            step_s = max(0.0, otherwise_s)
            if stamp_s is not None:
                self._offset_s = self._last_s + step_s - stamp_s
        # A small step back is a picture stamped in order of presentation, not a jump.
        self._last_s += max(0.0, step_s)
        return self._last_s


def read_camera(media: Media, monotonic: Callable[[], float] = time.monotonic) -> Iterator[Read]:
    """Read a stream that sets the pace itself; ends when the camera ends it.

    Pictures without time stamps of their own were taken when they come.
    """
    clock, lag = MediaTime(_MAX_CAMERA_STEP_S), LagMeter()
    came_at = asked_at = monotonic()
    for packet in media.container.demux(media.stream):
        if packet.size == 0:
            continue  # the end, or side data alone
        now = monotonic()
        media_s = clock.of(packet, otherwise_s=now - came_at, anew=not media.stamped)
        came_at = now
        yield Read(packet, media_s, lag.lag_s(now, media_s, waited_s=now - asked_at))
        asked_at = monotonic()


def read_stream(
    media: Media, ending: Ending, monotonic: Callable[[], float] = time.monotonic
) -> Iterator[Read]:
    """Read what comes in pieces, such as HLS, at its own speed; stops when `ending` is set.

    Whenever the network keeps us waiting, what follows is shown that much later; only what is late without
    that is lag.
    """
    clock = MediaTime(_MAX_FILE_STEP_S)
    began = asked_at = monotonic()
    for packet in media.container.demux(media.stream):
        if packet.size == 0:
            continue
        now = monotonic()
        media_s = clock.of(packet, otherwise_s=_step_s(packet, media.nominal_fps))
        late_s = now - began - media_s
        if late_s > _MAX_LATE_S or (late_s > 0 and now - asked_at >= _WAITED_S):
            began += late_s
            late_s = 0.0
        if ending.wait(max(0.0, -late_s)):
            return
        yield Read(packet, media_s, max(0.0, late_s))
        asked_at = monotonic()


def read_file(
    media: Media, how: MediaInput, ending: Ending, monotonic: Callable[[], float] = time.monotonic
) -> Iterator[Read]:
    """Read a file at its own speed (or at `fps`), over and over if it loops; stops when `ending` is set.

    Raises:
        MediaError: there is nothing in it, or it cannot be rewound.
    """
    began = monotonic()
    for packet, media_s, rewound in _passes(media, how):
        late_s = monotonic() - began - media_s
        if ending.wait(max(0.0, -late_s)):
            return
        if late_s > _MAX_LATE_S:
            began += late_s
            late_s = 0.0
        yield Read(packet, media_s, max(0.0, late_s), rewound=rewound)


def _passes(media: Media, how: MediaInput) -> Iterator[tuple[VideoPacket, float, bool]]:
    """Give the packets of a file with their time since the beginning; true: it began anew."""
    clock = MediaTime(_MAX_FILE_STEP_S)
    count = 0
    while True:
        first_of_pass = count
        for packet in media.container.demux(media.stream):
            if packet.size == 0:
                continue
            anew = count == first_of_pass > 0
            media_s = clock.of(packet, otherwise_s=_step_s(packet, media.nominal_fps), anew=anew)
            yield packet, count / how.fps if how.fps else media_s, anew
            count += 1
        if count == first_of_pass:
            raise MediaError("There is no picture in this file.", Patience.NEVER)
        if not how.loop or media.is_outdated():
            return
        _rewind(media)


def _rewind(media: Media) -> None:
    try:
        media.container.seek(media.container.start_time or 0)
    except av.error.FFmpegError as error:
        reason = "This file cannot be rewound: convert it to MP4, or play it without repeating it."
        raise MediaError(reason, Patience.NEVER) from error


def _step_s(packet: VideoPacket, nominal_fps: float | None) -> float:
    duration_s = float(packet.duration * packet.time_base) if packet.duration and packet.time_base else 0.0
    if 0 < duration_s <= _MAX_FILE_STEP_S:
        return duration_s
    return 1 / nominal_fps if nominal_fps else _DEFAULT_STEP_S
