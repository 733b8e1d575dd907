"""Every refusal is a problem document, and none says more than its reader may know."""

import json

import httpx2
import pytest
import structlog
from starlette.types import Receive, Scope, Send

from glimpser.core import errors
from glimpser.core.errors import GlimpserError
from glimpser.web.context import RequestContext
from glimpser.web.problems import STATUSES, status_of
from tests.web_world import ORIGIN, Recorder, World

pytestmark = pytest.mark.anyio

JSON = {"Content-Type": "application/json"}


def test_every_kind_of_error_has_a_status() -> None:
    ours = {kind for kind in GlimpserError.__subclasses__() if kind.__module__ == errors.__name__}

    assert len(ours) > 5
    assert ours <= STATUSES.keys()


def test_an_error_of_a_later_kind_has_the_status_of_its_nearest() -> None:
    class Newer(errors.Stale):
        pass

    assert status_of(Newer("x")) == 412


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/nowhere", 404),
        ("GET", "/api/templates/", 404),
        ("GET", "/api", 404),
        ("GET", "/assets/nothing.js", 404),
        ("POST", "/", 404),
        ("GET", "/api/templates/..%2f..%2fetc%2fpasswd", 404),
        ("GET", "/api/%f0%28%8c", 404),
        ("DELETE", "/api/templates", 405),
        ("BREW", "/api/templates", 405),
        ("GET", "/api/me", 401),
    ],
)
async def test_a_refusal_is_a_problem(world: World, method: str, path: str, status: int) -> None:
    answer = await world.client.request(method, path, headers={"X-Request-Id": "ask-1"})

    body = answer.json()
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert body["status"] == status
    assert set(body) == {"type", "title", "status", "detail", "instance", "request_id"}
    assert body["request_id"] == answer.headers["x-request-id"] == "ask-1"
    assert body["type"] == f"urn:glimpser:problem:{body['title'].lower().replace(' ', '-')}"


async def test_a_wrong_method_is_told_the_right_ones(world: World) -> None:
    answer = await world.client.put("/api/templates")

    assert answer.headers["allow"] == "GET, HEAD, POST"


async def test_a_written_path_does_not_take_the_methods_of_one_with_an_id(world: World) -> None:
    written = await world.client.put("/api/alerts/test")
    with_id = await world.client.put("/api/alerts/01JDARTT0000000000000000AA")

    assert (written.status_code, written.headers["allow"]) == (405, "POST")
    assert (with_id.status_code, with_id.headers["allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"{}x",
        b"{'a': 1}",
        b'{"a": NaN}',
        b'{"email": Infinity}',
        b"\xff\xfe{}",
        b'{"a": "\\ud800"}',
    ],
    ids=ascii,
)
async def test_what_is_not_json_is_a_bad_request(world: World, body: bytes) -> None:
    answer = await world.client.post("/api/auth/login", content=body, headers=JSON)

    assert answer.status_code == (422 if not body else 400)
    assert "JSON" in answer.json()["detail"] or not body


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 50_000 + b"]" * 50_000,
        b'{"a":' * 900 + b"1" + b"}" * 900,
        b"[" + b"0," * 30_000 + b"0]",
        b'{"email": "a\\u0000@b", "password": "x"}',
        b'{"\\u001b": 1}',
    ],
    ids=["bottomless", "deep", "wide", "nul", "escape"],
)
async def test_json_that_nobody_means_is_refused(world: World, body: bytes) -> None:
    answer = await world.client.post("/api/auth/login", content=body, headers=JSON)

    assert answer.status_code == 422
    assert "body" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ("[]", [""]),
        ("{}", ["/email", "/password"]),
        ('{"email": 1, "password": ["hunter2"]}', ["/email", "/password"]),
        ('{"email": "a@b", "password": "hunter2", "a/b~c": 1}', ["/a~1b~0c"]),
    ],
)
async def test_a_wrong_shape_names_its_fields_and_echoes_nothing(
    world: World, body: str, pointers: list[str]
) -> None:
    answer = await world.client.post("/api/auth/login", content=body, headers=JSON)

    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == pointers
    assert "hunter2" not in answer.text


@pytest.mark.parametrize(
    ("media_type", "status"),
    [
        ("application/json", 401),
        ("Application/JSON; charset=utf-8", 401),
        ("application/merge-patch+json", 401),
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
        ("text/json", 415),
        ("application/jsonp", 415),
        ("", 415),
    ],
)
async def test_a_body_says_that_it_is_json(world: World, media_type: str, status: int) -> None:
    body = b'{"email":"a@b","password":"x"}'

    answer = await world.client.post("/api/auth/login", content=body, headers={"Content-Type": media_type})

    assert answer.status_code == status


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=201", "limit=x", "cursor=%00", "cursor=AAAA", "enabled=2"]
)
async def test_a_wrong_parameter_is_named(world: World, query: str) -> None:
    answer = await world.client.get(f"/api/templates?{query}", headers=await world.sign_in())

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == f"/{query.partition('=')[0]}"


@pytest.mark.parametrize(
    "name", ["1", "x" * 26, "..%2f..", "01J" + "0" * 22 + "l", "%00", "01m80000000000000000000000"]
)
async def test_what_is_no_id_is_not_found(world: World, name: str) -> None:
    headers = await world.sign_in()

    for path in ("templates", "events", "captures", "artifacts"):
        assert (await world.client.get(f"/api/{path}/{name}", headers=headers)).status_code == 404


async def test_unavailable_says_when_to_come_back(world: World) -> None:
    headers = await world.sign_in()
    template = (await world.add_template(headers)).json()

    answer = await world.client.get(f"/api/stream/{template['id']}/snapshot", headers=headers)

    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "7"
    assert answer.json()["detail"] == "The camera does not answer."


async def test_a_failure_nobody_foresaw_is_logged_and_says_nothing(world: World) -> None:
    def broken(_template_id: str) -> None:
        raise RuntimeError("password=hunter2")

    headers = await world.sign_in()
    await world.add_template(headers)
    world.live.status = broken  # type: ignore[method-assign, assignment] # the fake is broken on purpose

    with structlog.testing.capture_logs() as lines:
        answer = await world.client.get("/api/templates", headers=headers)

    assert answer.status_code == 500
    assert "hunter2" not in answer.text
    assert answer.json()["request_id"] == answer.headers["x-request-id"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert [line["event"] for line in lines if line["log_level"] == "error"] == ["http.failed"]
    assert lines[-1]["event"] == "http.request"
    assert lines[-1]["status"] == 500


async def test_a_failure_after_the_answer_began_breaks_it_off() -> None:
    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise RuntimeError("too late")

    recorder = Recorder()
    transport = httpx2.ASGITransport(RequestContext(app, recorder=recorder, trusted_proxies=()))
    async with httpx2.AsyncClient(transport=transport, base_url=ORIGIN) as client:
        with structlog.testing.capture_logs() as lines, pytest.raises(AssertionError):
            await client.get("/")

    assert [line["event"] for line in lines] == ["http.failed", "http.request"]


async def test_a_path_that_is_not_unicode_is_still_answered(world: World) -> None:
    answer = await world.client.get("/api/%ff%fe")

    assert answer.status_code == 404
    assert json.loads(answer.content)["instance"].startswith("/api/")
