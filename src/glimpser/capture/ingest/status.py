"""What a live view says of itself."""

import threading
from collections.abc import Callable, Collection

from glimpser.capture.ingest.wire import StateReport
from glimpser.core.clock import Clock
from glimpser.core.live import State


class Status:
    """The state of one view, told to the main process whenever it changes. Any thread."""

    def __init__(
        self, template_id: str, tell: Callable[[StateReport], None], clock: Clock, *, first_epoch: int
    ) -> None:
        self._template_id = template_id
        self._tell = tell
        self._clock = clock
        self._lock = threading.Lock()
        self._ident = 0
        self._fps: float | None = None
        self._size: tuple[int, int] | None = None
        self._codec: str | None = None
        self.epoch = first_epoch - 1
        self.state = State.IDLE
        self.reason: str | None = None

    def belongs_to_this_thread(self) -> None:
        """Name the calling thread as the one a crash dump will show."""
        self._ident = threading.get_ident()

    def describe(self, *, fps: float | None, size: tuple[int, int] | None, codec: str | None = None) -> None:
        """Note the source's own rate, size and codec, for the next report."""
        self._fps, self._size, self._codec = fps, size, codec

    def say(
        self, state: State, reason: str | None = None, *, after: Collection[State] = tuple(State)
    ) -> None:
        """Change the state if it is one of `after`; the same for the same reason is not told twice."""
        with self._lock:
            if self.state not in after or (state, reason) == (self.state, self.reason):
                return
            self.state, self.reason = state, reason
            self._send()

    def begin_epoch(self) -> None:
        """Say that the view is live, with what may be another size: nothing before belongs to it."""
        with self._lock:
            self.epoch += 1
            self.state, self.reason = State.LIVE, None
            self._send()

    def _send(self) -> None:
        width, height = self._size if self._size and self.state.gives_pictures else (None, None)
        self._tell(
            StateReport(
                id=self._template_id,
                state=self.state,
                since=self._clock.now(),
                epoch=max(self.epoch, 0),
                reason=self.reason,
                fps=self._fps if self.state.gives_pictures else None,
                w=width,
                h=height,
                codec=self._codec if self.state.gives_pictures else None,
                ident=self._ident,
            )
        )
