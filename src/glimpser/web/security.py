"""Who makes a request, and whether they may: no route exists without an answer to that."""

from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import Depends, FastAPI
from fastapi.params import Depends as Dependency
from fastapi.routing import APIRoute
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.routing import Match, WebSocketRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket

from glimpser.core.accounts import Principal, Role
from glimpser.core.errors import Denied, Unauthenticated
from glimpser.services.accounts import Accounts, Session
from glimpser.web.json_body import StrictRequest, require_json
from glimpser.web.revalidation import unless_known
from glimpser.web.solving import call_of
from glimpser.web.wiring import Services, WebSettings

SESSION_COOKIE = "glimpser_session"
API_KEY_HEADER = "x-api-key"
SAFE_METHODS = frozenset(("GET", "HEAD", "OPTIONS"))
SAME_ORIGIN = frozenset(("same-origin", "none"))
"""Values of Sec-Fetch-Site (Fetch Metadata) for the page itself and for what a person typed."""
DEFAULT_PORTS: Mapping[str, str] = {"http": ":80", "https": ":443"}

HEADERS: Mapping[str, str] = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
}
"""Set on every answer that does not set its own."""
STRICT: Mapping[str, str] = {"Strict-Transport-Security": "max-age=31536000"}


def _fields(headers: Mapping[str, str]) -> Sequence[tuple[bytes, bytes]]:
    """Write headers as ASGI has them."""
    return [(name.lower().encode(), value.encode()) for name, value in headers.items()]


_FIELDS = _fields(HEADERS)
_STRICT_FIELDS = _fields({**HEADERS, **STRICT})


@dataclass(frozen=True, slots=True)
class Access:
    """Who may use a route; no role: everybody. Declares it as a dependency and decides it too.

    With `or_ticket`, who brings a valid ticket for the path (`?ticket=`) needs no identity. What is not
    `counted` has no rate limit: machines ask it whether the program is well.
    """

    role: Role | None
    or_ticket: bool = False
    counted: bool = True

    async def __call__(self) -> None:
        """Nothing is left to do: the route has asked `admit` before it read the body."""

    async def admit(self, request: Request) -> None:
        """Let the request in, and name its principal in `request.state`.

        Raises:
            Unauthenticated: it needs an identity and has none that is valid.
            Denied: the role does not suffice, or another site's page sent it.
            TooMany: there were too many requests.
        """
        if self.role is None:
            if self.counted:
                _count_address(request)
            refuse_other_sites(request, must_tell=False)
            return
        if self.or_ticket and await _comes_by_ticket(request):
            _count_address(request)
            return
        principal, by_cookie = await _identify(request)
        if by_cookie:
            refuse_other_sites(request, must_tell=True)
        _require(self.role, principal)

    async def admit_socket(self, socket: WebSocket) -> None:
        """Let a WebSocket in, before its handshake is answered; needs a role.

        Browsers let a page of any site open one and send their cookies along, but say in Origin whose page
        it is (RFC 6455, section 10.2); no Sec-Fetch-Site is needed for that.

        Raises:
            Unauthenticated, Denied, TooMany: as `admit`.
        """
        assert self.role is not None
        principal, by_cookie = await _identify(socket)
        if by_cookie and not _is_own_origin(socket.headers.get("origin", ""), socket):
            raise Denied("A socket with the session cookie must come from this site's own pages.")
        _require(self.role, principal)


PUBLIC: Dependency = Depends(Access(None))
"""Marks a route that everybody may use."""
UNCOUNTED: Dependency = Depends(Access(None, counted=False))
"""Marks one that everybody may use as often as they like."""


def require(role: Role, *, or_ticket: bool = False) -> Dependency:
    """Mark a route that needs this role or a higher one, or else a ticket for its path."""
    dependency: Dependency = Depends(Access(role, or_ticket))
    return dependency


