"""Streams under http: what is legal is opened, and nothing they lead to passes the gate unchecked."""

import asyncio
import io
import ipaddress
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import av
import pytest

from glimpser.capture.ingest.opening import MediaError, Opener, Patience
from glimpser.core.live import MediaInput
from glimpser.egress.gate import Gate, GatePolicy
from glimpser.egress.proxy import Proxy, open_proxy
from glimpser.testing.camera import FakeCamera
from tests.unit.capture.media import encode, frame_of, steps
from tests.unit.capture.web_camera import (
    dripping,
    motion_jpeg,
    moved,
    page,
    playlist,
    web_camera,
)

pytestmark = pytest.mark.anyio
CLOSED = "127.0.1.2"
NAMED = "camera.example"
POLICY = GatePolicy(allowed=(ipaddress.ip_network("127.0.0.0/30"),), setting="capture.camera_cidrs")


@dataclass
class World:
    """`answers` are what the name of the camera resolves to: one for each time, the last for ever."""

    proxy: Proxy
    answers: list[str] = field(default_factory=lambda: ["127.0.0.2"])

    async def opened(self, url: str, **more: object) -> tuple[str, int]:
        """Open and read three packets; gives the name of the format and the width of the picture."""
        media = MediaInput(address=url, proxy=self.proxy.url, **more)  # type: ignore[arg-type]  # as given
        return await asyncio.to_thread(read, opener(4.0), media)

    async def refusal(self, url: str, **more: object) -> MediaError:
        with pytest.raises(MediaError) as refused:
            await self.opened(url, **more)
        return refused.value


def opener(open_timeout_s: float = 8.0) -> Opener:
    return Opener(Gate(POLICY), file_roots=(), stall_timeout_s=1, open_timeout_s=open_timeout_s)


def read(opener: Opener, media: MediaInput) -> tuple[str, int]:
    with opener.open(media) as opened:
        packets = opened.container.demux(opened.stream)
        for _ in range(3):
            next(packets)
        return opened.container.format.name, opened.stream.codec_context.width


@pytest.fixture
async def world() -> AsyncIterator[World]:
    answers = ["127.0.0.2"]

    def resolve(host: str, port: int) -> Sequence[str]:
        return [answers.pop(0) if len(answers) > 1 else answers[0]]

    async with open_proxy(Gate(POLICY), resolve=resolve) as proxy:
        yield World(proxy, answers)


