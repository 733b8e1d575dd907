"""Webhooks to real servers on loopback, most of which behave badly."""

import asyncio
import hmac
import ipaddress
import json
import ssl
import subprocess
import time
import tracemalloc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from glimpser.core.alerts import Notification, Receipt
from glimpser.core.errors import DeliveryFailed, InvalidInput, Rejected
from glimpser.core.events import Level
from glimpser.egress.gate import Gate, GatePolicy
from glimpser.notify.posting import MAX_ANSWER_BYTES, Poster, open_poster
from glimpser.notify.webhook import WebhookNotifier, parse, signature, webhook_kind
from glimpser.testing.clock import FakeClock
from tests.receiver import Behave, Received, Receiver, answering, open_receiver

pytestmark = pytest.mark.anyio

LOOPBACK = GatePolicy((ipaddress.ip_network("127.0.0.0/8"),))
NOTE = Notification(
    idempotency_key="alert.channel",
    title="Door: motion",
    body="Somebody is there.",
    level=Level.WARNING,
    picture_url=None,
    document={"alert": {"title": "Tür: ☃"}, "event": None, "template": None, "picture_url": None},
)


@asynccontextmanager
async def posting(policy: GatePolicy = LOOPBACK, **options: Any) -> AsyncIterator[Poster]:
    async with open_poster(Gate(policy), **({"timeout_s": 5.0} | options)) as poster:
        yield poster


@pytest.fixture
async def poster() -> AsyncIterator[Poster]:
    async with posting() as opened:
        yield opened


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with open_receiver() as opened:
        yield opened


def notifier(poster: Poster, url: str, **config: object) -> WebhookNotifier:
    kind = webhook_kind(poster, clock=FakeClock(), version="1.2.3")
    built = kind.build(kind.parse({"url": url, **config}))
    assert isinstance(built, WebhookNotifier)
    return built


async def send(poster: Poster, url: str, **config: object) -> Receipt:
    return await notifier(poster, url, **config).send(NOTE)


async def test_the_document_arrives_signed_under_its_key(poster: Poster, receiver: Receiver) -> None:
    receipt = await send(poster, receiver.url + "?a=1", secret="s3cret", headers={"X-Room": "hall"})

    [request] = receiver.received
    assert receipt.response == "HTTP 200: thanks"
    assert (request.method, request.path) == ("POST", "/hook?a=1")
    assert request.json() == NOTE.document
    assert request.headers["content-type"] == "application/json"
    assert request.headers["idempotency-key"] == "alert.channel"
    assert request.headers["user-agent"] == "Glimpser/1.2.3"
    assert request.headers["x-room"] == "hall"
    assert request.headers["host"] == f"127.0.0.1:{receiver.port}"
    at, _, mac = request.headers["x-glimpser-signature"].partition(",v1=")
    assert at == f"t={int(FakeClock().now().timestamp())}"
    expected = hmac.new(b"s3cret", at[2:].encode() + b"." + request.body, sha256).hexdigest()
    assert mac == expected


async def test_without_a_secret_there_is_no_signature(poster: Poster, receiver: Receiver) -> None:
    await send(poster, receiver.url)

    assert "x-glimpser-signature" not in receiver.received[0].headers


def test_another_body_time_or_secret_is_another_signature() -> None:
    plain = signature("secret", b"{}", 1_700_000_000)

    assert plain == signature("secret", b"{}", 1_700_000_000)
    others = {
        signature("secret", b"{ }", 1_700_000_000),
        signature("secret", b"{}", 1_700_000_001),
        signature("Secret", b"{}", 1_700_000_000),
    }
    assert plain not in others
    assert len(others) == 3


async def test_a_cookie_is_never_sent_back(poster: Poster, receiver: Receiver) -> None:
    receiver.behave = answering(200, "", Set_Cookie="session=abc; Path=/")

    await send(poster, receiver.url)
    await send(poster, receiver.url)

    assert "cookie" not in receiver.received[1].headers


