"""Who gets in: the matrix of routes and roles, pages of other sites, bodies without end."""

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest
from fastapi import FastAPI, Response
from fastapi.routing import APIRoute

from glimpser.core.accounts import Role
from glimpser.core.ids import new_id
from glimpser.web.application import ROUTES
from glimpser.web.body_limit import BodyLimit, LargerBody
from glimpser.web.security import (
    HEADERS,
    PUBLIC,
    SESSION_COOKIE,
    Access,
    GuardedRoute,
    refuse_undeclared,
    require,
)
from glimpser.web.wiring import WebSettings
from tests.web_world import ORIGIN, World, open_world

pytestmark = pytest.mark.anyio

MATRIX = {
    "GET /version": None,
    "GET /healthz": None,
    "GET /readyz": None,
    "GET /openapi.json": None,
    "GET /docs": None,
    "GET /docs/runbooks/{runbook}": None,
    "GET /docs/assets/{name}": None,
    "GET /docs/dashboard.json": None,
    "GET /api/session": None,
    "GET /api/setup": None,
    "POST /api/setup": None,
    "POST /api/auth/login": None,
    "POST /api/auth/logout": Role.VIEWER,
    "GET /api/me": Role.VIEWER,
    "POST /api/me/password": Role.VIEWER,
    "GET /api/template-kinds": Role.VIEWER,
    "GET /api/templates": Role.VIEWER,
    "POST /api/templates": Role.ADMIN,
    "GET /api/templates/{template_id}": Role.VIEWER,
    "PUT /api/templates/{template_id}": Role.ADMIN,
    "PATCH /api/templates/{template_id}": Role.ADMIN,
    "DELETE /api/templates/{template_id}": Role.ADMIN,
    "GET /api/stream/{template_id}/snapshot": Role.VIEWER,
    "GET /api/stream/{template_id}/mjpeg": Role.VIEWER,
    "POST /api/stream/{template_id}/push": Role.OPERATOR,
    "POST /api/stream/{template_id}/ticket": Role.VIEWER,
    "GET /api/stream/{template_id}/tickets": Role.VIEWER,
    "DELETE /api/stream/{template_id}/ticket/{ticket_id}": Role.VIEWER,
    "GET /api/artifacts/{artifact_id}": Role.VIEWER,
    "GET /api/captures": Role.VIEWER,
    "GET /api/captures/{capture_id}": Role.VIEWER,
    "GET /api/events": Role.VIEWER,
    "GET /api/events/{event_id}": Role.VIEWER,
    "GET /api/alerts": Role.VIEWER,
    "POST /api/alerts/test": Role.OPERATOR,
    "GET /api/alerts/{alert_id}": Role.VIEWER,
    "POST /api/alerts/{alert_id}/ack": Role.OPERATOR,
    "POST /api/alerts/{alert_id}/retry": Role.OPERATOR,
    "GET /api/exports": Role.OPERATOR,
    "POST /api/exports": Role.OPERATOR,
    "GET /api/exports/{export_id}": Role.OPERATOR,
    "DELETE /api/exports/{export_id}": Role.OPERATOR,
    "GET /api/exports/{export_id}/file": Role.OPERATOR,
    "GET /api/admin/jobs": Role.OPERATOR,
    "GET /api/admin/jobs/{job_id}": Role.OPERATOR,
    "POST /api/admin/jobs/{job_id}/cancel": Role.OPERATOR,
    "POST /api/admin/jobs/{job_id}/retry": Role.OPERATOR,
    "POST /api/admin/rules/test": Role.OPERATOR,
    "GET /api/channel-kinds": Role.VIEWER,
    "GET /api/admin/channels": Role.ADMIN,
    "POST /api/admin/channels": Role.ADMIN,
    "GET /api/admin/channels/{channel_id}": Role.ADMIN,
    "PUT /api/admin/channels/{channel_id}": Role.ADMIN,
    "DELETE /api/admin/channels/{channel_id}": Role.ADMIN,
    "POST /api/admin/channels/{channel_id}/test": Role.ADMIN,
    "GET /api/admin/users": Role.ADMIN,
    "POST /api/admin/users": Role.ADMIN,
    "GET /api/admin/users/{user_id}": Role.ADMIN,
    "PATCH /api/admin/users/{user_id}": Role.ADMIN,
    "DELETE /api/admin/users/{user_id}": Role.ADMIN,
    "GET /api/admin/api-keys": Role.ADMIN,
    "POST /api/admin/api-keys": Role.ADMIN,
    "DELETE /api/admin/api-keys/{key_id}": Role.ADMIN,
    "GET /api/admin/audit": Role.ADMIN,
    "POST /api/templates/probe": Role.ADMIN,
    "GET /api/templates/export": Role.ADMIN,
    "POST /api/templates/import": Role.ADMIN,
    "GET /api/artifacts/{artifact_id}/pin": Role.VIEWER,
    "PUT /api/artifacts/{artifact_id}/pin": Role.OPERATOR,
    "DELETE /api/artifacts/{artifact_id}/pin": Role.OPERATOR,
    "GET /api/system": Role.VIEWER,
    "POST /api/admin/retention": Role.ADMIN,
    "POST /api/admin/backup": Role.ADMIN,
    "GET /api/admin/backup/{artifact_id}": Role.ADMIN,
    "DELETE /api/admin/backup/{artifact_id}": Role.ADMIN,
    "GET /api/admin/schedules": Role.OPERATOR,
    "GET /api/admin/schedules/{template_id}": Role.OPERATOR,
    "POST /api/admin/schedules/{template_id}/trigger": Role.OPERATOR,
    "POST /api/admin/schedules/{template_id}/pause": Role.OPERATOR,
    "POST /api/admin/schedules/{template_id}/resume": Role.OPERATOR,
    "GET /api/schedule/preview": Role.VIEWER,
    "GET /{path:path}": None,
}
"""Who may do what. A change here is a change of the contract."""
BY_TICKET = (
    "GET /api/artifacts/{artifact_id}",
    "GET /api/stream/{template_id}/snapshot",
    "GET /api/stream/{template_id}/mjpeg",
)
"""What a link with a ticket opens too."""
UNLIMITED = ("GET /healthz", "GET /readyz")
"""What has no rate limit."""


