"""MJPEG over HTTP: one `multipart/x-mixed-replace` body whose parts are the newest pictures of a view.

There is no RFC for it: browsers, VLC, FFmpeg and OpenCV read parts of RFC 2046 (section 5.1) that replace
each other. The boundary has no quotes and no dashes, because some of them compare it as it stands.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from glimpser.core.errors import GlimpserError
from glimpser.core.frames import Frame
from glimpser.streaming.fast_write import Connection, FastSink
from glimpser.streaming.subscriptions import Subscription

BOUNDARY = "frame"
MEDIA_TYPE = f"multipart/x-mixed-replace; boundary={BOUNDARY}"

_END = b"--frame--\r\n"
_ENDLESS = 2**62
"""Length announced to an HTTP/1.0 client where the server would send chunks otherwise; never reached."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """When a stream looks after itself, in seconds.

    Attributes:
        check_s: time between two questions whether the viewer still may watch.
        stuck_s: a connection that takes nothing for so long is dropped.
        farewell_s: time that a connection has to take what is under way when the stream ends.
    """

    check_s: float = 5.0
    stuck_s: float = 30.0
    farewell_s: float = 0.2


def part(frame: Frame) -> bytes:
    """One part of the multipart body: delimiter, headers, JPEG, line end."""
    head = b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(frame.jpeg)
    return b"".join((head, frame.jpeg, b"\r\n"))


def chunked_part(frame: Frame) -> bytes:
    """A part as one chunk of a body in chunks (RFC 9112, section 7.1)."""
    head = b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(frame.jpeg)
    size = len(head) + len(frame.jpeg) + 2
    return b"".join((b"%x\r\n" % size, head, frame.jpeg, b"\r\n\r\n"))


class MjpegResponse(Response):
    """Streams one view until somebody ends it. An ASGI application, so a route may return it.

    It ends when the viewer goes, the subscription ends, `ending` is set, `still_allowed` says no (or fails
    with an error of ours), or the connection takes nothing for too long.
    """

    def __init__(
        self,
        subscription: AbstractAsyncContextManager[Subscription],
        *,
        still_allowed: Callable[[], Awaitable[bool]],
        ending: asyncio.Event | None = None,
        fast: bool = False,
        timing: Timing | None = None,
    ) -> None:
        """Prepare; `subscription` is entered when the response is served, and may refuse with its errors.

        `fast` may be given if `fast_write.available()` said so.
        """
        super().__init__()
        self.raw_headers = [
            (b"content-type", MEDIA_TYPE.encode()),
            (b"cache-control", b"no-store"),
            (b"x-accel-buffering", b"no"),
            (b"x-content-type-options", b"nosniff"),
        ]
        self._subscription = subscription
        self._still_allowed = still_allowed
        self._ending = ending or asyncio.Event()
        self._fast = fast
        self._timing = timing or Timing()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] == "HEAD":
            await self._start(send)
            await send({"type": "http.response.body", "body": b""})
            return
        async with self._subscription as subscription:
            way = self._choose_way(scope, send)
            await self._start(send)
            await self._show(subscription, way, receive)
            await way.finish(receive, send)

    def _choose_way(self, scope: Scope, send: Send) -> "_Way":
        raw_send: Send = scope.get("state", {}).get("raw_send", send)
        connection = Connection.of(raw_send)
        unchunked = scope.get("http_version") == "1.0"
        if connection is not None:
            connection.write_at_once()
        if self._fast and connection is not None:
            if unchunked:
                connection.leave_unchunked()
            return _FastWay(connection, self._timing)
        if unchunked:
            self.raw_headers.append((b"content-length", b"%d" % _ENDLESS))
        return _PlainWay(raw_send, connection, self._timing, unchunked=unchunked)

    async def _start(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})

    async def _show(self, subscription: Subscription, way: "_Way", receive: Receive) -> None:
        """Show pictures until the subscription has ended; returns within `farewell_s` of that."""
        async with asyncio.TaskGroup() as tasks:
            showing = tasks.create_task(way.show(subscription))
            watching = (
                tasks.create_task(_end_when_gone(subscription, receive)),
                tasks.create_task(self._end_when_told(subscription, way)),
            )
            await subscription.wait_ended()
            for task in watching:
                task.cancel()
            await asyncio.wait((showing,), timeout=self._timing.farewell_s)
            showing.cancel()

    async def _end_when_told(self, subscription: Subscription, way: "_Way") -> None:
        now = asyncio.get_running_loop().time
        check_at = now() + self._timing.check_s
        turn_s = min(self._timing.check_s, self._timing.stuck_s / 4)
        while not await _is_set(self._ending, within_s=turn_s):
            if way.blocked_at is not None and now() - way.blocked_at > self._timing.stuck_s:
                break
            if now() >= check_at:
                if not await self._is_allowed():
                    break
                check_at = now() + self._timing.check_s
        subscription.end()

    async def _is_allowed(self) -> bool:
        try:
            return await self._still_allowed()
        except GlimpserError:
            return False  # whoever cannot be asked about is not let through


class _Way(Protocol):
    """How bytes reach one viewer."""

    @property
    def blocked_at(self) -> float | None:
        """Since when the connection takes nothing (the loop's time); None while it does."""
        ...

    async def show(self, subscription: Subscription) -> None:
        """Pass on what the subscription gives, until it has ended."""
        ...

    async def finish(self, receive: Receive, send: Send) -> None:
        """End the response properly, or drop the connection if it does not take the end in time."""
        ...


class _PlainWay:
    """By ASGI alone: the server frames every picture for every viewer."""

    def __init__(self, send: Send, connection: Connection | None, timing: Timing, *, unchunked: bool) -> None:
        self.blocked_at: float | None = None
        self._send = send
        self._connection = connection
        self._timing = timing
        self._unchunked = unchunked

    async def show(self, subscription: Subscription) -> None:
        now = asyncio.get_running_loop().time
        while (picture := await subscription.next_picture()) is not None:
            self.blocked_at = now()
            await self._send({"type": "http.response.body", "body": picture.form(part), "more_body": True})
            self.blocked_at = None

    async def finish(self, receive: Receive, send: Send) -> None:
        if self._unchunked:  # its endless length can only be cut off
            if self._connection is not None:
                await self._connection.drop(receive, within_s=self._timing.farewell_s)
        elif self._connection is None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._timing.farewell_s):
                    await _send_end(send)
        elif await self._connection.emptied(within_s=self._timing.farewell_s):
            await _send_end(send)
            self._connection.limit_closing(self._timing.farewell_s)
        else:
            await self._connection.drop(receive, within_s=0)


