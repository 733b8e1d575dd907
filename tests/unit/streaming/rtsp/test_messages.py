import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glimpser.streaming.rtsp.messages import (
    MAX_BODY_BYTES,
    MAX_HEAD_BYTES,
    MAX_HEADERS,
    InterleavedData,
    Malformed,
    Message,
    MessageReader,
    Request,
    Url,
    format_response,
    parse_url,
)

OPTIONS = b"OPTIONS rtsp://host/cam RTSP/1.0\r\nCSeq: 7\r\n\r\n"


def read_all(*chunks: bytes) -> list[Message]:
    reader = MessageReader()
    messages = []
    for chunk in chunks:
        reader.feed(chunk)
        while (message := reader.next_message()) is not None:
            messages.append(message)
    return messages


def test_a_request_is_read_with_lower_case_header_names() -> None:
    [request] = read_all(b"SETUP rtsp://h/cam RTSP/1.0\r\nCSeq: 3\r\nTransport:  RTP/AVP \r\n\r\n")

    assert isinstance(request, Request)
    assert (request.method, request.target, request.cseq) == ("SETUP", "rtsp://h/cam", 3)
    assert request.headers == {"cseq": "3", "transport": "RTP/AVP"}


def test_a_request_that_trickles_in_byte_by_byte_is_the_same_request() -> None:
    with_body = b"SET_PARAMETER rtsp://h/cam RTSP/1.0\r\nCSeq: 1\r\nContent-Length: 4\r\n\r\nabcd"
    whole = read_all(with_body + OPTIONS)

    trickled = read_all(*(bytes([byte]) for byte in with_body + OPTIONS))

    assert trickled == whole
    assert isinstance(whole[0], Request)
    assert whole[0].body == b"abcd"


def test_requests_interleaved_data_and_blank_lines_are_told_apart() -> None:
    messages = read_all(b"\r\n" + OPTIONS + b"$\x01\x00\x03abc" + b"\r\n\r\n" + OPTIONS)

    assert [type(message) for message in messages] == [Request, InterleavedData, Request]
    assert messages[1] == InterleavedData(1, b"abc")


def test_a_repeated_header_is_joined() -> None:
    [request] = read_all(b"PLAY rtsp://h/cam RTSP/1.0\r\nCSeq: 1\r\nX: a\r\nx: b\r\n\r\n")

    assert isinstance(request, Request)
    assert request.headers["x"] == "a, b"


@pytest.mark.parametrize(
    ("hostile", "status"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),  # a TLS handshake
        (b"\x00" * 64, 400),
        (b"GARBAGE\r\n\r\n", 400),
        (b"OPTIONS  rtsp://h/cam RTSP/1.0\r\nCSeq: 1\r\n\r\n", 400),
        (b"OPTIONS rtsp://h/c\x00m RTSP/1.0\r\nCSeq: 1\r\n\r\n", 400),
        (b"OPTIONS rtsp://h/cam RTSP/1.0\r\n\r\n", 400),
        (b"OPTIONS rtsp://h/cam RTSP/1.0\r\nCSeq: -1\r\n\r\n", 400),
        (b"OPTIONS rtsp://h/cam RTSP/1.0\r\nCSeq: 1\r\nno colon\r\n\r\n", 400),
        (b"OPTIONS rtsp://h/cam RTSP/1.0\r\nCSeq: 1\r\n folded: 1\r\n\r\n", 400),
        (b"OPTIONS rtsp://h/cam RTSP/1.0\r\nCSeq: 1\r\nX: a\x00b\r\n\r\n", 400),
        (b"OPTIONS rtsp://h/cam RTSP/1.0\r\nCSeq: 1\r\nX: \xff\xfe\r\n\r\n", 400),
        (b"OPTIONS rtsp://h/cam RTSP/1.0\r\nCSeq: 1\r\nContent-Length: -5\r\n\r\n", 400),
        (b"OPTIONS rtsp://h/cam RTSP/1.0\r\nCSeq: 1\r\nContent-Length: 1e3\r\n\r\n", 400),
        (b"OPTIONS rtsp://h/cam RTSP/1.0\r\nCSeq: 1\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n", 400),
        (
            b"OPTIONS rtsp://h/cam RTSP/1.0\r\nCSeq: 1\r\nContent-Length: %d\r\n\r\n" % (MAX_BODY_BYTES + 1),
            413,
        ),
        (b"OPTIONS rtsp://h/cam RTSP/1.0\r\nCSeq: 1\r\n" + b"X: y\r\n" * MAX_HEADERS + b"\r\n", 400),
        (b"OPTIONS rtsp://h/cam RTSP/1.0\r\nX: " + b"y" * MAX_HEAD_BYTES, 431),
        (b"OPTIONS rtsp://h/cam RTSP/2.0\r\nCSeq: 1\r\n\r\n", 505),
        (b"GET /cam HTTP/1.1\r\nCSeq: 1\r\n\r\n", 505),
    ],
)
def test_what_is_no_rtsp_is_malformed_and_ends_the_reading(hostile: bytes, status: int) -> None:
    messages = read_all(hostile, OPTIONS)

    assert len(messages) == 1
    assert isinstance(messages[0], Malformed)
    assert messages[0].status == status


