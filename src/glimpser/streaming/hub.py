"""The newest picture of every view, fanned out to whoever watches it.

Everything here runs on the event loop's thread. A viewer that is slow never holds up the others and never
costs more than one picture: what it did not take in time is dropped, and counted.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol

from glimpser.core.clock import Clock
from glimpser.core.errors import TooMany, Unavailable
from glimpser.core.frames import NATIVE_WIDTH, Frame
from glimpser.core.ids import TemplateId
from glimpser.streaming.subscriptions import Client, Published, Subscription

REPEAT_S = 3.0
"""A picture is sent again after so long without a new one: browsers show a part when the next one begins."""

PLACEHOLDER_WIDTH = 640
"""Width of the picture that stands for a view which never gave one, where the native width was asked for."""

Paint = Callable[[bytes | None, str, int], Awaitable[bytes]]
"""Burns a text into a JPEG of a width in pixels: (last picture, text, width). Without a picture it makes one
of that width, 16:9."""


class HubMetrics(Protocol):
    def subscribers_changed(self, template_id: TemplateId, count: int) -> None:
        """`count` viewers watch the view now."""
        ...

    def frame_dropped(self, template_id: TemplateId, consumer: str) -> None:
        """A viewer of this kind was too slow for one picture."""
        ...


@dataclass(frozen=True, slots=True)
class _Outage:
    since: datetime
    reason: str

    @property
    def text(self) -> str:
        return f"offline since {self.since:%Y-%m-%d %H:%M:%S} UTC: {self.reason}"


@dataclass(slots=True, eq=False)
class _Channel:
    """One view in one width. `shown` is what viewers saw last: `newest`, or a banner painted on it.

    `subscribers` are the keys of a dict: those are walked in the order they came, about that of their memory.
    """

    width: int
    subscribers: dict[Subscription, None] = field(default_factory=dict)
    newest: Published | None = None
    shown: Published | None = None
    banner: Published | None = None
    repeat_at: float = 0.0


@dataclass(slots=True, eq=False)
class _View:
    channels: dict[int, _Channel] = field(default_factory=dict)
    outage: _Outage | None = None

    def subscriber_count(self) -> int:
        return sum(len(channel.subscribers) for channel in self.channels.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class HubLimits:
    """How many may watch at once: all together, and under one name a viewer is counted by."""

    subscribers: int = 1000
    per_client: int = 50


class Hub:
    """Knows the newest picture of every view and everyone who watches it."""

    def __init__(
        self,
        *,
        clock: Clock,
        metrics: HubMetrics,
        limits: HubLimits | None = None,
        paint: Paint | None = None,
        repeat_s: float = REPEAT_S,
    ) -> None:
        self._clock = clock
        self._metrics = metrics
        self._limits = limits or HubLimits()
        self._paint = paint
        self._repeat_s = repeat_s
        self._views: dict[TemplateId, _View] = {}
        self._subscribers = 0
        self._clients: Counter[str] = Counter()
        self._kick = asyncio.Event()

    # --- those who watch

    def subscribe(
        self,
        template_id: TemplateId,
        width: int = NATIVE_WIDTH,
        *,
        fps: float | None = None,
        client: Client,
        consumer: str = "mjpeg",
    ) -> Subscription:
        """Make a viewer; it counts, and may be refused, when it is entered.

        `width` is one of `WIDTHS`; `fps` thins the pictures out, None gives every one; `consumer` names the
        kind of viewer in metrics. The picture shown now, if there is one, is waiting at once.
        """
        return Subscription(self, template_id, width, fps=fps, client=client, consumer=consumer)

    def add(self, subscription: Subscription) -> None:
        """Count a viewer, and offer it what was shown last; raises as `Audience.add`."""
        self._admit(subscription.clients)
        self._clients.update(subscription.clients)
        self._subscribers += 1
        channel = self._channel(subscription.template_id, subscription.width)
        channel.subscribers[subscription] = None
        self._count(subscription.template_id)
        if channel.shown is not None:
            subscription.offer(channel.shown, self._clock.monotonic())
        elif self._views[subscription.template_id].outage is not None:
            channel.repeat_at = self._clock.monotonic()
            self._kick.set()

    def remove(self, subscription: Subscription) -> None:
        """Count a viewer no more."""
        self._subscribers -= 1
        for client in subscription.clients:
            self._clients[client] -= 1
            if self._clients[client] <= 0:
                del self._clients[client]
        view = self._views.get(subscription.template_id)
        channel = view.channels.get(subscription.width) if view else None
        if channel is not None and subscription in channel.subscribers:
            del channel.subscribers[subscription]
            self._count(subscription.template_id)

    def latest(self, template_id: TemplateId, width: int = NATIVE_WIDTH) -> Frame | None:
        """Give the newest picture as it came from the source, however old."""
        view = self._views.get(template_id)
        channel = view.channels.get(width) if view else None
        return channel.newest.frame if channel and channel.newest else None

    def subscriber_count(self, template_id: TemplateId) -> int:
        view = self._views.get(template_id)
        return view.subscriber_count() if view else 0

    # --- those who give

    def publish(self, frame: Frame, wanted_width: int = NATIVE_WIDTH) -> None:
        """Show a picture to all who watch the view in this width."""
        channel = self._channel(frame.template_id, wanted_width)
        channel.newest = Published(frame)
        channel.banner = None
        self._show(frame.template_id, channel, channel.newest)

    def offline(self, template_id: TemplateId, since: datetime, reason: str) -> None:
        """Say that the source is down: viewers see it on the last picture, from the next turn of `run`."""
        view = self._views.setdefault(template_id, _View())
        outage = _Outage(since, reason)
        if view.outage == outage:
            return
        view.outage = outage
        for channel in view.channels.values():
            channel.banner = None
            channel.repeat_at = self._clock.monotonic()
        self._kick.set()

    def online(self, template_id: TemplateId) -> None:
        """Say that pictures come again: who begins to watch before the next one sees the last as it was."""
        view = self._views.get(template_id)
        if view is None or view.outage is None:
            return
        view.outage = None
        for channel in view.channels.values():
            channel.banner = None
            channel.shown = channel.newest

    def forget_pictures(self, template_id: TemplateId) -> None:
        """Show no picture of before again: it may hold what is private from now on."""
        view = self._views.get(template_id)
        if view is None:
            return
        for channel in view.channels.values():
            channel.newest = channel.shown = channel.banner = None
        if view.outage is not None:
            view.outage = replace(view.outage)  # a banner that is being painted now is not this one's

    def close(self, template_id: TemplateId) -> None:
        """End all who watch the view, and forget it: it was deleted."""
        view = self._views.pop(template_id, None)
        if view is None:
            return
        for channel in view.channels.values():
            for subscription in channel.subscribers:
                subscription.end()
        self._metrics.subscribers_changed(template_id, 0)

    def end_all(self) -> None:
        """End everyone: the server stops."""
        for template_id in tuple(self._views):
            self.close(template_id)

    # --- the task

    async def run(self) -> None:
        """Repeat pictures where nothing new comes, with a banner while the source is down. Never returns."""
        while True:
            try:
                async with asyncio.timeout(self._repeat_s / 4):
                    await self._kick.wait()
            except TimeoutError:
                pass
            self._kick.clear()
            await self.repeat_due()

    async def repeat_due(self) -> None:
        """Send again what nobody has seen for `repeat_s`: one turn of `run`."""
        now = self._clock.monotonic()
        for template_id, view in tuple(self._views.items()):
            for channel in tuple(view.channels.values()):
                if channel.subscribers and channel.repeat_at <= now:
                    await self._repeat(template_id, view, channel)

    async def _repeat(self, template_id: TemplateId, view: _View, channel: _Channel) -> None:
        outage, newest = view.outage, channel.newest
        picture = newest
        if outage is not None and self._paint is not None:
            picture = channel.banner or await self._painted(self._paint, template_id, view, channel)
        if picture is None or outage is not view.outage or newest is not channel.newest:
            return  # nothing to show, or the world went on while the banner was painted
        channel.banner = picture if outage is not None else None
        self._show(template_id, channel, picture)

    async def _painted(
        self, paint: Paint, template_id: TemplateId, view: _View, channel: _Channel
    ) -> Published | None:
        assert view.outage is not None
        base = channel.newest or _widest(view)
        frame = (
            base.frame if base is not None else _empty_frame(template_id, channel.width, view.outage.since)
        )
        width = channel.width or frame.width
        jpeg = await paint(base.frame.jpeg if base else None, view.outage.text, width)
        height = round(frame.height * width / frame.width)
        return Published(Frame(template_id, frame.sequence, frame.captured_at, jpeg, width, height))

    # --- inside

    def _channel(self, template_id: TemplateId, width: int) -> _Channel:
        view = self._views.setdefault(template_id, _View())
        channel = view.channels.get(width)
        if channel is None:
            channel = view.channels[width] = _Channel(width)
        return channel

    def _show(self, template_id: TemplateId, channel: _Channel, picture: Published) -> None:
        now = self._clock.monotonic()
        channel.shown = picture
        channel.repeat_at = now + self._repeat_s
        for subscription in channel.subscribers:
            if not subscription.offer(picture, now):
                self._metrics.frame_dropped(template_id, subscription.consumer)

    def _admit(self, clients: tuple[str, ...]) -> None:
        if self._subscribers >= self._limits.subscribers:
            raise Unavailable(
                f"The server streams to {self._limits.subscribers} viewers, as many as it takes: try later."
            )
        if any(self._clients[client] >= self._limits.per_client for client in clients):
            raise TooMany(
                f"You watch {self._limits.per_client} streams, as many as one client may: close one first."
            )

    def _count(self, template_id: TemplateId) -> None:
        self._metrics.subscribers_changed(template_id, self.subscriber_count(template_id))


def _widest(view: _View) -> Published | None:
    pictures = [channel.newest for channel in view.channels.values() if channel.newest is not None]
    return max(pictures, key=lambda picture: picture.frame.width, default=None)


def _empty_frame(template_id: TemplateId, width: int, since: datetime) -> Frame:
    width_px = width or PLACEHOLDER_WIDTH
    return Frame(template_id, 0, since, b"", width_px, width_px * 9 // 16)
