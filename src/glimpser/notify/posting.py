"""HTTP POST to addresses that people configure: each through the outbound gate, bounded in time and size."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from http.cookiejar import CookieJar, DefaultCookiePolicy
from urllib.parse import urljoin

import httpx2

from glimpser.core.errors import DeliveryFailed, Denied, InvalidInput, Rejected, Unavailable
from glimpser.egress.gate import Checked, Gate, Resolve, Target, parse_target, resolve_host

SCHEMES = ("http", "https")
MAX_REDIRECTS = 5
MAX_ANSWER_BYTES = 64 * 1024
_CONNECTIONS = 32
_RESOLVERS = 32
_BODY_WITHIN_S = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """A request to send. `own` are headers meant for the first origin alone: they may hold credentials."""

    url: str
    body: bytes
    headers: Mapping[str, str]
    own: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """`text` is as much of the body as came in time and within the bound."""

    status: int
    text: str
    retry_after: str | None


class Poster:
    """One for the whole process. Event loop's thread; names are resolved in threads of its own."""

    def __init__(
        self,
        gate: Gate,
        client: httpx2.AsyncClient,
        threads: ThreadPoolExecutor,
        *,
        resolve: Resolve = resolve_host,
        timeout_s: float = 10.0,
    ) -> None:
        self._gate = gate
        self._client = client
        self._threads = threads
        self._resolve = resolve
        self._timeout_s = timeout_s

    async def post(self, post: Post) -> Answer:
        """Send, following redirects that keep method and body (307, 308; RFC 9110, section 15.4).

        Raises:
            DeliveryFailed: nobody answered in time, or the network failed.
            Rejected: the address is closed to us, no URL, or has moved in a way that loses the message.
        """
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._follow(post)
        except TimeoutError:
            raise DeliveryFailed(f"The receiver did not answer within {self._timeout_s:g} s.") from None

    async def _follow(self, post: Post) -> Answer:
        for _ in range(MAX_REDIRECTS + 1):
            checked = await self._checked(post.url)
            answer, location = await self._exchange(checked, post)
            if not 300 <= answer.status < 400:
                return answer
            post = redirected(post, checked.target, answer.status, location)
        raise Rejected(f"The receiver redirected more than {MAX_REDIRECTS} times: enter its final address.")

    async def _checked(self, url: str) -> Checked:
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._threads, self._check, url)
        except (InvalidInput, Denied) as error:
            raise Rejected(error.detail) from error
        except Unavailable as error:
            raise DeliveryFailed(error.detail) from error

    def _check(self, url: str) -> Checked:
        return self._gate.check(url, schemes=SCHEMES, resolve=self._resolve)

    async def _exchange(self, checked: Checked, post: Post) -> tuple[Answer, str | None]:
        """Talk to the checked address in the name of the host: its Host header, its certificate."""
        try:
            response = await self._client.send(self._request(checked, post), stream=True)
        except (httpx2.HTTPError, httpx2.InvalidURL, ssl.SSLError, OSError) as error:
            name = _authority(checked.target)
            raise DeliveryFailed(f"{name} cannot be reached: {_reason(error)}.") from error
        try:
            answer = Answer(
                status=response.status_code,
                text=await _read(response),
                retry_after=response.headers.get("Retry-After"),
            )
            return answer, response.headers.get("Location")
        finally:
            await response.aclose()

    def _request(self, checked: Checked, post: Post) -> httpx2.Request:
        headers = {**post.own, **post.headers, "Host": _authority(checked.target), "Connection": "close"}
        return self._client.build_request(
            "POST",
            checked.pinned_url,
            content=post.body,
            headers=headers,
            extensions={"sni_hostname": checked.target.host.rstrip(".")},
        )


@asynccontextmanager
async def open_poster(
    gate: Gate, *, tls: ssl.SSLContext | None = None, resolve: Resolve = resolve_host, timeout_s: float = 10.0
) -> AsyncIterator[Poster]:
    """Open the one poster of a process; `tls` says whose certificates are trusted (None: the system's).

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
            yield Poster(gate, client, threads, resolve=resolve, timeout_s=timeout_s)
    finally:
        threads.shutdown(wait=False, cancel_futures=True)


def redirected(post: Post, came_from: Target, status: int, location: str | None) -> Post:
    """Give the request to follow a redirect with.

    301, 302 and 303 are not followed: clients make a GET of the POST there, which would lose the message
    while looking like success. What was meant for one origin is not sent to another, and nothing that was
    encrypted goes on in the clear.

    Raises:
        Rejected: it cannot be followed.
    """
    if status not in (307, 308) or not location:
        raise Rejected(
            f"The receiver answered HTTP {status}, which does not keep the message:"
            " enter the address it has moved to (only 307 and 308 are followed)."
        )
    try:
        target = parse_target(urljoin(_without_userinfo(came_from), location), SCHEMES)
    except (InvalidInput, ValueError) as error:
        raise Rejected("The receiver redirects to something that is no web address.") from error
    if came_from.scheme == "https" and target.scheme != "https":
        raise Rejected("The receiver redirects from https to http: enter an address that stays encrypted.")
    same = (target.scheme, target.host, target.effective_port) == (
        came_from.scheme,
        came_from.host,
        came_from.effective_port,
    )
    if not same:
        return replace(post, url=target.url(), own={})
    kept = target if target.userinfo is not None else replace(target, userinfo=came_from.userinfo)
    return replace(post, url=kept.url())


def _without_userinfo(target: Target) -> str:
    return replace(target, userinfo=None).url()


def _authority(target: Target) -> str:
    """Write the Host header (RFC 9110, section 7.2), which is also how messages name the receiver."""
    host = f"[{target.host}]" if ":" in target.host else target.host
    return host if target.port is None else f"{host}:{target.port}"


async def _read(response: httpx2.Response) -> str:
    """Read what comes soon; the status has decided already, so that a slow or broken body changes nothing."""
    read = bytearray()
    try:
        async with asyncio.timeout(_BODY_WITHIN_S):
            async for piece in response.aiter_raw():
                read += piece
                if len(read) >= MAX_ANSWER_BYTES:
                    break
    except (httpx2.HTTPError, TimeoutError):
        pass
    return read[:MAX_ANSWER_BYTES].decode("utf-8", "replace")


def _reason(error: Exception) -> str:
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
