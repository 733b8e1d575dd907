"""An S3 service that is away, refuses, stalls or lies, before the real client."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from glimpser.core.errors import Damaged, Unavailable
from glimpser.core.ports import ObjectStore
from glimpser.storage.objects import open_store
from glimpser.storage.s3 import S3Store
from glimpser.storage.settings import S3Settings, StoreSettings
from tests.s3_service import s3_service

pytestmark = pytest.mark.anyio


async def jpeg(data: bytes = b"12345") -> AsyncIterator[bytes]:
    yield data


@contextmanager
def answering(status: int, *, delay_s: float = 0.0, body: bytes = b"") -> Iterator[S3Settings]:
    """Answer every request like this."""
    ending = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        rbufsize: ClassVar[int] = 0

        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            ending.wait(delay_s)
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_PUT = do_HEAD = do_DELETE = do_POST = answer  # noqa: N815 - the names are the library's

        def log_message(self, *args: object) -> None:
            pass

    with listening(Handler) as settings:
        try:
            yield settings
        finally:
            ending.set()


@contextmanager
def listening(handler: type[BaseHTTPRequestHandler]) -> Iterator[S3Settings]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield S3Settings(
            endpoint_url=f"http://127.0.0.1:{server.server_port}",
            access_key_id="id",
            secret_access_key="s3cret-key",
            timeout_s=0.5,
            retries=0,
        )
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.mark.parametrize(("status", "delay_s"), [(503, 0), (500, 0), (403, 0), (400, 0), (200, 30)], ids=str)
async def test_whatever_it_answers_nothing_is_called_stored(status: int, delay_s: float) -> None:
    with answering(status, delay_s=delay_s, body=b"<Error>s3cret-key</Error>") as settings:
        store = S3Store("s3://bucket", settings)

        with pytest.raises(Unavailable) as refused:
            await store.put("a.jpg", jpeg(), content_type="image/jpeg")

    assert "s3cret" not in refused.value.detail


@contextmanager
def keeping(*, damaged: bool) -> Iterator[S3Settings]:
    """Take every object under an ETag that is not that of its bytes, and keep it, perhaps damaged."""
    kept: dict[str, bytes] = {}

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_PUT(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            kept[self.path] = body[::-1] if damaged else body
            self.answer(200, b"")

        def do_GET(self) -> None:
            self.answer(206 if "Range" in self.headers else 200, kept[self.path])

        do_HEAD = do_GET  # noqa: N815 - the name is the library's

        def answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("ETag", '"0123456789abcdef0123456789abcdef"')
            self.send_header("Last-Modified", "Sun, 22 Nov 2026 12:00:00 GMT")
            if status == 206:
                self.send_header("Content-Range", f"bytes 0-{len(body) - 1}/{len(body)}")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    with listening(Handler) as settings:
        yield settings


async def test_what_arrived_as_something_else_is_not_called_stored() -> None:
    with keeping(damaged=True) as settings:
        store = S3Store("s3://bucket", settings)

        with pytest.raises(Damaged, match="did not keep"):
            await store.put("a.jpg", jpeg(), content_type="image/jpeg")


async def test_an_etag_that_is_no_hash_costs_a_look_and_no_object() -> None:
    with keeping(damaged=False) as settings:
        store = S3Store("s3://bucket", settings)

        stored = await store.put("a.jpg", jpeg(), content_type="image/jpeg")

        assert await read(store, stored.uri) == b"12345"


async def test_a_damaged_object_is_not_passed_off_as_whole() -> None:
    with s3_service() as service:
        bucket = service.new_bucket()
        store = S3Store(f"s3://{bucket}", service.settings)
        stored = await store.put("a.jpg", jpeg(b"12345"), content_type="image/jpeg")
        service.damage(bucket, "a.jpg", b"1234X")

        with pytest.raises(Unavailable, match="damaged"):
            async for _ in store.get(stored.uri):
                pass


async def test_an_outage_costs_nothing_but_time(tmp_path: Path) -> None:
    with s3_service() as service:
        bucket = service.new_bucket()
        settings = StoreSettings(url=f"s3://{bucket}/p", state=tmp_path, s3=service.settings)
        async with open_store(settings) as opened:
            uris = [await put(opened.store, 1)]
            await until(lambda: opened.waiting == 0)
            await asyncio.to_thread(service.stop)

            uris += [await put(opened.store, n) for n in (2, 3, 4)]
            assert opened.waiting == 3
            assert [await read(opened.store, uri) for uri in uris[1:]] == [b"2", b"3", b"4"]

            service.start()
            await until(lambda: opened.waiting == 0)
            assert [await read(opened.store, uri) for uri in uris] == [b"1", b"2", b"3", b"4"]
            assert [entry.uri async for entry in opened.store.list()] == uris


async def put(store: ObjectStore, number: int) -> str:
    stored = await store.put(f"a/{number}.jpg", jpeg(b"%d" % number), content_type="image/jpeg")
    return stored.uri


async def read(store: ObjectStore, uri: str) -> bytes:
    return b"".join([piece async for piece in store.get(uri)])


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - the store knows no event
            await asyncio.sleep(0.02)
