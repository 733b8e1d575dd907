"""One socket of the wall, driven message by message."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from starlette.types import Message
from starlette.websockets import WebSocket
from uvicorn.protocols.utils import ClientDisconnected

from glimpser.core.accounts import Role
from glimpser.core.alerts import Alert
from glimpser.core.errors import Unavailable
from glimpser.core.events import Event, Level
from glimpser.core.frames import Frame
from glimpser.core.health import HealthState, ViewHealth
from glimpser.core.ids import AlertId, EventId, TemplateId, new_id
from glimpser.core.live import State, StreamStatus
from glimpser.core.templates import Template
from glimpser.services.notices import AlertNotice, EventNotice, HealthNotice, StreamNotice
from glimpser.streaming.subscriptions import Subscription
from glimpser.streaming.wall import MAX_MESSAGES
from glimpser.web.application import SOCKETS
from glimpser.web.live_wall import Timing, WallSocket
from glimpser.web.security import PUBLIC, Access, GuardedSocket, require
from tests.web_world import FakeLive, World

pytestmark = pytest.mark.anyio

HASTY = Timing(check_s=0.01, retry_s=0.01, stuck_s=0.05, pace_s=0, farewell_s=0.01)
PATIENT = Timing(pace_s=0, farewell_s=0.01)
CLIENT = "192.0.2.7"


@dataclass
class Peer:
    """The other end of a socket. It takes a message only while `reads` is set."""

    reads: asyncio.Event = field(default_factory=asyncio.Event)
    to_server: asyncio.Queue[Message] = field(default_factory=asyncio.Queue)
    frames: asyncio.Queue[bytes] = field(default_factory=asyncio.Queue)
    texts: asyncio.Queue[dict[str, Any]] = field(default_factory=asyncio.Queue)
    accepted: asyncio.Event = field(default_factory=asyncio.Event)
    closed: Message | None = None
    gone: bool = False

    def __post_init__(self) -> None:
        self.reads.set()
        self.to_server.put_nowait({"type": "websocket.connect"})

    async def send(self, message: Message) -> None:
        await self.reads.wait()
        if self.gone:
            raise ClientDisconnected
        if message["type"] == "websocket.accept":
            self.accepted.set()
        elif message["type"] == "websocket.close":
            self.closed = message
        elif message.get("text") is not None:
            self.texts.put_nowait(json.loads(message["text"]))
        elif message.get("bytes") is not None:
            self.frames.put_nowait(message["bytes"])

    def say(self, text: str) -> None:
        self.to_server.put_nowait({"type": "websocket.receive", "text": text})

    def watch(self, *ids: str, fps: float = 30, w: int = 320) -> None:
        self.say(json.dumps({"tiles": [{"id": tile, "fps": fps, "w": w} for tile in ids]}))

    def leave(self) -> None:
        self.gone = True
        self.to_server.put_nowait({"type": "websocket.disconnect", "code": 1001})

    async def picture(self) -> bytes:
        """Give the JPEG of the next picture."""
        message = await self.frames.get()
        return message[10 + message[1] :]


class SwitchedOff(FakeLive):
    is_off = True

    def watch(self, template: Template, **how: Any) -> AbstractAsyncContextManager[Subscription]:
        if self.is_off:
            raise Unavailable("This view is switched off: enable it.")
        return super().watch(template, **how)


@dataclass
class Opened:
    world: World
    peer: Peer
    headers: dict[str, str]
    over: asyncio.Task[None]

    async def add(self, **changes: object) -> TemplateId:
        return TemplateId((await self.world.add_template(self.headers, **changes)).json()["id"])

    async def shown(self) -> dict[str, Any]:
        """Wait until the next tile is shown; gives the message that says so."""
        message = await self.peer.texts.get()
        assert message["type"] == "state", message
        return message

    def publish(self, template_id: TemplateId, jpeg: bytes, width: int = 320) -> None:
        self.world.clock.advance(1)  # rates are kept by the clock: the next picture is due
        now = self.world.clock.now()
        self.world.live.hub.publish(Frame(template_id, 1, now, jpeg, width, width * 9 // 16), width)

    def viewers(self, template_id: TemplateId) -> int:
        return self.world.live.hub.subscriber_count(template_id)

    async def close_code(self) -> int:
        await self.over
        assert self.peer.closed is not None
        return int(self.peer.closed["code"])


@asynccontextmanager
async def opened(world: World, timing: Timing = PATIENT) -> AsyncIterator[Opened]:
    headers = await world.sign_in(Role.ADMIN)
    principal = await world.services.accounts.authenticate(headers["Authorization"].removeprefix("Bearer "))
    peer = Peer()
    scope = {"type": "websocket", "headers": [], "state": {"client_ip": CLIENT}}
    socket = WebSocket(scope, peer.to_server.get, peer.send)
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        over = tasks.create_task(WallSocket(socket, world.services, principal, timing=timing).serve())
        yield Opened(world, peer, headers, over)
        peer.leave()
        peer.reads.set()


async def test_a_tile_shows_the_newest_picture_and_then_each_new_one(world: World) -> None:
    async with opened(world) as wall:
        door = await wall.add()
        wall.publish(door, b"before")
        wall.peer.watch(door)

        assert await wall.peer.picture() == b"before"
        wall.publish(door, b"after")
        assert await wall.peer.picture() == b"after"


async def test_a_tile_that_begins_tells_its_state(world: World) -> None:
    async with opened(world) as wall:
        door = await wall.add()
        world.live.states[door] = StreamStatus(
            state=State.BACKOFF, since=world.clock.now(), reason="No answer."
        )
        wall.peer.watch(door)

        message = await wall.shown()

    assert message["template_id"] == door
    assert message["stream"]["state"] == "backoff"
    assert message["stream"]["reason"] == "No answer."
    assert set(message["stream"]) == {"state", "since", "fps", "width", "height", "reason"}


async def test_only_what_is_seen_is_watched(world: World) -> None:
    async with opened(world) as wall:
        door, yard = await wall.add(), await wall.add()
        wall.peer.watch(door)
        await wall.shown()
        assert (wall.viewers(door), wall.viewers(yard)) == (1, 0)

        wall.peer.watch(yard)
        await wall.shown()
        assert (wall.viewers(door), wall.viewers(yard)) == (0, 1)

        wall.publish(door, b"unseen")
        wall.publish(yard, b"seen")
        assert await wall.peer.picture() == b"seen"


async def test_a_tile_that_stays_goes_on_without_a_gap(world: World) -> None:
    async with opened(world) as wall:
        door, yard = await wall.add(), await wall.add()
        wall.publish(door, b"first")
        wall.peer.watch(door)
        await wall.shown()
        await wall.peer.picture()

        wall.peer.watch(door, yard)
        assert (await wall.shown())["template_id"] == yard
        wall.publish(door, b"second")

        assert await wall.peer.picture() == b"second"  # and "first" was not sent again


async def test_a_tile_asked_for_in_another_width_changes_it(world: World) -> None:
    async with opened(world) as wall:
        door = await wall.add()
        wall.peer.watch(door, w=320)
        await wall.shown()
        wall.peer.watch(door, w=640)
        await wall.shown()

        wall.publish(door, b"small", 320)
        wall.publish(door, b"large", 640)

        assert await wall.peer.picture() == b"large"


async def test_when_the_client_leaves_nothing_is_watched_any_more(world: World) -> None:
    async with opened(world) as wall:
        door = await wall.add()
        wall.peer.watch(door)
        await wall.shown()
        wall.peer.leave()
        await wall.over

    assert wall.viewers(door) == 0
    assert world.services.notices.listener_count == 0
    assert wall.peer.closed is None


@pytest.mark.parametrize(
    ("text", "code"),
    [("{", 1007), ("", 1007), ("{}", 1008), ('{"tiles":[{"id":"x"}]}', 1008), ("[" * 10_000, 1008)],
)
async def test_a_client_that_speaks_otherwise_is_told_and_left(world: World, text: str, code: int) -> None:
    async with opened(world) as wall:
        wall.peer.say(text)

        assert await wall.close_code() == code
        assert wall.peer.closed is not None
        assert 0 < len(wall.peer.closed["reason"].encode()) <= 123


async def test_a_client_that_sends_bytes_is_left(world: World) -> None:
    async with opened(world) as wall:
        wall.peer.to_server.put_nowait({"type": "websocket.receive", "bytes": b'{"tiles":[]}'})

        assert await wall.close_code() == 1003


@pytest.mark.parametrize(
    "stranger", ["01M80000000000000000000000", "door", "../../etc/passwd", "' OR 1=1 --"]
)
async def test_an_unknown_tile_is_named_and_the_others_show(world: World, stranger: str) -> None:
    async with opened(world, HASTY) as wall:
        door = await wall.add()
        wall.peer.watch(stranger, door)

        error = await wall.peer.texts.get()
        await wall.shown()

        assert (error["type"], error["template_id"], error["status"]) == ("error", stranger, 404)
        assert error["detail"]
        await asyncio.sleep(0.05)  # it is tried again meanwhile, several times
        assert wall.peer.texts.empty()


async def test_a_tile_that_was_refused_shows_as_soon_as_it_can(world: World) -> None:
    live = SwitchedOff(world.clock)
    world = replace(world, live=live, services=replace(world.services, live=live))
    async with opened(world, HASTY) as wall:
        door = await wall.add()
        wall.peer.watch(door)
        assert (await wall.peer.texts.get())["status"] == 503

        live.is_off = False

        assert (await wall.shown())["template_id"] == door


async def test_a_view_that_is_removed_is_named_and_leaves_its_place(world: World) -> None:
    async with opened(world, HASTY) as wall:
        door = await wall.add()
        wall.peer.watch(door)
        await wall.shown()

        await world.database.write(lambda tx: tx.templates.remove(door, expected=1))
        world.live.hub.close(door)

        assert (await wall.peer.texts.get())["status"] == 404
        assert wall.viewers(door) == 0


async def test_a_client_that_takes_nothing_gets_the_newest_picture_when_it_goes_on(world: World) -> None:
    async with opened(world) as wall:
        door = await wall.add()
        wall.peer.watch(door)
        await wall.shown()
        wall.publish(door, b"0")
        await wall.peer.picture()
        wall.peer.reads.clear()
        for number in range(1, 50):
            wall.publish(door, b"%d" % number)
            await asyncio.sleep(0)
        wall.peer.reads.set()

        under_way, newest = await wall.peer.picture(), await wall.peer.picture()

    assert int(under_way) < 5  # what was being sent when it stopped
    assert newest == b"49"


async def test_a_client_that_takes_nothing_for_long_is_dropped(world: World) -> None:
    async with opened(world, HASTY) as wall:
        door = await wall.add()
        wall.peer.watch(door)
        await wall.shown()
        wall.peer.reads.clear()

        wall.publish(door, b"never taken")
        await wall.over

    assert wall.viewers(door) == 0


async def test_a_client_too_far_behind_is_told_to_begin_anew(world: World) -> None:
    async with opened(world) as wall:
        door = await wall.add()
        wall.peer.watch(door)
        await wall.shown()
        wall.peer.reads.clear()
        notice = StreamNotice(door, world.live.status(door))
        for _ in range(MAX_MESSAGES + 2):
            world.services.notices.publish(notice)
            await asyncio.sleep(0)
        wall.peer.reads.set()

        assert await wall.close_code() == 1013


async def test_what_happens_is_told_in_the_shapes_of_the_interface(world: World) -> None:
    now = world.clock.now()
    door = TemplateId(new_id())
    event = Event(
        id=EventId(new_id()), template_id=door, kind="motion", level=Level.INFO, message="Motion: Door",
        metadata={"score": 0.5}, started_at=now, created_at=now,
    )  # fmt: skip
    alert = Alert(
        id=AlertId(new_id()), template_id=door, event_id=event.id, rule_id=None, kind="motion",
        level=Level.ERROR, title="Motion", body="Motion: Door", created_at=now,
    )  # fmt: skip
    async with opened(world) as wall:
        await wall.peer.accepted.wait()
        world.services.notices.publish(EventNotice(event))
        world.services.notices.publish(AlertNotice(alert))
        health = ViewHealth(state=HealthState.FROZEN, since=now, reason="Nothing changes.")
        world.services.notices.publish(HealthNotice(door, health))
        told = [await wall.peer.texts.get() for _ in range(3)]

    assert [message["type"] for message in told] == ["event", "alert", "health"]
    assert told[2] == {
        "type": "health",
        "template_id": door,
        "health": {
            "state": "frozen",
            "since": "2026-01-01T12:00:00Z",
            "reason": "Nothing changes.",
            "last_good_at": None,
            "last_good_artifact_id": None,
        },
    }
    shown = told[0]["event"]
    assert (shown["id"], shown["level"], shown["ended_at"]) == (event.id, "info", None)
    assert shown["started_at"] == "2026-01-01T12:00:00Z"
    assert told[1]["alert"] | {"id": alert.id, "state": "open", "deliveries": []} == told[1]["alert"]


async def test_a_session_that_is_revoked_ends_its_sockets(world: World) -> None:
    async with opened(world, HASTY) as wall:
        await world.client.post("/api/auth/logout", headers=wall.headers)
        world.clock.advance(2)

        assert await wall.close_code() == 1008


async def test_a_session_that_goes_on_keeps_its_sockets(world: World) -> None:
    async with opened(world, HASTY) as wall:
        world.clock.advance(2)
        await asyncio.sleep(0.05)

        assert not wall.over.done()


async def test_a_server_that_stops_says_so_at_once(world: World) -> None:
    async with opened(world) as wall:
        wall.peer.watch(await wall.add())
        await wall.shown()
        world.services.ending.set()

        assert await wall.close_code() == 1001


async def test_a_client_that_takes_nothing_does_not_hold_up_the_end(world: World) -> None:
    async with opened(world) as wall:
        door = await wall.add()
        wall.peer.watch(door)
        await wall.shown()
        wall.peer.reads.clear()
        wall.publish(door, b"never taken")
        world.services.ending.set()

        await wall.over


async def test_a_client_that_is_gone_before_the_answer_leaves_nothing(world: World) -> None:
    async with opened(world) as wall:
        wall.peer.gone = True
        await wall.over

    assert world.services.notices.listener_count == 0


def test_the_matrix_names_every_socket() -> None:
    assert {route.path: route.access for route in SOCKETS} == {"/api/live": Access(Role.VIEWER)}


def test_a_socket_that_names_no_role_cannot_be_made() -> None:
    async def endpoint(socket: WebSocket) -> None: ...

    with pytest.raises(TypeError, match="which role"):
        GuardedSocket("/open", endpoint, access=PUBLIC)

    assert GuardedSocket("/own", endpoint, access=require(Role.VIEWER)).access.role is Role.VIEWER
