"""Judging the pictures of a live view, and telling when the verdict is another one."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from glimpser.capture.ingest.motion import ReportSink
from glimpser.capture.ingest.picture import Picture
from glimpser.capture.ingest.wire import JudgedReport
from glimpser.core.health import Verdict


class HealthWatch(Protocol):
    """Judges whether a view shows what it should. One thread."""

    def look(self, gray: NDArray[np.uint8], at_s: float) -> Verdict | None:
        """Take the next picture, 180 rows of 320 pixels; gives the verdict if it is another one."""
        ...

    def restart(self) -> None:
        """Begin with a new stream of the same view: of that, nothing was said yet."""
        ...


class HealthReporter:
    """Reports the verdicts on one view."""

    def __init__(self, template_id: str, watch: HealthWatch, sink: ReportSink) -> None:
        self._template_id = template_id
        self._watch = watch
        self._sink = sink

    def look(self, gray: NDArray[np.uint8], picture: Picture, media_s: float) -> None:
        verdict = self._watch.look(gray, media_s)
        if verdict is not None:
            report = JudgedReport(
                id=self._template_id, state=verdict.state, reason=verdict.reason, at=picture.captured_at
            )
            self._sink.report(report)

    def restart(self) -> None:
        self._watch.restart()
