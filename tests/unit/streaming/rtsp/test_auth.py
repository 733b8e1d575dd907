import base64
import hashlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glimpser.streaming.rtsp.auth import (
    Authenticator,
    BasicAnswer,
    DigestAnswer,
    digest_response,
    parse_authorization,
)
from glimpser.streaming.rtsp.messages import Request

USERS = {"ann": "correct horse", "bob": "b"}
TARGET = "rtsp://host/cam/trackID=0"


def request(authorization: str | None, method: str = "SETUP") -> Request:
    headers = {} if authorization is None else {"authorization": authorization}
    return Request(method, TARGET, 1, headers)


def authenticator(users: dict[str, str] | None = USERS) -> Authenticator:
    return Authenticator(users, realm="Glimpser")


def nonce_of(subject: Authenticator) -> str:
    match = re.search('nonce="([0-9a-f]+)"', subject.challenges()[0][1])
    assert match is not None
    return match[1]


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def digest(nonce: str, **changes: str) -> str:
    """Answer as a player does; `changes` replace parameters, `method` and `password` what is hashed."""
    values = {"username": "ann", "realm": "Glimpser", "nonce": nonce, "uri": "rtsp://host/cam"} | changes
    password, method = values.pop("password", USERS["ann"]), values.pop("method", "SETUP")
    a1 = hashlib.md5(f"{values['username']}:{values['realm']}:{password}".encode()).hexdigest()
    a2 = hashlib.md5(f"{method}:{values['uri']}".encode()).hexdigest()
    middle = f"{values['nc']}:{values['cnonce']}:{values['qop']}:" if "qop" in values else ""
    values["response"] = hashlib.md5(f"{a1}:{values['nonce']}:{middle}{a2}".encode()).hexdigest()
    return "Digest " + ", ".join(f'{name}="{value}"' for name, value in values.items())


def test_the_response_of_rfc_2617_section_3_5_is_computed() -> None:
    answer = DigestAnswer(
        "Mufasa",
        "testrealm@host.com",
        "dcd98b7102dd2f0e8b11d0f600bfb0c093",
        "/dir/index.html",
        "",
        qop="auth",
        cnonce="0a4f113b",
        count="00000001",
    )

    response = digest_response(answer, method="GET", password="Circle Of Life")

    assert response == "6629fae49393a05397450978507c4ef1"


def test_without_users_everybody_is_let_in() -> None:
    assert authenticator(None).permits(request(None))


def test_with_an_empty_table_nobody_is_let_in() -> None:
    assert not authenticator({}).permits(request(basic("ann", "correct horse")))


def test_the_right_password_is_accepted() -> None:
    subject = authenticator()

    assert subject.permits(request(basic("ann", "correct horse")))
    assert subject.permits(request(digest(nonce_of(subject))))
    assert subject.permits(request(digest(nonce_of(subject), qop="auth", nc="00000001", cnonce="xyz")))


@pytest.mark.parametrize(
    "changes",
    [
        {"password": "wrong"},
        {"username": "eve"},
        {"username": "bob"},
        {"method": "PLAY"},
        {"realm": "other"},
        {"nonce": "0" * 32},
        {"uri": "rtsp://host/other"},
        {"uri": "*"},
        {"algorithm": "SHA-512"},
        {"qop": "auth-int", "nc": "1", "cnonce": "x"},
    ],
)
def test_a_digest_for_something_else_is_refused(changes: dict[str, str]) -> None:
    subject = authenticator()
    legal = digest(nonce_of(subject))

    refused = subject.permits(request(digest(**{"nonce": nonce_of(subject), **changes})))

    assert not refused
    assert subject.permits(request(legal))


def test_an_answer_is_worth_nothing_on_another_connection() -> None:
    first, second = authenticator(), authenticator()
    answer = digest(nonce_of(first))

    assert first.permits(request(answer))
    assert not second.permits(request(answer))


@pytest.mark.parametrize(
    "value",
    [
        "",
        "Basic",
        "Basic !!!",
        "Basic " + base64.b64encode(b"\xff\xfe:x").decode(),
        "Basic " + base64.b64encode(b"no colon").decode(),
        "Basic pässword",
        "Bearer abc",
        "Digest",
        'Digest username="ann"',
        'Digest username="ann", username="bob", realm="r", nonce="n", uri="u", response="x"',
        'Digest username="ann", realm="r", nonce="n", uri="u", response="x',
        "Digest " + "a" * 8_000,
    ],
)
def test_an_unreadable_answer_is_none(value: str) -> None:
    assert parse_authorization(value) is None
    assert not authenticator().permits(request(value))


def test_quoted_pairs_and_bare_values_are_read() -> None:
    answer = parse_authorization(
        r'digest username="a\"n", realm="r",nonce=n, uri="u", response="ABC", algorithm=MD5'
    )

    assert answer == DigestAnswer('a"n', "r", "n", "u", "abc")


def test_a_password_may_hold_colons() -> None:
    assert parse_authorization(basic("ann", "a:b:c")) == BasicAnswer("ann", "a:b:c")


def test_a_password_is_not_shown() -> None:
    assert "horse" not in repr(parse_authorization(basic("ann", "correct horse")))


@given(st.sampled_from(["Basic ", "Digest ", "Digest username="]), st.text(max_size=60))
def test_any_text_is_judged_without_raising(scheme: str, text: str) -> None:
    assert not authenticator().permits(request(scheme + text))
