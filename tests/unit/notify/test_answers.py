from datetime import UTC, datetime

import pytest

from glimpser.core.errors import DeliveryFailed, Rejected
from glimpser.notify.answers import receipt_of, retry_after_s, shown

NOW = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_a_success_is_a_receipt_that_quotes_the_answer(status: int) -> None:
    assert receipt_of(status, "ok", retry_after=None, now=NOW).response == f"HTTP {status}: ok"


def test_an_empty_answer_is_a_receipt_too() -> None:
    assert receipt_of(204, "", retry_after=None, now=NOW).response == "HTTP 204"


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 599])
def test_what_passes_by_itself_is_tried_again(status: int) -> None:
    with pytest.raises(DeliveryFailed) as failed:
        receipt_of(status, "busy", retry_after="30", now=NOW)

    assert failed.value.retry_after_s == 30
    assert str(status) in failed.value.detail


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 413, 422, 451])
def test_a_refusal_is_final(status: int) -> None:
    with pytest.raises(Rejected, match=str(status)):
        receipt_of(status, "", retry_after=None, now=NOW)


def test_a_receiver_that_is_gone_is_said_to_be_gone() -> None:
    with pytest.raises(Rejected, match="gone for good"):
        receipt_of(410, "", retry_after=None, now=NOW)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("0", 0),
        (" 120 ", 120),
        ("86400", 86_400),
        ("999999999", 86_400),
        ("Thu, 01 Jan 2026 12:01:30 GMT", 90),
        ("Thu, 01 Jan 2026 13:01:30 +0100", 90),
        ("Thu, 01 Jan 2026 11:00:00 GMT", 0),
        ("Fri, 01 Jan 9999 00:00:00 GMT", 86_400),
        (None, 5),
        ("", 5),
        ("soon", 5),
        ("-1", 5),
        ("1.5", 5),
        ("9" * 5000, 5),
        ("٣", 5),
        ("Thu, 99 Foo 2026 12:01:30 GMT", 5),
    ],
)
def test_retry_after_is_seconds_or_a_date_and_has_bounds(header: str | None, seconds: int) -> None:
    assert retry_after_s(header, NOW) == seconds


def test_words_of_a_receiver_are_one_short_harmless_line() -> None:
    assert shown("a\r\nb\x1b[31m\u202e c  d") == "a b [31m c d"
    assert shown("see https://u:hunter2@host/?token=abc") == "see https://u:***@host/?token=***"
    assert len(shown("x" * 10_000)) == 200
