"""One row of the route table, and the answers that follow from it."""

from collections.abc import Callable, Coroutine, Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from fastapi.params import Depends as Dependency
from starlette.responses import Response

from glimpser.web.security import Access, GuardedRoute

Endpoint = Callable[..., Coroutine[Any, Any, Response]]
Description = dict[str, Any]

BYTES = {"type": "string", "format": "binary"}

HEADERS: Mapping[str, Description] = {
    "ETag": {
        "description": "The entity tag of this answer, for `If-None-Match`; that of something with a "
        "`version` is strong and good for `If-Match`.",
        "schema": {"type": "string", "pattern": r'^(W/)?"[!#-~]*"$'},
    },
    "Location": {"description": "The address of what was made.", "schema": {"type": "string"}},
    "Retry-After": {
        "description": "Try again after so many seconds.",
        "schema": {"type": "string", "pattern": r"^\d+$"},
    },
    "WWW-Authenticate": {"description": "How to say who one is.", "schema": {"type": "string"}},
    "Content-Range": {
        "description": "Which bytes of how many these are (RFC 9110, section 14.4).",
        "schema": {"type": "string"},
    },
    "Accept-Ranges": {"description": "`bytes`", "schema": {"type": "string"}},
    "Content-Disposition": {
        "description": "Whether browsers show or store it, and under which name.",
        "schema": {"type": "string"},
    },
    "X-Captured-At": {
        "description": "When the picture was taken.",
        "schema": {"type": "string", "format": "date-time"},
    },
    "X-Frame-Age": {
        "description": "How old the picture is, in seconds.",
        "schema": {"type": "string", "pattern": r"^\d+\.\d{3}$"},
    },
    "Set-Cookie": {"description": "The session, for browsers.", "schema": {"type": "string"}},
}
"""Every header that an answer is described to carry, and then always does."""

USUAL_HEADERS: Mapping[int, tuple[str, ...]] = {
    206: ("Content-Range",),
    304: ("ETag",),
    401: ("WWW-Authenticate",),
    416: ("Content-Range",),
    429: ("Retry-After",),
    503: ("Retry-After",),
}
"""Headers that a status carries on whichever route."""


@dataclass(frozen=True, slots=True)
class Row:
    """One route. `answer` is a model or a tuple of media types; `others` are statuses beside the usual ones.

    `alike` are statuses that answer in the shape of success. `headers` are those of success, beside the
    `ETag` that everything has that is read as JSON. `of` is the class of a route that is no part of the
    description. `max_body_bytes` is for one that takes larger bodies than others; `takes` are the media types
    of a body that is no JSON.
    """

    method: str
    path: str
    access: Dependency
    endpoint: Endpoint
    answer: Any = None
    status: int = 200
    others: tuple[int, ...] = ()
    alike: tuple[int, ...] = ()
    headers: tuple[str, ...] = ()
    of: type[GuardedRoute] | None = None
    max_body_bytes: int | None = None
    takes: tuple[str, ...] = ()

    @property
    def media_types(self) -> tuple[str, ...]:
        """What the answer is where it is no JSON."""
        return self.answer if isinstance(self.answer, tuple) else ()

    @property
    def is_json(self) -> bool:
        return self.answer is not None and not self.media_types

    @property
    def is_read(self) -> bool:
        """Whether the answer is JSON that a client may know already."""
        return self.method == "GET" and self.is_json


def responses_of(row: Row) -> dict[int | str, Description]:
    """Describe what a route answers: what it says itself, and what follows from its access and method."""
    return {status: _response(row, status) for status in sorted(set(_statuses(row)))}


def _statuses(row: Row) -> Iterator[int]:
    access = row.access.dependency
    assert isinstance(access, Access)
    yield from (row.status, *row.others, *row.alike, 400, 414, 431)
    if access.role is not None:
        yield from (401, 403)
    if access.counted:
        yield 429
    if row.is_read:
        yield 304
    if row.method not in ("GET", "DELETE"):
        yield from (408, 413, 415)


def _response(row: Row, status: int) -> Description:
    described: Description = {"description": HTTPStatus(status).phrase}
    names = _headers(row, status)
    if names:
        described["headers"] = {name: {"$ref": f"#/components/headers/{name}"} for name in names}
    if row.media_types and status in (row.status, 206):
        described["content"] = {name: {"schema": BYTES} for name in row.media_types}
    if status in row.alike:
        described["model"] = row.answer
    return described


def _headers(row: Row, status: int) -> tuple[str, ...]:
    if status in row.alike:
        return ()
    usual = USUAL_HEADERS.get(status, ())
    if status not in (row.status, 206):
        return usual
    return (*(("ETag",) if row.is_read else ()), *row.headers, *usual)
