"""What is known of the live streams: their states and figures, passed on to viewers and metrics."""

from dataclasses import replace
from datetime import datetime
from typing import Protocol

import structlog

from glimpser.core.clock import Clock
from glimpser.core.ids import TemplateId
from glimpser.core.live import FrameReady, State, StateChanged, StreamMeasured, StreamStatus
from glimpser.services.notices import Publish, StreamNotice, say_nothing
from glimpser.streaming.hub import Hub

_log = structlog.get_logger(__name__)


class StreamMetrics(Protocol):
    def source_measured(self, measured: StreamMeasured) -> None:
        """Take a stream's figures; its counters begin anew with its worker."""
        ...

    def forget(self, template_id: TemplateId) -> None:
        """The view is gone: show its figures no more."""
        ...


class Streams:
    """Event loop's thread."""

    def __init__(
        self, *, hub: Hub, clock: Clock, metrics: StreamMetrics, publish: Publish = say_nothing
    ) -> None:
        self.hub = hub
        self._publish = publish
        self._metrics = metrics
        self._began_at = clock.now()
        self._statuses: dict[TemplateId, StreamStatus] = {}
        self._down_since: dict[TemplateId, datetime] = {}
        self._measured: dict[TemplateId, StreamMeasured] = {}

    def status(self, template_id: TemplateId) -> StreamStatus:
        """Give the state of a stream; while it gives pictures, its `fps` is measured."""
        status = self._statuses.get(template_id)
        if status is None:
            return StreamStatus(state=State.IDLE, since=self._began_at)
        measured = self._measured.get(template_id)
        if measured and measured.fps and status.state.gives_pictures:
            return replace(status, fps=measured.fps)
        return status

    def frame_came(self, ready: FrameReady) -> None:
        self.hub.publish(ready.frame, ready.wanted_width)

    def state_changed(self, change: StateChanged) -> None:
        """Note it, and tell viewers when pictures stop and when they come again."""
        template_id, status = change.template_id, change.status
        begins = status.state is State.CONNECTING and self.status(template_id).state is State.IDLE
        self._statuses[template_id] = status
        _log.info("stream.state", template_id=template_id, state=status.state.value, reason=status.reason)
        if status.state.gives_pictures or begins:  # of a view that begins, nothing bad is known yet
            self._down_since.pop(template_id, None)
            self.hub.online(template_id)
        elif status.state is not State.CONNECTING:
            since = self._down_since.setdefault(template_id, status.since)
            self.hub.offline(template_id, since, status.reason or "switched off")
        self._publish(StreamNotice(template_id, self.status(template_id)))

    def measured(self, figures: StreamMeasured) -> None:
        self._measured[figures.template_id] = figures
        self._metrics.source_measured(figures)

    def forget_pictures(self, template_id: TemplateId) -> None:
        """What there is of pictures may no longer be shown."""
        self.hub.forget_pictures(template_id)

    def forget(self, template_id: TemplateId) -> None:
        """The view was removed."""
        for known in (self._statuses, self._down_since, self._measured):
            known.pop(template_id, None)
        self.hub.close(template_id)
        self._metrics.forget(template_id)