class GuardedRoute(APIRoute):
    """A route that says who may use it, and asks before it reads the body. What a client knows already it
    does not send again.

    Raises:
        TypeError: on making one without exactly one declaration.
    """

    def __init__(
        self, path: str, endpoint: Callable[..., Any], *, dependencies: Sequence[Dependency] = (), **rest: Any
    ) -> None:
        declared = [item.dependency for item in dependencies if isinstance(item.dependency, Access)]
        if len(declared) != 1:
            msg = f"{path}: say who may use this route, by require(role) or PUBLIC"
            raise TypeError(msg)
        self.access = declared[0]
        self._beginning = path.partition("{")[0]
        super().__init__(path, endpoint, dependencies=dependencies, **rest)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        if not scope["path"].startswith(self._beginning):
            return Match.NONE, {}  # as its pattern would find; a request asks dozens of routes
        return super().matches(scope)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        # Only a declaration: solving it for each request would cost and do nothing.
        self.dependant.dependencies = [
            item for item in self.dependant.dependencies if not isinstance(item.call, Access)
        ]
        access, takes_body = self.access, self.body_field is not None
        call = None if takes_body else call_of(self.dependant)
        serve = super().get_route_handler() if call is None else call.answer

        async def guarded(request: Request) -> Response:
            await access.admit(request)
            if takes_body:
                require_json(request)
            return unless_known(request, await serve(StrictRequest(request.scope, request.receive)))

        return guarded


class GuardedSocket(WebSocketRoute):
    """A WebSocket route that says who may use it, and asks before it answers the handshake.

    Raises:
        TypeError: on making one without a role.
    """

    def __init__(
        self, path: str, endpoint: Callable[[WebSocket], Coroutine[Any, Any, None]], *, access: Dependency
    ) -> None:
        declared = access.dependency
        if not isinstance(declared, Access) or declared.role is None:
            msg = f"{path}: say which role may use this socket, by require(role)"
            raise TypeError(msg)
        self.access = declared

        async def guarded(socket: WebSocket) -> None:
            await declared.admit_socket(socket)
            await endpoint(socket)

        super().__init__(path, guarded, name=endpoint.__name__)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        match, child_scope = super().matches(scope)
        if match is not Match.NONE:
            child_scope["route"] = self
        return match, child_scope


def refuse_undeclared(app: FastAPI) -> None:
    """Stop the start if a route stands outside the guard.

    Raises:
        TypeError: there is one.
    """
    for route in app.routes:
        if not isinstance(route, GuardedRoute | GuardedSocket):
            msg = f"{getattr(route, 'path', route)!r} is not a guarded route"
            raise TypeError(msg)


def refuse_other_sites(request: Request, *, must_tell: bool) -> None:
    """Refuse a write that a page of another site made the browser send (cross-site request forgery).

    A browser says where a request comes from in Sec-Fetch-Site, over plain http in Origin. With
    `must_tell`, a request without either is refused too.

    Raises:
        Denied: it comes from elsewhere, or does not say.
    """
    if request.method in SAFE_METHODS:
        return
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is not None:
        allowed = site in SAME_ORIGIN
    elif origin is not None:
        allowed = _is_own_origin(origin, request)
    else:
        allowed = not must_tell
    if not allowed:
        raise Denied(
            "A write with the session cookie must come from this site's own pages; use a bearer token."
        )


def set_session(response: Response, session: Session, *, request: Request) -> None:
    """Put a session into the cookie that only this site's pages send and no script reads."""
    response.set_cookie(
        SESSION_COOKIE,
        session.token,
        max_age=session.lifetime_s,
        path="/",
        secure=_is_secure(request),
        httponly=True,
        samesite="strict",
    )


def clear_session(response: Response, *, request: Request) -> None:
    response.delete_cookie(
        SESSION_COOKIE, path="/", secure=_is_secure(request), httponly=True, samesite="strict"
    )


class SecurityHeaders:
    """Gives every answer the headers of `HEADERS` that it does not set itself; with `https_only`, those that
    leave by HTTPS have browsers use nothing else from then on (HSTS, RFC 6797).
    """

    def __init__(self, app: ASGIApp, *, https_only: bool = False) -> None:
        self._app = app
        self._https_only = https_only

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        is_strict = self._https_only and scope["scheme"] in ("https", "wss")
        added = _STRICT_FIELDS if is_strict else _FIELDS

        async def with_headers(message: Message) -> None:
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                own = message.get("headers", ())
                names = {name.lower() for name, _ in own}
                message["headers"] = [*own, *(field for field in added if field[0] not in names)]
            await send(message)

        await self._app(scope, receive, with_headers)