class _FastWay:
    """Past the server's `send`: the same bytes for all viewers, in one pass of the loop."""

    def __init__(self, connection: Connection, timing: Timing) -> None:
        self._connection = connection
        self._timing = timing
        self._sink: FastSink | None = None

    @property
    def blocked_at(self) -> float | None:
        return self._sink.blocked_at if self._sink is not None else None

    async def show(self, subscription: Subscription) -> None:
        form = chunked_part if self._connection.chunked else part
        self._sink = self._connection.sink(form, asyncio.get_running_loop().time)
        subscription.attach(self._sink.take)
        await subscription.wait_ended()

    async def finish(self, receive: Receive, send: Send) -> None:
        if not await self._connection.emptied(within_s=self._timing.farewell_s):
            await self._connection.drop(receive, within_s=0)
            return
        if self._connection.chunked:
            await _send_end(send)
        else:
            self._connection.write(_END)
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        self._connection.limit_closing(self._timing.farewell_s)


async def _send_end(send: Send) -> None:
    await send({"type": "http.response.body", "body": _END, "more_body": False})


async def _end_when_gone(subscription: Subscription, receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    subscription.end()


async def _is_set(event: asyncio.Event, *, within_s: float) -> bool:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(within_s):
            await event.wait()
    return event.is_set()
