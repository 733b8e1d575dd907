"""Users, API keys and the audit log over HTTP."""

from typing import Any

import pytest

from glimpser.core.accounts import Role
from glimpser.core.clock import from_timestamp
from tests.web_world import PASSWORD, World

pytestmark = pytest.mark.anyio

BOB = {"email": "bob@example.org", "password": PASSWORD, "role": "viewer", "groups": ["garden"]}
OTHER = "another good password"


async def make(world: World, admin: dict[str, str], path: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = await world.client.post(f"/api/admin/{path}", json=body, headers=admin)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def token_of(world: World, email: str, password: str = PASSWORD) -> dict[str, str]:
    answer = await world.client.post("/api/auth/login", json={"email": email, "password": password})
    world.client.cookies.clear()
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


async def status(world: World, headers: dict[str, str], path: str = "/api/me") -> int:
    return (await world.client.get(path, headers=headers)).status_code


async def test_an_admin_makes_a_user_who_can_sign_in(world: World) -> None:
    admin = await world.sign_in()

    answer = await world.client.post("/api/admin/users", json=BOB, headers=admin)

    made = answer.json()
    assert answer.status_code == 201
    assert answer.headers["etag"] == '"1"'
    assert answer.headers["location"] == f"/api/admin/users/{made['id']}"
    assert {key: made[key] for key in ("email", "role", "groups", "disabled")} == {
        "email": "bob@example.org",
        "role": "viewer",
        "groups": ["garden"],
        "disabled": False,
    }
    assert await status(world, await token_of(world, "BOB@example.org")) == 200


@pytest.mark.parametrize(
    ("change", "expected", "pointer"),
    [
        ({"email": "bob"}, 422, "/email"),
        ({"password": "too short"}, 422, "/password"),
        ({"role": "owner"}, 422, "/role"),
        ({"groups": [""]}, 422, "/groups/0"),
        ({"email": "Bob@Example.org "}, 201, None),
        ({"password": "x" * 12}, 201, None),
        ({"groups": []}, 201, None),
    ],
    ids=lambda value: str(value)[:30],
)
async def test_a_user_is_checked_field_by_field(
    world: World, change: dict[str, Any], expected: int, pointer: str | None
) -> None:
    answer = await world.client.post("/api/admin/users", json=BOB | change, headers=await world.sign_in())

    assert answer.status_code == expected
    if pointer:
        assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


async def test_an_email_is_taken_once_whatever_its_case(world: World) -> None:
    admin = await world.sign_in()
    await make(world, admin, "users", BOB)

    again = await world.client.post(
        "/api/admin/users", json=BOB | {"email": "BOB@example.org"}, headers=admin
    )

    assert again.status_code == 409


async def test_a_change_needs_the_version_it_was_made_for(world: World) -> None:
    admin = await world.sign_in()
    path = f"/api/admin/users/{(await make(world, admin, 'users', BOB))['id']}"

    without = await world.client.patch(path, json={"role": "operator"}, headers=admin)
    stale = await world.client.patch(path, json={"role": "operator"}, headers=admin | {"If-Match": '"2"'})
    right = await world.client.patch(path, json={"role": "operator"}, headers=admin | {"If-Match": '"1"'})

    assert (without.status_code, stale.status_code, right.status_code) == (428, 412, 200)
    assert (right.json()["role"], right.headers["etag"]) == ("operator", '"2"')


async def test_what_changes_nothing_is_no_change(world: World) -> None:
    admin = await world.sign_in()
    path = f"/api/admin/users/{(await make(world, admin, 'users', BOB))['id']}"

    answer = await world.client.patch(path, json={"role": "viewer"}, headers=admin | {"If-Match": '"1"'})

    assert (answer.status_code, answer.headers["etag"]) == (200, '"1"')


@pytest.mark.parametrize(
    ("method", "body"),
    [("PATCH", {"role": "operator"}), ("PATCH", {"disabled": True}), ("DELETE", None)],
    ids=["demoted", "disabled", "removed"],
)
async def test_the_last_admin_who_can_sign_in_stays_one(
    world: World, method: str, body: dict[str, Any] | None
) -> None:
    admin = await world.sign_in()
    await world.add_user(Role.ADMIN, email="off@example.org", disabled=True)
    me = (await world.client.get("/api/me", headers=admin)).json()["id"]
    headers = admin | {"If-Match": "*"}

    alone = await world.client.request(method, f"/api/admin/users/{me}", json=body, headers=headers)
    await world.add_user(Role.ADMIN, email="second@example.org")
    not_alone = await world.client.request(method, f"/api/admin/users/{me}", json=body, headers=headers)

    assert alone.status_code == 409
    assert "last admin" in alone.json()["detail"]
    assert not_alone.status_code in (200, 204)


@pytest.mark.parametrize("change", [{"disabled": True}, {"password": OTHER}], ids=["disabled", "password"])
async def test_a_change_ends_all_sessions_of_the_account_at_once_and_for_good(
    world: World, change: dict[str, Any]
) -> None:
    admin = await world.sign_in()
    path = f"/api/admin/users/{(await make(world, admin, 'users', BOB))['id']}"
    bob = await token_of(world, "bob@example.org")
    assert await status(world, bob) == 200

    await world.client.patch(path, json=change, headers=admin | {"If-Match": "*"})

    assert await status(world, bob) == 401
    await world.client.patch(path, json={"disabled": False}, headers=admin | {"If-Match": "*"})
    assert await status(world, bob) == 401


async def test_another_role_counts_at_once(world: World) -> None:
    admin = await world.sign_in()
    path = f"/api/admin/users/{(await make(world, admin, 'users', BOB))['id']}"
    bob = await token_of(world, "bob@example.org")
    assert await status(world, bob, "/api/admin/users") == 403

    await world.client.patch(path, json={"role": "admin"}, headers=admin | {"If-Match": "*"})

    assert await status(world, bob, "/api/admin/users") == 200


async def test_ones_own_password_ends_the_other_sessions_and_begins_a_new_one(world: World) -> None:
    await world.add_user(email="bob@example.org")
    old, other = [await token_of(world, "bob@example.org") for _ in range(2)]
    body = {"current_password": PASSWORD, "new_password": OTHER}

    answer = await world.client.post("/api/me/password", json=body, headers=old)
    world.client.cookies.clear()

    new = {"Authorization": f"Bearer {answer.json()['access_token']}"}
    assert [await status(world, each) for each in (old, other, new)] == [401, 401, 200]
    assert await status(world, await token_of(world, "bob@example.org", OTHER)) == 200


async def test_guessing_ones_current_password_is_limited(world: World) -> None:
    await world.add_user(email="bob@example.org")
    bob = await token_of(world, "bob@example.org")
    wrong = {"current_password": "not the password", "new_password": OTHER}

    statuses = [
        (await world.client.post("/api/me/password", json=wrong, headers=bob)).status_code for _ in range(6)
    ]

    assert statuses == [403] * 5 + [429]


async def test_a_key_is_shown_once_and_says_who_one_is(world: World) -> None:
    admin = await world.sign_in()
    made = await make(world, admin, "api-keys", {"name": "Door", "role": "operator", "groups": ["garden"]})

    me = await world.client.get("/api/me", headers={"x-api-key": made["key"]})

    assert made["key"].startswith("glk_")
    assert me.json() == {
        "id": made["id"],
        "email": None,
        "name": "Door",
        "role": "operator",
        "groups": ["garden"],
        "principal": "api_key",
    }
    listed = (await world.client.get("/api/admin/api-keys", headers=admin)).json()["items"]
    assert listed == [{name: value for name, value in made.items() if name != "key"}]
    assert made["key"].encode() not in (await world.client.get("/api/admin/audit", headers=admin)).content


@pytest.mark.parametrize(
    "spoil",
    [
        lambda key: key[:-1] + ("0" if key[-1] != "0" else "1"),
        lambda key: key + "0",
        lambda key: key[4:],
        lambda key: "glk_" + "0" * 26 + key[30:],
        lambda key: "",
    ],
    ids=["changed", "longer", "bare", "of another id", "empty"],
)
async def test_nothing_but_the_whole_key_is_the_key(world: World, spoil: Any) -> None:
    made = await make(world, await world.sign_in(), "api-keys", {"name": "Door", "role": "viewer"})

    assert await status(world, {"x-api-key": spoil(made["key"])}) == 401
    assert await status(world, {"x-api-key": f" {made['key']} "}) == 200
    assert (await world.client.get(f"/api/me?x-api-key={made['key']}")).status_code == 401


async def test_a_revoked_key_and_one_that_is_over_are_refused(world: World) -> None:
    admin = await world.sign_in()
    over = world.clock.now().replace(microsecond=0).timestamp() + 60
    made = await make(world, admin, "api-keys", {"name": "Door", "role": "viewer"})
    ends = await make(
        world,
        admin,
        "api-keys",
        {"name": "Guest", "role": "viewer", "expires_at": _written(over)},
    )
    for key in (made, ends):
        assert await status(world, {"x-api-key": key["key"]}) == 200

    await world.client.delete(f"/api/admin/api-keys/{made['id']}", headers=admin)
    world.clock.advance(61)

    for key in (made, ends):
        assert await status(world, {"x-api-key": key["key"]}) == 401


async def test_a_key_that_is_over_before_it_begins_is_refused(world: World) -> None:
    body = {"name": "Guest", "role": "viewer", "expires_at": _written(world.clock.now().timestamp())}

    answer = await world.client.post("/api/admin/api-keys", json=body, headers=await world.sign_in())

    assert answer.json()["errors"][0]["pointer"] == "/expires_at"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/auth/logout", None),
        ("/api/me/password", {"current_password": PASSWORD, "new_password": OTHER}),
    ],
    ids=["logout", "password"],
)
async def test_a_key_has_neither_a_session_nor_a_password(
    world: World, path: str, body: dict[str, str] | None
) -> None:
    made = await make(world, await world.sign_in(), "api-keys", {"name": "Door", "role": "admin"})

    answer = await world.client.post(path, json=body, headers={"x-api-key": made["key"]})

    assert answer.status_code == 403


