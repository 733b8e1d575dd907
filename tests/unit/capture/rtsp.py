"""An RTSP server that answers whatever a test wants, which may be nonsense."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

Answer = Callable[[str], bytes]
"""Gives the answer to a method; after one that is no RTSP the connection is closed."""


class ScriptedServer:
    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.methods: list[str] = []

    @property
    def url(self) -> str:
        return f"rtsp://127.0.0.1:{self.port}/cam"

    def serve(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                with connection, suppress(OSError):
                    self._talk(connection)

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _talk(self, connection: socket.socket) -> None:
        connection.settimeout(20)
        while request := _head(connection):
            method = request.partition(" ")[0]
            headers = (line for line in request.splitlines() if line.lower().startswith("cseq"))
            sequence = next(headers, "CSeq: 0")
            self.methods.append(method)
            answer = self._answer(method)
            connection.sendall(answer.replace(b"\r\n", b"\r\n" + sequence.encode() + b"\r\n", 1))
            if not answer.startswith(b"RTSP"):
                return


def _head(connection: socket.socket) -> str:
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(4096)
        if not piece:
            return ""
        data += piece
    return data.decode()


def says(status: str, *headers: str) -> Answer:
    """Answer everything but OPTIONS with one status."""

    def answer(method: str) -> bytes:
        if method == "OPTIONS":
            return b"RTSP/1.0 200 OK\r\nPublic: DESCRIBE, SETUP, PLAY\r\n\r\n"
        return "\r\n".join([f"RTSP/1.0 {status}", *headers, "", ""]).encode()

    return answer


@contextmanager
def serving(answer: Answer) -> Iterator[ScriptedServer]:
    server = ScriptedServer(answer)
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.close()
        thread.join(10)
