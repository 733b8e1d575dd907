"""Looking for motion in a live view, and telling of its bursts with the picture of their peak."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from glimpser.capture.ingest.picture import Jpeg, Picture
from glimpser.capture.ingest.wire import BurstReport, ViewReport
from glimpser.core.motion import BurstClosed, BurstEvent, BurstOpened


class Seen(Protocol):
    """What one frame meant for the bursts of its view."""

    @property
    def best(self) -> bool:
        """Whether it shows its burst better than any before it."""
        ...

    @property
    def events(self) -> Sequence[BurstEvent]: ...


class MotionWatch(Protocol):
    """Detects motion in one view and adds it up to bursts. One thread."""

    def process(self, gray: NDArray[np.uint8], captured_at: datetime) -> Seen:
        """Take the next picture, 180 rows of 320 pixels."""
        ...

    def flush(self) -> Sequence[BurstEvent]:
        """End what is open: the source is gone."""
        ...


class ReportSink(Protocol):
    def report(self, report: ViewReport, payload: bytes = b"") -> None: ...


class BurstReporter:
    """Reports the bursts of one view. A new best picture is kept as it is and encoded when it is reported."""

    def __init__(self, template_id: str, watch: MotionWatch, sink: ReportSink) -> None:
        self._template_id = template_id
        self._watch = watch
        self._sink = sink
        self._best: Picture | None = None

    def look(self, gray: NDArray[np.uint8], picture: Picture) -> None:
        seen = self._watch.process(gray, picture.captured_at)
        events = list(seen.events)
        if events and isinstance(events[0], BurstClosed):
            self._tell(events.pop(0))
        if seen.best:
            self._best = picture
        for event in events:
            self._tell(event)

    def flush(self) -> None:
        for event in self._watch.flush():
            self._tell(event)

    def _tell(self, event: BurstEvent) -> None:
        picture, self._best = self._best, None
        jpeg = picture.jpeg(0) if picture else Jpeg(b"", 0, 0)
        report = BurstReport(
            id=self._template_id,
            step=_step_name(event),
            started_at=event.started_at,
            peak_at=event.peak_at,
            ended_at=event.ended_at if isinstance(event, BurstClosed) else None,
            score=event.score,
            boxes=list(event.boxes),
            seq=picture.sequence if picture else 0,
            w=jpeg.width,
            h=jpeg.height,
        )
        self._sink.report(report, jpeg.data)


def _step_name(event: BurstEvent) -> Literal["opened", "peak", "closed"]:
    if isinstance(event, BurstOpened):
        return "opened"
    return "closed" if isinstance(event, BurstClosed) else "peak"
