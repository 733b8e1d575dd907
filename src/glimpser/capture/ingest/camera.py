"""One live view: a thread that opens it, reads it, looks at it, and opens it again when it is gone."""

import threading
import traceback
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Protocol

import msgspec
from av.video.frame import VideoFrame

from glimpser.capture.ingest.decoder import OnDemandDecoder
from glimpser.capture.ingest.hardware import Codec, Device, HardwareCodec, software_codec
from glimpser.capture.ingest.judging import HealthReporter, HealthWatch
from glimpser.capture.ingest.motion import BurstReporter, MotionWatch
from glimpser.capture.ingest.opening import Media, MediaError, Opener, Patience
from glimpser.capture.ingest.pace import Backoff, RateMeter
from glimpser.capture.ingest.pixels import Outlet, Pixels
from glimpser.capture.ingest.reading import Read, read_camera, read_file, read_stream
from glimpser.capture.ingest.status import Status
from glimpser.capture.ingest.wire import FrameReport, MeasureReport, SnapshotReport, Start, ViewReport
from glimpser.core.clock import Clock
from glimpser.core.live import State
from glimpser.streaming.retouch import retouch_of

_BEHIND_S = 1.0
_CAUGHT_UP_S = 0.3
_BEHIND = "Pictures come faster than this machine decodes them: only key frames are shown."
_ENDED = "The file has ended."
_PROVEN_S = 5.0
"""A session that gave pictures for so long was a success: the next failure is a new outage."""
_UNDECODABLE_S = 10.0
STUCK_S = 60.0
"""Beyond all time-outs: a thread silent for longer is held by native code and will never come back."""
_MAX_SILENCE_S = 30.0
"""More than any of our time-outs, that of stalling included."""


class CountingOutlet(Outlet, Protocol):
    def measure(self, report: MeasureReport) -> None: ...
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
    ffmpeg: str | None = None
    """The program that decodes by hardware, where there is one."""


