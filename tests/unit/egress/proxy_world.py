"""A proxy between two loopback networks, one open and one closed, and servers that say what a test wants."""

import asyncio
import ipaddress
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from glimpser.egress.gate import Gate, GatePolicy, Resolve
from glimpser.egress.proxy import ConnectionLimits, Proxy, ProxyLimits, Refusal, open_proxy

OPEN, CLOSED = "127.0.0.2", "127.0.1.2"
ALLOWED = (ipaddress.ip_network("127.0.0.0/30"),)
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

Handle = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class World:
    """`names` are what the proxy's resolver knows; each answer is used once, the last for ever."""

    proxy: Proxy
    names: dict[str, list[Sequence[str]]]
    refusals: list[Refusal]

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", int(self.proxy.url.rpartition(":")[2]))

    async def ask(self, request: bytes) -> bytes:
        """Send and give all that comes back until the proxy closes."""
        reader, writer = await self.connect()
        try:
            writer.write(request)
            return await asyncio.wait_for(reader.read(), 10)
        finally:
            writer.close()


@asynccontextmanager
async def world(limits: ProxyLimits | None = None) -> AsyncIterator[World]:
    names: dict[str, list[Sequence[str]]] = {}
    refusals: list[Refusal] = []
    gate = Gate(GatePolicy(allowed=ALLOWED))
    opened = open_proxy(
        gate, on_refused=refusals.append, limits=limits or ProxyLimits(), resolve=_resolver(names)
    )
    async with opened as proxy:
        yield World(proxy, names, refusals)


async def until(condition: Callable[[], bool]) -> None:
    for _ in range(500):
        if condition():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("It did not come about within 10 s.")


def quick(**limits: float) -> ProxyLimits:
    return ProxyLimits(connection=ConnectionLimits(**limits))  # type: ignore[arg-type]  # all are seconds here


def _resolver(names: dict[str, list[Sequence[str]]]) -> Resolve:
    def resolve(host: str, port: int) -> Sequence[str]:
        if host not in names:
            raise OSError(host)
        answers = names[host]
        return answers.pop(0) if len(answers) > 1 else answers[0]

    return resolve


@dataclass
class Server:
    """`heads` are the request heads it got; `connections` counts those that came at all."""

    port: int = 0
    connections: int = 0
    heads: list[str] = field(default_factory=list)


@asynccontextmanager
async def serving(answer: bytes | Handle = OK, *, host: str = OPEN) -> AsyncIterator[Server]:
    server = Server()
    running: set[asyncio.Task[None]] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        running.add(task)
        server.connections += 1
        try:
            if callable(answer):
                await answer(reader, writer)
            else:
                server.heads.append((await reader.readuntil(b"\r\n\r\n")).decode())
                writer.write(answer)
                await writer.drain()
        except (OSError, EOFError, asyncio.CancelledError):
            pass  # a cancelled handler would be logged as a fault
        finally:
            writer.close()
            running.discard(task)

    listening = await asyncio.start_server(handle, host, 0)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()
        for task in list(running):
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
