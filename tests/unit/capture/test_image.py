"""Kind `image`: a picture behind an address, against a real web server on loopback."""

import asyncio
import base64
import hashlib
import io
import ipaddress
import re
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import pytest
from PIL import Image

from glimpser.capture.image import image_kind
from glimpser.capture.pictures.reader import open_reader
from glimpser.core.errors import Denied, InvalidInput
from glimpser.core.health import HealthState
from glimpser.core.kinds import Config, Kind
from glimpser.core.live import Polled
from glimpser.core.sources import Source, ViewFailed
from glimpser.egress.fetching import open_fetcher
from glimpser.egress.gate import Gate, GatePolicy
from glimpser.testing.live import fake_jpeg
from tests.receiver import Behave, Received, Receiver

pytestmark = pytest.mark.anyio

SMALL, LARGE = fake_jpeg(64, 36, brightness=40), fake_jpeg(320, 180, brightness=90)
REALM = "camera"

Guard = Callable[[str, str], Behave]


def sending(body: bytes, status: int = 200, **headers: str) -> Behave:
    lines = [f"HTTP/1.1 {status} Reason", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    raw = ("\r\n".join(lines) + "\r\n\r\n").encode() + body

    async def behave(_received: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(raw)
        await writer.drain()

    return behave


def versioned(body: bytes, tag: str) -> Behave:
    """Give the body once, then 304 to whoever names its version."""
    whole, unchanged = sending(body, ETag=tag), sending(b"", 304, ETag=tag)

    async def behave(received: Received, writer: asyncio.StreamWriter) -> None:
        known = received.headers.get("if-none-match") == tag
        await (unchanged if known else whole)(received, writer)

    return behave


def digest_guarded(user: str, password: str) -> Behave:
    """Ask for Digest authentication (RFC 7616, section 3.4)."""
    challenge = f'Digest realm="{REALM}", nonce="n0nce", qop="auth", algorithm=SHA-256'

    def response(fields: dict[str, str]) -> str:
        first = hashlib.sha256(f"{user}:{REALM}:{password}".encode()).hexdigest()
        second = hashlib.sha256(f"GET:{fields['uri']}".encode()).hexdigest()
        middle = f"{fields['nonce']}:{fields['nc']}:{fields['cnonce']}:{fields['qop']}"
        return hashlib.sha256(f"{first}:{middle}:{second}".encode()).hexdigest()

    async def behave(received: Received, writer: asyncio.StreamWriter) -> None:
        given = dict(re.findall(r'(\w+)="?([^",]+)"?', received.headers.get("authorization", "")))
        allowed = given.get("username") == user and given.get("response") == response(given)
        await (sending(SMALL) if allowed else sending(b"", 401, WWW_Authenticate=challenge))(received, writer)

    return behave


def basic_guarded(user: str, password: str) -> Behave:
    wanted = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()

    async def behave(received: Received, writer: asyncio.StreamWriter) -> None:
        allowed = received.headers.get("authorization") == wanted
        answer = sending(SMALL) if allowed else sending(b"", 401, WWW_Authenticate='Basic realm="x"')
        await answer(received, writer)

    return behave


async def dripping(_received: Received, writer: asyncio.StreamWriter) -> None:
    writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {len(SMALL)}\r\n\r\n".encode())
    for byte in SMALL:
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(0.02)


async def flooding(_received: Received, writer: asyncio.StreamWriter) -> None:
    """Send without an end, and without saying how much it will be."""
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        writer.write(bytes(1 << 20))
        await writer.drain()


def names(_host: str, _port: int) -> Sequence[str]:
    return ["127.0.0.1"]


class World:
    def __init__(self, server: Receiver, kind: Kind) -> None:
        self.server = server
        self.kind = kind

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.port}/picture"

    def feed(self, **config: object) -> Polled:
        feed = self.kind.feed({"url": self.url, **config})
        assert isinstance(feed, Polled)
        return feed

    def source(self, **config: object) -> Source:
        return self.feed(**config).source

    async def fails(self, **config: object) -> ViewFailed:
        with pytest.raises(ViewFailed) as caught:
            await self.source(**config).snapshot()
        return caught.value


@asynccontextmanager
async def a_world(*, allowed: str = "127.0.0.0/8", timeout_s: float = 5) -> AsyncIterator[World]:
    server = Receiver()
    served: set[asyncio.Task[None]] = set()

    def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        served.add(asyncio.ensure_future(server.serve(reader, writer)))

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    server.port = listening.sockets[0].getsockname()[1]
    gate = Gate(GatePolicy((ipaddress.ip_network(allowed),)))
    with open_reader() as reader:
        async with (
            listening,
            open_fetcher(gate, agent="Test/1", resolve=names, timeout_s=timeout_s) as fetcher,
        ):
            yield World(server, image_kind(fetcher, reader))
    if served:
        await asyncio.wait(served, timeout=10)  # each ends when its client has gone


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with a_world() as made:
        yield made


# What works ------------------------------------------------------------------------------------------


async def test_a_picture_behind_an_address_is_taken(world: World) -> None:
    world.server.behave = sending(SMALL)

    shot = await world.source().snapshot()

    assert (shot.jpeg, shot.width, shot.height) == (SMALL, 64, 36)
    assert world.server.received[0].headers["user-agent"] == "Test/1"


async def test_the_format_is_told_by_bytes_and_not_by_name_or_type(world: World) -> None:
    png = io.BytesIO()
    Image.new("RGB", (20, 10)).save(png, "PNG")
    world.server.behave = sending(png.getvalue(), Content_Type="image/svg+xml")

    shot = await world.source().snapshot()

    assert (shot.width, shot.height) == (20, 10)


async def test_a_picture_that_has_not_changed_is_not_sent_again(world: World) -> None:
    world.server.behave = versioned(SMALL, '"one"')
    source = world.source()
    first = await source.snapshot()

    second = await source.snapshot()
    world.server.behave = versioned(LARGE, '"two"')
    third = await source.snapshot()

    assert second is first
    assert third.jpeg == LARGE
    assert world.server.received[1].headers["if-none-match"] == '"one"'


@pytest.mark.parametrize("guard", [digest_guarded, basic_guarded], ids=["digest", "basic"])
async def test_a_guarded_picture_is_taken_with_the_right_password(world: World, guard: Guard) -> None:
    world.server.behave = guard("ann", "p:ss wörd")
    source = world.source(username="ann", password="p:ss wörd")
    await source.snapshot()
    asked = len(world.server.received)

    shot = await source.snapshot()

    assert shot.jpeg == SMALL
    assert "authorization" not in world.server.received[0].headers  # given only when asked for
    assert len(world.server.received) == asked + 1  # and from then on at once


async def test_of_several_the_largest_whole_picture_is_taken(world: World) -> None:
    answers = iter([SMALL, LARGE[:-200], LARGE, SMALL])

    async def behave(received: Received, writer: asyncio.StreamWriter) -> None:
        await sending(next(answers))(received, writer)

    world.server.behave = behave

    shot = await world.source(tries=4).snapshot()

    assert shot.jpeg == LARGE


async def test_redirects_are_followed(world: World) -> None:
    world.server.paths["/picture"] = sending(b"", 302, Location="/moved")
    world.server.paths["/moved"] = sending(SMALL)

    assert (await world.source().snapshot()).jpeg == SMALL


# What fails ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("guard", [digest_guarded, basic_guarded], ids=["digest", "basic"])
@pytest.mark.parametrize("given", [{}, {"username": "ann", "password": "wrong-one"}], ids=["none", "wrong"])
async def test_without_the_right_password_the_view_is_blocked(
    world: World, guard: Guard, given: dict[str, str]
) -> None:
    world.server.behave = guard("ann", "right")

    failure = await world.fails(**given)

    assert failure.state is HealthState.BLOCKED
    assert failure.retry_after_s >= 60  # cameras lock accounts
    assert "wrong-one" not in failure.detail


@pytest.mark.parametrize(
    ("behave", "state", "words"),
    [
        pytest.param(sending(b"", 404), HealthState.ERROR_PAGE, "nothing at this address", id="404"),
        pytest.param(sending(b"", 500), HealthState.ERROR_PAGE, "HTTP 500", id="500"),
        pytest.param(sending(b"", 304), HealthState.ERROR_PAGE, "HTTP 304", id="304 unasked"),
        pytest.param(sending(b"<!doctype html>"), HealthState.ERROR_PAGE, "a web page", id="html"),
        pytest.param(sending(b"<svg/>"), HealthState.ERROR_PAGE, "SVG", id="svg"),
        pytest.param(sending(SMALL[:-40]), HealthState.ERROR_PAGE, "cut off", id="torn"),
        pytest.param(sending(b""), HealthState.ERROR_PAGE, "nothing at all", id="empty"),
        pytest.param(
            sending(SMALL, Content_Encoding="gzip"), HealthState.DOWN, "compressed", id="compressed"
        ),
        pytest.param(
            sending(SMALL, Content_Type="multipart/x-mixed-replace; boundary=x"),
            HealthState.DOWN,
            "without an end",
            id="mjpeg",
        ),
        pytest.param(flooding, HealthState.DOWN, "more than", id="flood"),
    ],
)
async def test_what_is_no_good_answer_is_named(
    world: World, behave: Behave, state: HealthState, words: str
) -> None:
    world.server.behave = behave

    failure = await world.fails()

    assert words in failure.detail
    assert failure.state is state


async def test_ten_gigabytes_are_refused_before_they_come(world: World) -> None:
    async def behave(_received: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10000000000\r\n\r\n")
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.01)

    world.server.behave = behave

    assert "more than" in (await world.fails()).detail


async def test_a_picture_that_drips_in_is_given_up() -> None:
    async with a_world(timeout_s=0.3) as world:
        world.server.behave = dripping

        failure = await world.fails()

    assert "0.3 s" in failure.detail


async def test_a_server_that_says_when_is_waited_for_but_not_for_ever(world: World) -> None:
    world.server.behave = sending(b"", 503, Retry_After="120")
    polite = await world.fails()
    world.server.behave = sending(b"", 503, Retry_After="99999999")
    hostile = await world.fails()

    assert (polite.retry_after_s, hostile.retry_after_s) == (120, 3600)


async def test_nobody_there_is_down(world: World) -> None:
    failure = await world.fails(url="http://127.0.0.1:1/")

    assert "refused" in failure.detail
    assert failure.state is HealthState.DOWN


# Where it may go -------------------------------------------------------------------------------------


async def test_a_closed_address_is_refused_and_the_setting_named() -> None:
    async with a_world(allowed="192.0.2.0/24") as world:
        with pytest.raises(Denied, match=r"capture\.egress_allow"):
            await world.source().snapshot()

        assert not world.server.received


@pytest.mark.parametrize(
    "target",
    [
        "http://10.0.0.1/picture",
        "http://169.254.169.254/latest/meta-data",
        "http://[::ffff:10.0.0.1]/",
        "file:///etc/passwd",
        "//10.0.0.1/",
    ],
)
async def test_redirects_to_closed_addresses_are_not_followed(world: World, target: str) -> None:
    world.server.behave = sending(b"", 302, Location=target)

    failure = await world.fails()

    assert "redirects" in failure.detail
    assert len(world.server.received) == 1


async def test_redirects_without_an_end_are_given_up(world: World) -> None:
    world.server.behave = sending(b"", 307, Location="/again")

    assert "redirects more than" in (await world.fails()).detail
    assert len(world.server.received) == 6


async def test_the_password_goes_to_no_other_origin(world: World) -> None:
    async with a_world() as other:
        world.server.behave = sending(b"", 302, Location=f"http://localhost:{other.server.port}/picture")
        other.server.behave = basic_guarded("ann", "right")

        await world.fails(username="ann", password="right")

        assert all("authorization" not in received.headers for received in other.server.received)


# The config ------------------------------------------------------------------------------------------


async def test_credentials_in_the_address_move_to_where_the_password_is_secret(world: World) -> None:
    url = f"http://ann:p%40ss@127.0.0.1:{world.server.port}/picture?size=1"

    parsed: Config = world.kind.parse({"url": url})

    assert (parsed["username"], parsed["password"]) == ("ann", "p@ss")
    assert "p%40ss" not in str(parsed["url"])
    assert parsed["interval_s"] == 10
    assert world.kind.secrets == {"password"}
    assert world.kind.parse(parsed) == parsed


@pytest.mark.parametrize(
    ("config", "pointer"),
    [
        ({"url": "ftp://example.org/a.jpg"}, "/config/url"),
        ({"url": "http://a\\b/"}, "/config/url"),
        ({"url": "http://example.org/", "interval_s": 0.5}, "/config/interval_s"),
        ({"url": "http://example.org/", "tries": 9}, "/config/tries"),
        ({"url": "http://example.org/", "surprise": 1}, "/config/surprise"),
        ({"url": "http://example.org/", "username": "a:b"}, "/config/username"),
        ({"url": "http://example.org/", "password": "alone"}, "/config"),
        ({"url": "http://a:b@example.org/", "username": "c"}, "/config"),
        ({}, "/config/url"),
    ],
    ids=str,
)
async def test_a_config_that_cannot_be_used_names_its_field(
    world: World, config: dict[str, object], pointer: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        world.kind.parse(config)

    assert [error.pointer for error in caught.value.errors] == [pointer]


async def test_two_feeds_are_the_same_when_their_configs_are(world: World) -> None:
    assert world.feed() == world.feed()
    assert world.feed() != world.feed(tries=2)
    assert "secret" not in repr(world.feed(username="ann", password="secret"))
