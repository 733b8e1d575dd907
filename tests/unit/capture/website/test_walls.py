"""Walls before pages: those that are, and pages that only look like it."""

from dataclasses import replace

import pytest

from glimpser.capture.website.walls import BOT, CAPTCHA, CONSENT, verdict_on
from glimpser.core.browsing import Login, PageFacts, PageSpec, Visitor
from glimpser.core.health import WELL, HealthState

PAGE = PageSpec(url="https://example.org/dashboard")
FACTS = PageFacts(url=PAGE.url, title="Dashboard", status=200, content_type="text/html")
LONG = "The water stands at 2.31 m and falls slowly. " * 60
SHORT = "Please sign in. E-mail. Password. Forgot your password?"


@pytest.mark.parametrize(
    "facts",
    [
        FACTS,
        replace(FACTS, status=None),
        replace(FACTS, status=304),
        replace(FACTS, password_fields=1),  # a form in the header of a page full of news
        replace(FACTS, walls=(CAPTCHA,)),  # beside a comment form
        replace(FACTS, walls=(BOT,)),
        replace(FACTS, url="https://example.org/dashboard/today"),
    ],
)
def test_a_page_with_something_to_read_is_well(facts: PageFacts) -> None:
    assert verdict_on(PAGE, facts, LONG) == WELL


@pytest.mark.parametrize(
    ("facts", "text", "words"),
    [
        (replace(FACTS, status=401), "", "user name and a password"),
        (replace(FACTS, status=403), LONG, "403"),
        (replace(FACTS, status=429), LONG, "interval"),
        (replace(FACTS, status=503, walls=(BOT,)), SHORT, "robots"),
        (replace(FACTS, walls=(BOT,)), "Checking your browser", "robots"),
        (replace(FACTS, walls=(CAPTCHA,)), "I am not a robot", "robots"),
        (replace(FACTS, walls=(CONSENT,)), LONG, "consent"),
        (replace(FACTS, password_fields=1), SHORT, "sign-in"),
        (
            replace(FACTS, password_fields=1, url="https://example.org/login?next=%2Fdashboard"),
            LONG,
            "sign-in",
        ),
        (replace(FACTS, password_fields=1, url="https://sso.example.com/"), LONG, "sign-in"),
    ],
)
def test_a_wall_is_told_with_its_reason(facts: PageFacts, text: str, words: str) -> None:
    verdict = verdict_on(PAGE, facts, text)

    assert verdict.state is HealthState.BLOCKED
    assert words in (verdict.reason or "")


def test_a_sign_in_page_that_was_asked_for_is_well() -> None:
    asked = replace(PAGE, url="https://example.org/login")

    assert verdict_on(asked, replace(FACTS, url=asked.url, password_fields=1), SHORT) == WELL


def test_a_refused_login_is_told_as_such() -> None:
    asked = replace(PAGE, visitor=Visitor(login=Login("ann", "s3cret")))

    verdict = verdict_on(asked, replace(FACTS, status=401), "")

    assert "refuses" in (verdict.reason or "")
    assert "s3cret" not in repr(verdict)


@pytest.mark.parametrize("status", [400, 404, 410, 500, 502, 503, 599, 999])
def test_an_error_of_the_site_is_told_with_its_number(status: int) -> None:
    verdict = verdict_on(PAGE, replace(FACTS, status=status), LONG)

    assert verdict.state is HealthState.ERROR_PAGE
    assert str(status) in (verdict.reason or "")


def test_an_error_page_of_the_browser_is_one() -> None:
    verdict = verdict_on(PAGE, replace(FACTS, url="chrome-error://chromewebdata/", status=None), "")

    assert verdict.state is HealthState.ERROR_PAGE


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (502, "cam.example port 80 refuses the connection.\n"),
        (504, "cam.example cannot be reached in time.\n"),
        (403, "10.0.0.1 is closed: private. If it is meant, list it in capture.egress_allow.\n"),
    ],
)
def test_what_the_egress_proxy_says_in_the_sites_place_is_passed_on(status: int, text: str) -> None:
    verdict = verdict_on(PAGE, replace(FACTS, status=status, content_type="text/plain"), text)

    assert verdict.state is HealthState.DOWN
    assert verdict.reason == text.strip()


def test_a_text_file_is_not_taken_for_the_proxys_words() -> None:
    facts = replace(FACTS, content_type="text/plain")

    assert verdict_on(PAGE, facts, "The level is 2.31 m.\n") == WELL
    assert verdict_on(PAGE, replace(facts, status=502), "one\ntwo\n").state is HealthState.ERROR_PAGE
