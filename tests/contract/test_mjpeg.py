"""What every viewer of an MJPEG stream may rely on, whichever way its bytes are written, with TLS or without.

A real server on a real socket. Pictures are published by the tests, one by one, so nothing depends on speed.
"""

import asyncio
import contextlib
import ipaddress
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qs

import av
import numpy as np
import pytest
import simplejpeg
import uvicorn
import uvloop
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from starlette.types import Message, Receive, Scope, Send

from glimpser.core.clock import SystemClock
from glimpser.core.errors import GlimpserError, TooMany, Unavailable
from glimpser.core.frames import Frame
from glimpser.core.ids import TemplateId
from glimpser.streaming import fast_write
from glimpser.streaming.hub import Hub, HubLimits
from glimpser.streaming.mjpeg import MjpegResponse, Timing

CAM = TemplateId("01JD0000000000000000000CAM")
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
LIMIT_S = 10.0
QUICK = Timing(check_s=0.05, stuck_s=30.0, farewell_s=0.2)


@dataclass(frozen=True)
class Way:
    fast: bool
    tls: bool

    def __str__(self) -> str:
        return ("fast" if self.fast else "plain") + ("-tls" if self.tls else "")


WAYS = [Way(fast, tls) for tls in (False, True) for fast in (False, True)]


