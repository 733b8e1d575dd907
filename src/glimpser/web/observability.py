"""The small application on the observability port: health for everybody, metrics for who may read them."""

import hmac
import ipaddress
from collections.abc import Callable

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from glimpser.core.errors import Unauthenticated
from glimpser.web import problems
from glimpser.web.refusals import Refusals
from glimpser.web.routes.system import alive, readiness
from glimpser.web.security import SecurityHeaders
from glimpser.web.wiring import Readiness

METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def build_observability(
    ready: Readiness, expose: Callable[[], bytes], *, metrics_token: str | None = None
) -> ASGIApp:
    """Build it. `expose` gives all metrics in the Prometheus text format."""

    async def healthz(_request: Request) -> Response:
        return await alive()

    async def readyz(_request: Request) -> Response:
        return await readiness(ready)

    async def metrics(request: Request) -> Response:
        if not (_is_this_machine(request) or _has_token(request, metrics_token)):
            raise Unauthenticated("Metrics are for this machine, or for the bearer of metrics_token.")
        return Response(expose(), headers={"Content-Type": METRICS_TYPE})

    app = Starlette(
        routes=[Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", metrics)],
        exception_handlers={
            Unauthenticated: problems.on_error,
            HTTPException: problems.on_http_error,
            Exception: problems.on_failure,
        },
    )
    return SecurityHeaders(Refusals(app))


def _is_this_machine(request: Request) -> bool:
    """Tell whether the peer is on loopback and speaks for itself, not as somebody's proxy."""
    if request.client is None or "x-forwarded-for" in request.headers or "forwarded" in request.headers:
        return False
    try:
        return ipaddress.ip_address(request.client.host).is_loopback
    except ValueError:
        return False


def _has_token(request: Request, metrics_token: str | None) -> bool:
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    if metrics_token is None or scheme.lower() != "bearer":
        return False
    return hmac.compare_digest(given.strip().encode(), metrics_token.encode())
