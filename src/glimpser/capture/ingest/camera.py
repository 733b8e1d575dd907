"""One live view: a thread that opens it, reads it, looks at it, and opens it again when it is gone."""

import threading
from collections.abc import Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Protocol

from glimpser.capture.ingest.decoder import OnDemandDecoder
from glimpser.capture.ingest.motion import BurstReporter, MotionWatch
from glimpser.capture.ingest.opening import Media, MediaError, Opener, Patience
from glimpser.capture.ingest.pace import Backoff, RateMeter
from glimpser.capture.ingest.pixels import Outlet, Pixels
from glimpser.capture.ingest.reading import Read, read_camera, read_file
from glimpser.capture.ingest.status import Status
from glimpser.capture.ingest.wire import FrameReport, MeasureReport, Report, SnapshotReport
from glimpser.core.clock import Clock
from glimpser.core.live import LiveSpec, State

_BEHIND_S = 1.0
_CAUGHT_UP_S = 0.3
_BEHIND = "Pictures come faster than this machine decodes them: only key frames are shown."
_PROVEN_S = 5.0
"""A session that lasted this long was a success: the next failure is a new outage."""
_UNDECODABLE_S = 10.0


class CountingOutlet(Outlet, Protocol):
    def dropped(self, template_id: str) -> int:
        """Count the frames of a view that were made and not sent."""
        ...


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all cameras of a worker share."""

    opener: Opener
    outlet: CountingOutlet
    encoders: Executor
    clock: Clock
    stall_timeout_s: float


class Camera(threading.Thread):
    """Public methods are called from the worker's I/O thread and do not block; the rest is its own thread's.

    Once stopped it reports nothing more, even while libav still holds the thread.
    """

    def __init__(
        self, spec: LiveSpec, around: Surroundings, *, watch: MotionWatch | None, first_epoch: int
    ) -> None:
        super().__init__(name=f"camera-{spec.template_id}", daemon=True)
        self._spec = spec
        self._id = str(spec.template_id)
        self._around = around
        self._clock = around.clock
        self._ending = threading.Event()
        self._status = Status(self._id, self.report, around.clock, first_epoch=first_epoch)
        self._pixels = Pixels(
            self._id,
            outlet=self,
            bursts=BurstReporter(self._id, watch, self) if watch else None,
            detect_fps=spec.media.detect_fps,
            encoders=around.encoders,
            clock=around.clock,
        )
        self._backoff = Backoff()
        self._restarts = 0
        self._rate = RateMeter(self._clock.monotonic())
        self._last_packet_at = self._clock.monotonic()
        self._shape: tuple[int, int] | None = None

    # From the I/O thread.

    def stop(self) -> None:
        """End soon; whatever is still reported is not sent."""
        self._ending.set()

    def set_wants(self, widths: Mapping[int, float]) -> None:
        """Make pictures of these widths (0: native), each at its rate (0: every frame)."""
        self._pixels.set_wants(widths)

    def snapshot(self, request: int, width: int) -> None:
        """Answer with a picture, or with why there is none."""
        if self._status.state.gives_pictures:
            self._pixels.snapshot(request, width)
        else:
            self.report(SnapshotReport(id=self._id, request=request, error=self._why_no_picture()))

    def tick(self) -> None:
        """Watch over the thread and report its figures; to be called about once a second."""
        now = self._clock.monotonic()
        age_s = now - self._last_packet_at
        if self._status.state.gives_pictures and age_s > self._around.stall_timeout_s:
            self._status.say(State.STALLED, self._stalled)
        if self._status.state is not State.IDLE:
            figures = MeasureReport(
                id=self._id,
                fps=round(self._rate.read(now), 2),
                last_packet_age_s=round(age_s, 3),
                dropped_frames=self._around.outlet.dropped(self._id),
                restarts=self._restarts,
            )
            self.report(figures)

    # From any of its threads.

    def report(self, report: Report, payload: bytes = b"") -> None:
        """Send a report, unless this camera was stopped."""
        if not self._ending.is_set():
            self._around.outlet.report(report, payload)

    def frame(self, report: FrameReport, jpeg: bytes) -> None:
        """Offer a frame, unless this camera was stopped."""
        if not self._ending.is_set():
            self._around.outlet.frame(report, jpeg)

    # Its own thread.

    def run(self) -> None:
        self._status.belongs_to_this_thread()
        while not self._ending.is_set():
            delay_s = self._session()
            self._pixels.flush(self._why_no_picture())
            self._ending.wait(delay_s)
            self._restarts += 1

    def _session(self) -> float | None:
        """Open and read until it ends; gives the seconds to wait before the next try, None for ever."""
        self._status.say(State.CONNECTING, self._status.reason)
        self._forget_shape()
        began = self._clock.monotonic()
        try:
            with self._around.opener.open(self._spec.media) as media:
                self._play(media)
            failure = MediaError("The camera ended the stream.")
        except MediaError as error:
            failure = error
        if self._spec.media.is_file and failure.patience is Patience.SOON:
            self._status.say(State.IDLE, "The file has ended.")
            return None
        if self._shape and self._clock.monotonic() - began > _PROVEN_S:
            self._backoff.succeeded()
        return self._give_way(failure)

    def _give_way(self, failure: MediaError) -> float | None:
        """Say why there is no picture now, and how long to wait."""
        if failure.patience is Patience.NEVER:
            self._status.say(State.FAILED, failure.reason)
            return None
        stalled = self._status.state is State.STALLED
        self._status.say(State.BACKOFF, self._stalled if stalled else failure.reason)
        return self._backoff.next_delay_s(self._clock.monotonic(), slow=failure.patience is Patience.LATER)

    def _play(self, media: Media) -> None:
        how = self._spec.media
        decoder = OnDemandDecoder(media.stream.codec_context)
        opened_at = self._clock.monotonic()
        self._last_packet_at = opened_at
        for read in read_file(media, how, self._ending) if how.is_file else read_camera(media):
            if self._ending.is_set():
                return
            self._last_packet_at = self._clock.monotonic()
            self._rate.count()
            self._look(media, decoder, read)
            if self._shape is None and self._last_packet_at - opened_at > _UNDECODABLE_S:
                codec = media.stream.codec_context.name
                raise MediaError(f"The stream comes, but its {codec} video cannot be decoded.")

    def _look(self, media: Media, decoder: OnDemandDecoder, read: Read) -> None:
        """Decode one packet if anybody wants its pixels; the first of a session always."""
        if read.rewound:
            decoder.reset()
        behind = self._is_behind(read.lag_s)
        wanted = self._shape is None or self._pixels.wanted
        for frame in decoder.feed(read.packet, wanted=wanted, keys_only=behind):
            if (frame.width, frame.height) != self._shape:
                self._begin_epoch(media, (frame.width, frame.height))
            self._pixels.show(frame, read.media_s)

    def _forget_shape(self) -> None:
        self._shape = None

    def _begin_epoch(self, media: Media, shape: tuple[int, int]) -> None:
        self._shape = shape
        self._status.describe(fps=media.nominal_fps, size=shape)
        self._status.begin_epoch()

    def _is_behind(self, lag_s: float) -> bool:
        """Note in the state whether reading is behind the source; true when it is."""
        state = self._status.state
        if state is State.STALLED or (state is State.DEGRADED and lag_s < _CAUGHT_UP_S):
            self._status.say(State.LIVE)
        elif state is State.LIVE and lag_s > _BEHIND_S:
            self._status.say(State.DEGRADED, _BEHIND)
        return self._status.state is State.DEGRADED

    @property
    def _stalled(self) -> str:
        return f"No picture has come for {self._around.stall_timeout_s:.0f} s."

    def _why_no_picture(self) -> str:
        return self._status.reason or "The view is not live yet."
