"""HTTP POST to addresses that people configure: each through the outbound gate, bounded in time and size."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import httpx2

from glimpser.core.errors import DeliveryFailed, Denied, InvalidInput, Rejected, Unavailable
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

__all__ = ["MAX_REDIRECTS", "SCHEMES", "Answer", "Post", "Poster", "open_poster", "redirected"]

MAX_ANSWER_BYTES = 64 * 1024
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
    """One for the whole process. Event loop's thread."""

    def __init__(self, client: PinnedClient, *, timeout_s: float = 10.0) -> None:
        self._client = client
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
        try:
            return await self._client.check(url)
        except (InvalidInput, Denied) as error:
            raise Rejected(error.detail) from error
        except Unavailable as error:
            raise DeliveryFailed(error.detail) from error

    async def _exchange(self, checked: Checked, post: Post) -> tuple[Answer, str | None]:
        headers = {**post.own, **post.headers}
        try:
            async with self._client.exchange("POST", checked, headers=headers, body=post.body) as response:
                text, known = await _read(response), response.headers
                return Answer(
                    status=response.status_code, text=text, retry_after=known.get("Retry-After")
                ), known.get("Location")
        except FAILURES as error:
            name = authority_of(checked.target)
            raise DeliveryFailed(f"{name} cannot be reached: {reason_of(error)}.") from error


@asynccontextmanager
async def open_poster(
    gate: Gate, *, tls: ssl.SSLContext | None = None, resolve: Resolve = resolve_host, timeout_s: float = 10.0
) -> AsyncIterator[Poster]:
    """Open the one poster of a process; the rest as `open_client`."""
    async with open_client(gate, tls=tls, resolve=resolve, timeout_s=timeout_s) as client:
        yield Poster(client, timeout_s=timeout_s)


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
        target = redirect_target(came_from, location)
    except InvalidInput as error:
        raise Rejected(f"The receiver cannot be followed. {error.detail}") from error
    own = post.own if is_same_origin(target, came_from) else {}
    return replace(post, url=target.url(), own=own)


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
