"""Who wants the pixels of one view: motion, viewers, snapshots."""

from collections import deque
from collections.abc import Mapping
from concurrent.futures import Executor
from typing import Protocol

from av.video.frame import VideoFrame

from glimpser.capture.ingest.judging import HealthReporter
from glimpser.capture.ingest.motion import BurstReporter, ReportSink
from glimpser.capture.ingest.pace import Due
from glimpser.capture.ingest.picture import Picture
from glimpser.capture.ingest.wire import FrameReport, SnapshotReport
from glimpser.core.clock import Clock
from glimpser.core.frames import NATIVE_WIDTH
from glimpser.streaming.retouch import AS_IT_IS, Retouch

LINGER_S = 10.0
"""Decoding goes on this long after a snapshot, for the next one."""
HEALTH_FPS = 1.0
GLANCE_EVERY_S = 10.0
"""A view whose pictures nobody wants is looked at this often, at key frames."""
_FRESH_S = 1.0


class Outlet(ReportSink, Protocol):
    """Where reports and frames go; never blocks."""

    def frame(self, report: FrameReport, jpeg: bytes) -> None: ...


class Pixels:
    """Gives each decoded frame to those who want it, and says whether anybody does.

    `show` and `flush` belong to the camera's thread; the rest is called from the I/O thread.
    """

    def __init__(
        self,
        template_id: str,
        *,
        outlet: Outlet,
        bursts: BurstReporter | None,
        health: HealthReporter | None = None,
        detect_fps: float,
        encoders: Executor,
        clock: Clock,
        retouch: Retouch = AS_IT_IS,
    ) -> None:
        self._template_id = template_id
        self._outlet = outlet
        self._bursts = bursts
        self._detect_due = Due(detect_fps)
        self._health = health
        self._health_due = Due(HEALTH_FPS)
        self._glance_due = Due(1 / GLANCE_EVERY_S)
        self._encoders = encoders
        self._clock = clock
        self._retouch = retouch
        self._wants: Mapping[int, Due] = {}
        self._shots: deque[SnapshotReport] = deque()
        self._newest: Picture | None = None
        self._newest_at = clock.monotonic()
        self._linger_until = self._newest_at
        self._sequence = 0

    def set_wants(self, widths: Mapping[int, float]) -> None:
        """Make pictures of these widths, each at its rate (0: every frame)."""
        now = self._wants
        self._wants = {
            width: now[width] if width in now and now[width].fps == fps else Due(fps)
            for width, fps in widths.items()
        }

    def snapshot(self, request: int, width: int) -> None:
        """Answer with the newest picture: at once if it is fresh, else with the next one."""
        now = self._clock.monotonic()
        self._linger_until = now + LINGER_S
        answer = SnapshotReport(id=self._template_id, request=request, w=width)
        newest = self._newest
        if newest is not None and now - self._newest_at < _FRESH_S:
            self._encoders.submit(self._answer, answer, newest)
        else:
            self._shots.append(answer)

    @property
    def wanted(self) -> bool:
        """Whether frames need to be decoded now."""
        return bool(
            self._bursts or self._wants or self._shots or self._clock.monotonic() < self._linger_until
        )

    def show(self, frame: VideoFrame, media_s: float) -> None:
        """Take the next frame, at `media_s` of the stream."""
        self._sequence += 1
        picture = Picture(
            frame, sequence=self._sequence, captured_at=self._clock.now(), retouch=self._retouch
        )
        self._newest, self._newest_at = picture, self._clock.monotonic()
        self._look(picture, media_s)
        for width, due in self._wants.items():
            if due.is_due(media_s):
                self._offer(picture, width)
        while self._shots:
            self._answer(self._shots.popleft(), picture)

    def is_glance_due(self, media_s: float) -> bool:
        """Tell whether a frame is to be decoded although nobody wants it, to see how the view is."""
        return self._health is not None and self._glance_due.is_due(media_s)

    def begin_epoch(self) -> None:
        """What came before says nothing about what comes now."""
        if self._health:
            self._health.restart()

    def _look(self, picture: Picture, media_s: float) -> None:
        """Show it to whatever looks for motion and at the view's health; both look at the same luma."""
        moves = self._bursts is not None and self._detect_due.is_due(media_s)
        judges = self._health is not None and self._health_due.is_due(media_s)
        if not moves and not judges:
            return
        luma = picture.luma()
        if moves and self._bursts:
            self._bursts.look(luma, picture)
        if judges and self._health:
            self._health.look(luma, picture, media_s)

    def flush(self, reason: str) -> None:
        """The source is gone: leave its last picture behind, close the burst, answer those who wait."""
        newest, self._newest = self._newest, None
        if newest:
            self._offer(newest, NATIVE_WIDTH)
        if self._bursts:
            self._bursts.flush()
        while self._shots:
            asked = self._shots.popleft()
            self._outlet.report(SnapshotReport(id=asked.id, request=asked.request, error=reason))

    def _offer(self, picture: Picture, width: int) -> None:
        jpeg = picture.jpeg(width)
        report = FrameReport(
            id=self._template_id,
            seq=picture.sequence,
            ts=picture.captured_at,
            w=jpeg.width,
            h=jpeg.height,
            wanted=width,
        )
        self._outlet.frame(report, jpeg.data)

    def _answer(self, asked: SnapshotReport, picture: Picture) -> None:
        jpeg = picture.jpeg(asked.w)
        report = SnapshotReport(
            id=asked.id,
            request=asked.request,
            seq=picture.sequence,
            ts=picture.captured_at,
            w=jpeg.width,
            h=jpeg.height,
        )
        self._outlet.report(report, jpeg.data)
