"""The outermost layer: request ids, client addresses, one log line, one count."""

import ipaddress

import httpx2
import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from starlette.responses import PlainTextResponse
from starlette.types import Message, Receive, Scope, Send

from glimpser.core.ids import is_id, new_id
from glimpser.web.context import RequestContext
from tests.web_world import ORIGIN, Recorder, World

pytestmark = pytest.mark.anyio

PROXIES = (ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("::1/128"))


async def origin_of(peer: str, **headers: str) -> tuple[str, str]:
    """Tell the address and scheme that an application behind the layer sees."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await PlainTextResponse(f"{scope['state']['client_ip']} {scope['scheme']}")(scope, receive, send)

    context = RequestContext(app, recorder=Recorder(), trusted_proxies=PROXIES)
    transport = httpx2.ASGITransport(context, client=(peer, 1))
    async with httpx2.AsyncClient(transport=transport, base_url=ORIGIN) as client:
        text = (await client.get("/", headers={k.replace("_", "-"): v for k, v in headers.items()})).text
    address, scheme = text.split(" ")
    return address, scheme


@pytest.mark.parametrize("offered", ["a", "A-1_b.c", "x" * 64])
async def test_a_sane_request_id_is_kept(world: World, offered: str) -> None:
    answer = await world.client.get("/version", headers={"X-Request-Id": offered})

    assert answer.headers["x-request-id"] == offered


@pytest.mark.parametrize("offered", ["", "x" * 65, "a b", "a;b", "é", "{}"])
async def test_another_is_replaced(world: World, offered: str) -> None:
    answer = await world.client.get("/version", headers={b"X-Request-Id": offered.encode()})

    assert is_id(answer.headers["x-request-id"])


async def test_a_stranger_cannot_forge_an_address() -> None:
    seen = await origin_of("203.0.113.9", X_Forwarded_For="10.0.0.1", X_Forwarded_Proto="https")

    assert seen == ("203.0.113.9", "http")


@pytest.mark.parametrize(
    ("forwarded", "client"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("198.51.100.1, 203.0.113.9", "203.0.113.9"),
        ("198.51.100.1, 203.0.113.9, 10.1.1.1", "203.0.113.9"),
        ("2001:db8::7", "2001:db8::7"),
        ("10.2.2.2", "10.2.2.2"),
        ("not-an-address", "10.0.0.5"),
        ("203.0.113.9, <script>", "10.0.0.5"),
        ("", "10.0.0.5"),
    ],
)
async def test_a_trusted_proxy_tells_the_nearest_client(forwarded: str, client: str) -> None:
    assert await origin_of("10.0.0.5", X_Forwarded_For=forwarded) == (client, "http")


HOPS = st.sampled_from(["10.0.0.1", "203.0.113.9", "::1", "2001:db8::7", "unknown", "", "\xe9", "1.2.3.4:80"])


@given(st.lists(HOPS | st.text(alphabet="0123456789abcdef.:[]% ,", max_size=20), max_size=6))
async def test_whatever_a_proxy_forwards_the_client_is_an_address(hops: list[str]) -> None:
    async def app(scope: Scope, _receive: Receive, _send: Send) -> None:
        seen.append(scope["state"]["client_ip"])

    seen: list[str] = []
    context = RequestContext(app, recorder=Recorder(), trusted_proxies=PROXIES)
    headers = [(b"x-forwarded-for", ", ".join(hops).encode("latin-1"))]
    scope = {"type": "http", "method": "GET", "path": "/", "scheme": "http", "client": ("10.0.0.1", 1)}

    await context(scope | {"headers": headers}, _never, _nowhere)

    assert [str(ipaddress.ip_address(address)) for address in seen] == seen
    assert len(seen) == 1


async def _never() -> Message:
    raise AssertionError("nothing is to be received")


async def _nowhere(_message: Message) -> None:
    """Take a message."""


async def test_a_proxy_seen_over_ipv6_is_the_same_proxy() -> None:
    assert (await origin_of("::ffff:10.0.0.5", X_Forwarded_For="203.0.113.9"))[0] == "203.0.113.9"


@pytest.mark.parametrize(("told", "scheme"), [("https", "https"), ("HTTPS", "https"), ("gopher", "http")])
async def test_a_trusted_proxy_tells_the_scheme(told: str, scheme: str) -> None:
    assert (await origin_of("::1", X_Forwarded_Proto=told))[1] == scheme


async def test_a_request_leaves_one_line_and_one_count(world: World) -> None:
    headers = await world.sign_in()
    template_id = new_id()

    with structlog.testing.capture_logs(processors=[structlog.contextvars.merge_contextvars]) as lines:
        await world.client.get(f"/api/templates/{template_id}", headers=headers | {"X-Request-Id": "ask-1"})

    (line,) = lines
    assert line["event"] == "http.request"
    assert (line["method"], line["route"], line["status"]) == ("GET", "/api/templates/{template_id}", 404)
    assert line["duration_ms"] >= 0
    assert is_id(line["principal"])
    assert (line["request_id"], line["client_ip"]) == ("ask-1", "127.0.0.1")
    assert world.recorder.served[-1] == ("GET", "/api/templates/{template_id}", 404)


async def test_what_nobody_serves_counts_as_one_route(world: World) -> None:
    for path in ("/a", "/b", "/api/c"):
        await world.client.request("FROB", path)

    assert set(world.recorder.served) == {("OTHER", "(unmatched)", 404)}


async def test_probes_do_not_fill_the_log(world: World) -> None:
    with structlog.testing.capture_logs() as lines:
        await world.client.get("/healthz")

    assert [line["log_level"] for line in lines] == ["debug"]


async def test_other_protocols_pass_untouched() -> None:
    seen: list[Scope] = []

    async def app(scope: Scope, _receive: Receive, _send: Send) -> None:
        seen.append(scope)

    async def nothing(*_: object) -> None: ...

    context = RequestContext(app, recorder=Recorder(), trusted_proxies=())
    await context({"type": "lifespan"}, nothing, nothing)  # type: ignore[arg-type] # never called

    assert seen == [{"type": "lifespan"}]


async def test_a_stream_finds_the_servers_own_send_behind_every_layer() -> None:
    seen: list[object] = []

    async def app(scope: Scope, _receive: Receive, send: Send) -> None:
        seen.extend((scope["state"]["raw_send"], send))

    async def server_send(_message: object) -> None: ...

    async def nothing() -> Message:
        return {"type": "http.disconnect"}

    scope: Scope = {
        "type": "http",
        "method": "GET",
        "path": "/",
        "headers": [],
        "scheme": "http",
        "client": None,
    }
    await RequestContext(app, recorder=Recorder(), trusted_proxies=())(scope, nothing, server_send)

    raw_send, wrapped_send = seen
    assert raw_send is server_send
    assert wrapped_send is not server_send
