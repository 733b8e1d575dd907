"""Asking a proxy what it thinks of a target, for programs that keep nothing of its answer but the status."""

import re
import socket
from dataclasses import dataclass

from glimpser.egress.target import Target, parse_target

_TIMEOUT_S = 12.0
_MAX_ANSWER_BYTES = 8192
_ANSWER = re.compile(rb"HTTP/1\.1 ([45][0-9]{2}) .*?\r\n\r\n(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class ProxyRefusal:
    """Status and sentence of a proxy that does not connect."""

    status: int
    reason: str


def refusal_of(proxy_url: str, target: Target) -> ProxyRefusal | None:
    """Tell why the proxy at `proxy_url` does not connect to a target; None: it does, or cannot be asked.

    Blocks while the proxy connects, for seconds if nobody answers there. Nothing is sent to the target.
    """
    way = parse_target(proxy_url, ("http",))
    host = f"[{target.host}]" if ":" in target.host else target.host
    request = f"CONNECT {host}:{target.effective_port} HTTP/1.1\r\n\r\n".encode()
    try:
        with socket.create_connection((way.host, way.effective_port), timeout=_TIMEOUT_S) as connection:
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
            answer = _read(connection)
    except OSError:
        return None
    parts = _ANSWER.fullmatch(answer)
    return ProxyRefusal(int(parts[1]), parts[2].decode("utf-8", "replace").strip()) if parts else None


def _read(connection: socket.socket) -> bytes:
    """Read to the end, or until what came is no refusal."""
    answer = b""
    while len(answer) < _MAX_ANSWER_BYTES and b" 200 " not in answer[:16]:
        piece = connection.recv(_MAX_ANSWER_BYTES)
        if not piece:
            break
        answer += piece
    return answer
