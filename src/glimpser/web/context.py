"""The outermost layer: request id, client address, one log line and one count for each request or socket."""

import ipaddress
import re
import time
from collections.abc import Mapping, Sequence
from functools import lru_cache

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from glimpser.core.ids import new_id
from glimpser.web.wiring import Network, RequestRecorder

log = structlog.get_logger(__name__)

SANE_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))
UNMATCHED = "(unmatched)"
CLIENT_CLOSED = 499
"""What is counted when the client left before there was an answer; it is never sent."""
QUIET = frozenset(("/healthz", "/readyz"))
"""Asked every few seconds by machines: logged at debug level only."""


SOCKET_OPENED = 101
SOCKET_REFUSED = 403
"""What the server answers where a socket is closed before it was accepted (the ASGI specification)."""
OPENINGS = frozenset(("http.response.start", "websocket.http.response.start", "websocket.accept"))


class Exchange:
    """What is to be said about one request, or one socket's life, once it is over.

    `endless` are those that are counted when they begin; `close_code` is that of a socket (RFC 6455, 7.4).
    """

    __slots__ = ("body_bytes", "close_code", "endless", "started_s", "status")

    def __init__(self) -> None:
        self.started_s = time.monotonic()
        self.status = CLIENT_CLOSED
        self.body_bytes = 0
        self.endless = False
        self.close_code: int | None = None

    def begin(self, opening: Message, headers: Headers) -> None:
        """Note the first message of the answer."""
        self.status = opening.get("status", SOCKET_OPENED)
        is_stream = headers.get("Content-Type", "").startswith("multipart/x-mixed-replace")
        self.endless = opening["type"] == "websocket.accept" or is_stream

    def note(self, message: Message) -> None:
        """Note any other message of the answer."""
        self.body_bytes += len(message.get("body") or message.get("bytes") or message.get("text") or b"")
        if message["type"] == "websocket.close":
            self.close_code = message.get("code", 1000)
            self.status = self.status if self.endless else SOCKET_REFUSED

    def duration_s(self) -> float:
        return time.monotonic() - self.started_s


class RequestContext:
    """Wraps the whole application. The server's own `send` is kept in `scope["state"]["raw_send"]`:
    a stream writes its frames through it, past every layer.
    """

    def __init__(
        self, app: ASGIApp, *, recorder: RequestRecorder, trusted_proxies: Sequence[Network]
    ) -> None:
        self._app = app
        self._recorder = recorder
        self._trusted = tuple(trusted_proxies)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        state = scope.setdefault("state", {})
        state["raw_send"] = send
        state["request_id"] = _request_id(headers)
        state["client_ip"], scope["scheme"] = self._origin(scope, headers)
        exchange = Exchange()
        if scope["type"] == "websocket":
            receive = _noting_close(receive, exchange)
        with structlog.contextvars.bound_contextvars(
            request_id=state["request_id"], client_ip=state["client_ip"]
        ):
            await self._serve(scope, receive, exchange)

    async def _serve(self, scope: Scope, receive: Receive, exchange: Exchange) -> None:
        send: Send = scope["state"]["raw_send"]

        async def noted(message: Message) -> None:
            if message["type"] in OPENINGS:
                message.setdefault("headers", ())
                headers = MutableHeaders(scope=message)
                headers["X-Request-Id"] = scope["state"]["request_id"]
                exchange.begin(message, headers)
                if exchange.endless:
                    self._count(scope, exchange)
            await send(message)
            exchange.note(message)

        try:
            await self._app(scope, receive, noted)
        except Exception:
            # The answer, a 500 without any detail, was sent from inside; this is its other half.
            log.exception("http.failed", method=_method(scope), path=scope["path"])
        finally:
            if not exchange.endless:
                self._count(scope, exchange)
            _report(scope, exchange)

    def _count(self, scope: Scope, exchange: Exchange) -> None:
        """Count a request when it is over, an endless one when it begins."""
        self._recorder.request_served(
            method=_method(scope) if _method(scope) in METHODS else "OTHER",
            route=route_of(scope),
            status=exchange.status,
            duration_s=exchange.duration_s(),
        )

    def _origin(self, scope: Scope, headers: Headers) -> tuple[str, str]:
        """Tell the client's address and the scheme it used, believing only trusted proxies."""
        client, scheme = scope.get("client"), scope["scheme"]
        peer = str(_address(client[0]) or client[0]) if client else "unknown"
        if not self._trusts(peer):
            return peer, scheme
        hops = [hop.strip() for line in headers.getlist("x-forwarded-for") for hop in line.split(",")]
        forwarded = headers.get("x-forwarded-proto", scheme).split(",")[-1].strip().lower()
        return self._client(peer, hops), forwarded if forwarded in ("http", "https") else scheme

    def _client(self, peer: str, hops: Sequence[str]) -> str:
        """Walk back from the nearest hop to the first that is no proxy of ours."""
        nearest = peer
        for hop in reversed(hops):
            if _address(hop) is None:
                break
            nearest = str(_address(hop))
            if not self._trusts(hop):
                break
        return nearest

    def _trusts(self, address: str) -> bool:
        parsed = _address(address)
        return parsed is not None and any(parsed in network for network in self._trusted)


def route_of(scope: Mapping[str, object]) -> str:
    """Give the template of the route that served a request: bounded, unlike its path."""
    return str(getattr(scope.get("route"), "path", UNMATCHED))


def _request_id(headers: Headers) -> str:
    offered = headers.get("x-request-id", "")
    return offered if SANE_REQUEST_ID.fullmatch(offered) else new_id()


@lru_cache(maxsize=1024)
def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Read an address; one of IPv4 that a socket of IPv6 reports is given as what it is."""
    try:
        parsed = ipaddress.ip_address(text)
    except ValueError:
        return None
    return getattr(parsed, "ipv4_mapped", None) or parsed


def _method(scope: Scope) -> str:
    """Give the method; a WebSocket begins with a GET (RFC 6455, section 4.1)."""
    return str(scope.get("method", "GET"))


def _noting_close(receive: Receive, exchange: Exchange) -> Receive:
    async def noted() -> Message:
        message = await receive()
        if message["type"] == "websocket.disconnect" and exchange.close_code is None:
            exchange.close_code = message.get("code")
        return message

    return noted


def _report(scope: Scope, exchange: Exchange) -> None:
    principal = scope["state"].get("principal")
    say = log.debug if scope["path"] in QUIET else log.info
    is_socket = scope["type"] == "websocket"
    say(
        "http.socket" if is_socket else "http.request",
        **({"close_code": exchange.close_code} if is_socket else {}),
        method=_method(scope),
        route=route_of(scope),
        status=exchange.status,
        duration_ms=round(exchange.duration_s() * 1000, 1),
        body_bytes=exchange.body_bytes,
        principal=principal.id if principal else None,
    )
