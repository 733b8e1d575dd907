"""One socket of the live wall, from its acceptance to its last word."""

import asyncio
import contextlib
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Self

from starlette.websockets import WebSocket, WebSocketDisconnect

from glimpser.core.accounts import Principal
from glimpser.core.errors import GlimpserError, InvalidInput
from glimpser.core.ids import TemplateId, require_id
from glimpser.services.notices import Notice, StreamNotice
from glimpser.streaming.subscriptions import Client, Published, Subscription
from glimpser.streaming.wall import NotJson, Outbox, Overflow, Tile, binary_message, parse_request
from glimpser.web.live_messages import TileRefused, as_text
from glimpser.web.sight import Sight
from glimpser.web.wiring import Services, viewer_of

CONSUMER = "wall"
"""What metrics call a tile."""
_MAX_REASON_BYTES = 123
"""RFC 6455, section 5.5: a control frame has at most 125 bytes, two of them the code."""

Waiting = Outbox[Notice | TileRefused]


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """When a socket looks after itself, in seconds.

    Attributes:
        check_s: time between two questions whether the viewer still may watch.
        retry_s: a tile that was refused, or has ended, is tried again after so long.
        stuck_s: a client that takes nothing for so long is dropped.
        pace_s: least time between two changes of the tiles; of what is asked meanwhile, the last counts.
        farewell_s: time that a client has to take the close frame.
    """

    check_s: float = 5.0
    retry_s: float = 5.0
    stuck_s: float = 30.0
    pace_s: float = 0.05
    farewell_s: float = 0.2


@dataclass(frozen=True, slots=True)
class Goodbye:
    """Why the server closes (RFC 6455, section 7.4.1)."""

    code: int
    reason: str


STOPPING = Goodbye(1001, "The server stops: connect again in a moment.")
UNREADABLE = Goodbye(1003, "Send text.")
SIGNED_OUT = Goodbye(1008, "You are signed out: sign in again.")
TOO_SLOW = Goodbye(1013, "You are too far behind: connect again and read everything anew.")


@dataclass(frozen=True, slots=True)
class _Shown:
    tile: Tile
    subscription: Subscription
    place: AsyncExitStack


class Tiles:
    """The tiles one socket shows; each counts as one stream of its client. After `with` none is left."""

    def __init__(self, services: Services, outbox: Waiting, *, client: Client, sight: Sight) -> None:
        self._services = services
        self._outbox = outbox
        self._sight = sight
        self._client = client
        self._shown: dict[TemplateId, _Shown] = {}
        self._refused: dict[TemplateId, str] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.show(())

    async def show(self, wanted: Sequence[Tile]) -> None:
        """Show these and no others; those that stay as they are go on without a gap.

        What cannot be shown is told once for each reason. Call it again to try that anew.
        """
        tiles = {tile.template_id: tile for tile in wanted}
        for template_id, shown in tuple(self._shown.items()):
            is_over = shown.subscription.ended or not self._sight.includes(template_id)
            if is_over or shown.tile != tiles.get(template_id):
                del self._shown[template_id]
                await shown.place.aclose()
                self._outbox.forget(template_id)
        self._refused = {key: told for key, told in self._refused.items() if key in tiles}
        for template_id, tile in tiles.items():
            if template_id not in self._shown:
                await self._try(tile)

    async def _try(self, tile: Tile) -> None:
        try:
            shown = await self._open(tile)
        except GlimpserError as error:
            if self._refused.get(tile.template_id) != error.detail:
                self._refused[tile.template_id] = error.detail
                self._outbox.put(TileRefused(tile.template_id, error))
            return
        self._refused.pop(tile.template_id, None)
        self._shown[tile.template_id] = shown
        shown.subscription.attach(self._outbox.sink(tile.template_id))
        self._outbox.put(StreamNotice(tile.template_id, self._services.live.status(tile.template_id)))

    async def _open(self, tile: Tile) -> _Shown:
        template_id = TemplateId(require_id(tile.template_id, "template"))
        template = await self._sight.find(template_id)
        place = AsyncExitStack()
        subscription = await place.enter_async_context(
            self._services.live.watch(
                template, width=tile.width, fps=tile.fps, client=self._client, consumer=CONSUMER
            )
        )
        return _Shown(tile, subscription, place)


