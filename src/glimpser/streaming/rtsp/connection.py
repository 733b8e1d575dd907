"""One client's RTSP connection: requests in, responses out, and the one session it may hold.

A session lives and dies with its connection. Everything runs on the event loop's thread as a protocol
without tasks, so that an error here ends this connection and no other.
"""

import asyncio
import logging
import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final, cast

from glimpser.core.clock import Clock
from glimpser.streaming.rtsp.auth import Authenticator
from glimpser.streaming.rtsp.delivery import Delivery, InterleavedDelivery, UdpDelivery
from glimpser.streaming.rtsp.messages import (
    TRACK,
    InterleavedData,
    Malformed,
    MessageReader,
    Request,
    Url,
    format_response,
    parse_url,
)
from glimpser.streaming.rtsp.mount import Mount, Subscription
from glimpser.streaming.rtsp.sdp import describe
from glimpser.streaming.rtsp.transport import Lower, Offer, choose

_log = logging.getLogger(__name__)

_METHODS: Final = "OPTIONS, DESCRIBE, SETUP, PLAY, PAUSE, TEARDOWN, GET_PARAMETER, SET_PARAMETER"
_NEEDS_SESSION: Final = frozenset({"PLAY", "PAUSE", "TEARDOWN"})

Header = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one client, and all together, may cost."""

    max_connections: int = 64
    handshake_s: float = 15.0
    """From connecting, or from a TEARDOWN, to a SETUP."""
    session_timeout_s: int = 60
    """From one request (or interleaved RTCP message) to the next."""
    describe_wait_s: float = 8.0
    """How long a DESCRIBE waits for a mount's first key frame."""
    send_buffer_bytes: int = 1024 * 1024
    """Unsent bytes per connection beyond which pictures are dropped; one picture may exceed it."""
    kernel_send_buffer_bytes: int = 128 * 1024
    failed_logins: int = 5
    """Wrong credentials on one connection before it is closed."""


@dataclass(frozen=True, slots=True)
class Service:
    """What the connections of one server share; `mounts` and `connections` change under them."""

    mounts: Mapping[str, Mount]
    connections: set["Connection"]
    users: Mapping[str, str] | None
    realm: str
    accepted: Collection[Lower]
    limits: Limits
    clock: Clock


@dataclass(slots=True)
class _Session:
    name: str
    mount: Mount
    subscription: Subscription
    playing: bool = False

    def stop(self) -> None:
        self.playing = False
        self.mount.pause(self.subscription)


