"""The web application: its route table and the order of its layers, on one screen each."""

from collections.abc import Sequence
from functools import cache, partial
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, compile_path
from starlette.types import ASGIApp

from glimpser.core.accounts import Role
from glimpser.core.backups import BACKUP_TYPE
from glimpser.core.errors import GlimpserError, TooMany
from glimpser.web import problems, shapes
from glimpser.web.body_limit import BodyLimit, LargerBody
from glimpser.web.context import RequestContext
from glimpser.web.openapi import TITLE, describe
from glimpser.web.refusals import Refusals
from glimpser.web.routes import (
    accounts,
    alerts,
    backups,
    channels,
    docs,
    events,
    exports,
    jobs,
    keeping,
    live,
    media,
    rules,
    schedules,
    session,
    static,
    system,
    templates,
)
from glimpser.web.rows import BYTES, Row, responses_of
from glimpser.web.security import (
    PUBLIC,
    UNCOUNTED,
    GuardedRoute,
    GuardedSocket,
    SecurityHeaders,
    count_unrouted,
    refuse_undeclared,
    require,
)
from glimpser.web.turns import Turns
from glimpser.web.wiring import Services, WebSettings

VIEWER, OPERATOR, ADMIN = require(Role.VIEWER), require(Role.OPERATOR), require(Role.ADMIN)
VIEWER_OR_TICKET = require(Role.VIEWER, or_ticket=True)

WRITE = (404, 409, 412, 422, 428, 503)
MADE, CHANGED, SIGNED_IN = ("Location", "ETag"), ("ETag",), ("Set-Cookie",)
TEMPLATE, CHANNEL, ALERT = shapes.AdminTemplateView, shapes.ChannelView, shapes.AlertView
ACCOUNT = shapes.AccountView
JOB, SCHEDULE, EXPORT = shapes.JobView, shapes.ScheduleView, shapes.ExportView

UNROUTED = (HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED)
"""What the router itself refuses with."""
MJPEG_TYPE = "multipart/x-mixed-replace"

