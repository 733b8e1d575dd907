"""The program itself: its version, how it is, and the description of this interface."""

import asyncio

from fastapi import Request, Response

from glimpser.core.accounts import Role
from glimpser.web.shapes import AliveView, CheckView, ReadyView, Reply, VersionView, system_view
from glimpser.web.wiring import Caller, Readiness, Settings, Wired

API_VERSION = "1"


async def version(settings: Settings) -> Response:
    """Tell which version runs."""
    return Reply(VersionView(version=settings.version, commit=settings.commit, api=API_VERSION))


async def alive() -> Response:
    """Answer as long as the event loop turns."""
    return Reply(AliveView())


async def ready(services: Wired) -> Response:
    """Tell whether requests can be served, and how each part of the program is."""
    return await readiness(services.ready)


async def readiness(check: Readiness) -> Response:
    """Render what the checks found: 503 while the program is not ready."""
    is_ready, checks = await check()
    view = ReadyView(
        status="ready" if is_ready else "not_ready",
        checks={name: CheckView(ok=check.ok, detail=check.detail) for name, check in checks.items()},
    )
    return Reply(view, status_code=200 if is_ready else 503)


async def report(services: Wired, settings: Settings, caller: Caller) -> Response:
    """Tell how long the program runs, how much it keeps, how full its disk is and when it will be full."""
    found = await services.system.report()
    view = system_view(found, version=settings.version, for_admin=caller.role >= Role.ADMIN)
    return Reply(view)


async def openapi(request: Request) -> Response:
    """Describe this interface (OpenAPI 3.1)."""
    return Reply(await asyncio.to_thread(request.app.openapi))