async def endpoint() -> Response:
    return Response()


def test_the_matrix_names_every_route() -> None:
    declared = {f"{row.method} {row.path}": row.access.dependency for row in ROUTES}

    assert declared == {
        route: Access(role, or_ticket=route in BY_TICKET, counted=route not in UNLIMITED)
        for route, role in MATRIX.items()
    }


@pytest.mark.parametrize("role", [None, Role.VIEWER, Role.OPERATOR, Role.ADMIN], ids=str)
async def test_every_route_lets_in_whom_the_matrix_names(world: World, role: Role | None) -> None:
    headers = await world.sign_in(role) if role else {}

    for route, needed in MATRIX.items():
        method, path = route.split(" ")
        path = re.sub(r"\{\w+_id\}", new_id(), path)
        if path.endswith("logout"):
            continue
        status = (await world.client.request(method, path, headers=headers)).status_code
        if needed is None or (role and role >= needed):
            assert status not in (401, 403), route
        else:
            assert status == (403 if role else 401), route


def test_a_route_that_names_no_role_cannot_be_made() -> None:
    with pytest.raises(TypeError, match="say who may use"):
        GuardedRoute("/open", endpoint)
    with pytest.raises(TypeError, match="say who may use"):
        GuardedRoute("/open", endpoint, dependencies=[PUBLIC, require(Role.ADMIN)])

    assert GuardedRoute("/open", endpoint, dependencies=[PUBLIC]).access.role is None


def test_a_route_beside_the_guard_stops_the_start() -> None:
    app = FastAPI(openapi_url=None)
    app.router.routes.append(GuardedRoute("/guarded", endpoint, dependencies=[PUBLIC]))
    refuse_undeclared(app)
    app.router.routes.append(APIRoute("/open", endpoint))

    with pytest.raises(TypeError, match="/open"):
        refuse_undeclared(app)


async def test_a_body_is_not_read_before_the_caller_is_known(world: World) -> None:
    answer = await world.client.post(
        "/api/templates", content=b"{not json", headers={"Content-Type": "application/json"}
    )

    assert answer.status_code == 401


async def test_a_role_taken_away_is_gone_within_a_second(world: World) -> None:
    user = await world.add_user(Role.VIEWER)
    forged_role, _ = world.tokens.issue(user.id, Role.ADMIN)

    answer = await world.client.post("/api/templates", headers={"Authorization": f"Bearer {forged_role}"})

    assert answer.status_code == 403


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({"Sec-Fetch-Site": "none"}, True),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": "cross-site", "Origin": ORIGIN}, False),
        ({"Origin": ORIGIN}, True),
        ({"Origin": "http://GLIMPSER.test:80"}, True),
        ({"Origin": "https://cams.example.org"}, True),
        ({"Origin": "http://cams.example.org"}, False),
        ({"Origin": "http://evil.test"}, False),
        ({"Origin": "http://glimpser.test.evil.test"}, False),
        ({"Origin": "http://glimpser.test:8080"}, False),
        ({"Origin": "null"}, False),
        ({"Origin": "file://"}, False),
        ({"Origin": "http://["}, False),
        ({}, False),
    ],
    ids=str,
)
async def test_a_write_by_cookie_comes_from_our_own_pages(
    data_dir: Path, headers: dict[str, str], *, allowed: bool
) -> None:
    settings = WebSettings(version="1", public_url="https://cams.example.org/")
    async with open_world(data_dir, settings) as world:
        token = (await world.sign_in())["Authorization"].removeprefix("Bearer ")
        cookie = {"Cookie": f"{SESSION_COOKIE}={token}"}

        write = await world.client.post("/api/auth/logout", headers=cookie | headers)
        assert write.status_code == (204 if allowed else 403)


