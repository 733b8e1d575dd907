"""Setting up, signing in and out over HTTP."""

import asyncio

import pytest

from glimpser.core.accounts import Role
from glimpser.web.security import SESSION_COOKIE
from tests.web_world import LIFETIME_S, ORIGIN, PASSWORD, World

pytestmark = pytest.mark.anyio

LOGIN = {"email": "ada@example.org", "password": PASSWORD}


async def test_setup_is_needed_until_it_is_done(world: World) -> None:
    assert (await world.client.get("/api/setup")).json() == {"needed": True}
    code = await world.services.accounts.open_setup()

    done = await world.client.post("/api/setup", json=LOGIN | {"code": code})
    again = await world.client.post("/api/setup", json=LOGIN | {"code": code})

    assert done.status_code == 201
    user = done.json()["user"]
    assert (user["email"], user["role"], user["groups"]) == ("ada@example.org", "admin", [])
    assert again.status_code == 409
    assert (await world.client.get("/api/setup")).json() == {"needed": False}


async def test_fifty_setups_at_once_make_one_admin(world: World) -> None:
    code = await world.services.accounts.open_setup()

    answers = await asyncio.gather(
        *(
            world.client.post("/api/setup", json=LOGIN | {"code": code, "email": f"u{number}@example.org"})
            for number in range(50)
        )
    )

    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 49


async def test_a_wrong_setup_code_is_refused(world: World) -> None:
    await world.services.accounts.open_setup()

    refused = await world.client.post("/api/setup", json=LOGIN | {"code": "AAAA-AAAA-AAAA-AAAA"})

    assert refused.status_code == 403
    assert (await world.client.get("/api/setup")).json() == {"needed": True}


async def test_signing_in_gives_a_token_and_a_cookie_no_script_can_read(world: World) -> None:
    user = await world.add_user()

    answer = await world.client.post("/api/auth/login", json=LOGIN)

    body = answer.json()
    assert body["token_type"] == "bearer"
    assert body["expires_in"] == LIFETIME_S
    assert body["user"] == {"id": user.id, "email": user.email, "role": "admin", "groups": []}
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f"{SESSION_COOKIE}={body['access_token']};")
    assert {part.strip() for part in cookie.split(";")[1:]} == {
        "HttpOnly",
        "Max-Age=3600",
        "Path=/",
        "SameSite=strict",
    }
    assert answer.headers["cache-control"] == "no-store"


async def test_both_the_token_and_the_cookie_say_who_one_is(world: World) -> None:
    user = await world.add_user(Role.OPERATOR)
    token = (await world.client.post("/api/auth/login", json=LOGIN)).json()["access_token"]
    by_cookie = await world.client.get("/api/me")
    world.client.cookies.clear()

    by_token = await world.client.get("/api/me", headers={"Authorization": f"bearer {token}"})

    expected = {
        "id": user.id,
        "email": user.email,
        "name": user.email,
        "role": "operator",
        "groups": [],
        "principal": "user",
    }
    assert by_cookie.json() == by_token.json() == expected


@pytest.mark.parametrize(
    ("path", "wrong", "status"),
    [
        ("/api/setup", {"code": "AAAA-AAAA-AAAA-AAAA"}, 403),
        ("/api/auth/login", {"password": "wrong horse battery"}, 401),
    ],
)
async def test_whoever_guesses_is_told_when_to_come_back(
    world: World, path: str, wrong: dict[str, str], status: int
) -> None:
    await world.services.accounts.open_setup()

    answers = [await world.client.post(path, json=LOGIN | wrong) for _ in range(6)]

    assert [answer.status_code for answer in answers] == [status] * 5 + [429]
    assert answers[-1].headers["retry-after"] == "60"


@pytest.mark.parametrize(
    "login",
    [LOGIN | {"password": "wrong horse battery"}, LOGIN | {"email": "eve@example.org"}],
    ids=["password", "email"],
)
async def test_a_wrong_sign_in_does_not_say_what_was_wrong(world: World, login: dict[str, str]) -> None:
    await world.add_user()

    answer = await world.client.post("/api/auth/login", json=login)

    assert answer.status_code == 401
    assert answer.json()["detail"] == "The email or the password is wrong."
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert "set-cookie" not in answer.headers
    assert len(world.hasher.verified) == 1


async def test_signing_out_ends_the_token_and_the_cookie(world: World) -> None:
    await world.add_user()
    token = (await world.client.post("/api/auth/login", json=LOGIN)).json()["access_token"]
    bearer = {"Authorization": f"Bearer {token}"}

    answer = await world.client.post("/api/auth/logout", headers={"Origin": ORIGIN})

    assert answer.status_code == 204
    assert f'{SESSION_COOKIE}="";' in answer.headers["set-cookie"]
    assert (await world.client.get("/api/me", headers=bearer)).status_code == 401


@pytest.mark.parametrize(
    "authorization",
    ["Bearer", "Bearer ", "Bearer x.y.z", "Basic YWRhOnB3", b"bearer \xe9", "Token abc"],
)
async def test_no_identity_without_a_good_token(world: World, authorization: str | bytes) -> None:
    value = authorization if isinstance(authorization, bytes) else authorization.encode()
    answer = await world.client.get("/api/me", headers={b"Authorization": value})

    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_bearer_token_goes_before_a_stale_cookie(world: World) -> None:
    headers = await world.sign_in()

    answer = await world.client.get("/api/me", headers={**headers, "Cookie": f"{SESSION_COOKIE}=old"})

    assert answer.status_code == 200


async def test_who_has_not_signed_in_may_ask_who_one_is(world: World) -> None:
    before = await world.client.get("/api/session")
    user = await world.add_user()
    await world.client.post("/api/auth/login", json=LOGIN)

    after = await world.client.get("/api/session")

    assert (before.status_code, before.json()) == (200, {"me": None})
    assert after.json()["me"]["id"] == user.id


async def test_a_token_that_is_none_is_nobody(world: World) -> None:
    answer = await world.client.get("/api/session", headers={"Authorization": "Bearer nonsense"})

    assert answer.json() == {"me": None}
