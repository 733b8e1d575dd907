"""Packets of an open stream in their time: a camera's as they come, a file's at the file's own speed."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from glimpser.capture.ingest.opening import Media
from glimpser.capture.ingest.pace import LagMeter
from glimpser.capture.ingest.ring import VideoPacket
from glimpser.core.live import MediaInput

_MAX_STEP_S = 1.0
_DEFAULT_STEP_S = 0.04


@dataclass(frozen=True, slots=True)
class Read:
    """One packet. `media_s` only ever rises, whatever the stream's own clock does.

    `lag_s` is how far reading is behind the source. `rewound`: the stream begins anew with this packet.
    """

    packet: VideoPacket
    media_s: float
    lag_s: float
    rewound: bool = False


class MediaTime:
    """Makes a clock that only rises out of time stamps that may be missing, jump or begin anew."""

    def __init__(self) -> None:
        self._offset_s = 0.0
        self._last_s: float | None = None

    def of(self, packet: VideoPacket) -> float:
        """Give the packet's place in the stream, in seconds."""
        stamp = packet.dts if packet.dts is not None else packet.pts
        if self._last_s is None:
            self._last_s = 0.0
            self._offset_s = -_seconds(packet, stamp) if stamp is not None else 0.0
            return 0.0
        now_s = self._last_s if stamp is None else _seconds(packet, stamp) + self._offset_s
        if stamp is None or not 0 <= now_s - self._last_s <= _MAX_STEP_S:
            next_s = self._last_s + _step_s(packet)
            self._offset_s += next_s - now_s
            now_s = next_s
        self._last_s = now_s
        return now_s


def read_camera(media: Media, monotonic: Callable[[], float] = time.monotonic) -> Iterator[Read]:
    """Read a stream that sets the pace itself; ends when the camera ends it."""
    clock, lag = MediaTime(), LagMeter()
    asked_at = monotonic()
    for packet in media.container.demux(media.stream):
        if packet.size == 0:
            return
        now = monotonic()
        media_s = clock.of(packet)
        yield Read(packet, media_s, lag.lag_s(now, media_s, waited_s=now - asked_at))
        asked_at = monotonic()


def read_file(media: Media, how: MediaInput, ending: threading.Event) -> Iterator[Read]:
    """Read a file at its own speed (or at `fps`), over and over if it loops; stops when `ending` is set."""
    speed = how.fps / media.nominal_fps if how.fps and media.nominal_fps else 1.0
    clock = MediaTime()
    began = time.monotonic()
    rewound = False
    while not ending.is_set():
        for packet in media.container.demux(media.stream):
            if packet.size == 0:
                break
            media_s = clock.of(packet) / speed
            if ending.wait(max(0.0, began + media_s - time.monotonic())):
                return
            yield Read(packet, media_s, time.monotonic() - began - media_s, rewound=rewound)
            rewound = False
        if not how.loop:
            return
        media.container.seek(0)
        rewound = True


def _seconds(packet: VideoPacket, stamp: int) -> float:
    return float(stamp * packet.time_base) if packet.time_base else 0.0


def _step_s(packet: VideoPacket) -> float:
    duration = _seconds(packet, packet.duration) if packet.duration else 0.0
    return duration if 0 < duration <= _MAX_STEP_S else _DEFAULT_STEP_S