async def test_reading_by_cookie_and_writing_by_bearer_need_no_origin(world: World) -> None:
    headers = await world.sign_in()
    evil = {"Origin": "http://evil.test", "Sec-Fetch-Site": "cross-site"}
    cookie = {"Cookie": f"{SESSION_COOKIE}={headers['Authorization'].removeprefix('Bearer ')}"}

    assert (await world.client.get("/api/me", headers=cookie | evil)).status_code == 200
    assert (await world.client.post("/api/auth/logout", headers=headers | evil)).status_code == 204


async def test_another_site_cannot_sign_its_visitor_in(world: World) -> None:
    await world.add_user()
    login = {"email": "ada@example.org", "password": "correct horse battery"}

    evil = await world.client.post("/api/auth/login", json=login, headers={"Origin": "http://evil.test"})

    assert evil.status_code == 403
    assert (await world.client.post("/api/auth/login", json=login)).status_code == 200


@pytest.mark.parametrize("path", ["/version", "/api/me", "/nowhere", "/docs"])
async def test_every_answer_carries_the_security_headers(world: World, path: str) -> None:
    answer = await world.client.get(path)

    assert not {name for name in HEADERS if name not in answer.headers}
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]


async def test_the_cookie_is_secure_where_the_public_address_is(data_dir: Path) -> None:
    settings = WebSettings(version="1", public_url="https://cams.example.org")
    async with open_world(data_dir, settings) as world:
        await world.add_user()
        login = {"email": "ada@example.org", "password": "correct horse battery"}

        assert "Secure" in (await world.client.post("/api/auth/login", json=login)).headers["set-cookie"]


def small(world: World) -> httpx2.AsyncClient:
    """The same application taking bodies of 1,000 bytes."""
    transport = httpx2.ASGITransport(BodyLimit(world.app, max_bytes=1000))
    return httpx2.AsyncClient(transport=transport, base_url=ORIGIN)


def login_of(size_bytes: int) -> bytes:
    empty = {"email": "ada@example.org", "password": ""}
    password = "x" * (size_bytes - len(json.dumps(empty)))
    return json.dumps(empty | {"password": password}).encode()


async def in_pieces(body: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(body), 100):
        yield body[start : start + 100]


@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
@pytest.mark.parametrize(("size_bytes", "status"), [(1000, 401), (1001, 413), (5000, 413)])
async def test_a_body_has_a_limit(world: World, size_bytes: int, status: int, *, chunked: bool) -> None:
    body = login_of(size_bytes)

    async with small(world) as client:
        answer = await client.post(
            "/api/auth/login",
            content=in_pieces(body) if chunked else body,
            headers={"Content-Type": "application/json"},
        )

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == status


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("POST", "/api/auth/login", 422), ("POST", "/api/setup", 413), ("PUT", "/api/auth/login", 413)],
)
async def test_a_route_may_take_larger_bodies_than_others(
    world: World, method: str, path: str, status: int
) -> None:
    larger = LargerBody("POST", re.compile("^/api/auth/login$"), 5000)
    transport = httpx2.ASGITransport(BodyLimit(world.app, max_bytes=1000, larger=[larger]))
    headers = {"Content-Type": "application/json"}

    async with httpx2.AsyncClient(transport=transport, base_url=ORIGIN) as client:
        answer = await client.request(method, path, content=login_of(5000), headers=headers)
        beyond = await client.request(method, path, content=login_of(5001), headers=headers)

    assert (answer.status_code, beyond.status_code) == (status, 413)


async def test_a_declared_length_beyond_all_measure_is_refused(world: World) -> None:
    answer = await world.client.get("/version", headers={"Content-Length": "9" * 5000})

    assert answer.status_code == 413


async def test_a_body_that_never_comes_is_not_awaited_for_ever(world: World) -> None:
    async def never() -> AsyncIterator[bytes]:
        yield b"{"
        await world.services.ending.wait()

    transport = httpx2.ASGITransport(BodyLimit(world.app, max_bytes=1000, timeout_s=0.05))
    async with httpx2.AsyncClient(transport=transport, base_url=ORIGIN) as client:
        answer = await client.post(
            "/api/auth/login", content=never(), headers={"Content-Type": "application/json"}
        )

    assert answer.status_code == 408
