"""What passes between the program and its live sources."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Literal

from glimpser.core.frames import Frame
from glimpser.core.ids import TemplateId
from glimpser.core.motion import BurstClosed, BurstOpened, BurstPeak, MotionSettings, Polygon


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaInput:
    """What libav opens: a URL with its credentials, or a path of a file played at its own speed.

    `fps` replaces a file's own frame rate; `loop` begins a file again at its end.
    """

    address: str = field(repr=False)
    is_file: bool = False
    transport: Literal["tcp", "udp"] = "tcp"
    loop: bool = False
    fps: float | None = None
    detect_fps: float = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveSpec:
    """Everything an ingest worker must know of one view."""

    template_id: TemplateId
    media: MediaInput
    motion: MotionSettings
    zones: tuple[Polygon, ...] = ()
    motion_masks: tuple[Polygon, ...] = ()


class State(StrEnum):
    """The life of a stream.

    idle → connecting → live ⇄ degraded; live → stalled → backoff → connecting; failed needs a person.
    """

    IDLE = "idle"
    CONNECTING = "connecting"
    LIVE = "live"
    DEGRADED = "degraded"
    STALLED = "stalled"
    BACKOFF = "backoff"
    FAILED = "failed"
    STOPPING = "stopping"

    @property
    def gives_pictures(self) -> bool:
        return self in (State.LIVE, State.DEGRADED)


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamStatus:
    """`reason` says in plain words what is wrong and what to do; it never holds a secret.

    Every reconnect begins a new `epoch`. `fps`, `width` and `height` are those of the source.
    """

    state: State
    since: datetime
    reason: str | None = None
    fps: float | None = None
    width: int | None = None
    height: int | None = None
    epoch: int = 0


@dataclass(frozen=True, slots=True)
class StateChanged:
    template_id: TemplateId
    status: StreamStatus


@dataclass(frozen=True, slots=True)
class BurstReported:
    """A step in a burst of motion; `picture` is that of its best frame since the last step."""

    template_id: TemplateId
    step: BurstOpened | BurstPeak | BurstClosed
    picture: Frame | None


@dataclass(frozen=True, slots=True)
class FrameReady:
    """A picture somebody wanted. `wanted_width` is the width it was asked for in (0: native)."""

    frame: Frame
    wanted_width: int


@dataclass(frozen=True, slots=True)
class StreamMeasured:
    """Figures of one stream, about once a second while it runs."""

    template_id: TemplateId
    fps: float
    last_packet_age_s: float
    dropped_frames: int
    restarts: int


LiveEvent = StateChanged | BurstReported | FrameReady | StreamMeasured
LiveEvents = Sequence[LiveEvent]
