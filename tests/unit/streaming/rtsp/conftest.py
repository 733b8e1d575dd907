import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest

from glimpser.streaming.rtsp import RtspServer
from tests.unit.streaming.rtsp.client import Client, Connect


@pytest.fixture
async def connect() -> AsyncIterator[Connect]:
    """Connect clients that are gone after the test."""
    writers: list[asyncio.StreamWriter] = []

    async def open_client(server: RtspServer) -> Client:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writers.append(writer)
        return Client(reader, writer, f"rtsp://127.0.0.1:{server.port}")

    yield open_client
    for writer in writers:
        writer.transport.abort()
        with suppress(ConnectionError):
            await writer.wait_closed()


@pytest.fixture(scope="session", params=[False, True], ids=["asyncio", "uvloop"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, bool]]:
    """Run on both loops: the program prefers uvloop, and its transports are not asyncio's."""
    return "asyncio", {"use_uvloop": request.param}