async def _identify(connection: HTTPConnection) -> tuple[Principal, bool]:
    """Find out who it is, note that in the connection's state, and tell whether the cookie said so.

    A bearer token goes before an API key, and that before the cookie. Whoever is not let in counts as an
    address, whoever is counts by name: so a stranger at the same address takes nothing away from them.

    Raises:
        Unauthenticated: nothing says who it is, or what does is not valid.
        TooMany: there were too many requests.
    """
    services: Services = connection.app.state.services
    try:
        principal, by_cookie = await _authenticate(connection, services.accounts)
    except Unauthenticated:
        _count_address(connection)
        raise
    connection.state.principal = principal
    connection.state.is_counted = True
    services.rates.count_principal(principal.id, is_write=_is_write(connection))
    return principal, by_cookie


async def _authenticate(connection: HTTPConnection, accounts: Accounts) -> tuple[Principal, bool]:
    token, key = _bearer_token(connection), connection.headers.get(API_KEY_HEADER)
    cookie = connection.cookies.get(SESSION_COOKIE)
    if token is not None:
        return await accounts.authenticate(token), False
    if key is not None:
        return await accounts.authenticate_key(key.strip()), False
    if cookie:
        return await accounts.authenticate(cookie), True
    raise Unauthenticated("Sign in first: send a bearer token, an API key or the session cookie.")


def count_unrouted(request: Request) -> None:
    """Count a request that no route has taken, unless it was counted: guessing addresses is not free.

    Raises:
        TooMany: there were too many.
    """
    if not getattr(request.state, "is_counted", False):
        _count_address(request)


def _count_address(connection: HTTPConnection) -> None:
    services: Services = connection.app.state.services
    connection.state.is_counted = True
    services.rates.count_address(connection.state.client_ip, is_write=_is_write(connection))


def _is_write(connection: HTTPConnection) -> bool:
    return connection.scope.get("method", "GET") not in SAFE_METHODS


async def principal_of(connection: HTTPConnection) -> Principal | None:
    """Tell who it is, for a route that everybody may use; None without a valid identity."""
    try:
        principal, _ = await _identify(connection)
    except Unauthenticated:
        return None
    return principal


def _require(role: Role, principal: Principal) -> None:
    if principal.role < role:
        raise Denied(f"This needs the role {role.label}; yours is {principal.role.label}.")


def _bearer_token(connection: HTTPConnection) -> str | None:
    scheme, _, credentials = connection.headers.get("authorization", "").partition(" ")
    return credentials.strip() if scheme.lower() == "bearer" else None


async def _comes_by_ticket(request: Request) -> bool:
    """Tell whether a ticket opens the path, and note in the request's state with whose rights."""
    services: Services = request.app.state.services
    text = request.query_params.get("ticket")
    if text is None:
        return False
    path = request.scope["path"]  # as it was routed: a URL is put together of the Host that was sent, too
    if services.tickets.check(path, text):
        request.state.by_ticket = True
        return True
    holder = await services.stream_tickets.holder(path, text)
    if holder is None:
        return False
    request.state.principal, request.state.stream_ticket = holder.principal, holder.ticket
    return True


def _is_own_origin(origin: str, request: HTTPConnection) -> bool:
    settings: WebSettings = request.app.state.settings
    if origin.lower() == settings.public_origin:
        return True
    scheme, _, authority = origin.lower().partition("://")
    default_port = DEFAULT_PORTS.get(scheme)
    if default_port is None or not authority:
        return False
    host = request.headers.get("host", "").lower()
    return authority.removesuffix(default_port) == host.removesuffix(default_port)


def _is_secure(request: Request) -> bool:
    settings: WebSettings = request.app.state.settings
    public = settings.public_origin or ""
    return request.scope["scheme"] == "https" or public.startswith("https://")
