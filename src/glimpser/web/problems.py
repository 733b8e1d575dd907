"""Errors become `application/problem+json` (RFC 9457). The only table of status codes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import msgspec
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.types import Scope

from glimpser.core import errors
from glimpser.core.errors import FieldError, GlimpserError

MEDIA_TYPE = "application/problem+json"

STATUSES: Mapping[type[GlimpserError], HTTPStatus] = {
    errors.InvalidInput: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.Precondition: HTTPStatus.PRECONDITION_REQUIRED,
    errors.NotFound: HTTPStatus.NOT_FOUND,
    errors.Conflict: HTTPStatus.CONFLICT,
    errors.Stale: HTTPStatus.PRECONDITION_FAILED,
    errors.Denied: HTTPStatus.FORBIDDEN,
    errors.Unauthenticated: HTTPStatus.UNAUTHORIZED,
    errors.TooMany: HTTPStatus.TOO_MANY_REQUESTS,
    errors.Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.Rejected: HTTPStatus.BAD_GATEWAY,
    errors.Misconfigured: HTTPStatus.INTERNAL_SERVER_ERROR,
    GlimpserError: HTTPStatus.INTERNAL_SERVER_ERROR,
}

DETAILS: Mapping[int, str] = {
    HTTPStatus.NOT_FOUND: "There is nothing at this address.",
    HTTPStatus.METHOD_NOT_ALLOWED: "This address does not take this method; `Allow` names those it takes.",
    HTTPStatus.REQUEST_TIMEOUT: "The body did not come in time.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "The body is larger than this server takes.",
    HTTPStatus.INTERNAL_SERVER_ERROR: "The program failed. Its log tells more under this request id.",
}
"""Sentences for what the framework refuses by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldProblem:
    """What is wrong with one field; `pointer` is a JSON Pointer (RFC 6901) or the parameter's name."""

    pointer: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A refusal or failure (RFC 9457). `detail` says who must do what."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    request_id: str
    errors: Sequence[FieldProblem] = field(default=())


def problem(
    scope: Scope,
    status: int,
    *,
    detail: str,
    fields: Sequence[FieldError] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Make the answer for a refused or failed request."""
    known = HTTPStatus(status)
    body = Problem(
        type=f"urn:glimpser:problem:{known.phrase.lower().replace(' ', '-')}",
        title=known.phrase,
        status=status,
        detail=detail,
        instance=scope["path"],
        request_id=scope.get("state", {}).get("request_id", ""),
        errors=[FieldProblem(pointer=error.pointer, message=error.message) for error in fields],
    )
    return Response(_encoded(body), status, headers=headers, media_type=MEDIA_TYPE)


def _encoded(body: Problem) -> bytes:
    """Leave `errors` out when there are none; a path is data from outside and may not be UTF-8."""
    content = msgspec.to_builtins(body)
    if not body.errors:
        del content["errors"]
    content["instance"] = body.instance.encode("utf-8", "replace").decode()
    return msgspec.json.encode(content)


async def on_error(request: HTTPConnection, error: Exception) -> Response:
    """Render an error the program raises on purpose."""
    assert isinstance(error, GlimpserError)
    status = status_of(error)
    return problem(
        request.scope,
        status,
        detail=error.detail,
        fields=error.errors if isinstance(error, errors.InvalidInput) else (),
        headers=_headers(error),
    )


def status_of(error: GlimpserError) -> HTTPStatus:
    """Find the status of an error's nearest class in the table."""
    return next(STATUSES[kind] for kind in type(error).__mro__ if kind in STATUSES)


def _headers(error: GlimpserError) -> dict[str, str]:
    if isinstance(error, errors.Unauthenticated):
        return {"WWW-Authenticate": 'Bearer realm="glimpser"'}
    if isinstance(error, errors.TooMany | errors.Unavailable):
        return {"Retry-After": str(error.retry_after_s)}
    return {}


async def on_http_error(request: Request, error: Exception) -> Response:
    """Render what the framework refuses, such as an unknown path or a wrong method."""
    assert isinstance(error, HTTPException)
    own_words = error.detail if error.detail != HTTPStatus(error.status_code).phrase else ""
    detail = own_words or DETAILS.get(error.status_code, HTTPStatus(error.status_code).description)
    return problem(request.scope, error.status_code, detail=detail, headers=error.headers)


async def on_invalid_request(request: Request, error: Exception) -> Response:
    """Render what does not have the declared shape. What was sent is never echoed: it may be a secret."""
    assert isinstance(error, RequestValidationError)
    fields = [_field_error(item) for item in error.errors()]
    return problem(
        request.scope, HTTPStatus.UNPROCESSABLE_ENTITY, detail="Some fields cannot be used.", fields=fields
    )


async def on_failure(request: Request, _error: Exception) -> Response:
    """Render a failure nobody foresaw: its words stay in the log."""
    status = HTTPStatus.INTERNAL_SERVER_ERROR
    return problem(request.scope, status, detail=DETAILS[status])


def _field_error(item: Mapping[str, Any]) -> FieldError:
    """Turn one finding of pydantic into a JSON Pointer, without the `body` or `query` it begins with."""
    steps = (str(step).replace("~", "~0").replace("/", "~1") for step in item["loc"][1:])
    message = str(item["msg"]).removeprefix("Value error, ")
    return FieldError("".join(f"/{step}" for step in steps), message)
