"""What a proxy takes for a request, and what it passes on: each hostile form beside a legal one."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glimpser.egress.proxy_messages import (
    BadMessage,
    end_of_head,
    format_request,
    parse_request,
    parse_response,
)


def head(first: str, *fields: str) -> bytes:
    return "\r\n".join([first, *fields, "", ""]).encode("latin-1")


def sent_on(first: str, *fields: str) -> list[str]:
    return format_request(parse_request(head(first, *fields))).decode("latin-1").split("\r\n")[:-2]


def refusal(received: bytes) -> BadMessage:
    with pytest.raises(BadMessage) as refused:
        parse_request(received)
    return refused.value


def test_a_request_goes_on_in_origin_form() -> None:
    assert sent_on("GET http://Cam.example:8080/a?b=c HTTP/1.1", "Host: cam.example:8080", "Accept: */*") == [
        "GET /a?b=c HTTP/1.1",
        "Host: cam.example:8080",
        "Accept: */*",
        "Connection: close",
    ]


def test_the_host_field_is_that_of_the_checked_target() -> None:
    assert sent_on("GET http://good.example/ HTTP/1.1", "Host: inner.example")[1] == "Host: good.example"


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("http://h", "/"),
        ("http://h?a=1", "/?a=1"),
        ("http://h/a\\b?c=\\|{}", "/a\\b?c=\\|{}"),
        ("http://h/\xc3\xa9", "/%C3%A9"),
        ("http://h/" + "x" * 20_000, "/" + "x" * 20_000),
        ("ws://h/live", "/live"),
        ("http://h//h2/a@b:c", "//h2/a@b:c"),
    ],
    ids=["bare", "query", "odd characters", "not ascii", "long", "websocket", "slashes"],
)
def test_a_path_stays_as_the_client_wrote_it(url: str, path: str) -> None:
    assert sent_on(f"GET {url} HTTP/1.1")[0] == f"GET {path} HTTP/1.1"


def test_fields_of_this_hop_and_those_named_in_connection_stay_here() -> None:
    lines = sent_on(
        "GET http://h/ HTTP/1.1",
        "Proxy-Authorization: Basic eDp5",
        "Proxy-Connection: keep-alive",
        "Connection: keep-alive, X-Hop",
        "Keep-Alive: timeout=5",
        "TE: trailers",
        "Trailer: X",
        "Upgrade: h2c",
        "X-Hop: 1",
        "X-End: 1",
        "Authorization: Digest a",
    )

    assert lines[2:] == ["X-End: 1", "Authorization: Digest a", "Connection: close"]


def test_a_body_keeps_its_length_whatever_connection_names() -> None:
    request = parse_request(
        head("POST http://h/ HTTP/1.1", "Connection: Content-Length", "Content-Length: 5")
    )

    assert request.body_bytes == 5
    assert ("Content-Length", "5") in request.fields


def test_websocket_is_asked_for_on_both_sides() -> None:
    asked = head("GET http://h/ HTTP/1.1", "Connection: keep-alive, Upgrade", "Upgrade: websocket")

    assert parse_request(asked).upgrade
    assert format_request(parse_request(asked)).endswith(b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n")


def test_a_tunnel_names_host_and_port() -> None:
    request = parse_request(head("CONNECT [2001:4860::8888]:443 HTTP/1.1", "Host: x"))

    assert request.tunnel
    assert (request.target.host, request.target.port) == ("2001:4860::8888", 443)


@pytest.mark.parametrize(
    ("received", "status"),
    [
        (head("GET / HTTP/1.1", "Host: h"), 400),
        (head("GET /http://h/ HTTP/1.1"), 400),
        (head("GET http://h/ HTTP/2.0"), 400),
        (head("GET http://h/"), 400),
        (head("GET  http://h/ HTTP/1.1"), 400),
        (head("GET http://h/a b HTTP/1.1"), 400),
        (head("GET http://h/#f HTTP/1.1"), 400),
        (head("GET https://h/ HTTP/1.1"), 400),
        (head("GET ftp://h/ HTTP/1.1"), 400),
        (head("GET file:///etc/passwd HTTP/1.1"), 400),
        (head("GET http://u:p@h/ HTTP/1.1"), 400),
        (head("GET http://a.example\\@b.example/ HTTP/1.1"), 400),
        (head("GET http://h:0/ HTTP/1.1"), 400),
        (head("GET http://127.1/ HTTP/1.1"), 400),
        (head("GET http:///x HTTP/1.1"), 400),
        (head("CONNECT h HTTP/1.1"), 400),
        (head("CONNECT http://h:80/ HTTP/1.1"), 400),
        (head("CONNECT h:80/x HTTP/1.1"), 400),
        (head("CONNECT u@h:80 HTTP/1.1"), 400),
        (head("CONNECT h:443 HTTP/1.1", "Content-Length: 5"), 400),
        (head("POST http://h/ HTTP/1.1", "Content-Length: 5", "Content-Length: 5"), 400),
        (head("POST http://h/ HTTP/1.1", "Content-Length: 5, 5"), 400),
        (head("POST http://h/ HTTP/1.1", "Content-Length: +5"), 400),
        (head("POST http://h/ HTTP/1.1", "Content-Length: 0x5"), 400),
        (head("POST http://h/ HTTP/1.1", "Content-Length: \xb2"), 400),
        (head("POST http://h/ HTTP/1.1", "Content-Length: 5", "Transfer-Encoding: chunked"), 411),
        (head("POST http://h/ HTTP/1.1", "transfer-encoding: identity"), 411),
        (head("GET http://h/ HTTP/1.1", "X: 1", " folded"), 400),
        (head("GET http://h/ HTTP/1.1", "Content-Length : 5"), 400),
        (head("GET http://h/ HTTP/1.1", ": empty"), 400),
        (head("GET http://h/ HTTP/1.1", "no colon"), 400),
        (head("GET http://h/ HTTP/1.1", "X: a\nContent-Length: 5"), 400),
        (head("GET http://h/ HTTP/1.1", "X: a\rContent-Length: 5"), 400),
        (head("GET http://h/ HTTP/1.1", "X: a\0b"), 400),
        (b"GET http://h/ HTTP/1.1\nHost: h\n\n", 400),
        (head("GET http://h/ HTTP/1.1", *[f"X-{n}: 1" for n in range(201)]), 431),
        (b"\x16\x03\x01\x02\x00\r\n\r\n", 400),
        (b"\r\n\r\n", 400),
    ],
)
def test_what_two_programs_could_read_differently_is_refused(received: bytes, status: int) -> None:
    assert refusal(received).status == status


def test_a_refusal_does_not_repeat_credentials() -> None:
    assert "s3cret" not in refusal(head("GET http://u:s3cret@h/ HTTP/1.1")).reason


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(received: bytes) -> None:
    with suppress(BadMessage):
        assert format_request(parse_request(received)).endswith(b"\r\n\r\n")


@given(st.binary(max_size=200))
def test_any_answer_is_read_or_refused(received: bytes) -> None:
    with suppress(BadMessage):
        assert parse_response(received).head.endswith(b"\r\n\r\n")


def test_an_answer_goes_back_without_fields_of_this_hop_and_ends_the_connection() -> None:
    answer = parse_response(
        head(
            "HTTP/1.1 200 OK",
            "Connection: keep-alive",
            "Keep-Alive: 5",
            " folded",
            "Proxy-X: 1",
            "A: b",
            " c",
        )
    )

    assert answer.head == head("HTTP/1.1 200 OK", "A: b", " c", "Connection: close")


@pytest.mark.parametrize("first", ["ICY 200 OK", "HTTP/1.0  200 OK", "HTTP/1.1 200"])
def test_odd_answers_of_cameras_are_read(first: str) -> None:
    answer = parse_response(f"{first}\nContent-Type: video/mp2t\n\n".encode())

    assert answer.status == 200
    assert answer.head.startswith(b"HTTP/1.")
    assert b"\r\nContent-Type: video/mp2t\r\n" in answer.head


def test_no_character_of_an_answer_makes_two_fields_of_one() -> None:
    answer = parse_response(head("HTTP/1.1 200 OK", "A: 1\x85Connection: x", "B: 2\rConnection: y"))

    assert answer.head.split(b"\r\n")[1:3] == [b"A: 1\x85Connection: x", b"B: 2 Connection: y"]


def test_a_change_of_protocol_counts_only_where_it_was_asked_for() -> None:
    changed = head("HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Sec-WebSocket-Accept: x")

    assert b"\r\nUpgrade: websocket\r\n" in parse_response(changed, upgrade=True).head
    with pytest.raises(BadMessage):
        parse_response(changed)


@pytest.mark.parametrize(
    ("received", "start", "end"),
    [(b"a\r\n\r\nb", 0, 5), (b"a\n\nb", 0, 3), (b"a\r\n\r", 0, None), (b"a\r\n\r\nb", 4, 5), (b"", 0, None)],
)
def test_the_end_of_a_head_is_found_also_in_pieces(received: bytes, start: int, end: int | None) -> None:
    assert end_of_head(received, start) == end
