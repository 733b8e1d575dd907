"""Access tokens: what is refused, and the nearest token that is not."""

import base64
import hashlib
import hmac
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

from glimpser.core.accounts import Role
from glimpser.core.errors import Unauthenticated
from glimpser.core.ids import UserId, new_id
from glimpser.services.tokens import AUDIENCE, ISSUER, MAX_TOKEN_CHARS, MAX_VERIFIED, Tokens
from glimpser.testing.clock import FakeClock

SECRET = "a signing secret of forty-two characters.."
USER = UserId(new_id())


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def tokens(clock: FakeClock) -> Tokens:
    return Tokens(SECRET, lifetime_s=60, clock=clock)


def made(clock: FakeClock, *, secret: str = SECRET, drop: str = "", **changes: object) -> str:
    """A token signed as ours are, with other claims."""
    claims: dict[str, object] = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": USER,
        "jti": new_id(),
        "exp": int(clock.now().timestamp()) + 60,
    } | changes
    claims.pop(drop, None)
    return jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(secret))


def segment(content: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()


def test_a_token_says_whose_it_is_and_until_when(tokens: Tokens, clock: FakeClock) -> None:
    token, claims = tokens.issue(USER, Role.VIEWER)

    assert tokens.verify(token) == claims
    assert claims.user_id == USER
    assert (claims.expires_at - clock.now()).total_seconds() == 60


def test_the_role_in_a_token_is_for_clients(tokens: Tokens) -> None:
    token, _ = tokens.issue(USER, Role.OPERATOR)

    payload = token.split(".")[1]
    assert json.loads(base64.urlsafe_b64decode(payload + "=="))["role"] == "operator"


def test_a_token_made_by_another_library_with_the_same_claims_is_good(
    tokens: Tokens, clock: FakeClock
) -> None:
    assert tokens.verify(made(clock)).user_id == USER


def test_a_token_expires_at_its_second_and_not_before(tokens: Tokens, clock: FakeClock) -> None:
    token, claims = tokens.issue(USER, Role.ADMIN)

    clock.advance(59)
    assert tokens.verify(token) == claims
    clock.advance(1)
    with pytest.raises(Unauthenticated):
        tokens.verify(token)


def test_a_token_known_to_be_good_is_still_compared_whole(tokens: Tokens) -> None:
    token, claims = tokens.issue(USER, Role.ADMIN)
    assert tokens.verify(token) == claims

    with pytest.raises(Unauthenticated):
        tokens.verify(token[:-4] + ("AAAA" if token[-4:] != "AAAA" else "BBBB"))
    assert tokens.verify(token) == claims


def test_only_so_many_tokens_are_known_at_a_time(tokens: Tokens) -> None:
    issued = [tokens.issue(USER, Role.ADMIN) for _ in range(MAX_VERIFIED + 2)]

    assert all(tokens.verify(token) == claims for token, claims in issued)

    assert len(tokens._verified) == MAX_VERIFIED
    assert tokens.verify(issued[0][0]) == issued[0][1]


def test_a_clock_set_back_shuts_nobody_out(tokens: Tokens, clock: FakeClock) -> None:
    token, claims = tokens.issue(USER, Role.ADMIN)

    clock.jump(-3600)

    assert tokens.verify(token) == claims


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "somebody-else"},
        {"aud": "another-api"},
        {"aud": ["another-api"]},
        {"aud": 7},
        {"sub": "../../etc"},
        {"sub": 1},
        {"jti": ""},
        {"jti": "not-an-id"},
        {"exp": "tomorrow"},
        {"exp": True},
        {"exp": 10**30},
        {"exp": 1e300},
        {"drop": "exp"},
        {"drop": "jti"},
        {"drop": "iss"},
        {"drop": "aud"},
        {"drop": "sub"},
        {"nbf": 10**11},
    ],
    ids=str,
)
def test_a_claim_that_is_wrong_or_missing_is_refused(
    tokens: Tokens, clock: FakeClock, changes: dict[str, str]
) -> None:
    with pytest.raises(Unauthenticated):
        tokens.verify(made(clock, **changes))


def test_another_key_is_refused(tokens: Tokens, clock: FakeClock) -> None:
    with pytest.raises(Unauthenticated):
        tokens.verify(made(clock, secret="another secret of more than thirty-two bytes"))


@pytest.mark.parametrize("algorithm", ["none", "None", "HS384", "HS512", "RS256", "ES256", "", None, 5])
def test_no_other_algorithm_is_followed(tokens: Tokens, clock: FakeClock, algorithm: object) -> None:
    payload = made(clock).split(".")[1]
    signed = f"{segment({'alg': algorithm, 'typ': 'JWT'})}.{payload}"
    digest = {"HS384": hashlib.sha384, "HS512": hashlib.sha512}.get(str(algorithm), hashlib.sha256)
    signature = base64.urlsafe_b64encode(hmac.digest(SECRET.encode(), signed.encode(), digest))

    for token in (f"{signed}.", f"{signed}.{signature.rstrip(b'=').decode()}"):
        with pytest.raises(Unauthenticated):
            tokens.verify(token)


def test_the_same_hand_made_token_with_our_algorithm_is_good(tokens: Tokens, clock: FakeClock) -> None:
    signed = f"{segment({'alg': 'HS256', 'typ': 'JWT'})}.{made(clock).split('.')[1]}"
    signature = base64.urlsafe_b64encode(hmac.digest(SECRET.encode(), signed.encode(), hashlib.sha256))

    assert tokens.verify(f"{signed}.{signature.rstrip(b'=').decode()}").user_id == USER


def test_a_token_signed_with_a_private_key_is_refused(tokens: Tokens, clock: FakeClock) -> None:
    claims = json.loads(base64.urlsafe_b64decode(made(clock).split(".")[1] + "=="))

    with pytest.raises(Unauthenticated):
        tokens.verify(jwt.encode({"alg": "RS256"}, claims, RSAKey.generate_key(2048)))


def test_any_changed_character_is_noticed(tokens: Tokens) -> None:
    token, _ = tokens.issue(USER, Role.VIEWER)

    for position in range(0, len(token) - 2, 7):  # the last character holds bits that do not count
        other = "A" if token[position] != "A" else "B"
        with pytest.raises(Unauthenticated):
            tokens.verify(token[:position] + other + token[position + 1 :])


@pytest.mark.parametrize(
    "text",
    ["", ".", "..", "a.b.c", "a.b.c.d.e", "\ud800.\ud800.x", "é.é.é", "[" * 900, "A" * 5000, "\x00"],
    ids=lambda text: ascii(text)[:12],
)
def test_what_is_no_token_is_refused(tokens: Tokens, text: str) -> None:
    with pytest.raises(Unauthenticated):
        tokens.verify(text)


def test_a_header_nested_without_end_is_refused(tokens: Tokens) -> None:
    header = base64.urlsafe_b64encode(b"[" * 700).decode()

    with pytest.raises(Unauthenticated):
        tokens.verify(f"{header}.e30.e30"[:MAX_TOKEN_CHARS])


@given(st.text(max_size=200))
def test_nothing_but_unauthenticated_comes_out(text: str) -> None:
    with pytest.raises(Unauthenticated):
        Tokens(SECRET, lifetime_s=60, clock=FakeClock()).verify(text)


def test_a_short_secret_is_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Tokens("short", lifetime_s=60, clock=FakeClock())
