"""HTTP GET of addresses that people configure: each hop through the gate, bounded in time and size."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Generator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace

import httpx2

from glimpser.core.errors import Denied, InvalidInput, Unavailable
from glimpser.egress.gate import Checked, Gate, Resolve, Target, resolve_host
from glimpser.egress.pinned import (
    FAILURES,
    MAX_REDIRECTS,
    SCHEMES,
    PinnedClient,
    authority_of,
    is_same_origin,
    open_client,
    reason_of,
    redirect_target,
)
from glimpser.egress.target import parse_target

TIMEOUT_S = 20.0
MAX_BYTES = 32 * 1024 * 1024
_REDIRECTS = (301, 302, 303, 307, 308)
_CLOSED_RETRY_S = 60
_HEAD_WITHIN_S = 2.0


class Credentials(httpx2.Auth):
    """A user name and a password, given only when asked for, and in the way they are asked for.

    Digest (RFC 7616) goes before Basic (RFC 7617), which shows the password to whoever listens. Keep one for
    each view: it remembers the way and the challenge, which spares later requests a round trip.
    """

    def __init__(self, username: str, password: str) -> None:
        self._username = username
        self._password = password
        self._way: httpx2.Auth | None = None

    def auth_flow(self, request: httpx2.Request) -> Generator[httpx2.Request, httpx2.Response, None]:
        if self._way is None:
            self._way = self._asked_for((yield request))
        if self._way is not None:
            yield from self._way.auth_flow(request)

    def forget(self) -> None:
        """Wait to be asked again: what was known led to a refusal."""
        self._way = None

    def _asked_for(self, response: httpx2.Response) -> httpx2.Auth | None:
        if response.status_code != 401:
            return None
        challenges = response.headers.get_list("www-authenticate")
        schemes = {challenge.partition(" ")[0].lower() for challenge in challenges}
        if "digest" in schemes:
            return httpx2.DigestAuth(self._username, self._password)
        return httpx2.BasicAuth(self._username, self._password) if "basic" in schemes else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetch:
    """What to get. `credentials` are for the first origin alone; those in the URL are not used.

    `only_head` reads the first `max_bytes` and leaves the rest, whatever it is and however long it goes on.
    """

    url: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict)
    credentials: Credentials | None = None
    max_bytes: int = MAX_BYTES
    only_head: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """The answer at the end of all redirects. The body is whole; it is read for status 200 alone.

    `authority` is the host, and the port if it is written, that answered.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    authority: str


class Fetcher:
    """One for the whole process. Event loop's thread."""

    def __init__(self, client: PinnedClient, *, agent: str, timeout_s: float = TIMEOUT_S) -> None:
        self._client = client
        self._agent = agent
        self._timeout_s = timeout_s

    async def get(self, fetch: Fetch) -> Fetched:
        """Get it, following redirects.

        Raises:
            InvalidInput: this is no URL that may be used.
            Denied: the address is closed to us; the sentence names the setting that would open it.
            Unavailable: it cannot be had now; the sentence says why, without the URL.
        """
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._follow(fetch, parse_target(fetch.url, SCHEMES))
        except TimeoutError:
            raise Unavailable(f"It did not answer in full within {self._timeout_s:g} s.") from None

    async def _follow(self, fetch: Fetch, first: Target) -> Fetched:
        target = replace(first, userinfo=None)
        for hop in range(MAX_REDIRECTS + 1):
            checked = await self._checked(target, is_first=hop == 0)
            own = fetch if is_same_origin(target, first) else replace(fetch, credentials=None)
            answer = await self._exchange(checked, own)
            location = answer.headers.get("location")
            if answer.status not in _REDIRECTS or not location:
                return answer
            target = _redirected(target, location)
        raise Unavailable(f"It redirects more than {MAX_REDIRECTS} times: enter its final address.")

    async def _checked(self, target: Target, *, is_first: bool) -> Checked:
        """Have one hop checked. What another server or a name server says may be different tomorrow."""
        try:
            return await self._client.check(target.url())
        except Denied as error:
            if is_first and target.address is not None:
                raise
            how = "" if is_first else "It redirects to an address that is closed. "
            raise Unavailable(f"{how}{error.detail}", _CLOSED_RETRY_S) from error

    async def _exchange(self, checked: Checked, fetch: Fetch) -> Fetched:
        headers = {
            "User-Agent": self._agent,
            "Accept": "*/*",
            "Accept-Encoding": "identity",  # nothing is to grow on arrival
            **fetch.headers,
        }
        name = authority_of(checked.target)
        try:
            async with self._client.exchange(
                "GET", checked, headers=headers, auth=fetch.credentials
            ) as response:
                read = _read_head if fetch.only_head else _read
                body = await read(response, fetch.max_bytes) if response.status_code == 200 else b""
                known = {key.lower(): value for key, value in response.headers.items()}
                if response.status_code == 401 and fetch.credentials:
                    fetch.credentials.forget()
                return Fetched(status=response.status_code, headers=known, body=body, authority=name)
        except FAILURES as error:
            raise Unavailable(f"{name} cannot be reached: {reason_of(error)}.") from error
        except (ValueError, NotImplementedError) as error:
            raise Unavailable(f"{name} asks for a password in a way that is not understood.") from error


@asynccontextmanager
async def open_fetcher(
    gate: Gate,
    *,
    agent: str,
    tls: ssl.SSLContext | None = None,
    resolve: Resolve = resolve_host,
    timeout_s: float = TIMEOUT_S,
) -> AsyncIterator[Fetcher]:
    """Open the one fetcher of a process; `agent` is what it calls itself, the rest as `open_client`."""
    async with open_client(gate, tls=tls, resolve=resolve, timeout_s=timeout_s) as client:
        yield Fetcher(client, agent=agent, timeout_s=timeout_s)


def _redirected(came_from: Target, location: str) -> Target:
    try:
        return replace(redirect_target(came_from, location), userinfo=None)
    except InvalidInput as error:
        raise Unavailable(error.detail, _CLOSED_RETRY_S) from error


async def _read(response: httpx2.Response, max_bytes: int) -> bytes:
    """Read a whole body. Raises: Unavailable, and `FAILURES` for one that is cut off."""
    media_type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if media_type.startswith("multipart/"):
        raise Unavailable(f"It answers with a stream without an end ({media_type}): add it as a camera.", 60)
    if response.headers.get("Content-Encoding", "identity").strip().lower() not in ("", "identity"):
        raise Unavailable("It answers compressed although it was asked not to.", 60)
    too_large = Unavailable(f"It answers with more than {max_bytes / 1e6:.0f} MB.", 60)
    declared = response.headers.get("Content-Length", "")
    if declared.isascii() and declared.isdigit() and int(declared[:20]) > max_bytes:
        raise too_large
    body = bytearray()
    async for piece in response.aiter_raw():
        body += piece
        if len(body) > max_bytes:
            raise too_large
    return bytes(body)


async def _read_head(response: httpx2.Response, max_bytes: int) -> bytes:
    """Read the beginning of a body. A stream without an end may give its first bytes late or never."""
    head = bytearray()
    with suppress(TimeoutError):
        async with asyncio.timeout(_HEAD_WITHIN_S):
            async for piece in response.aiter_raw():
                head += piece
                if len(head) >= max_bytes:
                    break
    return bytes(head[:max_bytes])