async def test_proxies_of_the_environment_are_not_used(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_receiver() as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        async with posting() as poster:
            await send(poster, receiver.url)

    assert (len(receiver.received), len(proxy.received)) == (1, 0)


# Answers ---------------------------------------------------------------------------------------------


async def test_a_busy_receiver_says_when_to_come_again(poster: Poster, receiver: Receiver) -> None:
    receiver.behave = answering(429, "slow down", Retry_After="77")

    with pytest.raises(DeliveryFailed, match="429: slow down") as failed:
        await send(poster, receiver.url)

    assert failed.value.retry_after_s == 77


@pytest.mark.parametrize(("status", "error"), [(500, DeliveryFailed), (410, Rejected), (404, Rejected)])
async def test_other_answers_mean_later_or_never(
    poster: Poster, receiver: Receiver, status: int, error: type[Exception]
) -> None:
    receiver.behave = answering(status)

    with pytest.raises(error):
        await send(poster, receiver.url)


async def test_nobody_listening_is_a_failure_that_names_the_receiver_without_its_secrets(
    poster: Poster,
) -> None:
    async with open_receiver() as gone:
        url = f"http://ann:hunter2@127.0.0.1:{gone.port}/path-s3cret?token=t0ken"

    with pytest.raises(DeliveryFailed) as failed:
        await send(poster, url)

    assert failed.value.detail == f"127.0.0.1:{gone.port} cannot be reached: the connection was refused."


async def never(_received: Received, writer: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


async def drip(_received: Received, writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"H")
        await writer.drain()
        await asyncio.sleep(0.02)


async def hang_up(_received: Received, writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


async def babble(_received: Received, writer: asyncio.StreamWriter) -> None:
    writer.write(b"SMTP ready\r\n\r\n")
    await writer.drain()


async def endless_head(_received: Received, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        writer.write(b"X-Filler: " + b"x" * 8000 + b"\r\n")
        await writer.drain()


@pytest.mark.parametrize("behave", [never, drip, hang_up, babble, endless_head])
async def test_what_is_no_answer_is_a_failure_within_the_time(behave: Behave) -> None:
    began = time.monotonic()
    async with open_receiver(behave) as receiver, posting(timeout_s=0.4) as poster:
        with pytest.raises(DeliveryFailed):
            await send(poster, receiver.url)

    assert time.monotonic() - began < 4


async def test_a_body_without_end_costs_a_bounded_memory_and_time(poster: Poster, receiver: Receiver) -> None:
    async def endless(_received: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(b"x" * 65_536)
            await writer.drain()

    receiver.behave = endless
    await send(poster, receiver.url)
    tracemalloc.start()
    try:
        receipt = await send(poster, receiver.url)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert receipt.response.startswith("HTTP 200: xxx")
    assert peak_bytes < 20 * MAX_ANSWER_BYTES


async def test_a_broken_body_does_not_unsay_the_status(poster: Poster, receiver: Receiver) -> None:
    async def broken(_received: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 202 Accepted\r\nContent-Length: 100\r\n\r\nok")
        await writer.drain()

    receiver.behave = broken

    assert (await send(poster, receiver.url)).response.startswith("HTTP 202")


# Where it may go -------------------------------------------------------------------------------------


async def test_a_closed_address_is_refused_with_the_setting_that_opens_it(receiver: Receiver) -> None:
    async with posting(GatePolicy()) as poster:
        with pytest.raises(Rejected, match=r"capture\.egress_allow"):
            await send(poster, receiver.url)

    assert receiver.received == []


async def test_a_name_is_resolved_once_and_asked_for_by_its_name(receiver: Receiver) -> None:
    asked: list[str] = []

    def resolve(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"]

    async with posting(resolve=resolve) as poster:
        await send(poster, f"http://hooks.example:{receiver.port}/hook")

    assert asked == ["hooks.example"]
    assert receiver.received[0].headers["host"] == f"hooks.example:{receiver.port}"


async def test_a_name_that_does_not_resolve_may_do_so_later() -> None:
    def nowhere(host: str, port: int) -> list[str]:
        raise OSError("no such name")

    async with posting(resolve=nowhere) as poster:
        with pytest.raises(DeliveryFailed, match="does not resolve"):
            await send(poster, "http://hooks.example/")


async def test_a_resolver_that_hangs_holds_up_nobody_else(receiver: Receiver) -> None:
    released = asyncio.Event()
    loop = asyncio.get_running_loop()

    def resolve(host: str, port: int) -> list[str]:
        if host == "slow.example":
            asyncio.run_coroutine_threadsafe(released.wait(), loop).result(10)
        return ["127.0.0.1"]

    async with posting(resolve=resolve, timeout_s=0.3) as poster:
        slow = [
            asyncio.ensure_future(send(poster, f"http://slow.example:{receiver.port}/")) for _ in range(4)
        ]
        await send(poster, f"http://quick.example:{receiver.port}/")
        outcomes = await asyncio.gather(*slow, return_exceptions=True)
        released.set()

    assert [type(outcome) for outcome in outcomes] == [DeliveryFailed] * 4


# Redirects -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [307, 308])
async def test_a_redirect_that_keeps_the_message_is_followed(
    poster: Poster, receiver: Receiver, status: int
) -> None:
    receiver.paths["/hook"] = answering(status, Location="/new?x=1")

    await send(poster, receiver.url, secret="s", headers={"Authorization": "Bearer t"})

    first, second = receiver.received
    assert (second.method, second.path, second.body) == ("POST", "/new?x=1", first.body)
    assert second.headers == first.headers


@pytest.mark.parametrize("status", [300, 301, 302, 303, 304])
async def test_a_redirect_that_would_lose_the_message_is_refused(
    poster: Poster, receiver: Receiver, status: int
) -> None:
    receiver.paths["/hook"] = answering(status, Location="/new")

    with pytest.raises(Rejected, match=f"HTTP {status}"):
        await send(poster, receiver.url)

    assert len(receiver.received) == 1


@pytest.mark.parametrize(
    "location",
    [
        "http://169.254.169.254/latest/meta-data/",
        "http://[::1]:{port}/",
        "http://10.0.0.1/",
        "http://127.0.0.1@10.0.0.1/",
        "file:///etc/passwd",
        "gopher://127.0.0.1/",
        "http://127.0.0.1\\@example.org/",
        "//0.0.0.0:{port}/",
        "http://[",
    ],
)
async def test_a_redirect_to_a_closed_address_is_refused(
    poster: Poster, receiver: Receiver, location: str
) -> None:
    receiver.behave = answering(307, Location=location.format(port=receiver.port))

    with pytest.raises(Rejected):
        await send(poster, receiver.url)

    assert len(receiver.received) == 1


async def test_a_redirect_into_a_circle_ends(poster: Poster, receiver: Receiver) -> None:
    receiver.behave = answering(308, Location="/hook")

    with pytest.raises(Rejected, match="more than 5 times"):
        await send(poster, receiver.url)

    assert len(receiver.received) == 6


async def test_credentials_are_not_taken_to_another_origin(poster: Poster, receiver: Receiver) -> None:
    async with open_receiver() as other:
        receiver.behave = answering(307, Location=other.url)
        url = receiver.url.replace("://", "://ann:hunter2@")
        await send(poster, url, headers={"X-Api-Key": "k3y"})

    assert receiver.received[0].headers["authorization"].startswith("Basic ")
    assert receiver.received[0].headers["x-api-key"] == "k3y"
    assert not {"authorization", "x-api-key"} & set(other.received[0].headers)
    assert other.received[0].headers["idempotency-key"] == "alert.channel"


# TLS -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for hooks.example that nobody but its own file vouches for."""
    directory = tmp_path_factory.mktemp("tls")
    key, cert = directory / "key.pem", directory / "cert.pem"
    subject = ["-subj", "/CN=hooks.example", "-addext", "subjectAltName=DNS:hooks.example"]
    kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    files = ["-keyout", str(key), "-out", str(cert)]
    subprocess.run(["openssl", "req", "-x509", *kind, *subject, *files], check=True, capture_output=True)
    return key, cert


@pytest.fixture
async def secure(certificate: tuple[Path, Path]) -> AsyncIterator[Receiver]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate[1], certificate[0])
    async with open_receiver(tls=context) as opened:
        yield opened


def trusting(certificate: tuple[Path, Path]) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=certificate[1])


def to_loopback(host: str, port: int) -> list[str]:
    return ["127.0.0.1"]


async def test_the_certificate_is_checked_against_the_name_not_the_address(
    secure: Receiver, certificate: tuple[Path, Path]
) -> None:
    async with posting(tls=trusting(certificate), resolve=to_loopback) as poster:
        receipt = await send(poster, f"https://hooks.example:{secure.port}/hook")
        with pytest.raises(DeliveryFailed, match="certificate is not trusted"):
            await send(poster, f"https://other.example:{secure.port}/hook")

    assert receipt.response == "HTTP 200: thanks"
    assert len(secure.received) == 1


async def test_a_certificate_nobody_vouches_for_is_not_trusted(secure: Receiver) -> None:
    async with posting(resolve=to_loopback) as poster:
        with pytest.raises(DeliveryFailed, match="certificate is not trusted"):
            await send(poster, f"https://hooks.example:{secure.port}/hook")


async def test_a_redirect_does_not_leave_the_encryption(
    secure: Receiver, receiver: Receiver, certificate: tuple[Path, Path]
) -> None:
    secure.behave = answering(307, Location=receiver.url)
    async with posting(tls=trusting(certificate), resolve=to_loopback) as poster:
        with pytest.raises(Rejected, match="https to http"):
            await send(poster, f"https://hooks.example:{secure.port}/hook")

    assert receiver.received == []


# Config ----------------------------------------------------------------------------------------------


def test_a_config_is_taken_as_it_is() -> None:
    config = {
        "url": "https://hooks.example/x?token=abc",
        "secret": "s",
        "headers": {"Authorization": "Bearer abc", "X-Empty-Is": "a"},
    }

    assert parse(config) == config
    assert parse({"url": "http://h/"}) == {"url": "http://h/", "headers": {}}


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"url": None}, "/config/url"),
        ({"url": "ftp://h/"}, "/config/url"),
        ({"url": "http://h\\@evil/"}, "/config/url"),
        ({"url": "http://h/\r\nX: 1"}, "/config/url"),
        ({"secret": 5}, "/config/secret"),
        ({"secret": "x" * 257}, "/config/secret"),
        ({"surprise": 1}, "/config/surprise"),
        ({"headers": {"X-A": "b\r\nX-Evil: 1"}}, "/config/headers"),
        ({"headers": {"X-A": "b\nc"}}, "/config/headers"),
        ({"headers": {"X-A": ""}}, "/config/headers"),
        ({"headers": {"X A": "b"}}, "/config/headers"),
        ({"headers": {"X-A:": "b"}}, "/config/headers"),
        ({"headers": {"": "b"}}, "/config/headers"),
        ({"headers": {"X-Ä": "b"}}, "/config/headers"),
        ({"headers": {"X-A": "snow ☃"}}, "/config/headers"),
        ({"headers": {"HOST": "evil"}}, "/config/headers"),
        ({"headers": {"Content-Length": "0"}}, "/config/headers"),
        ({"headers": {"transfer-encoding": "chunked"}}, "/config/headers"),
        ({"headers": {"Connection": "upgrade"}}, "/config/headers"),
        ({"headers": {"Idempotency-key": "mine"}}, "/config/headers"),
        ({"headers": {"x-glimpser-signature": "t=0"}}, "/config/headers"),
        ({"headers": {"Proxy-Authorization": "x"}}, "/config/headers"),
        ({"headers": {"A": "1", "a": "2"}}, "/config/headers"),
        ({"headers": {f"X-{n}": "1" for n in range(21)}}, "/config/headers"),
        ({"headers": {"X-A": 1}}, "/config/headers/X-A"),
    ],
    ids=lambda value: json.dumps(value)[:50],
)
def test_a_config_that_cannot_be_used_is_refused_at_its_field(
    change: dict[str, object], pointer: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse({"url": "https://hooks.example/"} | change)

    assert [error.pointer for error in refused.value.errors] == [pointer]


def test_a_secret_in_a_refused_config_is_not_repeated() -> None:
    with pytest.raises(InvalidInput) as refused:
        parse({"url": "ftp://ann:hunter2@h/", "headers": {"X-A": "hunter2\n"}})

    assert "hunter2" not in str(refused.value.errors) + refused.value.detail
