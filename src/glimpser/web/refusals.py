"""What the server refuses before there is a request to route, in the words of all other refusals."""

from collections.abc import Mapping
from http import HTTPStatus

import structlog
from starlette.types import ASGIApp, Receive, Scope, Send

from glimpser.core.ids import new_id
from glimpser.web.problems import problem
from glimpser.web.security import HEADERS

_log = structlog.get_logger(__name__)

MAX_HEAD_BYTES = 32 * 1024
MAX_TARGET_BYTES = 8 * 1024
"""Of a request's target, which is its path and query: the least that RFC 9110, section 4.1, recommends."""
REFUSED = "refused"
"""Where the server notes in `scope["state"]` the status that a request is to be refused with."""
RETRY_S = 5

DETAILS: Mapping[HTTPStatus, str] = {
    HTTPStatus.BAD_REQUEST: "This is not HTTP/1.1 as RFC 9112 has it.",
    HTTPStatus.REQUEST_TIMEOUT: "The request did not come in time.",
    HTTPStatus.REQUEST_URI_TOO_LONG: f"Path and query have at most {MAX_TARGET_BYTES} bytes together.",
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE: f"The head of a request has at most {MAX_HEAD_BYTES} bytes.",
    HTTPStatus.TOO_MANY_REQUESTS: "Your address has as many connections open as one may: close some first.",
    HTTPStatus.SERVICE_UNAVAILABLE: "The server has as many connections as it takes: try again.",
}
_RETRIED = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)


class Refusals:
    """Answers the requests that the server has marked; all others pass."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        status = scope.get("state", {}).get(REFUSED)
        if scope["type"] != "http" or status is None:
            await self._app(scope, receive, send)
            return
        answer = problem(scope, status, detail=DETAILS[status], headers=_headers(status))
        await answer(scope, receive, send)


def refusal(status: HTTPStatus, client: str | None) -> bytes:
    """Make the whole answer to bytes that never became a request, and log it."""
    request_id = new_id()
    scope = {"path": "", "state": {"request_id": request_id}}
    answer = problem(scope, status, detail=DETAILS[status], headers={**HEADERS, **_headers(status)})
    _log.info("http.refused", status=int(status), client_ip=client, request_id=request_id)
    head = "".join(f"{name}: {value}\r\n" for name, value in answer.headers.items())
    return f"HTTP/1.1 {status.value} {status.phrase}\r\n{head}\r\n".encode() + bytes(answer.body)


def _headers(status: HTTPStatus) -> dict[str, str]:
    retry = {"Retry-After": str(RETRY_S)} if status in _RETRIED else {}
    return {"Connection": "close"} | retry