class Camera(threading.Thread):
    """Public methods are called from the worker's I/O thread and do not block; the rest is its own thread's.

    Once stopped it reports nothing more, even while libav still holds the thread.
    """

    def __init__(
        self,
        start: Start,
        around: Surroundings,
        *,
        watch: MotionWatch | None,
        health: HealthWatch | None = None,
    ) -> None:
        spec = start.spec
        super().__init__(name=f"camera-{spec.template_id}", daemon=True)
        self._media = spec.feed
        self._id = str(spec.template_id)
        self._run = start.run
        self._around = around
        self._clock = around.clock
        self._ending = threading.Event()
        self._status = Status(self._id, self.report, around.clock, first_epoch=start.first_epoch)
        self._pixels = Pixels(
            self._id,
            outlet=self,
            bursts=BurstReporter(self._id, watch, self) if watch else None,
            health=HealthReporter(self._id, health, self) if health else None,
            detect_fps=spec.feed.detect_fps,
            encoders=around.encoders,
            clock=around.clock,
            retouch=retouch_of(spec.privacy_masks, spec.caption),
        )
        self._backoff = Backoff()
        self._restarts = 0
        self._rate = RateMeter(self._clock.monotonic())
        self._last_packet_at = self._clock.monotonic()
        self._alive_at = self._last_packet_at
        self._first_picture_at = self._last_packet_at
        self._media_s = 0.0
        self._hardware: HardwareCodec | None = None
        self._cpu_because: str | None = None
        self._shape: tuple[int, int] | None = None
        """Size of the last picture; None until the session has given one."""

    # From the I/O thread.

    def stop(self) -> None:
        """End soon; whatever is still reported is not sent."""
        self._alive_at = self._clock.monotonic()
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
        if age_s > self._around.stall_timeout_s and not self._media.is_file:
            self._status.say(State.STALLED, self._stalled, after=(State.LIVE, State.DEGRADED))
        if self._status.state is not State.IDLE and not self._ending.is_set():
            figures = MeasureReport(
                id=self._id,
                run=self._run,
                fps=round(self._rate.read(now), 2),
                last_packet_age_s=round(age_s, 3),
                dropped_frames=self._around.outlet.dropped(self._id),
                restarts=self._restarts,
            )
            self._around.outlet.measure(figures)

    def is_stuck(self) -> bool:
        """Tell whether native code holds the thread so long that it will never give it back."""
        waits = self._status.state in (State.IDLE, State.BACKOFF, State.FAILED) and not self._ending.is_set()
        if waits or self._media.is_file or not self.is_alive():
            return False
        limit_s = STUCK_S + (0 if self._ending.is_set() else _MAX_SILENCE_S)
        return self._clock.monotonic() - self._alive_at > limit_s

    # From any of its threads.

    def report(self, report: ViewReport, payload: bytes = b"") -> None:
        """Send a report, unless this camera was stopped."""
        if not self._ending.is_set():
            self._around.outlet.report(msgspec.structs.replace(report, run=self._run), payload)

    def frame(self, report: FrameReport, jpeg: bytes) -> None:
        """Offer a frame, unless this camera was stopped."""
        if not self._ending.is_set():
            self._around.outlet.frame(msgspec.structs.replace(report, run=self._run), jpeg)

    # Its own thread.

    def run(self) -> None:
        self._status.belongs_to_this_thread()
        while not self._ending.is_set():
            delay_s = self._session()
            self._ending.wait(delay_s)
            self._restarts += 1

    def _session(self) -> float | None:
        """Open and read until it ends; gives the seconds to wait before the next try, None for ever."""
        self._alive_at = self._clock.monotonic()
        self._status.say(State.CONNECTING, self._status.reason)
        self._forget_shape()
        failure = _guarded(self._open_and_play)
        # What the session leaves behind belongs to it: all is told before its end is.
        reason = failure.reason if failure else _ENDED
        _guarded(lambda: self._pixels.flush(reason))
        if failure is None and self._media.newest:
            return 0.0
        if failure is None:
            self._status.say(State.IDLE, _ENDED)
            return None
        if self._shape and self._clock.monotonic() - self._first_picture_at > _PROVEN_S:
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

    def _open_and_play(self) -> None:
        with self._around.opener.open(self._media) as media:
            self._play(media)
        if not self._media.is_file:
            raise MediaError("The camera ended the stream.")

    def _play(self, media: Media) -> None:
        with self._codec_for(media) as codec:
            self._play_by(OnDemandDecoder(codec), media)

    def _play_by(self, decoder: OnDemandDecoder, media: Media) -> None:
        opened_at = self._breathe()
        try:
            for read in self._packets(media):
                if self._ending.is_set():
                    return
                now = self._breathe()
                self._rate.count()
                self._look(media, decoder, read)
                if self._shape is None and now - opened_at > _UNDECODABLE_S:
                    codec = media.stream.codec_context.name
                    raise MediaError(f"The stream comes, but its {codec} video cannot be decoded.")
        finally:
            if not self._ending.is_set():
                self._show_all(media, decoder.last())

    @contextmanager
    def _codec_for(self, media: Media) -> Iterator[Codec]:
        how = self._media.hwaccel
        if how == "none" or self._cpu_because:
            yield software_codec(media.stream)
            return
        with closing(HardwareCodec(media.stream, Device(how, self._around.ffmpeg))) as codec:
            self._hardware = codec
            yield codec

    def _packets(self, media: Media) -> Iterator[Read]:
        if self._media.is_file:
            return read_file(media, self._media, self._ending)
        return read_stream(media, self._ending) if media.paced else read_camera(media)

    def _look(self, media: Media, decoder: OnDemandDecoder, read: Read) -> None:
        """Decode one packet if anybody wants its pixels; the first of a session always."""
        if read.rewound:
            self._show_all(media, decoder.drain())
        behind = self._is_behind(read.lag_s)
        wanted = self._shape is None or self._pixels.wanted
        glance = not wanted and read.packet.is_keyframe and self._pixels.is_glance_due(read.media_s)
        self._media_s = read.media_s
        frames = decoder.feed(read.packet, wanted=wanted or glance, keys_only=behind or glance)
        self._show_all(media, frames)
        self._tell_of_hardware()

    def _tell_of_hardware(self) -> None:
        """Say while the view is live that the CPU decodes what the hardware should; it is not asked again."""
        if self._hardware is not None and self._hardware.trouble:
            self._cpu_because = self._hardware.trouble
        if self._cpu_because:
            self._status.say(State.LIVE, self._cpu_because, after=(State.LIVE,))

    def _show_all(self, media: Media, frames: Iterator[VideoFrame]) -> None:
        for frame in frames:
            self._show(media, frame)

    def _show(self, media: Media, frame: VideoFrame) -> None:
        """Show a frame; one of another size than the last begins an epoch."""
        shape = (frame.width, frame.height)
        if shape != self._shape:
            if self._shape is None:
                self._first_picture_at = self._clock.monotonic()
            self._shape = shape
            self._status.describe(fps=self._media.fps or media.nominal_fps, size=shape, codec=media.codec)
            self._status.begin_epoch()
            self._pixels.begin_epoch()
        self._pixels.show(frame, self._media_s)

    def _is_behind(self, lag_s: float) -> bool:
        """Note in the state whether reading is behind the source; true when it is."""
        self._status.say(State.LIVE, after=(State.STALLED,))
        if lag_s < _CAUGHT_UP_S:
            self._status.say(State.LIVE, after=(State.DEGRADED,))
        elif lag_s > _BEHIND_S:
            self._status.say(State.DEGRADED, _BEHIND, after=(State.LIVE,))
        return self._status.state is State.DEGRADED

    def _forget_shape(self) -> None:
        self._shape = None

    def _breathe(self) -> float:
        """Note that a packet came; gives the time."""
        now = self._last_packet_at = self._alive_at = self._clock.monotonic()
        return now

    @property
    def _stalled(self) -> str:
        return f"No picture has come for {self._around.stall_timeout_s:.0f} s."

    def _why_no_picture(self) -> str:
        return self._status.reason or "The view is not live yet."


def _guarded(work: Callable[[], None]) -> MediaError | None:
    """Do a part of a session and give why it failed: nothing a stream does may end its thread."""
    try:
        work()
    except MediaError as error:
        return error
    except Exception as error:  # noqa: BLE001  # the thread's supervisor: what is left are mistakes of ours
        traceback.print_exc()  # the main process logs what a worker writes there
        return MediaError(f"Glimpser cannot handle this stream ({type(error).__name__}): see the log.")
    return None
