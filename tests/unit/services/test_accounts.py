"""Accounts: the first admin, signing in and out, and how long a revoked token may still work."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from glimpser.core.accounts import AuditFilter, Role
from glimpser.core.errors import Conflict, Denied, InvalidInput, TooMany, Unauthenticated, Unavailable
from glimpser.core.ids import UserId, new_id
from glimpser.core.pages import PageRequest
from glimpser.services.accounts import Accounts
from glimpser.services.passwords import Argon2Hasher, Passwords
from glimpser.services.principals import Principals
from glimpser.services.setup_code import SetupCode
from tests.web_world import PASSWORD, World, open_world

pytestmark = pytest.mark.anyio


@pytest.fixture
async def world(data_dir: Path) -> AsyncIterator[World]:
    async with open_world(data_dir) as opened:
        yield opened


@pytest.fixture
def accounts(world: World) -> Accounts:
    return world.services.accounts


async def test_a_new_program_needs_setup_until_there_is_a_user(world: World, accounts: Accounts) -> None:
    assert await accounts.needs_setup()

    await world.add_user()

    assert not await accounts.needs_setup()
    assert await accounts.open_setup() is None


async def test_the_code_lets_its_reader_make_the_first_admin(world: World, accounts: Accounts) -> None:
    code = await accounts.open_setup()
    assert code is not None

    user = await accounts.create_first_admin(code, " Ada@Example.ORG ", password=PASSWORD, client_ip="::1")

    assert (user.email, user.role) == ("ada@example.org", Role.ADMIN)
    audit = await world.database.read(lambda tx: tx.audit.list(AuditFilter(), PageRequest()))
    assert [(item.action, item.subject, item.client_ip) for item in audit.items] == [
        ("user.created", user.id, "::1")
    ]
    assert (await accounts.login("ada@example.org", PASSWORD)).user == user


async def test_the_code_stays_the_same_until_it_is_used(accounts: Accounts) -> None:
    assert await accounts.open_setup() == await accounts.open_setup()


async def test_case_dashes_and_lookalikes_in_the_code_do_not_matter() -> None:
    code = SetupCode()
    code.text = "01AB-CDEF-GHJK-MNPQ"

    assert code.matches(" o1ab cdef ghjk mnpq ")
    assert code.matches("OLABCDEFGHJKMNPQ")
    assert not code.matches("01AB-CDEF-GHJK-MNPR")


def test_a_code_holds_eighty_bits_in_letters_nobody_confuses() -> None:
    codes = {SetupCode().text for _ in range(200)}

    assert len(codes) == 200
    assert all(len(group) == 4 for code in codes for group in code.split("-"))
    assert not set("".join(codes)) & set("ILOU")


@pytest.mark.parametrize("code", ["", "0000-0000-0000-0000", "\ud800", "é" * 16, "x" * 10_000], ids=ascii)
async def test_a_wrong_code_makes_nobody(accounts: Accounts, code: str) -> None:
    await accounts.open_setup()

    with pytest.raises(Denied):
        await accounts.create_first_admin(code, "eve@example.org", password=PASSWORD)

    assert await accounts.needs_setup()


async def test_without_an_open_setup_no_code_is_right(accounts: Accounts) -> None:
    with pytest.raises(Denied):
        await accounts.create_first_admin("", "eve@example.org", password=PASSWORD)


async def test_setup_works_once(accounts: Accounts) -> None:
    code = await accounts.open_setup() or ""
    await accounts.create_first_admin(code, "ada@example.org", password=PASSWORD)

    with pytest.raises(Conflict):
        await accounts.create_first_admin(code, "eve@example.org", password=PASSWORD)


async def test_fifty_at_once_make_one_admin(world: World, accounts: Accounts) -> None:
    code = await accounts.open_setup() or ""

    results = await asyncio.gather(
        *(
            accounts.create_first_admin(code, f"user{number}@example.org", password=PASSWORD)
            for number in range(50)
        ),
        return_exceptions=True,
    )

    assert sum(isinstance(result, Conflict) for result in results) == 49
    assert await world.database.read(lambda tx: tx.users.count()) == 1


async def test_two_instances_on_one_database_make_one_admin(world: World) -> None:
    first, second = (
        Accounts(
            database=world.database,
            clock=world.clock,
            passwords=world.services.accounts._passwords,
            tokens=world.tokens,
            principals=Principals(world.database, world.clock),
        )
        for _ in range(2)
    )

    made = await asyncio.gather(
        first.ensure_admin("ada@example.org", PASSWORD), second.ensure_admin("eve@example.org", PASSWORD)
    )

    assert sorted(made) == [False, True]
    assert await world.database.read(lambda tx: tx.users.count()) == 1


@pytest.mark.parametrize(
    ("email", "password", "pointer"),
    [
        ("ada", PASSWORD, "/email"),
        ("@example.org", PASSWORD, "/email"),
        ("a da@example.org", PASSWORD, "/email"),
        ("ada@example.org\x00", PASSWORD, "/email"),
        ("a" * 250 + "@example.org", PASSWORD, "/email"),
        ("ada@example.org", "x" * 11, "/password"),
        ("ada@example.org", "x" * 1025, "/password"),
    ],
    ids=lambda text: text[:14],
)
async def test_an_account_needs_an_email_and_a_long_password(
    accounts: Accounts, email: str, password: str, pointer: str
) -> None:
    code = await accounts.open_setup() or ""

    with pytest.raises(InvalidInput) as refused:
        await accounts.create_first_admin(code, email, password=password)

    assert [error.pointer for error in refused.value.errors] == [pointer]


@pytest.mark.parametrize("password", ["x" * 12, "x" * 1024, "пароль-из-слов", "with space  at end "], ids=len)
async def test_the_nearest_good_passwords_work(accounts: Accounts, password: str) -> None:
    code = await accounts.open_setup() or ""

    await accounts.create_first_admin(code, "ada@localhost", password=password)

    assert (await accounts.login("ADA@localhost", password)).user.email == "ada@localhost"


async def test_the_configured_admin_is_made_at_the_first_start_only(world: World, accounts: Accounts) -> None:
    assert await accounts.ensure_admin("ada@example.org", PASSWORD)
    assert not await accounts.ensure_admin("eve@example.org", PASSWORD)

    assert await world.database.read(lambda tx: tx.users.count()) == 1


@pytest.mark.parametrize(
    ("email", "password"),
    [
        ("ada@example.org", "wrong horse battery"),
        ("eve@example.org", PASSWORD),
        ("", ""),
        ("ada@example.org", PASSWORD + "x" * 1024),
    ],
    ids=["password", "email", "empty", "endless"],
)
async def test_every_wrong_sign_in_says_the_same_after_one_verification(
    world: World, accounts: Accounts, email: str, password: str
) -> None:
    await world.add_user()

    with pytest.raises(Unauthenticated) as refused:
        await accounts.login(email, password)

    assert refused.value.detail == "The email or the password is wrong."
    assert len(world.hasher.verified) == 1


async def test_a_disabled_user_cannot_sign_in_and_learns_nothing(world: World, accounts: Accounts) -> None:
    await world.add_user(disabled=True)

    with pytest.raises(Unauthenticated, match="email or the password"):
        await accounts.login("ada@example.org", PASSWORD)

    assert len(world.hasher.verified) == 1


async def test_after_too_many_wrong_passwords_even_the_right_one_waits_unhashed(world: World) -> None:
    user = await world.add_user()
    accounts = world.services.accounts
    for _ in range(5):
        with pytest.raises(Unauthenticated):
            await accounts.login(user.email, "not the password", client_ip="203.0.113.9")
    hashed = len(world.hasher.verified)

    with pytest.raises(TooMany):
        await accounts.login(f" {user.email.title()}", PASSWORD, client_ip="203.0.113.9")

    assert len(world.hasher.verified) == hashed
    assert (await accounts.login(user.email, PASSWORD, client_ip="203.0.113.10")).user == user


async def test_a_right_password_just_after_wrong_ones_signs_in(world: World, accounts: Accounts) -> None:
    user = await world.add_user()
    for _ in range(4):
        with pytest.raises(Unauthenticated):
            await accounts.login(user.email, "not the password")

    assert (await accounts.login(user.email, PASSWORD)).user == user


async def test_after_too_many_wrong_codes_even_the_right_one_waits(accounts: Accounts) -> None:
    code = await accounts.open_setup()
    assert code is not None
    for _ in range(5):
        with pytest.raises(Denied):
            await accounts.create_first_admin("wrong", "ada@example.org", password=PASSWORD, client_ip="::1")

    with pytest.raises(TooMany):
        await accounts.create_first_admin(code, "ada@example.org", password=PASSWORD, client_ip="::1")

    user = await accounts.create_first_admin(
        code, "ada@example.org", password=PASSWORD, client_ip="203.0.113.9"
    )
    assert user.role is Role.ADMIN


async def test_a_changed_cost_renews_the_hash_at_sign_in(world: World, accounts: Accounts) -> None:
    user = await world.add_user()
    world.hasher.cost = 2

    await accounts.login(user.email, PASSWORD)

    assert (await world.database.read(lambda tx: tx.users.get(user.id))).password_hash == f"2:{PASSWORD}"


async def test_a_token_is_good_for_the_role_in_the_database(world: World, accounts: Accounts) -> None:
    user = await world.add_user(Role.VIEWER)
    token, _ = world.tokens.issue(user.id, Role.ADMIN)

    assert (await accounts.authenticate(token)).role is Role.VIEWER


async def test_a_token_of_nobody_is_refused(world: World, accounts: Accounts) -> None:
    token, _ = world.tokens.issue(UserId(new_id()), Role.ADMIN)

    with pytest.raises(Unauthenticated):
        await accounts.authenticate(token)


async def test_signing_out_revokes_that_token_alone_at_once(world: World, accounts: Accounts) -> None:
    user = await world.add_user()
    first, second = (world.tokens.issue(user.id, user.role)[0] for _ in range(2))
    principal = await accounts.authenticate(first)

    await accounts.logout(principal)

    with pytest.raises(Unauthenticated):
        await accounts.authenticate(first)
    assert await accounts.renewed(principal) is None
    assert (await accounts.authenticate(second)).id == user.id


async def test_a_revocation_made_elsewhere_works_within_a_second(world: World, accounts: Accounts) -> None:
    user = await world.add_user()
    token, claims = world.tokens.issue(user.id, user.role)
    principal = await accounts.authenticate(token)
    await world.database.write(lambda tx: tx.revocations.add(claims.token_id, claims.expires_at))

    assert (await accounts.authenticate(token)).id == user.id
    world.clock.advance(1.0)

    with pytest.raises(Unauthenticated):
        await accounts.authenticate(token)
    assert await accounts.renewed(principal) is None


async def test_a_disabled_user_is_out_within_a_second(world: World, accounts: Accounts) -> None:
    user = await world.add_user(disabled=True)

    with pytest.raises(Unauthenticated):
        await accounts.authenticate(world.tokens.issue(user.id, user.role)[0])


async def test_an_open_stream_ends_with_its_token(world: World, accounts: Accounts) -> None:
    user = await world.add_user()
    principal = await accounts.authenticate(world.tokens.issue(user.id, user.role)[0])

    assert await accounts.renewed(principal) == principal
    world.clock.advance(3600)

    assert await accounts.renewed(principal) is None


async def test_a_principal_without_a_token_keeps_no_stream(world: World, accounts: Accounts) -> None:
    user = await world.add_user()
    principal = await accounts.authenticate(world.tokens.issue(user.id, user.role)[0])

    assert await accounts.renewed(replace(principal, token_id=None)) is None


async def test_too_many_sign_ins_at_once_are_turned_away(world: World) -> None:
    passwords = Passwords(world.hasher, world.services.accounts._passwords._executor, max_waiting=2)

    results = await asyncio.gather(
        *(passwords.verify(None, PASSWORD) for _ in range(5)), return_exceptions=True
    )

    assert [type(result) for result in results].count(Unavailable) == 3
    assert not await passwords.verify(None, PASSWORD)


def test_argon2id_of_the_configured_cost_is_used() -> None:
    hasher = Argon2Hasher(time_cost=1, memory_kib=19 * 1024, parallelism=1)

    encoded = hasher.hash(PASSWORD)

    assert encoded.startswith("$argon2id$v=19$m=19456,t=1,p=1$")
    assert hasher.verify(encoded, PASSWORD)
    assert not hasher.verify(encoded, "wrong horse battery")
    assert not hasher.verify("not a hash", PASSWORD)
    assert not hasher.is_outdated(encoded)
    assert Argon2Hasher(time_cost=2).is_outdated(encoded)


async def test_nobody_has_no_password_not_even_the_one_that_is_compared(world: World) -> None:
    assert not await world.services.accounts._passwords.verify(None, "the password of nobody")
