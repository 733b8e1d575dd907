"""From what a worker reports to what the program knows it as."""

from datetime import datetime

from glimpser.capture.ingest.wire import (
    BurstReport,
    FrameReport,
    JudgedReport,
    MeasureReport,
    SnapshotReport,
    StateReport,
)
from glimpser.core.frames import Frame
from glimpser.core.health import Judged, Verdict
from glimpser.core.ids import TemplateId
from glimpser.core.live import (
    BurstReported,
    FrameReady,
    LiveEvent,
    StateChanged,
    StreamMeasured,
    StreamStatus,
)
from glimpser.core.motion import BurstClosed, BurstEvent, BurstOpened, BurstPeak


def as_live_event(
    report: FrameReport | StateReport | BurstReport | JudgedReport | MeasureReport, payload: memoryview
) -> LiveEvent:
    """Translate."""
    match report:
        case FrameReport():
            return FrameReady(as_frame(report, report.ts, payload), report.wanted)
        case StateReport():
            return StateChanged(TemplateId(report.id), _status(report))
        case BurstReport():
            picture = as_frame(report, report.peak_at, payload) if payload else None
            return BurstReported(TemplateId(report.id), _step(report), picture)
        case JudgedReport():
            return Judged(TemplateId(report.id), Verdict(report.state, report.reason), report.at)
        case MeasureReport():
            return StreamMeasured(
                TemplateId(report.id),
                fps=report.fps,
                last_packet_age_s=report.last_packet_age_s,
                dropped_frames=report.dropped_frames,
                restarts=report.restarts,
            )


def as_frame(
    report: FrameReport | SnapshotReport | BurstReport, captured_at: datetime, payload: memoryview
) -> Frame:
    """Make a frame of a report that carries a picture."""
    return Frame(
        template_id=TemplateId(report.id),
        sequence=report.seq,
        captured_at=captured_at,
        jpeg=bytes(payload),
        width=report.w,
        height=report.h,
    )


def _status(report: StateReport) -> StreamStatus:
    return StreamStatus(
        state=report.state,
        since=report.since,
        reason=report.reason,
        fps=report.fps,
        width=report.w,
        height=report.h,
        epoch=report.epoch,
        codec=report.codec,
    )


def _step(report: BurstReport) -> BurstEvent:
    boxes = tuple(report.boxes)
    if report.step == "closed":
        return BurstClosed(
            started_at=report.started_at,
            peak_at=report.peak_at,
            ended_at=report.ended_at or report.peak_at,
            score=report.score,
            boxes=boxes,
        )
    step = BurstOpened if report.step == "opened" else BurstPeak
    return step(started_at=report.started_at, peak_at=report.peak_at, score=report.score, boxes=boxes)