@pytest.fixture(scope="module")
def segment(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("segment")
    return encode(folder / "s.ts", count=20, options={"preset": "ultrafast", "g": "20"}).read_bytes()


@pytest.fixture(scope="module")
def jpeg() -> bytes:
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mjpeg") as output:
        stream = output.add_stream("mjpeg", rate=1)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuvj420p"
        output.mux(stream.encode(frame_of(steps()).reformat(format="yuvj420p")))
        output.mux(stream.encode(None))
    return buffer.getvalue()


# What is legal


@pytest.mark.parametrize("suffix", ["mp4", "ts", "mkv"])
async def test_a_video_is_opened_and_paced(world: World, tmp_path: Path, suffix: str) -> None:
    video = encode(tmp_path / f"v.{suffix}", count=20).read_bytes()

    with web_camera({"/v": page(video)}) as camera:
        assert (await world.opened(camera.url("/v")))[1] == 64


async def test_a_playlist_and_its_segments_are_read_through_the_proxy(world: World, segment: bytes) -> None:
    with web_camera({"/live/i": playlist("a.php?x=1", "b"), "/live/a.php": page(segment)}) as camera:
        camera.pages["/live/b"] = page(segment)

        assert await world.opened(camera.url("/live/i")) == ("hls", 64)

    assert len(camera.heads) >= 2


@pytest.mark.parametrize("first", [b"", b"\r\n"], ids=["boundary first", "empty line first"])
async def test_motion_jpeg_with_digest_is_opened_and_shown_as_it_comes(
    world: World, jpeg: bytes, first: bytes
) -> None:
    with web_camera({"/m": motion_jpeg(jpeg, first=first)}, login=("ann", "p@ss:w/rd")) as camera:
        name, width = await world.opened(camera.url("/m", "ann:p%40ss%3Aw%2Frd@"))

    assert name in ("mpjpeg", "mjpeg")
    assert width == 64


async def test_a_wrong_password_is_told(world: World, jpeg: bytes) -> None:
    with web_camera({"/m": motion_jpeg(jpeg)}, login=("ann", "right")) as camera:
        refused = await world.refusal(camera.url("/m", "ann:wr0ng@"))

    assert "user name and password" in refused.reason
    assert refused.patience is Patience.LATER
    assert "wr0ng" not in refused.reason


async def test_a_redirect_to_an_open_address_is_followed(world: World, segment: bytes) -> None:
    with web_camera({"/s": page(segment)}) as camera:
        camera.pages["/moved"] = moved(camera.url("/s"))

        assert await world.opened(camera.url("/moved")) == ("mpegts", 64)


async def test_hls_with_digest_and_behind_a_redirect_is_read(world: World, segment: bytes) -> None:
    pages = {"/new/i": playlist("s.ts"), "/new/s.ts": page(segment)}
    with web_camera(pages, login=("ann", "pw")) as camera:
        camera.pages["/i.m3u8"] = moved(camera.url("/new/i"))

        assert await world.opened(camera.url("/i.m3u8", "ann:pw@")) == ("hls", 64)


async def test_a_wrong_password_for_hls_is_told(world: World) -> None:
    with web_camera({"/i.m3u8": playlist("s.ts")}, login=("ann", "pw")) as camera:
        refused = await world.refusal(camera.url("/i.m3u8", "ann:wr0ng@"))

    assert "user name and password" in refused.reason
    assert refused.patience is Patience.LATER


async def test_credentials_are_for_the_streams_own_server(world: World, segment: bytes) -> None:
    login = ("ann", "pw")
    with web_camera({"/s.ts": page(segment)}, login=login) as other, web_camera({}, login=login) as camera:
        camera.pages["/i.m3u8"] = playlist(other.url("/s.ts"))
        await world.refusal(camera.url("/i.m3u8", "ann:pw@"))

    assert other.heads
    assert not any("Authorization" in head for head in other.heads)


async def test_an_encrypted_stream_is_told(world: World) -> None:
    pages = {"/i.m3u8": extended('#EXT-X-KEY:METHOD=AES-128,URI="k"'), "/k": page(bytes(16))}
    with web_camera(pages) as camera:
        assert "encrypted" in (await world.refusal(camera.url("/i.m3u8"))).reason


async def test_header_fields_are_sent(world: World, segment: bytes) -> None:
    with web_camera({"/s": page(segment)}) as camera:
        await world.opened(camera.url("/s"), headers=(("User-Agent", "Viewer/1"), ("X-Key", "k")))

    assert "User-Agent: Viewer/1\r\n" in camera.heads[0]
    assert "X-Key: k\r\n" in camera.heads[0]


async def test_a_camera_under_rtsp_is_opened_while_one_under_http_is_read(
    world: World, clips: Path, jpeg: bytes
) -> None:
    own = opener()

    def both(web: str, rtsp: str) -> list[str]:
        with ExitStack() as stack:
            medias = (MediaInput(address=web, proxy=world.proxy.url), MediaInput(address=rtsp))
            return [stack.enter_context(own.open(media)).container.format.name for media in medias]

    with (
        web_camera({"/m": motion_jpeg(jpeg)}) as camera,
        FakeCamera(clips / "plain.mp4") as other,
    ):
        assert await asyncio.to_thread(both, camera.url("/m"), other.url) == ["mpjpeg", "rtsp"]


# What is not


async def test_without_a_proxy_nothing_under_http_is_opened(segment: bytes) -> None:
    with web_camera({"/s": page(segment)}) as camera, pytest.raises(MediaError) as refused:
        await asyncio.to_thread(read, opener(), MediaInput(address=camera.url("/s")))

    assert refused.value.patience is Patience.NEVER
    assert camera.connections == 0


async def test_a_closed_address_is_told_with_its_setting(world: World, segment: bytes) -> None:
    with web_camera({"/s": page(segment)}, host=CLOSED) as camera:
        refused = await world.refusal(camera.url("/s"))

    assert "capture.camera_cidrs" in refused.reason
    assert refused.patience is Patience.NEVER
    assert camera.connections == 0


async def test_a_port_where_nobody_listens_is_told_and_tried_again(world: World) -> None:
    with web_camera({}) as camera:
        url = camera.url("/")

    refused = await world.refusal(url)

    assert "refuses the connection" in refused.reason
    assert refused.patience is Patience.SOON


@pytest.mark.parametrize("fields", [(("X\r\nHost", "h"),), (("X", "a\r\nY: b"),), (("", "x"),)])
async def test_a_header_field_that_is_two_is_refused(
    world: World, fields: tuple[tuple[str, str], ...]
) -> None:
    refused = await world.refusal("http://127.0.0.2/", headers=fields)

    assert "malformed" in refused.reason


@pytest.mark.parametrize(
    "hop",
    [
        "http://{closed}/s.ts",
        "HTTP://{closed}/s.ts",
        "//{closed}/s.ts",
        "tcp://{closed}",
        "tls://{closed}",
        "rtsp://{closed}/s",
        "rtmp://{closed}/s",
        "httpproxy://{closed}/s",
        "crypto:http://{closed}/s.ts",
        "crypto+http://{closed}/s.ts",
        "async:http://{closed}/s.ts",
        "concat:http://{closed}/s.ts|http://{closed}/s.ts",
        "file://{file}",
        "{file}",
        "file:{file}",
        "crypto:file:{file}",
        "subfile,,start,0,end,0,,:{file}",
        "data:video/mp2t;base64,R0dHR0dHRw==",
        "http://[::ffff:127.0.1.2]:{port}/s.ts",
        "http://2130706434:{port}/s.ts",
    ],
)
@pytest.mark.parametrize("way", ["segment", "playlist", "key", "map", "redirect"])
async def test_nothing_leads_to_a_closed_address_or_a_file(
    world: World, tmp_path: Path, segment: bytes, hop: str, way: str
) -> None:
    secret = tmp_path / "s.ts"
    secret.write_bytes(segment)
    with web_camera({"/s.ts": page(segment)}, host=CLOSED) as forbidden, web_camera({}) as camera:
        hop = hop.format(closed=f"{CLOSED}:{forbidden.port}", port=forbidden.port, file=secret)
        camera.pages |= LEADING[way](hop)
        refused = await world.refusal(camera.url("/start"))

    assert refused.reason
    assert camera.connections > 0
    assert forbidden.connections == 0


def extended(tag: str) -> bytes:
    return playlist("s.ts", before=tag)


LEADING: dict[str, Callable[[str], dict[str, bytes]]] = {
    "segment": lambda hop: {"/start": playlist(hop)},
    "playlist": lambda hop: {
        "/start": page(f"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=9\n{hop}\n".encode(), "audio/mpegurl")
    },
    "key": lambda hop: {"/start": extended(f'#EXT-X-KEY:METHOD=AES-128,URI="{hop}"')},
    "map": lambda hop: {"/start": extended(f'#EXT-X-MAP:URI="{hop}"')},
    "redirect": lambda hop: {"/start": moved(hop)},
}


async def test_a_name_that_turns_to_a_closed_address_between_segments_is_stopped(
    world: World, segment: bytes
) -> None:
    pages = {"/i.m3u8": playlist("s.ts"), "/s.ts": page(segment)}
    with web_camera(pages, host=CLOSED) as forbidden, web_camera(pages) as camera:
        own = f"http://{NAMED}:{camera.port}/i.m3u8"
        assert await world.opened(own) == ("hls", 64)
        world.answers[:] = ["127.0.0.2", CLOSED]
        assert (await world.refusal(own)).reason

    assert forbidden.connections == 0
    assert world.proxy.refused > 0


@pytest.mark.parametrize("way", ["redirect", "playlist"])
async def test_what_leads_to_itself_ends(world: World, way: str) -> None:
    with web_camera({}) as camera:
        camera.pages |= LEADING[way](camera.url("/start"))
        refused = await asyncio.wait_for(world.refusal(camera.url("/start")), 20)

    assert refused.reason
    assert camera.connections < 100


@pytest.mark.parametrize(
    "answer",
    [
        page(b""),
        page(bytes(range(256)) * 400),
        page(b"<html>" * 9000, "video/mp4"),
        page(b"#EXTM3U\n"),
        page(b"--frame\r\n" * 200, "multipart/x-mixed-replace; boundary=frame"),
        b"HTTP/1.1 200 OK\r\nContent-Length: 10737418240\r\n\r\n" + bytes(10_000),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFF\r\n" + bytes(10_000),
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n\x1f\x8b" + bytes(10_000),
        b"",
        b"nonsense",
    ],
    ids=["empty", "noise", "html", "list", "parts", "huge", "chunk", "gzip", "nothing", "nonsense"],
)
async def test_a_body_that_is_no_video_is_told(world: World, answer: bytes) -> None:
    with web_camera({"/x": answer}) as camera:
        refused = await asyncio.wait_for(world.refusal(camera.url("/x")), 20)

    assert refused.reason
    assert refused.patience is not Patience.NEVER


@pytest.mark.parametrize(
    "head",
    [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\n\r\n#EXTM3U\n"],
    ids=["nothing", "half a head", "a list without end"],
)
@pytest.mark.parametrize("path", ["/x", "/x.m3u8"])
async def test_a_server_that_drips_is_given_up(world: World, head: bytes, path: str) -> None:
    began = time.monotonic()
    with web_camera({path: dripping(head)}) as camera:
        media = MediaInput(address=camera.url(path), proxy=world.proxy.url)
        with pytest.raises(MediaError):
            await asyncio.to_thread(read, opener(open_timeout_s=0.5), media)

    assert time.monotonic() - began < 5


async def test_connections_end_with_the_stream(world: World, jpeg: bytes) -> None:
    with web_camera({"/m": motion_jpeg(jpeg)}) as camera:
        await world.opened(camera.url("/m"))
        for _ in range(200):
            if not world.proxy.connections:
                break
            await asyncio.sleep(0.02)

    assert world.proxy.connections == 0
