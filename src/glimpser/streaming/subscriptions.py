"""One viewer of one view, and the pictures on their way to it. Event loop's thread."""

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Protocol, Self

from glimpser.core.frames import Frame
from glimpser.core.ids import TemplateId


class Published:
    """A picture on its way to viewers, with the forms it is sent in; each is made once and shared."""

    __slots__ = ("_forms", "frame")

    def __init__(self, frame: Frame) -> None:
        self.frame = frame
        self._forms: dict[Callable[[Frame], bytes], bytes] = {}

    def form(self, make: Callable[[Frame], bytes]) -> bytes:
        """Give `make(frame)`, made at the first call."""
        data = self._forms.get(make)
        if data is None:
            data = self._forms[make] = make(self.frame)
        return data


Sink = Callable[[Published], bool]
"""Takes a picture at once, without waiting; False when it cannot take one now."""


Client = str | tuple[str, ...]
"""What a viewer is counted as: under one name, or under each of several, such as address and account."""


class Audience(Protocol):
    """Those who watch; `Hub` is one."""

    def add(self, subscription: "Subscription") -> None:
        """Begin to count a viewer, and offer it what there is.

        Raises:
            TooMany: this client watches as many as it may.
            Unavailable: the server has as many viewers as it takes.
        """
        ...

    def remove(self, subscription: "Subscription") -> None: ...


class Subscription:
    """One viewer of one view. It counts from `with` (or `async with`) to the end of that block.

    Either `next_picture` is awaited, or `attach` gives a sink that takes pictures as they come.
    """

    __slots__ = (
        "_audience",
        "_due",
        "_ended",
        "_interval_s",
        "_not_before",
        "_sink",
        "_waiting",
        "_wake",
        "clients",
        "consumer",
        "template_id",
        "width",
    )

    def __init__(
        self,
        audience: Audience,
        template_id: TemplateId,
        width: int,
        *,
        fps: float | None,
        client: Client,
        consumer: str,
    ) -> None:
        self.template_id = template_id
        self.width = width
        self.clients = (client,) if isinstance(client, str) else client
        self.consumer = consumer
        self._audience = audience
        self._interval_s = 1 / fps if fps else 0.0
        self._due = self._not_before = float("-inf")
        self._waiting: Published | None = None
        self._sink: Sink | None = None
        self._wake: asyncio.Future[None] | None = None
        self._ended = asyncio.Event()

    def __enter__(self) -> Self:
        """Begin to count; raises as `Audience.add`."""
        self._audience.add(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._audience.remove(self)
        self.end()

    async def __aenter__(self) -> Self:
        """Begin to count; raises as `Audience.add`."""
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, trace)

    @property
    def ended(self) -> bool:
        return self._ended.is_set()

    def end(self) -> None:
        """Send nothing more; whoever waits wakes up."""
        self._ended.set()
        self._sink = None
        self._waiting = None
        self._wake_up()

    async def wait_ended(self) -> None:
        await self._ended.wait()

    async def next_picture(self) -> Published | None:
        """Wait for the newest picture not taken yet; None when there will be no more."""
        if self._waiting is None and not self.ended:
            self._wake = asyncio.get_running_loop().create_future()
            await self._wake
        picture, self._waiting = self._waiting, None
        return None if self.ended else picture

    def attach(self, sink: Sink) -> None:
        """Have pictures put into `sink`, the waiting one now, instead of awaiting them."""
        if self.ended:
            return
        self._sink = sink
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            sink(waiting)

    def offer(self, picture: Published, now: float) -> bool:
        """Take a picture, unless none is due yet; False when an older or this one is lost by that.

        Pictures are due on a grid of `1 / fps`. One that comes up to half an interval early is taken for the
        next point, so that the rate is kept whatever rhythm the source has.
        """
        if now < self._not_before:
            return True
        if self._interval_s:
            in_rhythm = now - self._due < self._interval_s
            self._due = (self._due if in_rhythm else now) + self._interval_s
            self._not_before = self._due - self._interval_s / 2
        if self._sink is not None:
            return self._sink(picture)
        lost = self._waiting is not None
        self._waiting = picture
        self._wake_up()
        return not lost

    def _wake_up(self) -> None:
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)
