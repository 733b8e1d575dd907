"""The program about itself: version, health, the description of the interface, its page, its metrics."""

import re
from collections.abc import Mapping
from pathlib import Path

import httpx2
import pytest

from glimpser.observability.health import CheckResult
from glimpser.observability.metrics import Metrics
from glimpser.web.application import ROUTES, openapi_document
from glimpser.web.observability import build_observability
from glimpser.web.security import PUBLIC, UNCOUNTED
from glimpser.web.wiring import WebSettings
from tests.web_world import ORIGIN, World

pytestmark = pytest.mark.anyio

TOKEN = "a token for metrics"
RUNBOOKS = Path(__file__).parents[3] / "docs/runbooks"


async def test_the_version_is_told(world: World) -> None:
    answer = await world.client.get("/version")

    assert answer.json() == {"version": "1.2.3", "commit": "abc1234", "api": "1"}


async def test_health_is_told_to_everybody(world: World) -> None:
    assert (await world.client.get("/healthz")).json() == {"status": "ok"}
    ready = await world.client.get("/readyz")
    assert ready.status_code == 200
    assert ready.json() == {
        "status": "ready",
        "checks": {"database": {"ok": True, "detail": "answers"}},
    }


async def test_a_failing_check_takes_the_program_out_of_service(world: World) -> None:
    world.checks["disk"] = CheckResult(ok=False, detail="1 % free")

    ready = await world.client.get("/readyz")

    assert ready.status_code == 503
    assert ready.json()["status"] == "not_ready"
    assert ready.json()["checks"]["disk"] == {"ok": False, "detail": "1 % free"}


async def test_the_interface_is_described_as_it_is_served(world: World) -> None:
    document = (await world.client.get("/openapi.json")).json()

    assert document == openapi_document(WebSettings(version="1.2.3"))
    served = {(row.method.lower(), row.path): row for row in ROUTES if row.of is None}
    described = {
        (method, path): operation
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    }
    assert described.keys() == served.keys()
    for key, operation in described.items():
        row = served[key]
        assert operation["description"], key
        assert str(row.status) in operation["responses"], key
        assert bool(operation["security"]) is (row.access not in (PUBLIC, UNCOUNTED)), key


def test_every_refusal_is_described_as_a_problem() -> None:
    document = openapi_document(WebSettings(version="1"))

    shared = document["components"]["responses"]
    refusals = [
        response["$ref"].rpartition("/")[2]
        for operations in document["paths"].values()
        for operation in operations.values()
        for status, response in operation["responses"].items()
        if status >= "400" and not (status == "503" and "ready" in operation["operationId"])
    ]
    assert len(refusals) > 50
    for name in refusals:
        content = shared[name]["content"]
        assert content == {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    assert set(document["components"]["schemas"]["Problem"]["required"]) == {
        "type", "title", "status", "detail", "instance", "request_id",
    }  # fmt: skip


def test_every_reference_in_the_description_leads_somewhere() -> None:
    document = openapi_document(WebSettings(version="1"))

    named = set(re.findall(r"'#/components/(\w+)/([^']+)'", str(document)))

    assert {kind for kind, _ in named} == {"schemas", "responses", "headers"}
    for kind, name in named:
        assert name in document["components"][kind], (kind, name)


async def test_the_page_loads_nothing_from_elsewhere(world: World) -> None:
    page = await world.client.get("/docs")

    assert page.headers["content-type"].startswith("text/html")
    policy = page.headers["content-security-policy"]
    assert "script-src 'self';" in policy
    assert "unsafe-eval" not in policy
    named = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert {"/system", "/jobs"} < set(named)  # the web app's own pages, where it is built
    for path in sorted({*named} - {"/system", "/jobs"}):
        answer = await world.client.get(path)
        assert answer.status_code == 200, path
        assert answer.content
    assert not re.search(r"<script>|style=|onload", page.text)


async def test_the_page_links_to_every_runbook(world: World) -> None:
    page = (await world.client.get("/docs")).text
    names = {path.stem for path in RUNBOOKS.glob("*.md")}

    assert names
    assert set(re.findall(r'href="/docs/runbooks/([^"]+)"', page)) == names
    for name in names:
        shown = await world.client.get(f"/docs/runbooks/{name}")
        assert shown.headers["content-type"] == "text/plain; charset=utf-8"
        assert shown.text == (RUNBOOKS / f"{name}.md").read_text(encoding="utf-8")


async def test_the_dashboard_names_no_series_that_is_not_exposed(world: World) -> None:
    dashboard = (await world.client.get("/docs/dashboard.json")).json()
    exposed = set(re.findall(r"^# TYPE (\S+)", Metrics("1.2.3").expose().decode(), re.MULTILINE))

    asked = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    series = {name for text in asked for name in re.findall(r"\b(?:glimpser|command|process)_\w+", text)}

    assert len(series) > 10
    assert all(re.search(r"\b(?:glimpser|command|process)_", text) for text in asked)
    assert {name.removesuffix("_bucket") for name in series} <= exposed


@pytest.mark.parametrize("name", ["after-a-crash.md", "..%2findex", "..%2f..%2fREADME", "%00", "none"])
async def test_what_is_no_runbook_is_not_there(world: World, name: str) -> None:
    assert (await world.client.get(f"/docs/runbooks/{name}")).status_code == 404


@pytest.mark.parametrize("name", ["..%2f..%2fmain.py", "main.py", "__init__.py", "", "%2e%2e"])
async def test_the_page_gives_no_other_file(world: World, name: str) -> None:
    assert (await world.client.get(f"/docs/assets/{name}")).status_code == 404


async def of_observability(
    path: str, *, peer: str = "127.0.0.1", token: str | None = None, **headers: str
) -> httpx2.Response:
    async def ready() -> tuple[bool, Mapping[str, CheckResult]]:
        return True, {}

    app = build_observability(ready, lambda: b"glimpser_up 1\n", metrics_token=token)
    transport = httpx2.ASGITransport(app, client=(peer, 1))
    async with httpx2.AsyncClient(transport=transport, base_url=ORIGIN) as client:
        return await client.get(path, headers=headers)


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
async def test_the_observability_port_tells_health_to_everybody(path: str) -> None:
    assert (await of_observability(path, peer="203.0.113.9")).status_code == 200


@pytest.mark.parametrize(
    ("peer", "authorization", "status"),
    [
        ("127.0.0.1", "", 200),
        ("::1", "", 200),
        ("10.0.0.1", "", 401),
        ("10.0.0.1", f"Bearer {TOKEN}", 200),
        ("10.0.0.1", f"bearer {TOKEN}", 200),
        ("10.0.0.1", f"Bearer {TOKEN}x", 401),
        ("10.0.0.1", "Bearer ", 401),
        ("10.0.0.1", f"Basic {TOKEN}", 401),
        ("localhost", "", 401),
    ],
)
async def test_metrics_are_for_this_machine_or_the_bearer(peer: str, authorization: str, status: int) -> None:
    answer = await of_observability("/metrics", peer=peer, token=TOKEN, authorization=authorization)

    assert answer.status_code == status
    assert (answer.text == "glimpser_up 1\n") is (status == 200)


async def test_a_proxy_on_this_machine_is_not_this_machine() -> None:
    answer = await of_observability("/metrics", **{"x-forwarded-for": "203.0.113.9"})

    assert answer.status_code == 401


async def test_without_a_configured_token_no_token_is_right() -> None:
    answer = await of_observability("/metrics", peer="10.0.0.1", authorization="Bearer None")

    assert answer.status_code == 401


async def test_the_observability_port_serves_nothing_else() -> None:
    answer = await of_observability("/api/templates")

    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