ROUTES = (
    Row("GET", "/version", PUBLIC, system.version, shapes.VersionView),
    Row("GET", "/healthz", UNCOUNTED, system.alive, shapes.AliveView),
    Row("GET", "/readyz", UNCOUNTED, system.ready, shapes.ReadyView, alike=(503,)),
    Row("GET", "/openapi.json", PUBLIC, system.openapi, dict[str, Any]),
    Row("GET", "/docs", PUBLIC, docs.page, ("text/html",)),
    Row("GET", "/docs/dashboard.json", PUBLIC, docs.dashboard, dict[str, Any]),
    Row("GET", "/docs/runbooks/{runbook}", PUBLIC, docs.runbook, ("text/plain",), others=(404,)),
    Row("GET", "/docs/assets/{name}", PUBLIC, docs.asset, docs.MEDIA_TYPES, others=(404,)),
    Row("GET", "/api/setup", PUBLIC, session.setup_state, shapes.SetupState),
    Row("POST", "/api/setup", PUBLIC, session.set_up, shapes.SetupDone, 201, (403, 409, 422, 429, 503)),
    Row("GET", "/api/session", PUBLIC, session.state, shapes.SessionView, 200, (503,)),
    Row(
        "POST", "/api/auth/login", PUBLIC, session.login, shapes.LoginView, 200, (401, 422, 429, 503),
        headers=SIGNED_IN,
    ),
    Row("POST", "/api/auth/logout", VIEWER, session.logout, None, 204, headers=SIGNED_IN),
    Row("GET", "/api/me", VIEWER, session.me, shapes.MeView),
    Row(
        "POST", "/api/me/password", VIEWER, session.change_password, shapes.LoginView,
        others=(409, 422, 429, 503), headers=SIGNED_IN,
    ),
    Row("GET", "/api/template-kinds", VIEWER, templates.kinds, list[shapes.KindView]),
    Row("GET", "/api/templates", VIEWER, templates.listing, shapes.TemplateList, 200, (422,)),
    Row("POST", "/api/templates", ADMIN, templates.create, TEMPLATE, 201, (422, 503), headers=MADE),
    Row(
        "POST", "/api/templates/probe", ADMIN, templates.probe, shapes.JobStarted, 202, (404, 422, 429, 503),
        headers=("Location",),
    ),
    Row("GET", "/api/templates/export", ADMIN, templates.export, templates.FILE_TYPES[:1]),
    Row(
        "POST", "/api/templates/import", ADMIN, templates.bring_in, shapes.ImportView, 200, (422, 503),
        takes=templates.FILE_TYPES, max_body_bytes=templates.MAX_FILE_BYTES,
    ),
    Row("GET", "/api/templates/{template_id}", VIEWER, templates.read, shapes.AnyTemplate, 200, (404,)),
    Row(
        "PUT", "/api/templates/{template_id}", ADMIN, templates.replace, TEMPLATE, 200, WRITE,
        headers=CHANGED,
    ),
    Row(
        "PATCH", "/api/templates/{template_id}", ADMIN, templates.patch, TEMPLATE, 200, WRITE,
        headers=CHANGED,
    ),
    Row("DELETE", "/api/templates/{template_id}", ADMIN, templates.remove, None, 204, WRITE),
    Row(
        "GET", "/api/stream/{template_id}/snapshot", VIEWER_OR_TICKET, media.snapshot, ("image/jpeg",),
        others=(304, 404, 503), headers=("ETag", "X-Captured-At", "X-Frame-Age"),
    ),
    Row(
        "GET", "/api/stream/{template_id}/mjpeg", VIEWER_OR_TICKET, media.mjpeg, (MJPEG_TYPE,),
        others=(404, 429, 503),
    ),
    Row(
        "POST", "/api/stream/{template_id}/push", OPERATOR, media.push, None, 202, (404, 409, 422, 503),
        max_body_bytes=media.MAX_PUSHED_BYTES, takes=media.PUSHED_TYPES,
    ),
    Row(
        "POST", "/api/stream/{template_id}/ticket", VIEWER, media.create_ticket, shapes.StreamTicketView, 201,
        (404, 409, 422, 503),
    ),
    Row(
        "GET", "/api/stream/{template_id}/tickets", VIEWER, media.tickets, shapes.StreamTicketList,
        others=(404, 422),
    ),
    Row(
        "DELETE", "/api/stream/{template_id}/ticket/{ticket_id}", VIEWER, media.revoke_ticket, None, 204,
        (404, 503),
    ),
    Row(
        "GET", "/api/artifacts/{artifact_id}", VIEWER_OR_TICKET, media.artifact, media.MEDIA_TYPES,
        others=(206, 304, 404, 416, 422, 503), headers=("ETag", "Accept-Ranges", "Content-Disposition"),
    ),
    Row("GET", "/api/artifacts/{artifact_id}/pin", VIEWER, keeping.pin_state, shapes.PinView, 200, (404,)),
    Row("PUT", "/api/artifacts/{artifact_id}/pin", OPERATOR, keeping.pin, None, 204, (404, 503)),
    Row("DELETE", "/api/artifacts/{artifact_id}/pin", OPERATOR, keeping.unpin, None, 204, (404, 503)),
    Row("GET", "/api/system", VIEWER, system.report, shapes.SystemView, 200, (503,)),
    Row("GET", "/api/captures", VIEWER, events.captures, shapes.CaptureList, 200, (422,)),
    Row("GET", "/api/captures/{capture_id}", VIEWER, events.capture, shapes.CaptureView, 200, (404,)),
    Row("GET", "/api/events", VIEWER, events.listing, shapes.EventList, 200, (422,)),
    Row("GET", "/api/events/{event_id}", VIEWER, events.read, shapes.EventView, 200, (404,)),
    Row("GET", "/api/alerts", VIEWER, alerts.listing, shapes.AlertList, 200, (422,)),
    Row("POST", "/api/alerts/test", OPERATOR, alerts.send_test, shapes.AlertTestView, 200, (422, 503)),
    Row("GET", "/api/alerts/{alert_id}", VIEWER, alerts.read, ALERT, 200, (404,)),
    Row("POST", "/api/alerts/{alert_id}/ack", OPERATOR, alerts.acknowledge, ALERT, 200, (404, 503)),
    Row("POST", "/api/alerts/{alert_id}/retry", OPERATOR, alerts.retry, ALERT, 200, (404, 503)),
    Row("POST", "/api/admin/rules/test", OPERATOR, rules.try_out, shapes.RulesVerdictView, 200, (422,)),
    Row("GET", "/api/channel-kinds", VIEWER, channels.kinds, list[shapes.KindView]),
    Row("GET", "/api/admin/channels", ADMIN, channels.listing, shapes.ChannelList, 200, (422,)),
    Row("POST", "/api/admin/channels", ADMIN, channels.create, CHANNEL, 201, (422, 503), headers=MADE),
    Row("GET", "/api/admin/channels/{channel_id}", ADMIN, channels.read, CHANNEL, 200, (404,)),
    Row(
        "PUT", "/api/admin/channels/{channel_id}", ADMIN, channels.replace, CHANNEL, 200, WRITE,
        headers=CHANGED,
    ),
    Row("DELETE", "/api/admin/channels/{channel_id}", ADMIN, channels.remove, None, 204, WRITE),
    Row(
        "POST", "/api/admin/channels/{channel_id}/test", ADMIN, channels.send_test, shapes.ChannelTestView,
        others=(404, 503),
    ),
    Row("GET", "/api/admin/jobs", OPERATOR, jobs.listing, shapes.JobList, 200, (422,)),
    Row("GET", "/api/admin/jobs/{job_id}", OPERATOR, jobs.read, JOB, 200, (404,)),
    Row("POST", "/api/admin/jobs/{job_id}/cancel", OPERATOR, jobs.cancel, JOB, 200, (404, 409, 503)),
    Row("POST", "/api/admin/jobs/{job_id}/retry", OPERATOR, jobs.retry, JOB, 200, (404, 409, 503)),
    Row("GET", "/api/exports", OPERATOR, exports.listing, shapes.ExportList, 200, (422,)),
    Row(
        "POST", "/api/exports", OPERATOR, exports.create, EXPORT, 202, (422, 429, 503),
        headers=("Location",),
    ),
    Row("GET", "/api/exports/{export_id}", OPERATOR, exports.read, EXPORT, 200, (404,)),
    Row("DELETE", "/api/exports/{export_id}", OPERATOR, exports.remove, None, 204, (404, 503)),
    Row(
        "GET", "/api/exports/{export_id}/file", OPERATOR, exports.file, exports.MEDIA_TYPES,
        others=(206, 304, 404, 409, 416), headers=("ETag", "Accept-Ranges", "Content-Disposition"),
    ),
    Row("POST", "/api/admin/retention", ADMIN, keeping.remove_old, shapes.JobStarted, 202, (503,)),
    Row(
        "POST", "/api/admin/backup", ADMIN, backups.make, shapes.JobStarted, 202, (422, 429, 503),
        headers=("Location",),
    ),
    Row(
        "GET", "/api/admin/backup/{artifact_id}", ADMIN, backups.download, (BACKUP_TYPE,),
        others=(206, 304, 404, 416, 503), headers=("ETag", "Accept-Ranges", "Content-Disposition"),
    ),
    Row("DELETE", "/api/admin/backup/{artifact_id}", ADMIN, backups.remove, None, 204, (404, 503)),
    Row("GET", "/api/admin/users", ADMIN, accounts.users, shapes.AccountList, 200, (422,)),
    Row("POST", "/api/admin/users", ADMIN, accounts.create_user, ACCOUNT, 201, (409, 422, 503), headers=MADE),
    Row("GET", "/api/admin/users/{user_id}", ADMIN, accounts.read_user, ACCOUNT, 200, (404,)),
    Row(
        "PATCH", "/api/admin/users/{user_id}", ADMIN, accounts.change_user, ACCOUNT, 200, WRITE,
        headers=CHANGED,
    ),
    Row("DELETE", "/api/admin/users/{user_id}", ADMIN, accounts.remove_user, None, 204, WRITE),
    Row("GET", "/api/admin/api-keys", ADMIN, accounts.api_keys, shapes.ApiKeyList, 200, (422,)),
    Row(
        "POST", "/api/admin/api-keys", ADMIN, accounts.create_api_key, shapes.NewKeyView, 201,
        (422, 503),
    ),
    Row("DELETE", "/api/admin/api-keys/{key_id}", ADMIN, accounts.revoke_api_key, None, 204, (404, 503)),
    Row("GET", "/api/admin/audit", ADMIN, accounts.audit, shapes.AuditList, 200, (422,)),
    Row("GET", "/api/admin/schedules", OPERATOR, schedules.listing, shapes.ScheduleList, 200, (422,)),
    Row("GET", "/api/admin/schedules/{template_id}", OPERATOR, schedules.read, SCHEDULE, 200, (404,)),
    Row(
        "POST", "/api/admin/schedules/{template_id}/trigger", OPERATOR, schedules.trigger, shapes.JobStarted,
        202, (404, 409, 503),
    ),
    Row(
        "POST", "/api/admin/schedules/{template_id}/pause", OPERATOR, schedules.pause, SCHEDULE,
        others=(404, 503),
    ),
    Row(
        "POST", "/api/admin/schedules/{template_id}/resume", OPERATOR, schedules.resume, SCHEDULE,
        others=(404, 503),
    ),
    Row("GET", "/api/schedule/preview", VIEWER, schedules.preview, shapes.SchedulePreview, 200, (422,)),
    Row("GET", "/{path:path}", PUBLIC, static.page, ("text/html",), others=(404,), of=static.PageRoute),
)  # fmt: skip


