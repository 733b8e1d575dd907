"""What an address gives: by its first bytes, from a real web server on loopback."""

import asyncio
import ipaddress
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from glimpser.capture.sniffing import Sniffer, content_of
from glimpser.core.contents import Content
from glimpser.core.errors import Denied, InvalidInput, Unavailable
from glimpser.egress.fetching import open_fetcher
from glimpser.egress.gate import Gate, GatePolicy
from glimpser.testing.live import fake_jpeg
from tests.receiver import Received, Receiver, open_receiver
from tests.unit.capture.test_image import sending

pytestmark = pytest.mark.anyio

LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"),)
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + (64).to_bytes(4) + (36).to_bytes(4)
FORMS = {
    "jpeg": (fake_jpeg(64, 36), Content.PICTURE),
    "png": (PNG, Content.PICTURE),
    "pdf": (b"%PDF-1.7\n", Content.DOCUMENT),
    "mp4": (b"\0\0\0\x18ftypisom\0\0\0\0", Content.VIDEO),
    "webm": (b"\x1aE\xdf\xa3\x01", Content.VIDEO),
    "hls": (b"#EXTM3U\n#EXT-X-VERSION:3\n", Content.VIDEO),
    "ts": ((b"\x47" + bytes(187)) * 5, Content.VIDEO),
    "html": (b"\xef\xbb\xbf\n <!DOCTYPE HTML><p>Hi", Content.PAGE),
    "commented html": (b"<!-- made by hand --><html>", Content.PAGE),
}


class Known:
    """Knows the pages whose address has `/watch`."""

    async def knows(self, url: str) -> bool:
        assert "@" not in url
        return "/watch" in url


@asynccontextmanager
async def sniffing(
    *,
    general: Sequence[ipaddress.IPv4Network | ipaddress.IPv6Network] = LOOPBACK,
    roots: tuple[Path, ...] = (),
) -> AsyncIterator[Sniffer]:
    async with AsyncExitStack() as stack:
        fetchers = [
            await stack.enter_async_context(open_fetcher(Gate(GatePolicy(tuple(allowed))), agent="Test"))
            for allowed in (general, LOOPBACK)
        ]
        yield Sniffer(fetchers[0], fetchers[1], Known(), roots)


@pytest.fixture
async def server() -> AsyncIterator[Receiver]:
    async with open_receiver() as receiver:
        yield receiver


def at(server: Receiver, path: str, login: str = "") -> str:
    return f"http://{login}127.0.0.1:{server.port}{path}"


@pytest.mark.parametrize("form", FORMS)
async def test_bytes_tell_whatever_the_address_and_the_server_say(server: Receiver, form: str) -> None:
    body, content = FORMS[form]
    server.paths["/x.html"] = sending(body, Content_Type="text/plain")

    async with sniffing() as sniffer:
        assert await sniffer.look(at(server, "/x.html")) is content


@pytest.mark.parametrize(
    "body",
    [b"", b"{}", b"PK\3\4", b"just text", b"<svg xmlns='x'>", b"\0\0\0\x18ftypavif", b"\x47" + bytes(700)],
    ids=["nothing", "json", "zip", "text", "svg", "avif", "one byte of a stream"],
)
def test_what_cannot_be_watched_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidInput, match="nothing that can be watched"):
        content_of(body, "video/mp4")


async def test_pictures_without_an_end_are_left_after_the_first_bytes(server: Receiver) -> None:
    async def endless(_received: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace;boundary=x\r\n\r\n--x\r\n")
        while True:
            writer.write(bytes(4096))
            await writer.drain()

    server.paths["/mjpg"] = endless

    async with sniffing() as sniffer, asyncio.timeout(10):
        assert await sniffer.look(at(server, "/mjpg")) is Content.VIDEO


async def test_pages_of_known_sites_are_videos_also_when_they_turn_us_away(server: Receiver) -> None:
    server.paths["/watch/1"] = sending(b"<html>")
    server.paths["/watch/2"] = sending(b"", 403)

    async with sniffing() as sniffer:
        assert await sniffer.look(at(server, "/watch/1")) is Content.VIDEO_PAGE
        assert await sniffer.look(at(server, "/watch/2")) is Content.VIDEO_PAGE


async def test_a_login_is_used_and_a_wrong_one_is_said(server: Receiver) -> None:
    async def guarded(received: Received, writer: asyncio.StreamWriter) -> None:
        right = received.headers.get("authorization") == "Basic YW5uOnNlY3JldA=="
        answer = sending(FORMS["jpeg"][0]) if right else sending(b"", 401, WWW_Authenticate='Basic realm="c"')
        await answer(received, writer)

    server.paths["/pic"] = guarded

    async with sniffing() as sniffer:
        assert await sniffer.look(at(server, "/pic", "ann:secret@")) is Content.PICTURE
        with pytest.raises(Unavailable, match="user name or password"):
            await sniffer.look(at(server, "/pic", "ann:wrong@"))


@pytest.mark.parametrize("scheme", ["rtsp", "rtsps", "rtmp"])
async def test_protocols_of_cameras_are_known_by_their_name(scheme: str) -> None:
    async with sniffing() as sniffer:
        assert await sniffer.look(f"{scheme}://127.0.0.1/one") is Content.STREAM


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "javascript://x/%0aalert(1)", "gopher://x/", "rtsp://"]
)
async def test_other_schemes_are_refused(url: str) -> None:
    async with sniffing() as sniffer:
        with pytest.raises(InvalidInput):
            await sniffer.look(url)


async def test_where_only_cameras_may_be_only_cameras_are_seen(server: Receiver) -> None:
    server.paths["/hls"] = sending(FORMS["hls"][0])
    server.paths["/page"] = sending(FORMS["html"][0])
    server.paths["/text"] = sending(b"secrets of the network")

    async with sniffing(general=()) as sniffer:
        assert await sniffer.look(at(server, "/hls")) is Content.VIDEO
        for path in ("/page", "/text"):
            with pytest.raises(Denied, match=r"capture\.egress_allow"):
                await sniffer.look(at(server, path))


async def test_files_are_looked_at_below_the_allowed_folders_alone(tmp_path: Path) -> None:
    root = tmp_path / "media"
    root.mkdir()
    (root / "clip.mp4").write_bytes(FORMS["mp4"][0])
    (root / "plan.txt").write_bytes(FORMS["pdf"][0])
    (tmp_path / "outside.mp4").write_bytes(FORMS["mp4"][0])
    (root / "link.mp4").symlink_to(tmp_path / "outside.mp4")

    async with sniffing(roots=(root,)) as sniffer:
        assert await sniffer.look_at_file("clip.mp4") is Content.FILE
        assert await sniffer.look_at_file(str(root / "plan.txt")) is Content.DOCUMENT
        for path in (str(tmp_path / "outside.mp4"), "../outside.mp4", "link.mp4", "none.mp4"):
            with pytest.raises(InvalidInput):
                await sniffer.look_at_file(path)
