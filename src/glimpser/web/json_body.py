"""Bodies are JSON (RFC 8259) and nothing looser: no NaN, no lone surrogates, no bottomless nesting."""

import re
from collections.abc import Iterator
from http import HTTPStatus

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request

JSON_TYPE = re.compile(r"application/([a-z0-9.-]+\+)?json")
MAX_DEPTH = 16
MAX_VALUES = 20_000
ALLOWED_CONTROLS = frozenset("\t\n\r")
TOO_DEEP = f"The body is nested more than {MAX_DEPTH} levels deep."


class StrictRequest(Request):
    """A request whose `json()` reads strictly; FastAPI calls it for routes with a body."""

    async def json(self) -> object:
        if not hasattr(self, "_json"):
            self._json = decode(await self.body())
        return self._json


def require_json(request: Request) -> None:
    """Refuse a body that says it is something else, with the remedy; FastAPI would find its shape wrong.

    Raises:
        HTTPException: 415.
    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if not JSON_TYPE.fullmatch(media_type):
        raise HTTPException(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Send JSON, with Content-Type: application/json."
        )


def decode(body: bytes) -> object:
    """Read a body.

    Raises:
        HTTPException: 400, it is not JSON; 422, it is nested too deeply, holds too many values, or control
            characters. (FastAPI would take an error of ours here for a broken body.)
    """
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise HTTPException(HTTPStatus.BAD_REQUEST, f"The body is not JSON: {error}.") from error
    except RecursionError as error:
        raise _refused(TOO_DEEP) from error
    _check(value)
    return value


def _check(body: object) -> None:
    """Walk through without recursion: depth and size are the client's choice."""
    waiting: list[tuple[object, int]] = [(body, 1)]
    seen = 0
    while waiting:
        value, depth = waiting.pop()
        seen += 1
        if depth > MAX_DEPTH:
            raise _refused(TOO_DEEP)
        if seen > MAX_VALUES:
            raise _refused(f"The body holds more than {MAX_VALUES} values.")
        if isinstance(value, str):
            _check_text(value)
        waiting.extend((child, depth + 1) for child in _children(value))


def _children(value: object) -> Iterator[object]:
    if isinstance(value, dict):
        yield from value
        yield from value.values()
    elif isinstance(value, list):
        yield from value


def _check_text(text: str) -> None:
    if any(character < " " and character not in ALLOWED_CONTROLS for character in text):
        raise _refused("A text in the body holds control characters.")


def _refused(detail: str) -> HTTPException:
    return HTTPException(HTTPStatus.UNPROCESSABLE_ENTITY, detail)