SOCKETS = (GuardedSocket("/api/live", live.live, access=VIEWER),)


def build(services: Services, settings: WebSettings) -> ASGIApp:
    """Put the layers around the routes, the outermost last. None of them buffers or copies a stream.

    Raises:
        TypeError: a route does not declare who may use it.
    """
    app: ASGIApp = _api(settings, services)
    app = BodyLimit(app, max_bytes=settings.max_body_bytes, larger=_larger_bodies())
    app = Refusals(app)
    app = SecurityHeaders(app, https_only=settings.https_only)
    app = Turns(app)
    return RequestContext(app, recorder=services.recorder, trusted_proxies=settings.trusted_proxies)


def _larger_bodies() -> Sequence[LargerBody]:
    return [
        LargerBody(row.method, compile_path(row.path)[0], row.max_body_bytes)
        for row in ROUTES
        if row.max_body_bytes is not None
    ]


def openapi_document(settings: WebSettings) -> dict[str, Any]:
    """Describe the interface, without anything running behind it."""
    app = FastAPI(title=TITLE, version=settings.version)
    app.router.routes[:] = _routes(described=True)
    return describe(app)


def _api(settings: WebSettings, services: Services) -> FastAPI:
    app = FastAPI(
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        exception_handlers={
            GlimpserError: problems.on_error,
            HTTPException: _on_http_error,
            RequestValidationError: problems.on_invalid_request,
            Exception: problems.on_failure,
        },
    )
    app.state.settings, app.state.services = settings, services
    app.state.site = static.load_site(settings.static_dir or static.BUILT)
    app.router.routes.extend([*_routes(), *SOCKETS])
    refuse_undeclared(app)
    app.openapi = cache(partial(openapi_document, settings))  # type: ignore[method-assign] # FastAPI's own way
    return app


