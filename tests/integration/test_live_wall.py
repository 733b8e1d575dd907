"""The live wall on a real socket: who is let in, what comes, and how it ends."""

import asyncio
import json
import struct
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
import structlog
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from glimpser.core.accounts import Role
from glimpser.core.clock import SystemClock
from glimpser.core.frames import Frame
from glimpser.core.ids import TemplateId, is_id, new_id
from glimpser.streaming.hub import Hub
from glimpser.web.crowd import Limits
from glimpser.web.protocol import PatientProtocol
from glimpser.web.security import SESSION_COOKIE
from glimpser.web.server import MAX_MESSAGE_BYTES, WebServer, listen
from glimpser.web.wiring import WebSettings
from tests.web_world import World, open_world

pytestmark = pytest.mark.anyio

KEY = b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
UPGRADE = b"Host: wall.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"


class Viewers:
    """Counts who watches, and what was too much for them."""

    def __init__(self) -> None:
        self.counts: Counter[TemplateId] = Counter()
        self.dropped: Counter[str] = Counter()
        self._changed = asyncio.Event()

    def subscribers_changed(self, template_id: TemplateId, count: int) -> None:
        self.counts[template_id] = count
        self._changed.set()

    def frame_dropped(self, template_id: TemplateId, consumer: str) -> None:
        self.dropped[consumer] += 1

    async def none_of(self, template_id: TemplateId) -> None:
        """Wait until nobody watches this view."""
        while self.counts[template_id]:
            self._changed.clear()
            await self._changed.wait()


