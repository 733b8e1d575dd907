"""What passes between the program and its live sources."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Generic, Literal, TypeVar

from glimpser.core.frames import Frame
from glimpser.core.health import Judged
from glimpser.core.ids import TemplateId
from glimpser.core.motion import BurstClosed, BurstOpened, BurstPeak, MotionSettings, Polygon
from glimpser.core.sources import Source


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaInput:
    """What libav opens: a URL with its credentials, or a path of a file played at its own speed.

    `fps` replaces a file's own frame rate; `loop` begins a file again at its end; `newest`: the path is that
    of a folder, whose newest video is the file until there is a newer one. `proxy` is the URL of the forward
    proxy that http and https are reached through, and `headers` go with their requests.
    """

    address: str = field(repr=False)
    is_file: bool = False
    newest: bool = False
    transport: Literal["tcp", "udp"] = "tcp"
    loop: bool = False
    fps: float | None = None
    detect_fps: float = 5.0
    proxy: str | None = field(default=None, repr=False)
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    hwaccel: Literal["none", "vaapi", "cuda", "qsv"] = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Polled:
    """A view that gives one picture at a time; while it runs, `source` is asked every `interval_s`.

    Two are equal when `key` is: it says in full what `source` was made from, and may hold secrets.
    """

    source: Source = field(repr=False, compare=False)
    key: str = field(repr=False)
    interval_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a stream was found. After `expires_at` the address must be looked up again."""

    media: MediaInput
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Located:
    """A stream whose address is looked up first. Equal as `Polled`.

    `locate` raises as `Source.snapshot` does.
    """

    locate: Callable[[], Awaitable[Address]] = field(repr=False, compare=False)
    key: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pushed:
    """A view whose pictures are sent to it. Nothing for `expect_every_s` counts as stalled; None: never."""

    expect_every_s: float | None = None


Feed = MediaInput | Polled | Located | Pushed
"""What the pictures of a view come from."""

FeedT_co = TypeVar("FeedT_co", bound=Feed, covariant=True)
OtherT = TypeVar("OtherT", bound=Feed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Caption:
    """What is written into each picture of a view: a name, and the time it was captured.

    The time is that of `timezone`, an IANA name; None: of this machine's clock.
    """

    name: str | None = None
    time: bool = False
    timezone: str | None = "UTC"


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveSpec(Generic[FeedT_co]):
    """Everything that must be known to run one view.

    In the areas of `privacy_masks` nothing is ever to be seen, not even by this program's own detectors. So
    what passes packets on as they came (recording, fMP4, RTSP) must refuse a view that has some.
    """

    template_id: TemplateId
    feed: FeedT_co
    motion: MotionSettings
    zones: tuple[Polygon, ...] = ()
    motion_masks: tuple[Polygon, ...] = ()
    privacy_masks: tuple[Polygon, ...] = ()
    caption: Caption = Caption()

    def fed_by(self, feed: OtherT) -> "LiveSpec[OtherT]":
        """Give the same with another feed."""
        return LiveSpec(
            template_id=self.template_id,
            feed=feed,
            motion=self.motion,
            zones=self.zones,
            motion_masks=self.motion_masks,
            privacy_masks=self.privacy_masks,
            caption=self.caption,
        )


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

    Every reconnect begins a new `epoch`. `fps`, `width`, `height` and `codec` (FFmpeg's name of it) are those
    of the source.
    """

    state: State
    since: datetime
    reason: str | None = None
    fps: float | None = None
    width: int | None = None
    height: int | None = None
    epoch: int = 0
    codec: str | None = None


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


LiveEvent = StateChanged | BurstReported | FrameReady | StreamMeasured | Judged
LiveEvents = Sequence[LiveEvent]
