"""The verdict on one view, out of what its stream, its pictures and its scheduled captures say of it."""

from dataclasses import dataclass

from glimpser.core.health import WELL, HealthState, Verdict
from glimpser.core.live import State, StreamStatus

NOT_LOOKED_AT = Verdict(HealthState.UNKNOWN)
_OF_STREAM = {
    State.LIVE: HealthState.OK,
    State.DEGRADED: HealthState.OK,
    State.STALLED: HealthState.STALLED,
    State.BACKOFF: HealthState.DOWN,
    State.FAILED: HealthState.DOWN,
}


@dataclass(slots=True)
class Opinions:
    """`stream` None: the view does not run. Pictures are believed as long as their stream lasts."""

    stream: Verdict | None = None
    pictures: Verdict | None = None
    epoch: int | None = None
    by_capture: bool = False

    def stream_says(self, status: StreamStatus) -> None:
        """Take the state of the stream. Whether one that only connects is well, nobody knows yet."""
        if status.state in (State.IDLE, State.STOPPING):
            if self.stream is not None:
                self.pictures = None
            self.stream = None
        elif status.state is State.CONNECTING:
            self.stream = self.stream or NOT_LOOKED_AT
        else:
            self._take(status)

    def pictures_say(self, verdict: Verdict) -> None:
        """Take a verdict on the pictures of a view that runs."""
        self.pictures = verdict
        self.by_capture = False

    def capture_says(self, verdict: Verdict) -> bool:
        """Take that of a scheduled capture; False: the view runs, and knows better itself."""
        if self.stream is not None:
            return False
        self.pictures, self.by_capture = verdict, True
        return True

    def verdict(self) -> Verdict:
        """Give what they come to."""
        stream, pictures = self.stream, self.pictures
        if stream is None or stream is NOT_LOOKED_AT:
            return pictures or NOT_LOOKED_AT
        if stream.state is HealthState.OK:
            return pictures if pictures and pictures.state.is_trouble else WELL
        if stream.state is HealthState.DOWN and pictures is not None:
            return pictures if pictures.state is not HealthState.OK else stream
        return stream

    def _take(self, status: StreamStatus) -> None:
        state = _OF_STREAM[status.state]
        was = self.stream
        self.stream = Verdict(state, None if state is HealthState.OK else status.reason)
        self.by_capture = False
        lost = state is HealthState.DOWN and (was is None or was.state is not HealthState.DOWN)
        if lost or (state is HealthState.OK and status.epoch != self.epoch):
            self.pictures = None
        if state is HealthState.OK:
            self.epoch = status.epoch
