"""HTTP to an address that the gate has checked, in the name of its host: what fetching and posting share."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import replace
from http.cookiejar import CookieJar, DefaultCookiePolicy
from urllib.parse import urljoin

import httpx2

from glimpser.core.errors import InvalidInput
from glimpser.egress.gate import Checked, Gate, Resolve, Target, parse_target, resolve_host

SCHEMES = ("http", "https")
MAX_REDIRECTS = 5
_CONNECTIONS = 32
_RESOLVERS = 32

FAILURES = (httpx2.HTTPError, httpx2.InvalidURL, ssl.SSLError, OSError)
"""What a request raises when the network or the other side fails; `reason_of` puts it into words."""


class PinnedClient:
    """One for the whole process. Event loop's thread; names are resolved in threads of its own."""

    def __init__(
        self,
        gate: Gate,
        client: httpx2.AsyncClient,
        threads: ThreadPoolExecutor,
        *,
        resolve: Resolve = resolve_host,
    ) -> None:
        self._gate = gate
        self._client = client
        self._threads = threads
        self._resolve = resolve

    async def check(self, url: str) -> Checked:
        """Have the gate look at a URL. Raises as `Gate.check`."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._check, url)

    def _check(self, url: str) -> Checked:
        return self._gate.check(url, schemes=SCHEMES, resolve=self._resolve)

    @asynccontextmanager
    async def exchange(
        self,
        method: str,
        checked: Checked,
        *,
        headers: Mapping[str, str],
        body: bytes | None = None,
        auth: httpx2.Auth | None = None,
    ) -> AsyncIterator[httpx2.Response]:
        """Send to the checked address, with the Host header and for the certificate of the host.

        The body of the answer is left to be read. `auth` None: the credentials of the URL are sent, if it
        has any. Raises: one of `FAILURES`.
        """
        request = self._client.build_request(
            method,
            checked.pinned_url,
            content=body,
            headers={**headers, "Host": authority_of(checked.target), "Connection": "close"},
            extensions={"sni_hostname": checked.target.host.rstrip(".")},
        )
        if auth is None:
            response = await self._client.send(request, stream=True)
        else:
            response = await self._client.send(request, stream=True, auth=auth)
        try:
            yield response
        finally:
            await response.aclose()


@asynccontextmanager
async def open_client(
    gate: Gate, *, tls: ssl.SSLContext | None = None, resolve: Resolve = resolve_host, timeout_s: float = 10.0
) -> AsyncIterator[PinnedClient]:
    """Open a client; `tls` says whose certificates are trusted (None: the system's).

    No connection is used twice: it was opened to an address, and another host may live there.
    """
    limits = httpx2.Limits(max_connections=_CONNECTIONS, max_keepalive_connections=0)
    threads = ThreadPoolExecutor(_RESOLVERS, thread_name_prefix="resolve")
    try:
        async with httpx2.AsyncClient(
            verify=tls or ssl.create_default_context(),
            trust_env=False,
            follow_redirects=False,
            timeout=timeout_s,
            limits=limits,
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),  # none is kept or sent
        ) as client:
            client.headers.clear()
            yield PinnedClient(gate, client, threads, resolve=resolve)
    finally:
        threads.shutdown(wait=False, cancel_futures=True)


def redirect_target(came_from: Target, location: str) -> Target:
    """Say where a redirect leads (RFC 9110, section 10.2.2); it is for the gate to check that.

    Nothing that was encrypted goes on in the clear. Credentials go along within one origin alone.

    Raises:
        InvalidInput: it leads nowhere that may be followed.
    """
    try:
        target = parse_target(urljoin(replace(came_from, userinfo=None).url(), location), SCHEMES)
    except (InvalidInput, ValueError) as error:
        raise InvalidInput("It redirects to something that is no web address.") from error
    if came_from.scheme == "https" and target.scheme != "https":
        raise InvalidInput("It redirects from https to http: enter an address that stays encrypted.")
    if target.userinfo is None and is_same_origin(target, came_from):
        return replace(target, userinfo=came_from.userinfo)
    return target


def is_same_origin(one: Target, other: Target) -> bool:
    """Tell whether two URLs have one origin (RFC 6454, section 5)."""
    return (one.scheme, one.host, one.effective_port) == (other.scheme, other.host, other.effective_port)


def authority_of(target: Target) -> str:
    """Write the Host header (RFC 9110, section 7.2), which is also how messages name the other side."""
    host = f"[{target.host}]" if ":" in target.host else target.host
    return host if target.port is None else f"{host}:{target.port}"


def reason_of(error: Exception) -> str:
    """Say what kind of failure it was. Its text could hold the URL."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"its certificate is not trusted ({cause.verify_message})"
        if isinstance(cause, ConnectionRefusedError):
            return "the connection was refused"
        cause = cause.__cause__ or cause.__context__
    match error:
        case httpx2.TimeoutException():
            return "it did not answer in time"
        case httpx2.ConnectError():
            return "no connection could be made"
        case httpx2.RemoteProtocolError():
            return "it did not answer in HTTP"
        case _:
            return f"the connection broke ({type(error).__name__})"
