"""What just happened, told to everyone in this process who shows it to people.

Nothing is kept: whoever was not listening reads the database. A listener is called at once, on the event
loop's thread, and must neither wait nor fail: it puts what it hears into a bounded place of its own.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from glimpser.core.alerts import Alert
from glimpser.core.events import Event
from glimpser.core.health import ViewHealth
from glimpser.core.ids import TemplateId
from glimpser.core.jobs import Job
from glimpser.core.live import StreamStatus


@dataclass(frozen=True, slots=True)
class StreamNotice:
    """A stream is in another state."""

    template_id: TemplateId
    status: StreamStatus


@dataclass(frozen=True, slots=True)
class HealthNotice:
    """The verdict on a view is another one, or has another reason."""

    template_id: TemplateId
    health: ViewHealth


@dataclass(frozen=True, slots=True)
class EventNotice:
    """An event was recorded, or something new about it: its peak, its picture, its end."""

    event: Event


@dataclass(frozen=True, slots=True)
class AlertNotice:
    """An alert was made, or its state or one of its deliveries changed."""

    alert: Alert


@dataclass(frozen=True, slots=True)
class JobNotice:
    """A job was added, began, came further or ended. For operators."""

    job: Job


@dataclass(frozen=True, slots=True)
class SystemNotice:
    """A part of the program itself is in another state, such as its disk."""

    part: str
    state: str
    detail: str


Notice = StreamNotice | HealthNotice | EventNotice | AlertNotice | JobNotice | SystemNotice
Listener = Callable[[Notice], None]
Publish = Callable[[Notice], None]
"""What services are given to tell: `Notices.publish`, or `say_nothing`."""


class Notices:
    """Event loop's thread."""

    def __init__(self) -> None:
        self._listeners: dict[object, Listener] = {}

    def publish(self, notice: Notice) -> None:
        """Tell everyone who listens now."""
        for listener in tuple(self._listeners.values()):
            listener(notice)

    @contextmanager
    def listen(self, listener: Listener) -> Iterator[None]:
        """Have a listener called while the context is open."""
        key = object()
        self._listeners[key] = listener
        try:
            yield
        finally:
            del self._listeners[key]

    @property
    def listener_count(self) -> int:
        return len(self._listeners)


def say_nothing(_notice: Notice) -> None:
    """Stand in where nobody is to be told."""
