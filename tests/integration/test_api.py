"""The web server on a real socket: from the setup code to a stream, and clients that behave badly."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from socket import SO_SNDBUF, SOL_SOCKET

import httpx2
import pytest

from glimpser.core.errors import Misconfigured
from glimpser.core.ids import TemplateId
from glimpser.web.crowd import Limits
from glimpser.web.protocol import PatientProtocol
from glimpser.web.server import SEND_BUFFER_BYTES, WebServer, listen
from tests.web_world import PASSWORD, World, open_world

pytestmark = pytest.mark.anyio


@dataclass
class Running:
    world: World
    server: WebServer
    client: httpx2.AsyncClient

    async def send(self, request: bytes) -> bytes:
        """Send bytes as they are and give everything that comes back until the server closes."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.server.port)
        writer.write(request)
        answer = await reader.read()
        writer.close()
        await writer.wait_closed()
        return answer


class Hasty(PatientProtocol):
    head_timeout_s = 0.1


@asynccontextmanager
async def running(
    directory: Path,
    *,
    protocol: type[PatientProtocol] = PatientProtocol,
    fast_streams: bool = False,
    limits: Limits | None = None,
) -> AsyncIterator[Running]:
    async with open_world(directory, fast_streams=fast_streams) as world, asyncio.TaskGroup() as tasks:
        listener = listen("127.0.0.1", 0)
        server = WebServer(
            world.app,
            listener,
            ending=world.services.ending,
            protocol=protocol,
            limits=limits,
        )
        tasks.create_task(server.serve())
        async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{server.port}", timeout=10) as client:
            yield Running(world, server, client)
        server.stop()


@pytest.fixture
async def served(data_dir: Path) -> AsyncIterator[Running]:
    async with running(data_dir) as opened:
        yield opened


@pytest.fixture
async def hasty(data_dir: Path) -> AsyncIterator[Running]:
    """The server with a tenth of a second of patience."""
    async with running(data_dir, protocol=Hasty) as opened:
        yield opened


async def signed_in(served: Running) -> dict[str, str]:
    return await served.world.sign_in()


async def test_from_the_setup_code_to_a_camera(served: Running) -> None:
    client = served.client
    code = await served.world.services.accounts.open_setup()
    account = {"email": "ada@example.org", "password": PASSWORD}

    assert (await client.post("/api/setup", json=account | {"code": code})).status_code == 201
    token = (await client.post("/api/auth/login", json=account)).json()["access_token"]
    client.cookies.clear()
    headers = {"Authorization": f"Bearer {token}"}
    camera = {"name": "Door", "kind": "camera", "config": {"url": "rtsp://u:p@cam/"}}
    created = await client.post("/api/templates", json=camera, headers=headers)
    listed = await client.get("/api/templates", headers=headers)
    path = created.headers["location"]
    removed = await client.delete(path, headers=headers | {"If-Match": created.headers["etag"]})
    gone = await client.get(path, headers=headers)
    await client.post("/api/auth/logout", headers=headers)

    assert listed.json()["items"] == [created.json()]
    assert (removed.status_code, gone.status_code) == (204, 404)
    assert (await client.get("/api/me", headers=headers)).status_code == 401


@pytest.mark.parametrize("fast", [False, True], ids=["plain", "fast"])
async def test_a_stream_shows_what_is_published_and_ends_when_the_server_stops(
    data_dir: Path, *, fast: bool
) -> None:
    async with running(data_dir, fast_streams=fast) as served:
        world, headers = served.world, await signed_in(served)
        template_id = (await world.add_template(headers)).json()["id"]
        path = f"/api/stream/{template_id}/mjpeg"
        world.live.hub.publish(world.frame(template_id, b"first"))

        async with served.client.stream("GET", path, headers=headers) as answer:
            pieces = answer.aiter_bytes()
            received = await anext(pieces)
            world.live.hub.publish(world.frame(template_id, b"second", 2))
            while b"second" not in received:
                received += await anext(pieces)
            assert world.live.hub.subscriber_count(TemplateId(template_id)) == 1
            served.server.stop()
            rest = b"".join([piece async for piece in pieces])

        assert answer.headers["content-type"].startswith("multipart/x-mixed-replace")
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-request-id"]
        assert received.startswith(b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: 5\r\n\r\nfirst")
        assert rest.endswith(b"--frame--\r\n")
        assert ("GET", "/api/stream/{template_id}/mjpeg", 200) in world.recorder.served
        assert world.live.hub.subscriber_count(TemplateId(template_id)) == 0


async def test_a_stream_of_nobody_is_refused_before_it_begins(served: Running) -> None:
    template_id = (await served.world.add_template(await signed_in(served))).json()["id"]

    answer = await served.client.get(f"/api/stream/{template_id}/mjpeg")

    assert answer.status_code == 401
    assert served.world.live.hub.subscriber_count(TemplateId(template_id)) == 0


async def test_a_player_watches_by_a_link_alone(served: Running) -> None:
    world, headers = served.world, await signed_in(served)
    template_id = (await world.add_template(headers)).json()["id"]
    world.live.hub.publish(world.frame(template_id, b"picture"))
    made = await served.client.post(f"/api/stream/{template_id}/ticket", json={}, headers=headers)

    async with served.client.stream("GET", made.json()["url"]) as answer:
        assert b"picture" in await anext(answer.aiter_bytes())

    assert answer.status_code == 200


async def test_head_of_a_stream_tells_its_type_and_ends(served: Running) -> None:
    headers = await signed_in(served)
    template_id = (await served.world.add_template(headers)).json()["id"]

    answer = await served.client.head(f"/api/stream/{template_id}/mjpeg", headers=headers)

    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("multipart/x-mixed-replace")


async def test_an_artifact_leaves_in_one_piece_or_in_the_part_asked_for(served: Running) -> None:
    headers = await signed_in(served)
    content = bytes(range(256)) * 2000
    artifact = await served.world.add_artifact(content, "video/mp4")
    path = f"/api/artifacts/{artifact.id}"

    whole = await served.client.get(path, headers=headers)
    part = await served.client.get(path, headers=headers | {"Range": "bytes=100-199"})
    head = await served.client.head(path, headers=headers)

    assert whole.content == content
    assert (part.status_code, part.content) == (206, content[100:200])
    assert (head.status_code, head.headers["content-length"], head.content) == (200, "512000", b"")


@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
async def test_a_huge_body_is_refused_without_being_kept(served: Running, *, chunked: bool) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(40):
            yield b" " * 65_536

    body = pieces() if chunked else b" " * 40 * 65_536
    headers = {"Content-Type": "application/json"}

    answer = await served.client.post("/api/auth/login", content=body, headers=headers)

    assert answer.status_code == 413
    assert answer.json()["detail"] == "The body is larger than this server takes."
    assert (await served.client.get("/healthz")).status_code == 200


@pytest.mark.parametrize(
    "request_bytes",
    [b"CONNECT evil.test:443 HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x02\x00", b"GET / HTTP/3\r\n\r\n"],
)
async def test_what_is_no_request_is_refused_without_a_failure_of_ours(
    served: Running, request_bytes: bytes
) -> None:
    failures: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: failures.append(context))

    answer = await served.send(request_bytes)

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert failures == []


