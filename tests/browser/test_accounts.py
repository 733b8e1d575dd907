"""Admins manage users and keys and read who changed what; the others do not even see the entries."""

import re
from typing import Any

import httpx2
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Open
from tests.browser.pages import opened
from tests.program import Program

pytestmark = pytest.mark.timeout(180)

SECRET = "a password for the tests"


def test_a_user_is_added_changed_shut_out_and_deleted(page: Page, client: httpx2.Client) -> None:
    page.goto("/settings/users")
    page.get_by_role("button", name="Add user").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Add user").click()
    expect(dialog.get_by_text("An e-mail address is needed.")).to_be_visible()
    dialog.get_by_label("E-mail").fill("bob@example.org")
    dialog.get_by_label("Password", exact=True).fill(SECRET)
    dialog.get_by_label("Groups").fill("Home")
    dialog.get_by_role("button", name="Add user").click()
    row = page.get_by_role("row", name=re.compile("bob@example.org"))
    expect(row).to_contain_text("Viewer")
    expect(row).to_contain_text("Home")

    page.get_by_role("button", name="Edit bob@example.org").click()
    dialog.get_by_label("Role").select_option("operator")
    dialog.get_by_label("May sign in").uncheck()
    dialog.get_by_role("button", name="Save").click()
    expect(row).to_contain_text("Operator")
    expect(row).to_contain_text("May not sign in")
    login = {"email": "bob@example.org", "password": SECRET}
    assert client.post("/api/auth/login", json=login).status_code == 401

    page.get_by_role("button", name="Edit bob@example.org").click()
    dialog.get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Delete user").click()
    expect(row).to_have_count(0)


def test_a_key_is_shown_once_and_revoked(page: Page, program: Program) -> None:
    page.goto("/settings/keys")
    page.get_by_role("button", name="Make key").first.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("Robot")
    dialog.get_by_role("button", name="Make key").click()
    key = dialog.get_by_label("Key").input_value()
    header = {"x-api-key": key}
    assert httpx2.get(f"{program.url}/api/me", headers=header).json()["name"] == "Robot"

    dialog.get_by_role("button", name="I have kept it").click()
    row = page.get_by_role("row", name=re.compile("Robot"))
    expect(row).to_contain_text("Until")
    assert key not in page.content()
    page.get_by_role("button", name="Revoke Robot").click()
    page.get_by_role("dialog").get_by_role("button", name="Revoke key").click()
    expect(row).to_have_count(0)
    assert httpx2.get(f"{program.url}/api/me", headers=header).status_code == 401


def test_the_log_says_who_changed_what_and_is_filtered_by_its_address(
    page: Page, room: dict[str, Any]
) -> None:
    page.goto("/settings/audit?action=template.created")
    row = page.get_by_role("row", name=re.compile("admin@example.org added the source Room"))
    expect(row).to_be_visible()
    expect(row.get_by_role("link", name="Room")).to_have_attribute("href", f"/sources/{room['id']}")

    page.get_by_label("Who").fill("nobody@example.org")
    page.get_by_label("Who").press("Enter")
    expect(page.get_by_text("No change fits this")).to_be_visible()
    expect(page).to_have_url(re.compile("actor=nobody"))


def test_a_viewer_sees_no_way_to_accounts_and_changes_their_own_password(
    browser: Browser, program: Program, client: httpx2.Client
) -> None:
    viewer = {"email": "vera@example.org", "password": SECRET, "role": "viewer"}
    account = client.post("/api/admin/users", json=viewer).json()
    allowed = (r"(401|403) POST .*/api/me/password", r"console: .*status of 40[13]")
    with opened(browser, program, allowed=allowed) as page:
        login = {"email": viewer["email"], "password": SECRET}
        assert page.context.request.post("/api/auth/login", data=login).ok
        page.goto("/settings")
        expect(page.get_by_text("Signed in as viewer").last).to_be_visible()
        expect(page.get_by_role("main").get_by_role("link")).to_have_text(
            ["System, disk and backup", "Interface for programs"]
        )
        page.goto("/settings/users")
        expect(page.get_by_role("heading", name="This page needs the role admin")).to_be_visible()

        page.goto("/settings")
        page.get_by_role("button", name="Change password").click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_label("Current password", exact=True).fill("not this one")
        dialog.get_by_label("New password", exact=True).fill("another password")
        dialog.get_by_role("button", name="Change password").click()
        expect(dialog.get_by_label("Current password", exact=True)).to_have_attribute("aria-invalid", "true")
        dialog.get_by_label("Current password", exact=True).fill(SECRET)
        dialog.get_by_role("button", name="Change password").click()
        expect(page.get_by_text("Your password was changed")).to_be_visible()
        page.goto("/live")
        expect(page.get_by_role("heading", name="Live", level=1)).to_be_visible()
    client.delete(f"/api/admin/users/{account['id']}", headers={"If-Match": "*"})


@pytest.mark.parametrize("path", ["/settings/users", "/settings/keys", "/settings/audit"])
def test_who_is_not_signed_in_is_led_to_the_door(open_page: Open, path: str) -> None:
    with open_page() as page:
        page.goto(path)
        expect(page).to_have_url(re.compile("/login"))