@pytest.fixture(params=WAYS, ids=str)
def way(request: pytest.FixtureRequest) -> Way:
    return request.param  # type: ignore[no-any-return]  # pytest does not know the type of a parameter


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One file with key and self-signed certificate of 127.0.0.1."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    alternative = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder(issuer_name=name, subject_name=name, public_key=key.public_key())
        .serial_number(1)
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2120, 1, 1, tzinfo=UTC))
        .add_extension(alternative, critical=False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path


@dataclass
class Counts:
    """Remembers what the hub reports."""

    subscribers: dict[TemplateId, int] = field(default_factory=dict)
    dropped: int = 0

    def subscribers_changed(self, template_id: TemplateId, count: int) -> None:
        self.subscribers[template_id] = count

    def frame_dropped(self, template_id: TemplateId, consumer: str) -> None:
        assert (template_id, consumer) == (CAM, "mjpeg")
        self.dropped += 1


def picture(number: int, size_bytes: int = 60_000) -> Frame:
    jpeg = b"\xff\xd8" + number.to_bytes(4, "big") + b"\xa5" * (size_bytes - 8) + b"\xff\xd9"
    return Frame(CAM, number, NOW, jpeg, 640, 360)


async def paint(jpeg: bytes | None, text: str, width_px: int) -> bytes:
    return b"painted:" + text.encode() + b":" + (jpeg or b"nothing")


class House:
    """The server with its hub, as the program has them."""

    def __init__(self, way: Way, certificate: Path) -> None:
        self.counts = Counts()
        self.hub = Hub(
            clock=SystemClock(),
            metrics=self.counts,
            limits=HubLimits(subscribers=120, per_client=100),
            paint=paint,
            repeat_s=0.05,
        )
        self.allowed = True
        self.ending = asyncio.Event()
        self.timing = QUICK
        self.finished: list[bool] = []
        self._way = way
        self._certificate = certificate
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 128 << 10)
        self.port: int = self._listener.getsockname()[1]
        config = uvicorn.Config(
            self._app,
            interface="asgi3",
            http="httptools",
            lifespan="off",
            log_config=None,
            access_log=False,
            ssl_certfile=certificate if way.tls else None,
        )
        self.server = uvicorn.Server(config)

    @property
    def url(self) -> str:
        return f"{'https' if self._way.tls else 'http'}://127.0.0.1:{self.port}/"

    async def _app(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["state"]["raw_send"] = send

        async def wrapped(message: Message) -> None:
            if message["type"] == "http.response.body":
                self.finished.append(not message.get("more_body", False))
            await send(message)

        query = {key.decode(): values[0] for key, values in parse_qs(scope["query_string"]).items()}
        subscription = self.hub.subscribe(
            CAM,
            int(query.get("w", b"0")),
            fps=float(query["fps"]) if "fps" in query else None,
            client=query.get("client", b"somebody").decode(),
        )
        response = MjpegResponse(
            subscription,
            still_allowed=self._still_allowed,
            ending=self.ending,
            fast=self._way.fast,
            timing=self.timing,
        )
        try:
            await response(scope, receive, wrapped)
        except GlimpserError as refusal:
            status = {TooMany: 429, Unavailable: 503}[type(refusal)]
            await send({"type": "http.response.start", "status": status, "headers": []})
            await send({"type": "http.response.body", "body": refusal.detail.encode()})

    async def _still_allowed(self) -> bool:
        return self.allowed

    async def __aenter__(self) -> Self:
        config = self.server.config
        config.load()
        self.server.lifespan = config.lifespan_class(config)
        await self.server.startup(sockets=[self._listener])
        return self

    async def __aexit__(self, *_: object) -> None:
        self.ending.set()
        await self.server.shutdown(sockets=[self._listener])

    async def viewer(self, query: str = "", **how: Any) -> "Viewer":
        """Connect, and wait until the hub knows the viewer."""
        before = self.hub.subscriber_count(CAM)
        viewer = await Viewer.connect(self, query, **how)
        await until(lambda: self.hub.subscriber_count(CAM) > before)
        return viewer


class Viewer:
    """A client that reads a multipart stream by the book."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._body = bytearray()
        self.raw_body = bytearray()
        self.status = 0
        self.headers: dict[bytes, bytes] = {}

    @classmethod
    async def connect(
        cls, house: House, query: str, *, version: str = "1.1", method: str = "GET", slow: bool = False
    ) -> Self:
        client = socket.socket()
        if slow:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.setblocking(False)
        await asyncio.get_running_loop().sock_connect(client, ("127.0.0.1", house.port))
        context = None
        if house.url.startswith("https"):
            context = ssl.create_default_context(cafile=house._certificate)
        reader, writer = await asyncio.open_connection(
            sock=client, ssl=context, server_hostname="127.0.0.1" if context else None, limit=4096
        )
        viewer = cls(reader, writer)
        writer.write(f"{method} /?{query} HTTP/{version}\r\nHost: 127.0.0.1\r\n\r\n".encode())
        if not slow:
            await viewer.read_head()
        return viewer

    async def read_head(self) -> None:
        head = (await self._reader.readuntil(b"\r\n\r\n")).split(b"\r\n")
        self.status = int(head[0].split()[1])
        self.headers = {
            name.lower(): value.strip() for name, _, value in (line.partition(b":") for line in head[1:-2])
        }

    async def _more(self) -> bool:
        if b"transfer-encoding" not in self.headers:
            data = await self._reader.read(65536)
        else:
            size = int(await self._reader.readline() or b"0", 16)
            data = (await self._reader.readexactly(size + 2))[:size]
        self._body += data
        self.raw_body += data
        return bool(data)

    async def _take(self, end: bytes) -> bytes:
        while end not in self._body:
            if not await self._more():
                raise EOFError
        taken, _, rest = bytes(self._body).partition(end)
        self._body[:] = rest
        return taken

    async def picture(self) -> bytes:
        """The next picture. Raises: EOFError at the closing delimiter or the end of the body."""
        delimiter = await self._take(b"\r\n")
        if delimiter == b"--frame--":
            raise EOFError
        assert delimiter == b"--frame"
        lines = (await self._take(b"\r\n\r\n")).split(b"\r\n")
        headers = dict(line.split(b": ") for line in lines)
        assert headers[b"Content-Type"] == b"image/jpeg"
        size = int(headers[b"Content-Length"])
        while len(self._body) < size + 2:
            if not await self._more():
                raise EOFError
        jpeg = bytes(self._body[:size])
        assert self._body[size : size + 2] == b"\r\n"
        del self._body[: size + 2]
        return jpeg

    async def number(self) -> int:
        jpeg = await self.picture()
        assert jpeg[:2] == b"\xff\xd8"
        assert jpeg[-2:] == b"\xff\xd9"
        return int.from_bytes(jpeg[2:6], "big")

    async def until_number(self, wanted: int) -> list[int]:
        """Read on until a picture; gives all numbers read."""
        numbers = [await self.number()]
        while numbers[-1] != wanted:
            numbers.append(await self.number())
        return numbers

    async def until_end(self) -> None:
        with contextlib.suppress(EOFError):
            while True:
                await self.picture()

    async def body(self) -> bytes:
        return await self._reader.readexactly(int(self.headers[b"content-length"]))

    async def is_closed(self) -> bool:
        return not await self._reader.read(1)

    async def leave(self) -> None:
        self._writer.transport.abort()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()


async def until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110  # what is waited for is another program's view of a socket
        await asyncio.sleep(0.005)


@contextlib.asynccontextmanager
async def leaving(*viewers: Viewer) -> AsyncIterator[None]:
    try:
        yield
    finally:
        for viewer in viewers:
            await viewer.leave()


Scenario = Callable[[House], Coroutine[Any, Any, None]]
Play = Callable[[Scenario], None]


@pytest.fixture
def play(way: Way, certificate: Path) -> Play:
    """Runs a scenario against a house, bounded in time, on the event loop the program uses."""

    async def bounded(scenario: Scenario) -> None:
        async with asyncio.timeout(LIMIT_S), House(way, certificate) as house:
            await scenario(house)

    def run(scenario: Scenario) -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(bounded(scenario))

    return run


def test_parts_arrive_byte_for_byte(play: Play) -> None:
    async def scenario(house: House) -> None:
        viewer = await house.viewer()
        async with leaving(viewer):
            sent = [picture(number, size) for number, size in ((1, 8), (2, 60_000), (3, 300_000))]
            for frame in sent:
                house.hub.publish(frame)
                assert await viewer.picture() == frame.jpeg
        expected = b"".join(
            b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n%b\r\n" % (len(f.jpeg), f.jpeg)
            for f in sent
        )
        assert viewer.raw_body == expected

    play(scenario)


def test_the_head_tells_proxies_and_browsers_to_pass_it_on_at_once(play: Play) -> None:
    async def scenario(house: House) -> None:
        viewer = await house.viewer()
        async with leaving(viewer):
            assert viewer.status == 200
            assert viewer.headers[b"content-type"] == b"multipart/x-mixed-replace; boundary=frame"
            assert viewer.headers[b"cache-control"] == b"no-store"
            assert viewer.headers[b"x-accel-buffering"] == b"no"
            assert viewer.headers[b"x-content-type-options"] == b"nosniff"
            assert b"content-length" not in viewer.headers

    play(scenario)


def test_ffmpeg_reads_the_stream(play: Play) -> None:
    def read(url: str) -> tuple[str, int, int]:
        with av.open(url, timeout=5, options={"tls_verify": "0"}) as container:
            frame = next(container.decode(video=0))
            return container.format.name, frame.width, frame.height

    async def scenario(house: House) -> None:
        pixels = np.full((36, 64, 3), 128, np.uint8)
        jpeg = bytes(simplejpeg.encode_jpeg(pixels, colorspace="BGR"))
        reading = asyncio.get_running_loop().run_in_executor(None, read, house.url)
        number = 0
        while not reading.done():
            number += 1
            house.hub.publish(Frame(CAM, number, NOW, jpeg, 64, 36))
            await asyncio.sleep(0.01)
        assert await reading == ("mpjpeg", 64, 36)

    play(scenario)


def test_a_new_viewer_sees_the_latest_picture_at_once(play: Play) -> None:
    async def scenario(house: House) -> None:
        house.hub.publish(picture(7))
        viewer = await house.viewer()
        async with leaving(viewer):
            assert await viewer.number() == 7

    play(scenario)


def test_a_slow_viewer_gets_the_newest_and_holds_nobody_up(play: Play) -> None:
    async def scenario(house: House) -> None:
        slow = [await house.viewer(slow=True) for _ in range(30)]
        healthy = [await house.viewer() for _ in range(2)]
        async with leaving(*slow, *healthy):
            for number in range(1, 31):
                house.hub.publish(picture(number, 200_000))
                for viewer in healthy:
                    assert await viewer.number() == number
            dropped = house.counts.dropped
            assert dropped >= 20 * len(slow)

            await slow[0].read_head()
            repeating = asyncio.ensure_future(_publish_again(house, picture(31, 200_000)))
            seen = await slow[0].until_number(31)
            repeating.cancel()
            assert seen == sorted(set(seen))
            assert len(seen) < 10

    play(scenario)


async def _publish_again(house: House, frame: Frame) -> None:
    while True:
        house.hub.publish(frame)
        await asyncio.sleep(0.02)


def test_pictures_are_thinned_out_for_each_viewer(play: Play) -> None:
    async def scenario(house: House) -> None:
        thin = await house.viewer("fps=0.01")
        full = await house.viewer()
        async with leaving(thin, full):
            for number in range(1, 6):
                house.hub.publish(picture(number))
                assert await full.number() == number
            house.hub.close(CAM)
            assert await thin.number() == 1
            with pytest.raises(EOFError):
                await thin.number()
            assert house.counts.dropped == 0

    play(scenario)


def test_while_the_source_is_down_the_last_picture_comes_again_with_a_banner(play: Play) -> None:
    async def scenario(house: House) -> None:
        viewer = await house.viewer()
        async with leaving(viewer), asyncio.TaskGroup() as tasks:
            keeper = tasks.create_task(house.hub.run())
            house.hub.publish(picture(1))
            assert await viewer.number() == 1
            house.hub.offline(CAM, NOW, "the camera refuses the password")

            first = await _next_that(viewer, lambda jpeg: jpeg.startswith(b"painted:"))
            again = await viewer.picture()

            assert first == again
            assert b"offline since 2026-11-22 12:00:00 UTC: the camera refuses the password" in first
            assert first.endswith(picture(1).jpeg)
            house.hub.online(CAM)
            house.hub.publish(picture(2))
            assert await _next_that(viewer, lambda jpeg: not jpeg.startswith(b"painted:")) == picture(2).jpeg
            keeper.cancel()

    play(scenario)


def test_a_source_that_never_gave_a_picture_shows_a_placeholder(play: Play) -> None:
    async def scenario(house: House) -> None:
        house.hub.offline(CAM, NOW, "no route to host")
        async with asyncio.TaskGroup() as tasks:
            keeper = tasks.create_task(house.hub.run())
            viewer = await house.viewer("w=320")
            async with leaving(viewer):
                assert (await viewer.picture()).endswith(b"no route to host:nothing")
            keeper.cancel()

    play(scenario)


async def _next_that(viewer: Viewer, fits: Callable[[bytes], bool]) -> bytes:
    while not fits(jpeg := await viewer.picture()):
        pass
    return jpeg


async def _delete(house: House) -> None:
    house.hub.close(CAM)


async def _stop(house: House) -> None:
    house.ending.set()


async def _revoke(house: House) -> None:
    house.allowed = False


@pytest.mark.parametrize("cause", [_delete, _stop, _revoke])
def test_the_response_ends_properly(play: Play, cause: Callable[[House], Awaitable[None]]) -> None:
    async def scenario(house: House) -> None:
        viewer = await house.viewer()
        async with leaving(viewer):
            house.hub.publish(picture(1))
            assert await viewer.number() == 1
            await cause(house)
            async with asyncio.timeout(1):
                with pytest.raises(EOFError):
                    await viewer.number()
                assert viewer.raw_body.endswith(b"\r\n--frame--\r\n")
                assert not await viewer._more()  # the last chunk
            assert house.finished == [True]
            assert house.hub.subscriber_count(CAM) == 0

    play(scenario)


def test_a_stop_waits_for_no_viewer_that_takes_nothing(play: Play) -> None:
    async def scenario(house: House) -> None:
        slow = [await house.viewer(slow=True) for _ in range(5)]
        healthy = await house.viewer()
        async with leaving(*slow, healthy):
            for number in range(1, 21):
                house.hub.publish(picture(number, 200_000))
                assert await healthy.number() == number
            stopping = asyncio.ensure_future(house.server.shutdown())
            async with asyncio.timeout(1):
                house.ending.set()
                await healthy.until_end()
                await until(lambda: not house.server.server_state.connections)
            await stopping

    play(scenario)


def test_a_viewer_that_leaves_frees_its_place(play: Play) -> None:
    async def scenario(house: House) -> None:
        viewer, other = await house.viewer(), await house.viewer()
        async with leaving(other):
            assert house.counts.subscribers[CAM] == 2
            await viewer.leave()
            await until(lambda: house.counts.subscribers[CAM] == 1)
            house.hub.publish(picture(1))
            assert await other.number() == 1

    play(scenario)


def test_a_connection_that_takes_nothing_is_dropped(play: Play) -> None:
    async def scenario(house: House) -> None:
        house.timing = Timing(check_s=5, stuck_s=0.2, farewell_s=0.05)
        stuck, healthy = await house.viewer(slow=True), await house.viewer()
        async with leaving(stuck, healthy):
            number = 0
            while house.hub.subscriber_count(CAM) == 2:
                number += 1
                house.hub.publish(picture(number, 200_000))
                assert await healthy.number() == number
            await until(lambda: len(house.server.server_state.connections) == 1)
            house.hub.publish(picture(number + 1))
            assert await healthy.number() == number + 1

    play(scenario)


def test_one_client_may_not_take_all_places(play: Play) -> None:
    async def scenario(house: House) -> None:
        viewers = [await house.viewer("client=greedy") for _ in range(100)]
        async with leaving(*viewers):
            refused = await Viewer.connect(house, "client=greedy")
            modest = await house.viewer("client=modest")
            async with leaving(refused, modest):
                assert refused.status == 429
                assert modest.status == 200
                await viewers.pop().leave()
                await until(lambda: house.hub.subscriber_count(CAM) == 100)
                again = await house.viewer("client=greedy")
                async with leaving(again):
                    assert again.status == 200

    play(scenario)


def test_the_server_takes_no_more_viewers_than_it_may(play: Play) -> None:
    async def scenario(house: House) -> None:
        viewers = [await house.viewer(f"client={number % 2}") for number in range(120)]
        async with leaving(*viewers):
            refused = await Viewer.connect(house, "client=other")
            async with leaving(refused):
                assert refused.status == 503

    play(scenario)


def test_head_gives_the_head_alone(play: Play) -> None:
    async def scenario(house: House) -> None:
        house.hub.publish(picture(1))
        viewer = await Viewer.connect(house, "", method="HEAD", version="1.0")
        async with leaving(viewer):
            assert viewer.headers[b"content-type"] == b"multipart/x-mixed-replace; boundary=frame"
            assert await viewer.is_closed()
            assert house.hub.subscriber_count(CAM) == 0

    play(scenario)


def test_a_client_of_http_1_0_gets_no_chunks(play: Play) -> None:
    async def scenario(house: House) -> None:
        viewer = await house.viewer(version="1.0")
        async with leaving(viewer):
            assert b"transfer-encoding" not in viewer.headers
            assert viewer.headers[b"connection"] == b"close"
            for number in (1, 2):
                house.hub.publish(picture(number))
                assert await viewer.number() == number
            house.hub.close(CAM)
            async with asyncio.timeout(1):
                await viewer.until_end()
                assert await viewer.is_closed()

    play(scenario)


def test_the_self_test_finds_the_fast_way_sound() -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert runner.run(fast_write.available())