async def test_a_large_body_does_not_count_as_head(served: Running) -> None:
    body = b'{"email": "a@b", "password": "' + b"x" * 900_000 + b'"}'
    head = f"POST /api/auth/login HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"

    answer = await served.send(f"{head}\r\nConnection: close\r\n\r\n".encode() + body)

    assert answer.startswith(b"HTTP/1.1 422 ")


@pytest.mark.parametrize("request_bytes", [b"", b"GET / HTTP/1.1\r\n", b"GET / HTTP/1.1\r\nHost: a"])
async def test_a_client_that_says_nothing_is_let_go(hasty: Running, request_bytes: bytes) -> None:

    assert (await hasty.send(request_bytes)).startswith(b"HTTP/1.1 408 ")


async def test_blank_lines_keep_no_connection_open(hasty: Running) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", hasty.server.port)
    writer.write(b"GET /healthz HTTP/1.1\r\n\r\n")
    await reader.readuntil(b'{"status":"ok"}')

    writer.write(b"\r\n")

    assert (await reader.read()).startswith(b"HTTP/1.1 408 ")
    writer.close()


async def test_a_connection_serves_one_request_after_another(hasty: Running) -> None:
    request = b"GET /healthz HTTP/1.1\r\n\r\n"
    reader, writer = await asyncio.open_connection("127.0.0.1", hasty.server.port)

    for part in (request, request[:9], request[9:], b"\r\n" + request, request + request):
        writer.write(part)
    answers = [await reader.readuntil(b'{"status":"ok"}') for _ in range(5)]

    assert all(answer.startswith(b"HTTP/1.1 200 ") for answer in answers)
    writer.close()


async def test_a_stream_outlives_the_time_a_head_has(hasty: Running) -> None:
    headers = await signed_in(hasty)
    template_id = (await hasty.world.add_template(headers)).json()["id"]

    async with hasty.client.stream("GET", f"/api/stream/{template_id}/mjpeg", headers=headers) as answer:
        pieces = answer.aiter_bytes()
        await asyncio.sleep(0.15)
        hasty.world.live.hub.publish(hasty.world.frame(template_id, b"late"))
        assert b"late" in await anext(pieces)


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01",
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"GET / HTTP/1.1\r\nBad Header: x\r\n\r\n",
    ],
    ids=["tls", "no target", "version", "smuggling", "negative", "header"],
)
async def test_what_is_not_http_is_refused(served: Running, request_bytes: bytes) -> None:
    answer = await served.send(request_bytes)

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert (await served.client.get("/healthz")).status_code == 200


async def test_an_answer_does_not_name_the_server(served: Running) -> None:
    assert "server" not in (await served.client.get("/healthz")).headers


async def test_an_upgrade_to_websocket_is_not_followed(served: Running) -> None:
    head = b"GET /healthz HTTP/1.1\r\nUpgrade: websocket\r\nConnection: upgrade, close\r\n"

    answer = await served.send(head + b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: eA==\r\n\r\n")

    assert not answer.startswith(b"HTTP/1.1 101")


def test_accepted_connections_keep_little_for_a_slow_reader() -> None:
    with listen("127.0.0.1", 0) as listener:
        # Linux doubles what is asked for, to count its own book-keeping (socket(7)).
        assert listener.getsockopt(SOL_SOCKET, SO_SNDBUF) <= 2 * SEND_BUFFER_BYTES


def test_an_address_that_is_taken_names_its_port() -> None:
    with listen("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(Misconfigured, match=f"port {port}"):
            listen("127.0.0.1", port)


def test_an_address_of_nowhere_is_refused() -> None:
    with pytest.raises(Misconfigured, match="Cannot listen"):
        listen("198.51.100.1", 0)
