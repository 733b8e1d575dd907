"""Too many requests: who is told to wait, and who is not."""

from collections.abc import AsyncIterator
from ipaddress import ip_network
from pathlib import Path

import pytest

from glimpser.core.ids import new_id
from glimpser.services.rates import RateLimits, parse_limits
from glimpser.web.wiring import WebSettings
from tests.web_world import World, open_world

pytestmark = pytest.mark.anyio

LIMITS = RateLimits(
    address=parse_limits("4/minute"),
    address_writes=parse_limits("2/minute"),
    principal=parse_limits("6/minute"),
    principal_writes=parse_limits("3/minute"),
)
BEHIND_A_PROXY = WebSettings(version="1", trusted_proxies=(ip_network("127.0.0.1"),))


@pytest.fixture
async def limited(data_dir: Path) -> AsyncIterator[World]:
    async with open_world(data_dir, BEHIND_A_PROXY, rate_limits=LIMITS) as world:
        yield world


async def statuses(world: World, count: int, path: str, **request: object) -> list[int]:
    method = str(request.pop("method", "GET"))
    return [(await world.client.request(method, path, **request)).status_code for _ in range(count)]  # type: ignore[arg-type]


async def test_a_stranger_is_told_how_long_to_wait(limited: World) -> None:
    assert await statuses(limited, 4, "/version") == [200] * 4

    answer = await limited.client.get("/version")

    assert answer.status_code == 429
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["retry-after"] == "60"
    assert answer.json()["detail"].startswith("More than 4 per 1 minute requests")
    limited.clock.advance(60)
    assert await statuses(limited, 1, "/version") == [200]


async def test_guessing_tokens_is_limited_by_address_and_costs_those_who_are_known_nothing(
    limited: World,
) -> None:
    known = await limited.sign_in()

    guessed = await statuses(limited, 6, "/api/me", headers={"Authorization": "Bearer guessed"})

    assert guessed == [401] * 4 + [429] * 2
    assert await statuses(limited, 6, "/api/me", headers=known) == [200] * 6


async def test_a_user_is_limited_whatever_address_they_come_from(limited: World) -> None:
    known = await limited.sign_in()

    found = []
    for number in range(8):
        headers = known | {"X-Forwarded-For": f"198.51.100.{number}"}
        found += await statuses(limited, 1, "/api/me", headers=headers)

    assert found == [200] * 6 + [429] * 2


async def test_writes_are_limited_more_strictly(limited: World) -> None:
    known = await limited.sign_in()

    found = await statuses(limited, 4, "/api/alerts/test", method="POST", headers=known, json={})
    guessed = await statuses(limited, 3, "/api/auth/login", method="POST", json={"email": "", "password": ""})

    assert found == [200] * 3 + [429]
    assert guessed == [401] * 2 + [429]
    assert await statuses(limited, 1, "/api/me", headers=known) == [200]


@pytest.mark.parametrize(
    ("method", "path", "refusal"),
    [("GET", "/api/none-such", 404), ("POST", "/api/none-such", 404), ("PATCH", "/api/me", 405)],
)
async def test_trying_addresses_is_limited_like_everything_else(
    limited: World, method: str, path: str, refusal: int
) -> None:
    found = await statuses(limited, 6, path, method=method)

    allowed = 4 if method == "GET" else 2
    assert found == [refusal] * allowed + [429] * (6 - allowed)
    known = await limited.sign_in()
    assert await statuses(limited, 1, "/api/me", headers=known) == [200]


async def test_what_is_not_there_counts_once_for_who_asks(limited: World) -> None:
    known = await limited.sign_in()

    found = await statuses(limited, 7, f"/api/events/{new_id()}", headers=known)

    assert found == [404] * 6 + [429]


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
async def test_whoever_asks_whether_the_program_is_well_is_always_told(limited: World, path: str) -> None:
    assert await statuses(limited, 20, path) == [200] * 20


@pytest.mark.parametrize(
    "header",
    [
        "203.0.113.{n}, 198.51.100.7",  # the client's own invention stands before what our proxy saw
        "127.0.0.1, 203.0.113.{n}, 198.51.100.7",
        "not an address {n}, 198.51.100.7, 127.0.0.1",
        "198.51.100.7",
    ],
    ids=["forged", "forged-as-the-proxy", "garbage", "honest"],
)
async def test_a_forged_header_buys_no_new_bucket(limited: World, header: str) -> None:
    found = []
    for number in range(6):
        found += await statuses(limited, 1, "/version", headers={"X-Forwarded-For": header.format(n=number)})

    assert found == [200] * 4 + [429] * 2


async def test_clients_behind_a_trusted_proxy_have_buckets_of_their_own(limited: World) -> None:
    found = []
    for number in range(6):
        found += await statuses(limited, 1, "/version", headers={"X-Forwarded-For": f"198.51.100.{number}"})

    assert found == [200] * 6


async def test_without_a_trusted_proxy_the_header_says_nothing(data_dir: Path) -> None:
    async with open_world(data_dir, rate_limits=LIMITS) as world:
        found = []
        for number in range(5):
            found += await statuses(world, 1, "/version", headers={"X-Forwarded-For": f"198.51.100.{number}"})

    assert found == [200] * 4 + [429]