async def test_when_a_key_was_used_is_written_later_and_by_the_way(world: World) -> None:
    admin = await world.sign_in()
    made = await make(world, admin, "api-keys", {"name": "Door", "role": "viewer"})
    await world.client.get("/api/me", headers={"x-api-key": made["key"]})
    listed = (await world.client.get("/api/admin/api-keys", headers=admin)).json()["items"]
    assert listed[0]["last_used_at"] is None

    await world.people.key_uses.write()

    listed = (await world.client.get("/api/admin/api-keys", headers=admin)).json()["items"]
    assert listed[0]["last_used_at"] is not None


async def test_the_audit_log_says_who_did_what_from_where(world: World) -> None:
    admin = await world.sign_in()
    bob = await make(world, admin, "users", BOB)
    wrong = {"email": "bob@example.org", "password": "not the password"}
    for _ in range(6):
        await world.client.post("/api/auth/login", json=wrong)

    everything = (await world.client.get("/api/admin/audit", headers=admin)).json()["items"]
    refused = await world.client.get(
        "/api/admin/audit", params={"action": "login.refused", "actor": "bob@example.org"}, headers=admin
    )

    assert [made["action"] for made in everything] == ["login.refused"] * 5 + ["user.created"]
    assert everything[-1]["subject"] == bob["id"]
    assert everything[-1]["detail"] == "bob@example.org, viewer, groups garden"
    assert [made["detail"] for made in refused.json()["items"]] == ["locked out", "", "", "", ""]
    assert {made["client_ip"] for made in everything} == {"127.0.0.1"}


async def test_a_name_that_nobody_has_is_not_written_down(world: World) -> None:
    admin = await world.sign_in()

    await world.client.post("/api/auth/login", json={"email": "my secret password", "password": "ada"})

    found = (await world.client.get("/api/admin/audit", headers=admin)).json()["items"]
    assert [(made["actor"], made["subject"]) for made in found] == [("(unknown)", "(unknown)")]


def _written(timestamp: float) -> str:
    return from_timestamp(timestamp).isoformat()