class Connection(asyncio.Protocol):
    """The server's side of one RTSP connection; a `Viewer` of the mount it asked for last."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._reader = MessageReader()
        self._authenticator = Authenticator(service.users, realm=service.realm)
        self._failed_logins = 0
        self._mount: Mount | None = None
        self._session: _Session | None = None
        self._describing: tuple[Request, Url] | None = None
        self._describe_until_s = 0.0
        self._expires_at_s = service.clock.monotonic() + service.limits.handshake_s
        self._writable = True
        self._reading = True

    # -- called by the event loop ---------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(high=self._service.limits.send_buffer_bytes)
        connections = self._service.connections
        connections.add(self)
        if len(connections) > self._service.limits.max_connections:
            _log.warning("rtsp connection refused: too many", extra={"open": len(connections) - 1})
            self._respond(503, None)
            self._transport.close()

    def data_received(self, data: bytes) -> None:
        self._reader.feed(data)
        self._process()

    def pause_writing(self) -> None:
        self._writable = False
        self._hold_reading()

    def resume_writing(self) -> None:
        self._writable = True
        self._process()
        self._hold_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        _log.debug("rtsp connection closed", extra={"peer": self._peer, "error": str(exc or "")})
        self._end_session()
        self._leave_mount()
        self._service.connections.discard(self)

    # -- called by the mount and the server -----------------------------------------------------------

    def mount_ready(self) -> None:
        if self._describing is not None:
            self._finish_describe(200)

    def mount_removed(self) -> None:
        if self._describing is not None:
            self._finish_describe(404)
        if self._session is not None:
            self.abort()
        else:
            self._leave_mount()

    def expire(self, now_s: float) -> None:
        """Give up on what has lasted too long, by the monotonic clock of the service."""
        if self._describing is not None and now_s >= self._describe_until_s:
            self._finish_describe(503)
        if now_s >= self._expires_at_s:
            _log.info("rtsp connection timed out", extra={"peer": self._peer})
            self.abort()

    def abort(self) -> None:
        """Close at once; what was not sent yet is lost."""
        self._transport.abort()

    # -- requests ---------------------------------------------------------------------------------------

    @property
    def _peer(self) -> str:
        return str(self._transport.get_extra_info("peername", ("?",))[0])

    @property
    def _busy(self) -> bool:
        return self._describing is not None or not self._writable

    def _hold_reading(self) -> None:
        """Read only while responses can be sent: a client who does not listen need not be heard."""
        wanted = not self._busy
        if self._transport.is_closing() or wanted == self._reading:
            return
        self._reading = wanted
        if wanted:
            self._transport.resume_reading()
        else:
            self._transport.pause_reading()

    def _process(self) -> None:
        while not self._busy and not self._transport.is_closing():
            message = self._reader.next_message()
            match message:
                case None:
                    break
                case Malformed():
                    self._respond(message.status, message.cseq)
                    self._transport.close()
                case InterleavedData():
                    self._touch()
                case Request():
                    self._touch()
                    self._answer(message)
        self._hold_reading()

    def _touch(self) -> None:
        """Keep the session alive; before there is one, the time for the handshake just runs out."""
        if self._session is not None:
            self._expires_at_s = self._service.clock.monotonic() + self._service.limits.session_timeout_s

    def _answer(self, request: Request) -> None:
        if request.method == "OPTIONS":
            return self._respond(200, request.cseq, ("Public", _METHODS))
        if not self._authenticator.permits(request):
            return self._refuse_login(request)
        url = parse_url(request.target)
        if url is None:
            return self._respond(400, request.cseq)
        mount = self._service.mounts.get(url.path)
        if mount is None:
            return self._respond(404, request.cseq)
        if not self._session_fits(request, mount):
            return self._respond(454, request.cseq)
        return self._dispatch(request, url, mount)

    def _dispatch(self, request: Request, url: Url, mount: Mount) -> None:
        match request.method:
            case "DESCRIBE":
                self._describe(request, url, mount)
            case "SETUP":
                self._set_up(request, mount)
            case "PLAY":
                self._play(request, url)
            case "PAUSE":
                self._pause(request)
            case "TEARDOWN":
                self._tear_down(request)
            case "GET_PARAMETER" | "SET_PARAMETER":
                self._respond(451 if request.body.strip() else 200, request.cseq, *self._session_header())
            case _:
                self._respond(501, request.cseq, ("Public", _METHODS))

    def _refuse_login(self, request: Request) -> None:
        if "authorization" in request.headers:
            self._failed_logins += 1
            _log.warning("rtsp login failed", extra={"peer": self._peer})
        self._respond(401, request.cseq, *self._authenticator.challenges())
        if self._failed_logins >= self._service.limits.failed_logins:
            self._transport.close()

    def _session_fits(self, request: Request, mount: Mount) -> bool:
        name = request.headers.get("session", "").partition(";")[0].strip()
        if not name:
            return request.method not in _NEEDS_SESSION
        session = self._session
        return (
            session is not None
            and secrets.compare_digest(name.encode(), session.name.encode())
            and (session.mount is mount)
        )

    def _describe(self, request: Request, url: Url, mount: Mount) -> None:
        if self._session is not None and self._session.mount is not mount:
            return self._respond(455, request.cseq)
        self._enter_mount(mount)
        self._describing = (request, url)
        if mount.parameter_sets is not None:
            return self._finish_describe(200)
        self._describe_until_s = self._service.clock.monotonic() + self._service.limits.describe_wait_s
        return None

    def _finish_describe(self, status: int) -> None:
        assert self._describing is not None
        (request, url), self._describing = self._describing, None
        if status == 200 and self._mount is not None and self._mount.parameter_sets is not None:
            headers = ("Content-Type", "application/sdp"), ("Content-Base", url.base)
            body = describe(self._mount.parameter_sets, name=self._mount.path)
            self._respond(200, request.cseq, *headers, body=body)
        else:
            self._respond(status, request.cseq)
            if self._session is None:
                self._leave_mount()
        asyncio.get_running_loop().call_soon(self._process)

    def _set_up(self, request: Request, mount: Mount) -> None:
        session = self._session
        if session is not None and (session.playing or session.mount is not mount):
            return self._respond(455, request.cseq)
        header = request.headers.get("transport")
        if header is None:
            return self._respond(400, request.cseq)
        offer = choose(header, self._service.accepted)
        if offer is None:
            return self._respond(461, request.cseq)
        self._end_session()
        try:
            delivery, answer = self._open_delivery(offer)
        except OSError as error:
            _log.warning("rtsp transport failed", extra={"peer": self._peer, "error": str(error)})
            return self._respond(503, request.cseq)
        self._enter_mount(mount)
        subscription = Subscription(delivery, clock=self._service.clock)
        self._session = _Session(secrets.token_hex(16), mount, subscription)
        self._touch()
        answer += f";ssrc={subscription.ssrc:08X}"
        return self._respond(200, request.cseq, *self._session_header(), ("Transport", answer))

    def _open_delivery(self, offer: Offer) -> tuple[Delivery, str]:
        if offer.lower is Lower.TCP:
            limit = self._service.limits.send_buffer_bytes
            interleaved = InterleavedDelivery(self._transport, offer, max_buffer_bytes=limit)
            return interleaved, f"RTP/AVP/TCP;unicast;interleaved={offer.rtp}-{offer.rtcp}"
        local = self._transport.get_extra_info("sockname")[0]
        datagrams = UdpDelivery(local, self._peer, offer)
        rtp, rtcp = datagrams.ports
        ports = f"client_port={offer.rtp}-{offer.rtcp};server_port={rtp}-{rtcp}"
        return datagrams, f"RTP/AVP;unicast;{ports}"

    def _play(self, request: Request, url: Url) -> None:
        session = self._session
        assert session is not None  # `_session_fits` has seen to it
        info = f"url={url.base}{TRACK};seq={session.subscription.next_sequence}"
        headers = *self._session_header(), ("Range", "npt=now-"), ("RTP-Info", info)
        self._respond(200, request.cseq, *headers)
        if not session.playing:
            session.playing = True
            session.mount.play(session.subscription)
            _log.info("rtsp playing", extra={"peer": self._peer, "mount": session.mount.path})

    def _pause(self, request: Request) -> None:
        assert self._session is not None
        self._session.stop()
        self._respond(200, request.cseq, *self._session_header())

    def _tear_down(self, request: Request) -> None:
        headers = self._session_header()
        self._end_session()
        self._leave_mount()
        self._respond(200, request.cseq, *headers)

    # -- state ------------------------------------------------------------------------------------------

    def _session_header(self) -> list[Header]:
        if self._session is None:
            return []
        return [("Session", f"{self._session.name};timeout={self._service.limits.session_timeout_s}")]

    def _enter_mount(self, mount: Mount) -> None:
        if self._mount is not mount:
            self._leave_mount()
            self._mount = mount
        mount.enter(self)

    def _leave_mount(self) -> None:
        if self._mount is not None:
            self._mount.leave(self)
            self._mount = None

    def _end_session(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            session.stop()
            session.subscription.delivery.close()
            self._expires_at_s = self._service.clock.monotonic() + self._service.limits.handshake_s

    def _respond(self, status: int, cseq: int | None, *headers: Header, body: bytes = b"") -> None:
        self._transport.write(format_response(status, cseq, headers, body=body))