@cache
def _routes(*, described: bool = False) -> Sequence[BaseRoute]:
    """Make the routes, once for a process: they hold nothing of the program they are served by.

    What they answer is ready bytes, so its shape is for the description alone; to have FastAPI think it
    through takes twice as long as all the rest.
    """
    router = APIRouter(route_class=GuardedRoute)
    for row in ROUTES:
        methods = [row.method, "HEAD"] if row.method == "GET" else [row.method]
        options = _described(row) if described else {"response_model": None}
        router.add_api_route(
            row.path,
            row.endpoint,
            methods=methods,
            dependencies=[row.access],
            status_code=row.status,
            route_class_override=row.of,
            **options,
        )
    return router.routes


def _described(row: Row) -> dict[str, Any]:
    resource = row.endpoint.__module__.rpartition(".")[2]
    options: dict[str, Any] = {
        "tags": [resource],
        "operation_id": f"{resource}_{row.endpoint.__name__}",
        "response_model": row.answer if row.is_json else None,
        "response_class": shapes.Reply if row.is_json else Response,
        "responses": responses_of(row),
        "include_in_schema": row.of is None,
    }
    if row.takes:
        content = {name: {"schema": BYTES} for name in row.takes}
        options["openapi_extra"] = {"requestBody": {"required": True, "content": content}}
    return options


async def _on_http_error(request: Request, error: Exception) -> Response:
    """Name in `Allow` every method of the path: the router knows only those of its first match.

    A path that is written out, such as `…/test`, hides the one with an id in that place.
    """
    if isinstance(error, HTTPException) and error.status_code in UNROUTED:
        try:
            count_unrouted(request)
        except TooMany as refusal:
            return await problems.on_error(request, refusal)
    answer = await problems.on_http_error(request, error)
    if answer.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        answer.headers["Allow"] = ", ".join(sorted(_methods_at(request)))
    return answer


def _methods_at(request: Request) -> set[str]:
    app: FastAPI = request.app
    matching = (route for route in app.routes if route.matches(request.scope)[0] is not Match.NONE)
    here = [route for route in matching if isinstance(route, GuardedRoute)]
    return {method for route in here if route.path == here[0].path for method in route.methods or ()}
