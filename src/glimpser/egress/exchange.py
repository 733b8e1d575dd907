"""One client connection of the proxy: a request, the way to its target, and what passes between them."""

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from glimpser.egress.proxy_messages import (
    MAX_HEAD_BYTES,
    BadMessage,
    Request,
    Response,
    end_of_head,
    format_request,
    parse_request,
    parse_response,
)
from glimpser.egress.target import IPAddress, Target

CHUNK_BYTES: Final = 256 * 1024
_CONNECTED: Final = b"HTTP/1.1 200 Connected\r\n\r\n"
_NO_LINGER: Final = struct.pack("ii", 1, 0)
_LINGER_S: Final = 1.0
_LINGER_BYTES: Final = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionLimits:
    """`idle_s`: so long may nothing move in either direction. `buffer_bytes` is what each side may hold."""

    request_head_s: float = 10.0
    response_head_s: float = 60.0
    idle_s: float = 120.0
    buffer_bytes: int = 128 * 1024


class Refused(Exception):
    """A request is not carried out: the client is told `status` and `reason`."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Peer:
    """One end of a connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    @classmethod
    async def connect(cls, address: IPAddress, port: int) -> "Peer":
        """Connect to an address that was checked.

        Raises:
            OSError: it does not answer.
        """
        return cls(*await asyncio.open_connection(str(address), port, limit=CHUNK_BYTES // 2))

    async def read_some(self) -> bytes:
        """Read what is there, at least one byte.

        Raises:
            EOFError: the other side has ended.
        """
        data = await self.reader.read(CHUNK_BYTES)
        if not data:
            raise EOFError
        return data

    async def read_head(self, begun: bytes = b"") -> tuple[bytes, bytes]:
        """Read to the empty line; gives the head with it, and what came behind it. `begun` was read before.

        Raises:
            EOFError: the connection ended before.
            BadMessage: it does not end.
        """
        received = bytearray(begun)
        end = end_of_head(received)
        while end is None and len(received) <= MAX_HEAD_BYTES:
            searched = len(received)
            received += await self.read_some()
            end = end_of_head(received, searched)
        if (end or len(received)) > MAX_HEAD_BYTES:
            raise BadMessage(431, f"The head is longer than {MAX_HEAD_BYTES} bytes.")
        return bytes(received[:end]), bytes(received[end:])

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    def end(self) -> None:
        """Say that nothing more is coming; the other side may go on."""
        if not self.writer.is_closing():
            self.writer.write_eof()

    async def hang_up(self) -> None:
        """Close once all is sent."""
        self.writer.close()
        await self.writer.wait_closed()

    def reset(self) -> None:
        """Break the connection off, so that the other side sees an error and no end."""
        if not self.writer.is_closing():
            connection = self.writer.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
            self.abort()

    def abort(self) -> None:
        """Close at once. What was not sent yet is lost; a connection that is closed stays so."""
        self.writer.transport.abort()


Connect = Callable[[Target], Awaitable[Peer]]
"""Raises Refused."""


class Exchange:
    """Lives as long as the client's connection, in one task."""

    def __init__(self, client: Peer, connect: Connect, limits: ConnectionLimits) -> None:
        self._client = client
        self._connect = connect
        self._limits = limits
        self._loop = asyncio.get_running_loop()
        self._idle = asyncio.timeout(None)
        self._answered = False

    async def run(self) -> None:
        """Carry out one request. What networks do ends it and is not raised."""
        try:
            await self._carry_out(await self._request())
        except (BadMessage, Refused) as error:
            await self.refuse(error.status, error.reason)
        except (OSError, EOFError):  # time-outs are of the first
            if self._answered:
                self._client.reset()  # so that half an answer is not taken for a whole one

    async def refuse(self, status: int, reason: str) -> None:
        """Answer in our own name, unless the target has begun to."""
        if self._answered:
            return
        body = f"{reason}\n".encode()
        head = (
            f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\nContent-Type: text/plain; charset=utf-8\r\n"
            f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        )
        with suppress(OSError):
            async with asyncio.timeout(_LINGER_S):
                await self._client.send(head.encode() + body)
            await self._linger()

    async def _linger(self) -> None:
        """Say that this was all, and read on: closing with something unread would take the answer back.

        RFC 9112, section 9.6.
        """
        self._client.end()
        left = _LINGER_BYTES
        with suppress(TimeoutError):
            async with asyncio.timeout(_LINGER_S):
                while left > 0 and (data := await self._client.reader.read(CHUNK_BYTES)):
                    left -= len(data)

    async def _request(self) -> tuple[Request, bytes]:
        async with asyncio.timeout(self._limits.idle_s):  # browsers connect before they have anything to ask
            begun = await self._client.read_some()
        try:
            async with asyncio.timeout(self._limits.request_head_s):
                head, rest = await self._client.read_head(begun)
        except TimeoutError:
            raise Refused(408, "The request did not come in time.") from None
        return parse_request(head), rest

    async def _carry_out(self, asked: tuple[Request, bytes]) -> None:
        request, rest = asked
        target = await self._connect(request.target)
        try:
            async with self._idle:
                self._touch()
                await self._exchange(request, rest, target)
                target.abort()
                await self._linger()
                await self._client.hang_up()
        except ExceptionGroup as group:
            raise _decisive(group) from group
        finally:
            target.abort()

    async def _exchange(self, request: Request, rest: bytes, target: Peer) -> None:
        if request.tunnel:
            self._answered = True
            await self._client.send(_CONNECTED)
            await self._tunnel(target, sent=rest)
        elif request.upgrade:
            await target.send(format_request(request))
            await self._answer(request, target)
        else:
            await target.send(format_request(request))
            await self._answer_while_sending(request, rest, target)

    async def _answer_while_sending(self, request: Request, rest: bytes, target: Peer) -> None:
        async with asyncio.TaskGroup() as tasks:
            sending = tasks.create_task(self._send_body(target, rest, request.body_bytes))
            await self._answer(request, target)
            sending.cancel()

    async def _send_body(self, target: Peer, rest: bytes, length: int) -> None:
        """Pass on exactly the announced body, then wait until the client goes; then the target goes too."""
        begun = rest[:length]
        with suppress(ConnectionError):  # it has heard enough; its answer may be on the way
            await target.send(begun)
            await self._pump(self._client, target, limit=length - len(begun))
        while await self._client.reader.read(CHUNK_BYTES):
            pass
        target.abort()

    async def _answer(self, request: Request, target: Peer) -> None:
        """Pass on the answer until the target ends it."""
        response, rest = await self._response_head(request, target)
        while response.is_interim:
            await self._client.send(response.head)
            response, rest = await self._response_head(request, target, begun=rest)
        self._answered = True
        await self._client.send(response.head + rest)
        if response.status == 101:
            await self._tunnel(target)
        else:
            await self._pump(target, self._client)

    async def _response_head(
        self, request: Request, target: Peer, *, begun: bytes = b""
    ) -> tuple[Response, bytes]:
        try:
            async with asyncio.timeout(self._limits.response_head_s):
                head, rest = await target.read_head(begun)
        except TimeoutError:
            raise Refused(504, "The server does not answer in time.") from None
        except (EOFError, ConnectionError):
            raise Refused(502, "The server ended the connection without an answer.") from None
        except BadMessage as error:
            raise Refused(502, f"The server's answer cannot be read: {error.reason}") from error
        return parse_response(head, upgrade=request.upgrade), rest

    async def _tunnel(self, target: Peer, *, sent: bytes = b"") -> None:
        """Carry bytes both ways until both sides have ended."""
        await target.send(sent)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._one_way(self._client, target))
            tasks.create_task(self._one_way(target, self._client))

    async def _one_way(self, source: Peer, sink: Peer) -> None:
        await self._pump(source, sink)
        sink.end()

    async def _pump(self, source: Peer, sink: Peer, *, limit: int | None = None) -> None:
        """Carry bytes to the end, or `limit` of them. A sink that does not take them stops the source.

        Raises:
            EOFError: the source ended before the limit.
        """
        left = limit
        while left is None or left > 0:
            data = await source.reader.read(CHUNK_BYTES if left is None else min(left, CHUNK_BYTES))
            if not data:
                if left:
                    raise EOFError
                return
            self._touch()
            if left is not None:
                left -= len(data)
            await sink.send(data)

    def _touch(self) -> None:
        self._idle.reschedule(self._loop.time() + self._limits.idle_s)


def _decisive(group: ExceptionGroup[Exception]) -> Exception:
    """Choose the one that says most: a fault of ours, else a reason for the client, else the network's."""
    ranks = ((OSError, EOFError), (BadMessage, Refused))

    def weight(error: Exception) -> int:
        return next((rank for rank, kinds in enumerate(ranks) if isinstance(error, kinds)), len(ranks))

    return max(_leaves(group), key=weight)


def _leaves(group: ExceptionGroup[Exception]) -> Iterator[Exception]:
    for error in group.exceptions:
        if isinstance(error, ExceptionGroup):
            yield from _leaves(error)
        else:
            yield error
