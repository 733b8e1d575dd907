"""Every page, in both themes, wide and narrow: nothing is wrong, nothing sticks out, everybody can use it."""

import re
from typing import Any

import httpx2
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Open
from tests.browser.pages import DESKTOP, PHONE, overflow_px, sign_in, violations, violations_in_both_themes
from tests.program import Program

pytestmark = pytest.mark.timeout(240)

SIZES = {"desktop": DESKTOP, "phone": PHONE}
SMALLEST_TARGET_PX = 24
"""WCAG 2.5.8; the controls of a phone are 44."""


def addresses(client: httpx2.Client) -> list[str]:
    """One address of each page, with what it is about."""
    room = client.get("/api/templates", params={"q": "Room"}).json()["items"][0]["id"]
    event = client.get("/api/events", params={"kind": "motion"}).json()["items"][0]["id"]
    alert = client.get("/api/alerts").json()["items"][0]["id"]
    return [
        *("/live", "/live?dense=yes", "/events", f"/events/{event}", "/events?q=nothing-like-it"),
        *("/alerts", f"/alerts/{alert}", "/alerts?state=resolved"),
        *("/sources", f"/sources/{room}", f"/sources/{room}/edit", "/sources/new"),
        *("/channels", "/settings", "/settings/users", "/settings/keys", "/settings/audit"),
        "/settings/audit?action=moon.landed",
        *("/jobs", "/jobs?status=cancelled", "/system", "/settings/move", "/exports"),
        "/no/such/page",
    ]


def settle(page: Page) -> None:
    """Wait until the page has its heading and nothing shimmers any more."""
    expect(page.get_by_role("heading").first).to_be_visible()
    expect(page.locator(".shimmer")).to_have_count(0)


@pytest.mark.parametrize("size", SIZES)
def test_everybody_can_use_it_and_nothing_sticks_out(
    open_page: Open, client: httpx2.Client, size: str
) -> None:
    found: dict[str, object] = {}
    with open_page(reduced_motion="reduce", **SIZES[size]) as page:
        sign_in(page.context)
        for address in addresses(client):
            page.goto(address)
            settle(page)
            found |= {f"{address} is wider by px": wider for wider in [overflow_px(page)] if wider > 0}
            found |= {f"{address} has small": target for target in small_targets(page)}
            found |= {f"{address} {rule}": nodes for rule, nodes in violations_in_both_themes(page).items()}

    assert found == {}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("address", ["/login", "/setup"])
def test_everybody_can_use_what_is_shown_before_signing_in(open_page: Open, address: str, size: str) -> None:
    with open_page(reduced_motion="reduce", **SIZES[size]) as page:
        page.goto(address)
        settle(page)

        assert violations_in_both_themes(page) == {}
        assert overflow_px(page) <= 0
        assert small_targets(page) == []


DIALOGS = {
    "Add channel": "/channels",
    "Add user": "/settings/users",
    "Edit admin@example.org": "/settings/users",
    "Make key": "/settings/keys",
    "Change password": "/settings",
}
"""Those that do not belong to a source, with the address of their button."""


@pytest.mark.parametrize("dialog", [*DIALOGS, "Add rule", "Delete"])
def test_everybody_can_use_its_dialogs(open_page: Open, room: dict[str, Any], dialog: str) -> None:
    with open_page() as page:
        sign_in(page.context)
        page.goto(DIALOGS.get(dialog, f"/sources/{room['id']}"))
        page.get_by_role("button", name=dialog, exact=True).click()
        expect(page.get_by_role("dialog")).to_be_visible()
        settle(page)

        assert violations(page) == {}


def small_targets(page: Page) -> list[str]:
    """Name the buttons and fields that are too small for a finger; links within a sentence may be."""
    found = page.evaluate(
        """(least) => [...document.querySelectorAll('button, select, input:not(.sr-only), summary')]
          .filter((element) => element.checkVisibility() && !element.closest('label'))
          .filter((element) => !['checkbox', 'radio'].includes(element.type))
          .map((element) => [element.outerHTML.slice(0, 120), element.getBoundingClientRect()])
          .filter(([, box]) => box.width > 0 && (box.height < least || box.width < least))
          .map(([html]) => html)""",
        SMALLEST_TARGET_PX,
    )
    return [str(item) for item in found]


def test_the_theme_follows_the_system_until_somebody_chooses(open_page: Open) -> None:
    with open_page(color_scheme="light") as page:
        sign_in(page.context)
        page.goto("/settings")
        root = page.locator("html")
        expect(root).to_have_attribute("data-theme", "light")

        page.get_by_role("main").get_by_role("radio", name="Dark").check(force=True)
        expect(root).to_have_attribute("data-theme", "dark")
        page.reload()
        expect(root).to_have_attribute("data-theme", "dark")


def test_a_phone_has_its_bar_and_no_rail(open_page: Open) -> None:
    with open_page(**PHONE) as page:
        sign_in(page.context)
        page.goto("/live")
        bar = page.get_by_role("navigation", name="Main, phone")
        expect(bar).to_be_visible()
        expect(page.get_by_role("complementary")).to_have_count(0)

        bar.get_by_role("link", name="Sources").click()
        expect(page.get_by_role("heading", name="Sources", level=1)).to_be_visible()


def test_every_page_has_a_title_of_its_own(page: Page, client: httpx2.Client) -> None:
    titles = {}
    for address in ("/live", "/events", "/alerts", "/sources", "/sources/new", "/channels", "/settings"):
        page.goto(address)
        expect(page).to_have_title(re.compile(r".+ · Glimpser$"))
        titles[page.title()] = address

    assert len(titles) == 7


def test_the_app_is_sent_with_the_policy_that_allows_nothing_else(program: Program) -> None:
    answer = httpx2.get(f"{program.url}/live")

    assert (
        "default-src 'none'; script-src 'self'; style-src 'self';"
        in answer.headers["content-security-policy"]
    )
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "<script>" not in answer.text
    assert "style=" not in answer.text