class WallSocket:
    """Sends the newest pictures of the tiles its client sees, and what happens meanwhile."""

    def __init__(
        self, socket: WebSocket, services: Services, principal: Principal, *, timing: Timing | None = None
    ) -> None:
        self._socket = socket
        self._services = services
        self._sight = Sight(services, principal)
        self._timing = timing or Timing()
        self._outbox: Waiting = Outbox()
        self._wanted: tuple[Tile, ...] = ()
        self._asked = asyncio.Event()

    async def serve(self) -> None:
        """Accept the socket and serve it until one side ends it."""
        try:
            await self._socket.accept()
        except OSError:
            return  # gone already
        with self._services.notices.listen(self._hear):
            goodbye = await self._until_over() if await self._sight.look() else SIGNED_OUT
        if goodbye is not None:
            await self._say(goodbye)

    def _hear(self, notice: Notice) -> None:
        if self._sight.includes_notice(notice):
            self._outbox.put(notice)

    async def _until_over(self) -> Goodbye | None:
        """Run all parts until the first of them has ended; None: the client has gone."""
        async with asyncio.TaskGroup() as tasks:
            parts = [
                tasks.create_task(part)
                for part in (self._receive(), self._send(), self._arrange(), self._look_after())
            ]
            ended, _ = await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
            for part in parts:
                part.cancel()
        return next(part.result() for part in parts if part in ended)

    async def _receive(self) -> Goodbye | None:
        while True:
            message = await self._socket.receive()
            if message["type"] == "websocket.disconnect":
                return None
            text = message.get("text")
            if text is None:
                return UNREADABLE
            try:
                self._wanted = parse_request(text)
            except InvalidInput as error:
                return Goodbye(1007 if isinstance(error, NotJson) else 1008, error.detail)
            self._asked.set()

    async def _arrange(self) -> None:
        """Follow what the client asks for, and try again what it could not have."""
        client = viewer_of(self._sight.viewer, self._socket.state.client_ip)
        async with Tiles(self._services, self._outbox, client=client, sight=self._sight) as tiles:
            while True:
                await _is_set(self._asked, within_s=self._timing.retry_s)
                self._asked.clear()
                await tiles.show(self._wanted)
                await asyncio.sleep(self._timing.pace_s)

    async def _send(self) -> Goodbye | None:
        try:
            while True:
                waiting = await self._outbox.next()
                async with asyncio.timeout(self._timing.stuck_s):
                    if isinstance(waiting, Published):
                        await self._socket.send_bytes(waiting.form(binary_message))
                    else:
                        await self._socket.send_text(as_text(waiting))
        except (TimeoutError, Overflow):
            return TOO_SLOW
        except WebSocketDisconnect:
            return None

    async def _look_after(self) -> Goodbye:
        while not await _is_set(self._services.ending, within_s=self._timing.check_s):
            if not await self._is_allowed():
                return SIGNED_OUT
            self._asked.set()  # what has gone out of sight is taken down
        return STOPPING

    async def _is_allowed(self) -> bool:
        try:
            return await self._sight.look()
        except GlimpserError:
            return False  # whoever cannot be asked about is not let through

    async def _say(self, goodbye: Goodbye) -> None:
        """Close; a client that takes nothing does not hold this up."""
        reason = goodbye.reason.encode()[:_MAX_REASON_BYTES].decode(errors="ignore")
        with contextlib.suppress(TimeoutError, WebSocketDisconnect):
            async with asyncio.timeout(self._timing.farewell_s):
                await self._socket.close(goodbye.code, reason)


async def _is_set(event: asyncio.Event, *, within_s: float) -> bool:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(within_s):
            await event.wait()
    return event.is_set()