@dataclass
class Running:
    world: World
    server: WebServer
    viewers: Viewers

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server.port}"

    def wall(self, headers: dict[str, str], *, path: str = "/api/live") -> connect:
        return connect(f"ws://{self.address}{path}", additional_headers=headers, proxy=None)

    async def refusal(
        self, headers: dict[str, str], *, path: str = "/api/live"
    ) -> tuple[int, dict[str, Any]]:
        """Give the status and the body of an answer that opens no socket."""
        with pytest.raises(InvalidStatus) as refused:
            async with self.wall(headers, path=path):
                pass
        body = refused.value.response.body
        return refused.value.response.status_code, json.loads(body) if body else {}

    async def send(self, request: bytes) -> bytes:
        """Send bytes as they are and give everything that comes back until the server closes."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.server.port)
        writer.write(request)
        answer = await reader.read()
        writer.close()
        await writer.wait_closed()
        return answer

    def publish(self, template_id: TemplateId, jpeg: bytes, width: int = 320) -> None:
        now = self.world.clock.now()
        self.world.live.hub.publish(Frame(template_id, 1, now, jpeg, width, width * 9 // 16), width)

    async def add_views(self, headers: dict[str, str], count: int) -> list[TemplateId]:
        made = [await self.world.add_template(headers, name=f"View {number}") for number in range(count)]
        return [TemplateId(answer.json()["id"]) for answer in made]


class Hasty(PatientProtocol):
    head_timeout_s = 0.2


@asynccontextmanager
async def running(
    directory: Path,
    settings: WebSettings | None = None,
    *,
    protocol: type[PatientProtocol] = PatientProtocol,
    limits: Limits | None = None,
) -> AsyncIterator[Running]:
    async with open_world(directory, settings) as world, asyncio.timeout(30), asyncio.TaskGroup() as tasks:
        viewers = Viewers()
        world.live.hub = Hub(clock=SystemClock(), metrics=viewers)  # rates are kept in real time
        server = WebServer(
            world.app,
            listen("127.0.0.1", 0),
            ending=world.services.ending,
            protocol=protocol,
            limits=limits,
        )
        tasks.create_task(server.serve())
        yield Running(world, server, viewers)
        server.stop()


@pytest.fixture
async def served(data_dir: Path) -> AsyncIterator[Running]:
    async with running(data_dir) as opened:
        yield opened


def cookie_of(headers: dict[str, str], *, origin: str) -> dict[str, str]:
    token = headers["Authorization"].removeprefix("Bearer ")
    return {"Cookie": f"{SESSION_COOKIE}={token}"} | ({"Origin": origin} if origin else {})


def asking(ids: Iterable[str], fps: float = 10, w: int = 320) -> str:
    return json.dumps({"tiles": [{"id": tile, "fps": fps, "w": w} for tile in ids]})


async def shown(socket: ClientConnection, count: int) -> None:
    """Wait until so many tiles have begun."""
    for _ in range(count):
        assert json.loads(await socket.recv())["type"] == "state"


async def picture(socket: ClientConnection) -> tuple[str, float, bytes]:
    """Give the next picture: its view, when it was taken in seconds since 1970, the JPEG."""
    message = await socket.recv(decode=False)
    assert isinstance(message, bytes)
    version, length, captured_s = struct.unpack_from(">BBd", message)
    assert version == 1
    return message[10 : 10 + length].decode(), captured_s, message[10 + length :]


async def close_code(socket: ClientConnection) -> int | None:
    """Read whatever still comes, and give the code of the close frame."""
    try:
        while True:
            await socket.recv()
    except ConnectionClosed as closed:
        return closed.rcvd.code if closed.rcvd else None


async def test_pictures_come_of_the_tiles_that_are_seen(served: Running) -> None:
    headers = await served.world.sign_in()
    door, yard = await served.add_views(headers, 2)

    async with served.wall(headers) as socket:
        await socket.send(asking([door]))
        await shown(socket, 1)
        served.publish(yard, b"unseen")
        served.publish(door, b"first")
        view, captured_s, jpeg = await picture(socket)
        assert (view, jpeg) == (door, b"first")
        assert captured_s == served.world.clock.now().timestamp()

        await socket.send(asking([yard]))
        await shown(socket, 1)
        assert (await picture(socket))[2] == b"unseen"
        assert (served.viewers.counts[door], served.viewers.counts[yard]) == (0, 1)

        await socket.send(asking([]))
        await served.viewers.none_of(yard)

    assert socket.protocol.extensions == []


async def test_when_a_client_goes_its_views_are_left(served: Running) -> None:
    headers = await served.world.sign_in()
    (door,) = await served.add_views(headers, 1)

    async with served.wall(headers) as socket:
        await socket.send(asking([door]))
        await shown(socket, 1)
        assert served.viewers.counts[door] == 1
        socket.transport.abort()

    await served.viewers.none_of(door)


@pytest.mark.parametrize("public_url", [None, "https://cams.example.org/"])
async def test_a_page_of_ours_is_let_in_by_its_cookie(data_dir: Path, public_url: str | None) -> None:
    async with running(data_dir, WebSettings(version="1", public_url=public_url)) as served:
        headers = await served.world.sign_in(Role.VIEWER)
        origin = (public_url or f"http://{served.address}").rstrip("/")

        async with served.wall(cookie_of(headers, origin=origin)) as socket:
            await socket.send(asking([]))


@pytest.mark.parametrize(
    "origin", ["", "null", "http://evil.test", "http://127.0.0.1", "https://cams.example.org", "file://"]
)
async def test_a_page_of_another_site_is_not(served: Running, origin: str) -> None:
    headers = await served.world.sign_in(Role.VIEWER)

    status, problem = await served.refusal(cookie_of(headers, origin=origin))

    assert status == 403
    assert "this site's own pages" in problem["detail"]
    assert is_id(problem["request_id"])


@pytest.mark.parametrize(
    "headers",
    [{}, {"Cookie": f"{SESSION_COOKIE}=x"}, {"Authorization": "Bearer x"}, {"Authorization": "Basic eDp4"}],
    ids=["nobody", "cookie", "token", "basic"],
)
async def test_strangers_are_refused_before_the_handshake(served: Running, headers: dict[str, str]) -> None:
    status, problem = await served.refusal(headers)

    assert (status, problem["status"], problem["title"]) == (401, 401, "Unauthorized")
    assert served.world.recorder.served[-1] == ("GET", "/api/live", 401)


async def test_a_refusal_carries_the_security_headers(served: Running) -> None:
    answer = await served.send(b"GET /api/live HTTP/1.1\r\n" + UPGRADE + KEY + b"\r\n")

    head = answer.partition(b"\r\n\r\n")[0].lower()
    assert head.startswith(b"http/1.1 401")
    for line in (b"x-content-type-options: nosniff", b"www-authenticate: bearer", b"cache-control: no-store"):
        assert line in head
    assert b"\nserver:" not in head


@pytest.mark.parametrize("path", ["/", "/api/lives", "/healthz", "/api/me", "/api/live/"])
async def test_no_other_address_is_a_socket(served: Running, path: str) -> None:
    status, _ = await served.refusal(await served.world.sign_in(), path=path)

    assert status in (403, 404)


@pytest.mark.parametrize(
    "head",
    [
        b"GET /api/live HTTP/1.1\r\n" + UPGRADE,
        b"GET /api/live HTTP/1.1\r\n" + UPGRADE + KEY.replace(b"13", b"12"),
        b"GET /api/live HTTP/1.1\r\n" + UPGRADE + KEY.replace(b"dGhl", b""),
        b"GET /api/live HTTP/1.1\r\n" + UPGRADE + KEY + b"Content-Length: 5\r\n",
        b"POST /api/live HTTP/1.1\r\n" + UPGRADE + KEY,
        b"GET /api/live HTTP/1.1\r\n" + UPGRADE + KEY + b"X-Filler: " + b"x" * 9_000 + b"\r\n",
    ],
    ids=["no key", "version", "short key", "body", "post", "long line"],
)
async def test_a_handshake_that_is_none_is_refused(served: Running, head: bytes) -> None:
    answer = await served.send(head + b"\r\n")

    assert answer.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 405 ", b"HTTP/1.1 426 "))


async def test_a_socket_outlives_the_time_that_a_head_has(data_dir: Path) -> None:
    async with running(data_dir, protocol=Hasty) as served:
        headers = await served.world.sign_in()
        (door,) = await served.add_views(headers, 1)
        reader, writer = await asyncio.open_connection("127.0.0.1", served.server.port)
        writer.write(b"GET /healthz HTTP/1.1\r\n\r\n")  # the same connection served a request before
        await reader.readuntil(b'{"status":"ok"}')
        bearer = f"Authorization: {headers['Authorization']}\r\n\r\n".encode()
        writer.write(b"GET /api/live HTTP/1.1\r\n" + UPGRADE + KEY + bearer)
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101 ")

        await asyncio.sleep(0.3)

        writer.write(masked(asking([door]).encode()))
        assert b'"type":"state"' in await reader.readuntil(b"}}")
        writer.close()


def masked(text: bytes) -> bytes:
    """A text frame with a mask of zeros (RFC 6455, section 5.2)."""
    return b"\x81" + bytes([0x80 | len(text)]) + bytes(4) + text if len(text) < 126 else _masked_long(text)


def _masked_long(text: bytes) -> bytes:
    return b"\x81\xfe" + len(text).to_bytes(2) + bytes(4) + text


async def test_sockets_count_among_the_connections(data_dir: Path) -> None:
    async with running(data_dir, limits=Limits(connections=2)) as served:
        headers = await served.world.sign_in()
        async with served.wall(headers), served.wall(headers):
            assert (await served.refusal(headers))[0] == 503
        async with served.wall(headers):
            pass


@pytest.mark.parametrize(
    ("message", "code"),
    [("{", 1007), ("{}", 1008), (b'{"tiles":[]}', 1003), ("x" * (MAX_MESSAGE_BYTES + 1), 1009)],
    ids=["json", "shape", "binary", "size"],
)
async def test_a_client_that_speaks_otherwise_is_left(
    served: Running, message: str | bytes, code: int
) -> None:
    async with served.wall(await served.world.sign_in()) as socket:
        await socket.send(message)

        assert await close_code(socket) == code


async def test_text_that_is_not_utf_8_ends_the_socket(served: Running) -> None:
    async with served.wall(await served.world.sign_in()) as socket:
        await socket.send(b"\xff\xfe", text=True)

        assert await close_code(socket) == 1007


async def test_a_server_that_stops_says_so(served: Running) -> None:
    headers = await served.world.sign_in()
    (door,) = await served.add_views(headers, 1)
    async with served.wall(headers) as socket:
        await socket.send(asking([door]))
        await shown(socket, 1)

        served.server.stop()

        assert await close_code(socket) == 1001


async def test_a_client_that_reads_nothing_does_not_hold_up_the_end(data_dir: Path) -> None:
    async with running(data_dir) as served:
        headers = await served.world.sign_in()
        (door,) = await served.add_views(headers, 1)
        async with served.wall(headers) as socket:
            await socket.send(asking([door], fps=30))
            await shown(socket, 1)
            socket.transport.pause_reading()
            for number in range(20):  # more than fits into the buffers of both kernels
                served.publish(door, b"%02d" % number + b"x" * 1_000_000)
                await asyncio.sleep(0.04)
            served.server.stop()
            began_s = time.monotonic()
            await served.viewers.none_of(door)
            socket.transport.abort()

        assert time.monotonic() - began_s < 3
        assert served.viewers.dropped["wall"] > 0


async def test_a_life_leaves_one_line_and_one_count(data_dir: Path) -> None:
    with structlog.testing.capture_logs(processors=[structlog.contextvars.merge_contextvars]) as lines:
        async with running(data_dir) as served:
            headers = await served.world.sign_in()
            async with served.wall(headers | {"X-Request-Id": "wall-1"}) as socket:
                assert socket.response is not None
                assert socket.response.headers["x-request-id"] == "wall-1"
                assert served.world.recorder.served == [("GET", "/api/live", 101)]
                await socket.send(asking([new_id()]))
                assert json.loads(await socket.recv())["type"] == "error"
        assert served.world.recorder.served == [("GET", "/api/live", 101)]

    (line,) = (line for line in lines if line["event"].startswith("http."))
    assert (line["event"], line["route"], line["status"]) == ("http.socket", "/api/live", 101)
    assert (line["close_code"], line["request_id"], line["client_ip"]) == (1000, "wall-1", "127.0.0.1")
    assert line["body_bytes"] > 0
    assert is_id(line["principal"])


async def test_a_wall_of_twelve_gets_its_pictures_while_the_rest_goes_on(served: Running) -> None:
    headers = await served.world.sign_in()
    views = await served.add_views(headers, 12)
    counts: Counter[str] = Counter()

    async def give(rounds: int) -> None:
        for number in range(rounds):
            for template_id in views:
                served.publish(template_id, b"%d" % number + b"x" * 20_000)
            await asyncio.sleep(0.1)

    async def take() -> None:
        async with served.wall(headers) as socket:
            await socket.send(asking(views, fps=10))
            await shown(socket, len(views))
            giving.set()
            while len(counts) < len(views) or min(counts.values()) < 10:
                counts[(await picture(socket))[0]] += 1

    giving = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(take())
        await giving.wait()
        tasks.create_task(give(15))
        async with httpx2.AsyncClient(base_url=f"http://{served.address}", timeout=5) as client:
            answers = [await client.get("/api/me", headers=headers) for _ in range(10)]

    assert {answer.status_code for answer in answers} == {200}
    assert set(counts) == set(views)  # ten pictures or more of each came out of fifteen