def test_the_largest_legal_head_and_body_are_read() -> None:
    start = b"SET_PARAMETER rtsp://h/cam RTSP/1.0\r\nCSeq: 1\r\nContent-Length: %d\r\nX: " % MAX_BODY_BYTES
    head = start + b"y" * (MAX_HEAD_BYTES - len(start) - 4) + b"\r\n\r\n"

    [request] = read_all(head, b"z" * MAX_BODY_BYTES)

    assert isinstance(request, Request)
    assert len(request.body) == MAX_BODY_BYTES


@given(st.binary(max_size=400), st.lists(st.integers(0, 400), max_size=4))
def test_any_bytes_in_any_pieces_give_the_same_messages(data: bytes, cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), len(data)]
    pieces = [data[start:end] for start, end in itertools.pairwise(edges)]

    assert read_all(*pieces)[:1] == read_all(data)[:1]


LINES = st.sampled_from(
    [b"OPTIONS * RTSP/1.0", b"CSeq: 1", b"Content-Length: 3", b"$\x00\x00\x02ab", b"", b"X:", b"\xff", b"abc"]
)


@given(st.lists(LINES, max_size=12), st.integers(1, 9))
def test_almost_legal_requests_never_raise_and_do_not_depend_on_the_pieces(
    lines: list[bytes], size: int
) -> None:
    data = b"\r\n".join(lines)
    pieces = [data[start : start + size] for start in range(0, len(data), size)]

    in_pieces, whole = read_all(*pieces), read_all(data)

    # In pieces binary noise is seen sooner; legal messages before it are the same.
    assert [m for m in in_pieces if not isinstance(m, Malformed)] == [
        m for m in whole if not isinstance(m, Malformed)
    ]


@pytest.mark.parametrize(
    ("target", "url"),
    [
        ("rtsp://host:8554/cam", Url("rtsp://host:8554/cam/", "cam")),
        ("rtsp://host/cam/", Url("rtsp://host/cam/", "cam")),
        ("RTSP://host/cam/trackID=0", Url("rtsp://host/cam/", "cam")),
        ("rtsp://user:secret@host/cam?x=1", Url("rtsp://host/cam/", "cam")),
        ("rtsp://[::1]:554/a/b", Url("rtsp://[::1]:554/a/b/", "a/b")),
        ("rtsp://host/c%61m", Url("rtsp://host/c%61m/", "cam")),
        ("rtsp://host/%2e%2e/etc/passwd", Url("rtsp://host/%2e%2e/etc/passwd/", "../etc/passwd")),
        ("rtsp://host", Url("rtsp://host//", "")),
        ("*", None),
        ("/cam", None),
        ("http://host/cam", None),
        ("rtsp://user@other@host/cam", None),
        ("rtsp:///cam", None),
    ],
)
def test_the_mounts_path_is_taken_out_of_a_url(target: str, url: Url | None) -> None:
    assert parse_url(target) == url


@given(st.text(max_size=80))
def test_any_text_is_a_url_or_none(target: str) -> None:
    url = parse_url("rtsp://" + target)

    assert url is None or "?" not in url.base


def test_a_response_carries_its_number_headers_and_body() -> None:
    response = format_response(200, 5, [("Session", "abc")], body=b"xyz")

    assert response == b"RTSP/1.0 200 OK\r\nCSeq: 5\r\nSession: abc\r\nContent-Length: 3\r\n\r\nxyz"


def test_a_header_that_would_break_out_of_its_line_is_refused() -> None:
    with pytest.raises(ValueError, match="control character"):
        format_response(200, 1, [("X", "a\r\nSession: stolen")])
