"""Somebody starts the program and opens its address for the first time."""

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import Open
from tests.browser.pages import DESKTOP, PHONE, expect_moving, opened, overflow_px, violations_in_both_themes
from tests.program import EMAIL, PASSWORD, running

pytestmark = pytest.mark.timeout(180)


def test_from_the_code_to_a_moving_picture(
    browser: Browser, tmp_path: Path, settings: dict[str, str]
) -> None:
    with (
        running(tmp_path / "data", settings) as program,
        opened(browser, program) as page,
    ):
        page.goto("/")
        page.get_by_label("Setup code").fill(program.setup_code or "")
        page.get_by_label("Email").fill(EMAIL)
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.get_by_role("button", name="Create account").click()

        expect(page.get_by_role("heading", name="Nothing to watch yet")).to_be_visible()
        page.get_by_role("link", name="Add source").last.click()
        page.get_by_role("radio", name=re.compile("File or folder")).check(force=True)
        page.get_by_label("Name", exact=True).fill("Room")
        page.get_by_label("Path").fill("room.mp4")
        page.get_by_role("button", name="Add source").click()

        expect(page.get_by_role("heading", name="Room", level=1)).to_be_visible()
        expect(page.get_by_role("img", name="Room, live")).to_have_js_property("naturalWidth", 320)
        page.get_by_role("navigation", name="Main", exact=True).get_by_role("link", name="Live").click()
        tile = page.locator("[data-tile]")
        expect(tile).to_have_count(1)
        expect_moving(page, tile.get_attribute("data-tile") or "")
        page.get_by_role("navigation", name="Main", exact=True).get_by_role("link", name="Events").click()
        expect(page.get_by_role("link", name=re.compile("Motion")).first).to_be_visible(timeout=30_000)


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_everybody_can_use_the_first_page(browser: Browser, tmp_path: Path, size: dict[str, Any]) -> None:
    options = {"bypass_csp": True, "reduced_motion": "reduce", **size}
    with running(tmp_path / "data") as program, opened(browser, program, **options) as page:
        page.goto("/")
        expect(page.get_by_label("Setup code")).to_be_visible()

        assert violations_in_both_themes(page) == {}
        assert overflow_px(page) <= 0


def test_a_wrong_code_is_refused_in_words(browser: Browser, tmp_path: Path) -> None:
    allowed = (r"403 POST .*/api/setup", r"console: .*status of 403")
    with running(tmp_path / "data") as program, opened(browser, program, allowed=allowed) as page:
        page.goto("/setup")
        page.get_by_label("Setup code").fill("AAAA-BBBB-CCCC-DDDD")
        page.get_by_label("Email").fill(EMAIL)
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.get_by_role("button", name="Create account").click()

        expect(page.get_by_role("alert")).to_contain_text("code")


def test_signing_in_leads_back_to_where_one_was(open_page: Open) -> None:
    with open_page() as page:
        page.goto("/events?kind=motion")
        page.get_by_label("Email").fill(EMAIL)
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()

        expect(page.get_by_role("heading", name="Events", level=1)).to_be_visible()
        expect(page).to_have_url(re.compile(r"/events\?kind=motion$"))


def test_a_wrong_password_is_refused_in_words(open_page: Open) -> None:
    with open_page(allowed=(r"401 POST .*/api/auth/login", r"console: .*status of 401")) as page:
        page.goto("/login")
        page.get_by_label("Email").fill(EMAIL)
        page.get_by_label("Password", exact=True).fill("not the password")
        page.get_by_role("button", name="Sign in").click()

        expect(page.get_by_role("alert")).to_have_text("Email or password is wrong.")


def test_logging_out_ends_the_session(open_page: Open) -> None:
    with open_page() as page:
        page.goto("/login")
        page.get_by_label("Email").fill(EMAIL)
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.get_by_role("button", name=EMAIL).click()
        page.get_by_role("button", name="Log out").click()

        expect(page).to_have_url(re.compile("/login$"))
        page.goto("/sources")
        expect(page.get_by_role("button", name="Sign in")).to_be_visible()
