"""From moving frames to activities: a burst lasts from first to last moving frame, short pauses included."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from glimpser.core.motion import STILL, Box, BurstClosed, BurstEvent, BurstOpened, BurstPeak, Motion


@dataclass(frozen=True, slots=True)
class Step:
    """What one frame meant.

    Attributes:
        best: this frame shows the burst better than any before it: keep its picture in place of the last
            kept one. True on the frame that opens a burst.
        events: what happened, in order. One frame can close a burst and open the next.
    """

    best: bool
    events: tuple[BurstEvent, ...]


@dataclass(slots=True)
class _Burst:
    """The burst that is open: its row so far, and what of it was announced, when."""

    started_at: datetime
    last_motion_at: datetime
    last_motion_score: float
    last_marked_at: datetime
    marked_before: bool
    peak_at: datetime
    score: float
    boxes: tuple[Box, ...]
    announced_at: datetime
    announced_score: float


class BurstTracker:
    """Adds the frames of one view up to bursts. No clock and no I/O: time is the frames' own.

    Pauses shorter than `quiet_s` belong to the burst. Only frames seen without motion count as quiet: between
    two moving frames nothing is known, so a view that gives few frames is not cut to pieces until the gap
    reaches `blind_s`.

    A peak is announced when the score is at least `peak_growth` times the last announced one and
    `peak_interval_s` went by since; one that came too early is announced by a later frame, or by the close.

    What is left at once after much larger motion is afterglow and counts as stillness: where a thing went out
    of the picture, a detector sees remains for a moment, longer or shorter by chance. A burst that fades
    ends with the last two frames in a row that are not small beside its peak, unless less goes on for long.

    Frames must come from one thread. A frame older than the one before it (a clock set back) ends the burst.
    """

    def __init__(
        self,
        *,
        quiet_s: float = 2.2,
        blind_s: float = 10.0,
        peak_growth: float = 1.1,
        peak_interval_s: float = 1.0,
        afterglow_s: float = 3.0,
        afterglow_share: float = 0.015,
        fading_s: float = 5.0,
        fading_share: float = 0.035,
    ) -> None:
        self._quiet = timedelta(seconds=quiet_s)
        self._blind = timedelta(seconds=max(blind_s, quiet_s))
        self._peak_growth = peak_growth
        self._peak_interval = timedelta(seconds=peak_interval_s)
        self._afterglow = timedelta(seconds=afterglow_s)
        self._afterglow_share = afterglow_share
        self._fading = timedelta(seconds=fading_s)
        self._fading_share = fading_share
        self._burst: _Burst | None = None
        self._latest: _Burst | None = None
        self._last_frame_at: datetime | None = None

    def feed(self, captured_at: datetime, motion: Motion) -> Step:
        """Take the next frame of the view."""
        if self._is_afterglow(captured_at, motion):
            motion = STILL
        closed = self._close_if_over(captured_at, moving=bool(motion))
        self._last_frame_at = captured_at
        if self._burst is None:
            return self._open(captured_at, motion, closed) if motion else Step(best=False, events=closed)
        best = bool(motion) and self._continue(self._burst, captured_at, motion)
        if not motion:
            self._burst.marked_before = False
        return Step(best=best, events=closed + self._announce_peak(self._burst, captured_at))

    def flush(self) -> tuple[BurstEvent, ...]:
        """The source ended: close the open burst, if any, at its last moving frame."""
        self._last_frame_at = None
        return self._close()

    def _is_afterglow(self, now: datetime, motion: Motion) -> bool:
        """Tell whether the motion is what remains of the burst that is open, or was just now."""
        burst = self._latest
        if burst is None or not timedelta(0) <= now - burst.last_motion_at <= self._afterglow:
            return False
        return motion.score < burst.last_motion_score * self._afterglow_share

    def _close_if_over(self, now: datetime, *, moving: bool) -> tuple[BurstEvent, ...]:
        if self._burst is None or self._last_frame_at is None:
            return ()
        clock_set_back = now < self._last_frame_at
        blind = now - self._last_frame_at >= self._blind
        pause = now - self._burst.last_motion_at
        saw_quiet = not moving or self._last_frame_at > self._burst.last_motion_at
        if clock_set_back or blind or (saw_quiet and pause >= self._quiet):
            return self._close()
        return ()

    def _open(self, now: datetime, motion: Motion, closed: tuple[BurstEvent, ...]) -> Step:
        self._burst = self._latest = _Burst(
            started_at=now,
            last_motion_at=now,
            last_motion_score=motion.score,
            last_marked_at=now,
            marked_before=True,
            peak_at=now,
            score=motion.score,
            boxes=motion.boxes,
            announced_at=now,
            announced_score=motion.score,
        )
        opened = BurstOpened(started_at=now, peak_at=now, score=motion.score, boxes=motion.boxes)
        return Step(best=True, events=(*closed, opened))

    def _continue(self, burst: _Burst, now: datetime, motion: Motion) -> bool:
        """Add a moving frame; whether it is the best so far."""
        burst.last_motion_at, burst.last_motion_score = now, motion.score
        marked = motion.score >= burst.score * self._fading_share
        if marked and burst.marked_before:
            burst.last_marked_at = now
        burst.marked_before = marked
        if motion.score <= burst.score:
            return False
        burst.peak_at, burst.score, burst.boxes = now, motion.score, motion.boxes
        return True

    def _announce_peak(self, burst: _Burst, now: datetime) -> tuple[BurstEvent, ...]:
        grown = burst.score > burst.announced_score and (
            burst.score >= burst.announced_score * self._peak_growth
        )
        if not grown or now - burst.announced_at < self._peak_interval:
            return ()
        burst.announced_at, burst.announced_score = now, burst.score
        return (
            BurstPeak(
                started_at=burst.started_at, peak_at=burst.peak_at, score=burst.score, boxes=burst.boxes
            ),
        )

    def _close(self) -> tuple[BurstEvent, ...]:
        burst, self._burst = self._burst, None
        if burst is None:
            return ()
        return (
            BurstClosed(
                started_at=burst.started_at,
                peak_at=burst.peak_at,
                ended_at=self._end(burst),
                score=burst.score,
                boxes=burst.boxes,
            ),
        )

    def _end(self, burst: _Burst) -> datetime:
        faded = burst.last_motion_at - burst.last_marked_at <= self._fading
        return burst.last_marked_at if faded else burst.last_motion_at
